//! Plain functions as steps that want to be something else.
use workflow_runtime::prelude::*;

#[step]
fn that_awaits(cx: StepContext) {
    cx.cancelled().await;
}

#[step]
const fn that_is_constant() -> u8 {
    7
}

#[step]
fn that_gives_a_future(order: String) -> impl Future<Output = usize> {
    async move { order.len() }
}

fn main() {}
