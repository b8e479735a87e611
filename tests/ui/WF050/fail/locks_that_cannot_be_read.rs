//! Locks of another time, or of a merge that nobody finished.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn charge(_order: &str) {}

#[step(read_only)]
async fn pack(_order: &str) {}

#[step(read_only)]
async fn ship(_order: &str) {}

#[workflow]
async fn sell_in_future(order: String) {
    charge(&order).await;
}

#[workflow]
async fn sell_after_merge(order: String) {
    pack(&order).await;
    ship(&order).await;
}

fn main() {}
