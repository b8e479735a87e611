//! A call that nobody awaits does nothing.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    charge(amount);
    sleep(hours(1));
    charge(amount).await
}

fn main() {
    let _ = pay(1);
}
