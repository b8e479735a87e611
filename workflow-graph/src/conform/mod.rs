//! Conformance (WF060): whether a workflow does what an analyst's model draws, and the other way round.
//! Functions for constants: the macro reads the model, the compiler compares it with the graph.
//!
//! The labels of steps are known to constants only, since steps stand in other files; so the macro hands over the
//! model as data, and [`Comparison::of`] runs while the compiler evaluates a constant. [`Level`] says how much has
//! to agree.

mod border;
mod compare;
mod deadlines;
mod keys;
mod letters;
mod matching;
mod model;
mod passing;
mod plan;
mod relations;
mod strict;
mod structure;
mod wording;

pub use compare::{Comparison, Level};
pub use model::{Element, ElementKind, Model, ROOM, Repeats};
