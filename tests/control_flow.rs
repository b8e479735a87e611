//! Control flow of every form: each flow here is executed in all its ways, each execution is a way through its graph,
//! and each flow of the graph is taken by one of them. It knows nothing of how a graph is made.
#![allow(missing_docs, unreachable_pub)]

#[path = "control_flow/branches.rs"]
mod branches;
#[path = "conformance/judge.rs"]
mod judge;
#[path = "control_flow/labels.rs"]
mod labels;
#[path = "control_flow/loops.rs"]
mod loops;
#[path = "control_flow/matches.rs"]
mod matches;
#[path = "control_flow/on_sqlite.rs"]
mod on_sqlite;
#[path = "control_flow/steps.rs"]
mod steps;
