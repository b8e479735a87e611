//! Steps and timers are durable, and whatever needs no await may be called.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

fn doubled(amount: u32) -> u32 {
    amount * 2
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    sleep(hours(1)).await;
    charge(doubled(amount)).await
}

fn main() {
    let _ = pay(1);
}
