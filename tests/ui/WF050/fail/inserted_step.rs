//! A step is put between two that runs may stand between.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn charge(_order: &str) {}

#[step(read_only)]
async fn pack(_order: &str) {}

#[step(read_only)]
async fn ship(_order: &str) {}

#[workflow]
async fn sell_in_order(order: String) {
    charge(&order).await;
    pack(&order).await;
    ship(&order).await;
}

fn main() {}
