//! What every contestant of the engine benchmark shares, so that all of them do the same work and are measured alike.
//! Knows the workloads and the meters; must not know any of the contestants.
//!
//! A contestant is a program that is given an [`Order`] as JSON in its first argument, does what it says, and prints
//! one line `RESULT {..}` with what was measured. [`perform`] does all of that for a [`Contestant`].

mod contestant;
mod judge;
mod ledger;
mod meter;
mod order;
mod percentile;
mod scenes;
mod steps;

pub use contestant::{Contestant, answer, perform};
pub use judge::{Verdict, judge};
pub use ledger::{Entry, read_ledger};
pub use meter::{Meter, Reading, resident_bytes, tree_cpu_seconds};
pub use order::{Job, Order, RecordSizes, Scene, Shape, Values};
pub use percentile::percentile;
pub use steps::{Answer, body, ended};
