//! The final table: how the orders ended, and whether the engine's books agree with the world's.
//! It computes and prints; it asks nobody.

use std::collections::BTreeMap;
use std::fmt;

use workflow_runtime::{Conclusion, RunState};

use crate::orders::Order;
use crate::simulator::{Audit, AuditedOrder};
use crate::workflow::Receipt;

/// How an order stands with the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The customer has it.
    Delivered {
        /// What the receipt says, in cents.
        total_cents: i64,
    },
    /// It was not fulfilled, for a reason with this code.
    Refused {
        /// The code.
        code: String,
    },
    /// It waits for a person.
    Waiting,
    /// It is under way.
    InProgress,
}

impl Ending {
    /// Reads it from the state of the run.
    pub fn of(state: &RunState) -> Ending {
        match state {
            RunState::Running => Ending::InProgress,
            RunState::Ended(Conclusion::Completed(value)) => {
                let total_cents = value.read::<Receipt>().map_or(0, |receipt| receipt.total_cents.into());
                Ending::Delivered { total_cents }
            }
            RunState::Ended(Conclusion::Failed { code, .. }) => Ending::Refused { code: code.clone() },
            RunState::Ended(Conclusion::Cancelled { .. }) => Ending::Refused { code: "Cancelled".to_owned() },
        }
    }
}

/// The table.
#[derive(Debug)]
pub struct Report {
    delivered: usize,
    refunded: usize,
    refused: BTreeMap<String, usize>,
    waiting: usize,
    charged_cents: i64,
    refunded_cents: i64,
    receipts_cents: i64,
    violations: Vec<String>,
}

impl Report {
    /// Holds the engine's books against the world's.
    pub fn of(orders: &[Order], endings: &BTreeMap<String, Ending>, audit: &Audit) -> Report {
        let mut report = Report {
            delivered: 0,
            refunded: 0,
            refused: BTreeMap::new(),
            waiting: 0,
            charged_cents: 0,
            refunded_cents: 0,
            receipts_cents: 0,
            violations: Vec::new(),
        };
        let mut in_progress = Vec::new();
        for order in orders {
            match endings.get(&order.id) {
                Some(Ending::Delivered { total_cents }) => {
                    report.delivered += 1;
                    report.receipts_cents += total_cents;
                }
                Some(Ending::Refused { code }) => {
                    let was_refunded = audit.orders.get(&order.id).is_some_and(|o| o.refunded_cents() > 0);
                    report.refunded += usize::from(was_refunded);
                    *report.refused.entry(code.clone()).or_default() += 1;
                }
                Some(Ending::Waiting | Ending::InProgress) => {
                    report.waiting += 1;
                    in_progress.push(order.id.clone());
                }
                None => report.violations.push(format!("{} is not in the books", order.id)),
            }
        }
        report.charged_cents = audit.orders.values().map(AuditedOrder::charged_cents).sum();
        report.refunded_cents = audit.orders.values().map(AuditedOrder::refunded_cents).sum();
        report.violations.extend(audit.violations(&in_progress));
        if report.kept_cents() != report.receipts_cents {
            let difference = euro(report.kept_cents() - report.receipts_cents);
            report.violations.push(format!("money kept and receipts differ by {difference}"));
        }
        report
    }

    /// Whether every order ended as it should and no cent is in limbo.
    pub fn is_consistent(&self) -> bool {
        self.violations.is_empty()
    }

    fn kept_cents(&self) -> i64 {
        self.charged_cents - self.refunded_cents
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  delivered  {:>6}   receipts over {}", self.delivered, euro(self.receipts_cents))?;
        for (code, count) in &self.refused {
            writeln!(f, "  refused    {count:>6}   {code}")?;
        }
        writeln!(f, "  refunded   {:>6}   of the refused ones had been charged", self.refunded)?;
        writeln!(f, "  waiting    {:>6}   for another card", self.waiting)?;
        let (charged, refunded) = (euro(self.charged_cents), euro(self.refunded_cents));
        write!(f, "  money      charged {charged} - refunded {refunded} = kept {}", euro(self.kept_cents()))?;
        if self.is_consistent() {
            return write!(f, "\n  books      engine and world agree: money kept = receipts");
        }
        self.violations.iter().try_for_each(|violation| write!(f, "\n  VIOLATION  {violation}"))
    }
}

fn euro(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} EUR", cents.abs() / 100, cents.abs() % 100)
}
