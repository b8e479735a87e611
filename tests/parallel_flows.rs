//! Parallel code in every surrounding: each flow here is executed with failures, crashes and in other orders, and each
//! execution is a way through its graph. It knows nothing of how a graph is made.
#![allow(missing_docs, unreachable_pub)]

#[path = "parallel_flows/calls.rs"]
mod calls;
#[path = "parallel_flows/deadlines.rs"]
mod deadlines;
#[path = "parallel_flows/joins.rs"]
mod joins;
#[path = "conformance/judge.rs"]
mod judge;
#[path = "parallel_flows/many.rs"]
mod many;
#[path = "parallel_flows/names.rs"]
mod names;
#[path = "parallel_flows/races.rs"]
mod races;
#[path = "parallel_flows/steps.rs"]
mod steps;
