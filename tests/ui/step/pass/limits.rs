//! Limits as they are written, on steps and on a workflow.
use workflow_runtime::prelude::*;

#[step(read_only, concurrency = 8, rate = "100/s")]
async fn asked_often(order: &str) -> usize {
    order.len()
}

#[step(read_only, rate = "1/h")]
fn asked_rarely(order: &str) -> usize {
    order.len()
}

#[workflow(priority = -100)]
async fn later(order: String) -> usize {
    asked_often(&order).await + asked_rarely(&order).await
}

const LIMITS: workflow_runtime::graph::StepFacts = workflow_core::facts_of(asked_often);

fn main() {
    assert_eq!(LIMITS.concurrency, Some(8));
    assert_eq!(LIMITS.rate, Some(workflow_runtime::graph::Rate::per_second(100)));
    assert_eq!(later.graph().priority, -100);
}
