//! What is in journals has other types.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn weigh(_order: &str) -> f64 {
    3.0
}

#[step(read_only)]
async fn ship(_order: &str) {}

#[workflow]
async fn sell_by_weight(order: String) {
    weigh(&order).await;
    ship(&order).await;
}

#[workflow]
async fn sell_to_customer(order: String, _customer: u64) {
    ship(&order).await;
}

fn main() {}
