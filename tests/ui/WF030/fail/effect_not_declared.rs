//! One step of this saga does not say what it does to the world.
use workflow_runtime::prelude::*;

#[step(compensate = release(output))]
async fn reserve(amount: u64) -> u64 {
    amount
}

#[step(retriable)]
async fn release(reservation: u64) {
    let _ = reservation;
}

#[step]
async fn charge(amount: u64) -> u64 {
    amount
}

#[workflow]
async fn buy(amount: u64) -> u64 {
    let reservation = reserve(amount).await;
    charge(reservation).await
}

fn main() {
    let _ = buy(1);
}
