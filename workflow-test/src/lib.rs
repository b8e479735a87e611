//! The deterministic test kit: plain tests for workflows, with mocks, virtual time and oracles.
//! It drives `workflow-core` itself; it knows no executor, no store and never sleeps. The one other thread that it has
//! runs what was run once more, for comparison.

mod agenda;
mod annals;
mod atlas;
mod body;
mod child_mock;
mod coverage;
mod driver;
mod errands;
mod explore;
mod histories;
mod history;
mod invent;
mod kit;
mod mail;
mod mock;
mod oracle;
mod outside;
mod places;
mod scenarios;
mod script;
mod shape;
#[cfg(test)]
#[path = "../tests/shop/mod.rs"]
mod shop;
mod test_run;
mod transcript;
#[cfg(test)]
#[path = "../tests/trip/mod.rs"]
mod trip;
mod violation;
mod words;

pub use child_mock::ChildMock;
pub use coverage::{
    Coverage, Demand, compensations, complete, crash_points, edges, errors, messages, nodes, timers,
};
pub use explore::{Exploration, Explore, Failure, Report};
pub use histories::{Replayed, replay_histories};
pub use history::{Child, End, Names, Outcome, Write};
pub use kit::Kit;
pub use mock::Mock;
pub use test_run::TestRun;
pub use violation::{Oracle, Violation};
pub use workflow_core::Resources;
pub use workflow_macros::workflow_test;
