//! Heartbeats that cannot be given, cannot be missed, or are no lengths of time.
use workflow_runtime::prelude::*;

#[step(heartbeat = "10s")]
async fn without_a_context(order: &str) -> usize {
    order.len()
}

#[step(heartbeat = "1m", timeout = "30s")]
async fn after_the_timeout(cx: StepContext) {
    cx.heartbeat();
}

#[step(heartbeat = "10 seconds")]
async fn of_another_form(cx: StepContext) {
    cx.heartbeat();
}

#[step(heartbeat(every = "10s"))]
fn as_a_list(cx: StepContext) {
    cx.heartbeat();
}

fn main() {}
