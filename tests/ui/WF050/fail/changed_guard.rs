//! A condition decides otherwise than it did when runs passed it.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn charge(_order: &str) {}

#[step(read_only)]
async fn pack(_order: &str) {}

#[step(read_only)]
async fn ship(_order: &str) {}

#[workflow]
async fn sell_when_large(order: String, total: u64) {
    let large = total > 200;
    if large {
        pack(&order).await;
    }
    ship(&order).await;
}

fn main() {
    let _ = charge("tea");
}
