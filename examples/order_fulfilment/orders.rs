//! The shop's orders, and reading them from a file of JSON lines.
//! It knows neither workflows nor the world that fulfils an order.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What one customer bought, and everything that is needed to fulfil it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Unique in the shop, for example `order-0042`.
    pub id: String,
    /// Who bought it and hears about it.
    pub customer: Customer,
    /// Where the goods go.
    pub address: Address,
    /// What was bought; never empty.
    pub lines: Vec<Line>,
    /// The sum of all lines.
    pub total_cents: u32,
    /// What all amounts of this order are in.
    pub currency: Currency,
    /// The card that the customer pays with.
    pub card: Card,
    /// The card that the customer sends when the first one is refused as expired; `None` if they never answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement_card: Option<Card>,
}

/// The person behind an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// First and last name.
    pub name: String,
    /// Where confirmations go.
    pub email: String,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and house number, in the order that the country writes them.
    pub street: String,
    /// Postal code as the country writes it.
    pub postal_code: String,
    /// Town.
    pub city: String,
    /// ISO 3166 code of two letters.
    pub country: String,
}

/// One article of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The article's number in the warehouse.
    pub sku: String,
    /// How many pieces.
    pub quantity: u32,
    /// The price of one piece.
    pub unit_price_cents: u32,
}

/// A payment card. Only the public test numbers of payment gateways appear in this example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The digits without spaces.
    pub number: String,
    /// The last month in which the card is good, as `YYYY-MM`.
    pub expires: String,
}

/// The currencies that the shop sells in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Currency {
    /// Euro.
    #[serde(rename = "EUR")]
    Eur,
}

/// Why a file of orders was refused. Nothing of a refused file is used.
#[derive(Debug, thiserror::Error)]
pub enum OrdersError {
    /// The file itself cannot be read.
    #[error("cannot read orders from {}: {source}", path.display())]
    Unreadable {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// One line is not an order that the shop can have taken.
    #[error("{}:{line}: {reason}", path.display())]
    BadLine {
        /// The file that was read.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads a file that holds one order as JSON per line; blank lines are skipped.
///
/// # Errors
/// The first line that is no JSON, misses a field, repeats an id or does not add up is named in the error.
pub fn read_orders(path: impl AsRef<Path>) -> Result<Vec<Order>, OrdersError> {
    let path = path.as_ref();
    let text = fs::read_to_string(path)
        .map_err(|source| OrdersError::Unreadable { path: path.to_owned(), source })?;
    let mut orders = Vec::new();
    let mut ids = BTreeSet::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let bad = |reason| OrdersError::BadLine { path: path.to_owned(), line: index + 1, reason };
        let order = parse(line).map_err(bad)?;
        if !ids.insert(order.id.clone()) {
            return Err(bad(format!("the id `{}` was used by an earlier line", order.id)));
        }
        orders.push(order);
    }
    Ok(orders)
}

fn parse(line: &str) -> Result<Order, String> {
    let order: Order = serde_json::from_str(line).map_err(|error| {
        // serde_json counts lines within what it was given, which is always line 1 here and would mislead.
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or(&message);
        format!("{reason} (column {})", error.column())
    })?;
    check(&order)?;
    Ok(order)
}

fn check(order: &Order) -> Result<(), String> {
    if order.id.is_empty() {
        return Err("the id is empty".to_owned());
    }
    if order.lines.is_empty() {
        return Err(format!("`{}` has no lines", order.id));
    }
    if let Some(line) = order.lines.iter().find(|line| line.quantity == 0) {
        return Err(format!("`{}` orders no piece of `{}`", order.id, line.sku));
    }
    // Summed in 128 bits: a quantity times a price may not fit 32, and a wrapped sum could pass by accident.
    let sum: u128 = order.lines.iter().map(|l| u128::from(l.quantity) * u128::from(l.unit_price_cents)).sum();
    if sum != u128::from(order.total_cents) {
        return Err(format!("total_cents is {}, but the lines add up to {sum}", order.total_cents));
    }
    for card in std::iter::once(&order.card).chain(&order.replacement_card) {
        if !is_month(&card.expires) {
            return Err(format!("a card expires in a month like `2027-09`, not `{}`", card.expires));
        }
    }
    Ok(())
}

fn is_month(text: &str) -> bool {
    match text.as_bytes() {
        [year @ .., b'-', tens, ones] if year.len() == 4 => {
            year.iter().all(u8::is_ascii_digit)
                && matches!((tens, ones), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = concat!(
        r#"{"id":"order-0001","#,
        r#""customer":{"name":"Aino Virtanen","email":"aino@post.example"},"#,
        r#""address":{"street":"Hämeenkatu 36","postal_code":"00170","city":"Helsinki","country":"FI"},"#,
        r#""lines":[{"sku":"MUG-BLUE","quantity":2,"unit_price_cents":1290}],"#,
        r#""total_cents":2580,"#,
        r#""currency":"EUR","#,
        r#""card":{"number":"4242424242424242","expires":"2030-11"}}"#
    );

    fn error_of(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.jsonl");
        fs::write(&path, text).unwrap();
        read_orders(&path).unwrap_err().to_string()
    }

    #[test]
    fn an_order_survives_its_own_json() {
        let order = parse(LINE).unwrap();
        assert_eq!(serde_json::to_string(&order).unwrap(), LINE);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_orders("no/such/orders.jsonl").unwrap_err().to_string();
        assert!(error.starts_with("cannot read orders from no/such/orders.jsonl: "), "{error}");
    }

    #[test]
    fn a_bad_line_is_named_by_file_and_number() {
        let error = error_of(&format!("{LINE}\n\n{{\"id\":\"order-0002\"}}\n"));
        assert!(error.ends_with("orders.jsonl:3: missing field `customer` (column 19)"), "{error}");
    }

    #[test]
    fn what_the_shop_cannot_have_sold_is_refused() {
        for (from, to, reason) in [
            ("2580", "2581", "total_cents is 2581, but the lines add up to 2580"),
            ("\"EUR\"", "\"USD\"", "unknown variant `USD`, expected `EUR`"),
            ("2030-11", "11/30", "a card expires in a month like `2027-09`, not `11/30`"),
            ("\"quantity\":2", "\"quantity\":0", "`order-0001` orders no piece of `MUG-BLUE`"),
            ("\"quantity\":2", "\"quantity\":-2", "invalid value: integer `-2`, expected u32"),
            ("\"card\"", "\"crad\"", "unknown field `crad`"),
        ] {
            let error = error_of(&LINE.replace(from, to));
            assert!(error.contains(&format!("orders.jsonl:1: {reason}")), "{error}");
        }
    }

    #[test]
    fn an_id_is_used_once() {
        let error = error_of(&format!("{LINE}\n{LINE}\n"));
        assert!(error.ends_with(":2: the id `order-0001` was used by an earlier line"), "{error}");
    }
}
