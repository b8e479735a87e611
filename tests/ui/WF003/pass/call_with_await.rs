//! An awaited call is used, also when its value is not.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    charge(amount).await;
    charge(amount).await
}

fn main() {
    let _ = pay(1);
}
