//! The audit: what really happened in the world, and where money or goods do not add up.
//! It must not know what the shop believes, apart from which orders have not ended.

mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

/// Everything that ever happened in a world, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Audit {
    /// What happened for each order that any service did something for, by the order's id.
    pub orders: BTreeMap<String, AuditedOrder>,
    /// Every article of the warehouse, by its number.
    pub stock: Vec<AuditedStock>,
    /// What belongs to no order: refunds without a charge, releases of nothing, idempotency keys used for two
    /// calls.
    pub strays: Vec<String>,
    /// Logical calls.
    pub calls: i64,
    /// Attempts of all calls; what exceeds [`calls`](Audit::calls) was repeated.
    pub attempts: i64,
}

/// What happened for one order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AuditedOrder {
    /// Money taken, each with what was given back.
    pub charges: Vec<AuditedCharge>,
    /// Goods set aside.
    pub reservations: Vec<AuditedReservation>,
    /// Tracking ids.
    pub shipments: Vec<String>,
    /// Subjects of the mails that were sent.
    pub mails: Vec<String>,
}

/// One charge and its refunds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditedCharge {
    /// The gateway's id.
    pub id: String,
    /// What was taken.
    pub amount_cents: i64,
    /// What was given back in all.
    pub refunded_cents: i64,
}

/// One reservation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditedReservation {
    /// The warehouse's id.
    pub id: String,
    /// Where the goods are now.
    pub goods: GoodsState,
}

/// Where goods are that were set aside once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GoodsState {
    /// Still set aside.
    Reserved,
    /// Back on the shelf.
    Released,
    /// On their way to the customer.
    Shipped,
}

/// One article: `initial = left + reserved + shipped`, or something is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditedStock {
    /// The article.
    pub sku: String,
    /// Pieces on the first day.
    pub initial: i64,
    /// Pieces on the shelf.
    pub left: i64,
    /// Pieces set aside.
    pub reserved: i64,
    /// Pieces that left the house.
    pub shipped: i64,
}

/// Sums over all orders. Prints as one line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Orders that any service did something for.
    pub orders: usize,
    /// Money taken.
    pub charged_cents: i64,
    /// Money given back.
    pub refunded_cents: i64,
    /// Reservations that are still open.
    pub reserved: usize,
    /// Reservations whose goods are back on the shelf.
    pub released: usize,
    /// Shipments.
    pub shipments: usize,
    /// Mails.
    pub mails: usize,
}

impl Audit {
    /// Says in one sentence each what must not have happened; empty when all is well.
    ///
    /// The orders named here have not ended: they may be paid without a shipment, or hold goods. Everything
    /// else holds always.
    pub fn violations(&self, in_progress: &[String]) -> Vec<String> {
        let mut found = self.strays.clone();
        for (id, order) in &self.orders {
            let mut of_order = order.violations();
            if !in_progress.contains(id) {
                of_order.extend(order.violations_at_the_end());
            }
            found.extend(of_order.into_iter().map(|violation| format!("{id}: {violation}")));
        }
        found.extend(self.stock.iter().filter_map(AuditedStock::violation));
        found
    }

    /// Adds up all orders.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { orders: self.orders.len(), ..Totals::default() };
        for order in self.orders.values() {
            totals.charged_cents += order.charged_cents();
            totals.refunded_cents += order.refunded_cents();
            totals.reserved += order.goods_that_are(GoodsState::Reserved);
            totals.released += order.goods_that_are(GoodsState::Released);
            totals.shipments += order.shipments.len();
            totals.mails += order.mails.len();
        }
        totals
    }

    fn order(&mut self, order_id: String) -> &mut AuditedOrder {
        self.orders.entry(order_id).or_default()
    }
}

impl AuditedOrder {
    /// All money taken.
    pub fn charged_cents(&self) -> i64 {
        self.charges.iter().map(|charge| charge.amount_cents).sum()
    }

    /// All money given back.
    pub fn refunded_cents(&self) -> i64 {
        self.charges.iter().map(|charge| charge.refunded_cents).sum()
    }

    fn goods_that_are(&self, state: GoodsState) -> usize {
        self.reservations.iter().filter(|reservation| reservation.goods == state).count()
    }

    /// The charges that the customer still pays for.
    fn paid(&self) -> usize {
        self.charges.iter().filter(|charge| charge.refunded_cents < charge.amount_cents).count()
    }

    fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        for charge in self.charges.iter().filter(|charge| charge.refunded_cents > charge.amount_cents) {
            let AuditedCharge { id, amount_cents, refunded_cents } = charge;
            found.push(format!("{id} took {amount_cents} cents, but {refunded_cents} were refunded"));
        }
        if self.paid() > 1 {
            let ids: Vec<&str> = self.charges.iter().map(|charge| charge.id.as_str()).collect();
            found.push(format!("charged more than once: {}", ids.join(", ")));
        }
        let held = self.goods_that_are(GoodsState::Reserved) + self.goods_that_are(GoodsState::Shipped);
        if held > 1 {
            found.push(format!("goods were reserved {held} times"));
        }
        if self.shipments.len() > 1 {
            found.push(format!("shipped more than once: {}", self.shipments.join(", ")));
        }
        if !self.shipments.is_empty() && self.paid() == 0 {
            let what = if self.charges.is_empty() { "without a charge" } else { "although refunded" };
            found.push(format!("shipped {what}"));
        }
        if !self.shipments.is_empty() && self.goods_that_are(GoodsState::Shipped) == 0 {
            found.push("shipped without goods".to_owned());
        }
        let subjects: BTreeSet<&String> = self.mails.iter().collect();
        if subjects.len() < self.mails.len() {
            found.push(format!("the same mail was sent more than once: {}", self.mails.join(", ")));
        }
        found
    }

    fn violations_at_the_end(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.paid() > 0 && self.shipments.is_empty() {
            found.push("charged, but neither shipped nor refunded".to_owned());
        }
        if self.goods_that_are(GoodsState::Reserved) > 0 {
            found.push("goods are reserved, but neither shipped nor released".to_owned());
        }
        found
    }
}

impl AuditedStock {
    fn violation(&self) -> Option<String> {
        let AuditedStock { sku, initial, left, reserved, shipped } = self;
        (*initial != left + reserved + shipped).then(|| {
            format!(
                "{sku}: {initial} pieces at first, but {left} left, {reserved} reserved, {shipped} shipped"
            )
        })
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { orders, charged_cents, refunded_cents, reserved, released, shipments, mails } = self;
        write!(f, "{orders} orders, {} EUR charged, ", euros(*charged_cents))?;
        write!(
            f,
            "{} EUR refunded, {reserved} reservations open, {released} released, ",
            euros(*refunded_cents)
        )?;
        write!(f, "{shipments} shipments, {mails} mails")
    }
}

fn euros(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
