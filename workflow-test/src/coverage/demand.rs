//! What a test demands of an exploration: shares of the diagram, kind by kind, and that nothing was left out.
//! It compares the shares and names what is missing; what was left out, the report knows.

use super::{Coverage, Item, Kind};

/// What a test demands of an exploration: a share of the diagram, or that nothing was left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand(pub(crate) Demanded);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Demanded {
    Share { what: Kind, share: f64 },
    Complete,
}

impl Demand {
    fn share(what: Kind, share: f64) -> Demand {
        Demand(Demanded::Share { what, share })
    }
}

/// Nothing was left out: the budget sufficed, a value is known for every error and every message, and every schedule
/// that is kept still fits the code.
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # use workflow_test::{Explore, complete};
/// # #[step(read_only)]
/// # async fn weigh(item: u32) -> u32 { item }
/// # #[workflow]
/// # async fn pack(item: u32) -> u32 { weigh(item).await }
/// let kit = Explore::new();
/// kit.on(weigh).returns(1);
/// kit.workflow(|| pack(2)).each_step_fails().run().assert(complete());
/// ```
pub fn complete() -> Demand {
    Demand(Demanded::Complete)
}

/// This share of all nodes is come to; 1.0 is all.
pub fn nodes(share: f64) -> Demand {
    Demand::share(Kind::Nodes, share)
}

/// This share of all flows is taken; 1.0 is all.
pub fn edges(share: f64) -> Demand {
    Demand::share(Kind::Flows, share)
}

/// This share of all error events is taken, the flows by which errors leave what failed; 1.0 is all.
pub fn errors(share: f64) -> Demand {
    Demand::share(Kind::Errors, share)
}

/// This share of all timers fires and of all deadlines passes; 1.0 is all.
pub fn timers(share: f64) -> Demand {
    Demand::share(Kind::Timers, share)
}

/// This share of all messages comes, where one is waited for, or leaves, where one is sent; 1.0 is all.
pub fn messages(share: f64) -> Demand {
    Demand::share(Kind::Messages, share)
}

/// This share of all steps that can be undone is undone, at each place where they are called; 1.0 is all.
pub fn compensations(share: f64) -> Demand {
    Demand::share(Kind::Compensations, share)
}

/// During this share of all steps, timers, waits, children and compensations the run is dropped and rebuilt; 1.0 is
/// all. Needs [`Exploration::crash_at_every_write`](crate::Exploration::crash_at_every_write).
pub fn crash_points(share: f64) -> Demand {
    Demand::share(Kind::CrashPoints, share)
}

impl Coverage {
    /// That this share of such parts was taken.
    pub(crate) fn meets(&self, what: Kind, demanded: f64) -> Result<(), String> {
        let items = self.items(what);
        let missing: Vec<&Item> = items.iter().filter(|item| item.count == 0).collect();
        let (all, taken) = (items.len(), items.len() - missing.len());
        // A diagram without such parts is covered.
        let share = if all == 0 { 1.0 } else { taken as f64 / all as f64 };
        if share >= demanded {
            return Ok(());
        }
        let name = what.name();
        let mut text = format!("{taken} of {all} {name} of `{}` were taken", self.workflow);
        for gap in missing {
            text.push_str(&format!("\n  {}", self.gap(gap)));
        }
        if what == Kind::CrashPoints && taken == 0 {
            text.push_str("\n  nothing was crashed: say `.crash_at_every_write()`");
        }
        Err(text)
    }
}
