//! Nobody records a step that is awaited outside of a workflow; it is not even a future.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

async fn pay(amount: u32) -> u32 {
    charge(amount).await
}

fn main() {
    let _ = pay(1);
}
