//! Waits that are repeated need a deadline like any other.
use workflow_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct Paid {
    order: u32,
}

#[workflow]
async fn wait_for_all(orders: Vec<u32>) -> u32 {
    let paid = join_all(orders.iter().map(|order| receive::<Paid>(*order))).await;
    paid.len() as u32
}

fn main() {}
