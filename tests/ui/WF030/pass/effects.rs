//! Every step of a saga says what it does; where nothing is undone, nothing needs to be said.
use workflow_runtime::prelude::*;

#[step(compensate = release(output), retry(attempts = 3))]
async fn reserve(amount: u64) -> u64 {
    amount
}

#[step(retriable)]
async fn release(reservation: u64) {
    let _ = reservation;
}

#[step(pivot, timeout = "PT30S")]
async fn charge(amount: u64) -> u64 {
    amount
}

#[step(read_only)]
async fn look(amount: u64) -> u64 {
    amount
}

#[step]
async fn greet(amount: u64) -> u64 {
    amount
}

#[workflow]
async fn buy(amount: u64) -> u64 {
    let amount = look(amount).await;
    let reservation = reserve(amount).await;
    charge(reservation).await
}

#[workflow]
async fn welcome(amount: u64) -> u64 {
    greet(amount).await
}

fn main() {
    let _ = (buy(1), welcome(1));
}
