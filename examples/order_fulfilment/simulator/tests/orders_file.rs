//! The orders of the example: enough of them, all in order, and with every kind of trouble that the world
//! knows.
//! It must not know workflows: it drives each order by hand, as a patient person would.

use std::collections::BTreeMap;

use super::*;
use crate::orders::{Order, read_orders};

/// The retries that every step of the example has at least.
const ATTEMPTS: usize = 5;

type Tally = BTreeMap<String, usize>;

fn orders() -> Vec<Order> {
    read_orders(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/order_fulfilment/orders.jsonl")).unwrap()
}

#[test]
fn the_orders_are_many_and_add_up() {
    let orders = orders();
    assert_eq!(orders.len(), 240);
    for (index, order) in orders.iter().enumerate() {
        assert_eq!(order.id, format!("order-{:04}", index + 1));
        assert!(
            !order.customer.name.is_empty() && order.customer.email.ends_with(".example"),
            "{}",
            order.id
        );
    }
    assert!(orders.iter().filter(|order| order.lines.len() > 1).count() > 120);
}

#[test]
fn the_warehouse_knows_every_article_and_has_plenty_of_what_can_be_sold() {
    let mut wanted: BTreeMap<String, u32> = BTreeMap::new();
    for line in orders().into_iter().flat_map(|order| order.lines) {
        // More than the shelf holds is refused whole, and takes nothing from the others.
        if line.quantity < 1_000 {
            *wanted.entry(line.sku).or_default() += line.quantity;
        }
    }
    for (sku, pieces) in wanted {
        let article = warehouse::CATALOGUE.iter().find(|article| article.sku == sku).unwrap();
        assert!(article.initial == 0 || pieces < article.initial / 2, "{sku}: {pieces}");
    }
}

#[tokio::test]
async fn every_kind_of_trouble_is_met_and_all_of_it_can_be_mastered() {
    let lab = Lab::new().await;
    let (mut ends, mut troubles) = (Tally::new(), Tally::new());
    let (mut waiting, mut clean) = (Vec::new(), 0);
    for order in orders() {
        let met_before = troubles.values().sum::<usize>();
        let end = fulfil(&lab.world, &order, &mut troubles).await;
        if end == "waiting" {
            waiting.push(order.id);
        }
        clean += usize::from(end == "fulfilled" && met_before == troubles.values().sum::<usize>());
        *ends.entry(end).or_default() += 1;
    }

    let audit = lab.world.audit().await.unwrap();
    assert_eq!(audit.violations(&waiting), [""; 0]);
    let totals = audit.totals();
    assert_eq!((totals.shipments, totals.mails, totals.reserved, totals.released), (209, 209, 5, 20));
    assert_eq!(clean, 168, "about 70 % of all orders");
    assert_tally(
        &ends,
        &[
            ("card declined", 10),
            ("fulfilled", 209),
            ("no courier", 6),
            ("out of stock", 6),
            ("replacement declined", 4),
            ("waiting", 5),
        ],
    );
    assert_tally(
        &troubles,
        &[
            ("card expired", 22),
            ("courier unavailable: nobody in the ferry office", 2),
            ("courier unavailable: timed out", 2),
            ("gateway unavailable: no route to the bank", 13),
            ("gateway unavailable: timed out", 6),
            ("the warehouse is busy", 7),
            ("unavailable: connection closed before the receipt", 2),
            ("unavailable: greylisted, try again later", 5),
        ],
    );
}

fn assert_tally(tally: &Tally, expected: &[(&str, usize)]) {
    let tally: Vec<(&str, usize)> = tally.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(tally, expected);
}

async fn fulfil(world: &World, order: &Order, troubles: &mut Tally) -> String {
    let key = |step: &str| format!("{}/{step}", order.id);
    let is_out = |error: &ReserveError| matches!(error, ReserveError::OutOfStock { .. });
    let reserve = async || world.reserve(&order.id, &order.lines, &key("reserve")).await;
    let Ok(reservation) = patiently(reserve, is_out, troubles).await else {
        return "out of stock".to_owned();
    };

    let is_final = |error: &ChargeError| !matches!(error, ChargeError::Unavailable(_));
    let total = order.total_cents;
    let charge = async || world.charge(&order.id, &order.card, total, &key("charge")).await;
    let mut charged = patiently(charge, is_final, troubles).await;
    if charged == Err(ChargeError::Expired) {
        *troubles.entry(ChargeError::Expired.to_string()).or_default() += 1;
        let Some(card) = &order.replacement_card else {
            return "waiting".to_owned();
        };
        let charge = async || world.charge(&order.id, card, total, &key("charge again")).await;
        charged = patiently(charge, is_final, troubles).await;
    }
    let Ok(charge) = charged else {
        world.release(&reservation, &key("release")).await.unwrap();
        let which = if order.replacement_card.is_some() { "replacement" } else { "card" };
        return format!("{which} declined");
    };

    let is_nowhere = |error: &ShipmentError| *error == ShipmentError::NoCourier;
    let ship = async || world.book_shipment(&order.id, &order.address, &key("ship")).await;
    if patiently(ship, is_nowhere, troubles).await.is_err() {
        world.refund(&charge, &key("refund")).await.unwrap();
        world.release(&reservation, &key("release")).await.unwrap();
        return "no courier".to_owned();
    }
    let confirm =
        async || world.send_mail(&order.id, &order.customer.email, "On its way", &key("confirm")).await;
    patiently(confirm, |_| false, troubles).await.unwrap();
    "fulfilled".to_owned()
}

/// Repeats a call until it gives a final answer, and counts what came in between.
async fn patiently<T, E: ToString>(
    call: impl AsyncFn() -> Result<T, E>,
    is_final: impl Fn(&E) -> bool,
    troubles: &mut Tally,
) -> Result<T, E> {
    for _ in 0..ATTEMPTS {
        match call().await {
            Err(error) if !is_final(&error) => *troubles.entry(error.to_string()).or_default() += 1,
            answer => return answer,
        }
    }
    panic!("the trouble did not pass within {ATTEMPTS} attempts");
}
