//! A subflow goes on where it ended.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn charge(_order: &str) {}

#[step(read_only)]
async fn pack(_order: &str) {}

#[step(read_only)]
async fn ship(_order: &str) {}

#[subflow]
async fn deliver(order: String) {
    ship(&order).await;
    pack(&order).await;
}

#[workflow]
async fn sell_and_deliver(order: String) {
    deliver(order.clone()).await;
    charge(&order).await;
}

fn main() {}
