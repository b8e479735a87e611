//! A future that no journal records cannot be awaited in a workflow.
use workflow_runtime::prelude::*;

async fn fetch(id: u32) -> u32 {
    id
}

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[workflow]
async fn pay(id: u32) -> u32 {
    let amount = fetch(id).await;
    charge(amount).await
}

fn main() {
    let _ = pay(1);
}
