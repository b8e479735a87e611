//! What a test demands of the coverage: shares of the diagram, kind by kind.
//! It compares and names what is missing.

use super::{Coverage, Item, Kind};

/// A share of the diagram that a test demands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    what: Kind,
    share: f64,
}

/// This share of all nodes is come to; 1.0 is all.
pub fn nodes(share: f64) -> Demand {
    Demand { what: Kind::Nodes, share }
}

/// This share of all flows is taken; 1.0 is all.
pub fn edges(share: f64) -> Demand {
    Demand { what: Kind::Flows, share }
}

/// This share of all error events is taken, the flows by which errors leave what failed; 1.0 is all.
pub fn errors(share: f64) -> Demand {
    Demand { what: Kind::Errors, share }
}

/// This share of all timers fires and of all deadlines passes; 1.0 is all.
pub fn timers(share: f64) -> Demand {
    Demand { what: Kind::Timers, share }
}

/// This share of all messages comes, where one is waited for, or leaves, where one is sent; 1.0 is all.
pub fn messages(share: f64) -> Demand {
    Demand { what: Kind::Messages, share }
}

/// This share of all steps that can be undone is undone, at each place where they are called; 1.0 is all.
pub fn compensations(share: f64) -> Demand {
    Demand { what: Kind::Compensations, share }
}

/// During this share of all steps, timers, waits, children and compensations the run is dropped and rebuilt; 1.0 is
/// all. Needs [`Exploration::crash_at_every_write`](crate::Exploration::crash_at_every_write).
pub fn crash_points(share: f64) -> Demand {
    Demand { what: Kind::CrashPoints, share }
}

impl Coverage {
    pub(crate) fn meets(&self, demand: &Demand) -> Result<(), String> {
        let items = self.items(demand.what);
        let missing: Vec<&Item> = items.iter().filter(|item| item.count == 0).collect();
        let (all, taken) = (items.len(), items.len() - missing.len());
        // A diagram without such parts is covered.
        let share = if all == 0 { 1.0 } else { taken as f64 / all as f64 };
        if share >= demand.share {
            return Ok(());
        }
        let name = demand.what.name();
        let mut text = format!("{taken} of {all} {name} of `{}` were taken", self.workflow);
        for gap in missing {
            text.push_str(&format!("\n  {}", self.gap(gap)));
        }
        if demand.what == Kind::CrashPoints && taken == 0 {
            text.push_str("\n  nothing was crashed: say `.crash_at_every_write()`");
        }
        Err(text)
    }
}
