//! Priorities that are out of bounds, or belong to something that has no runs of its own.
use workflow_runtime::prelude::*;

#[workflow(priority = 101)]
async fn too_high() {}

#[workflow(priority = -200)]
async fn too_low() {}

#[workflow(priority = "high")]
async fn in_words() {}

#[subflow(priority = 5)]
async fn of_a_part() {}

fn main() {}
