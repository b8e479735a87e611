//! A wait for a message says for how long.
use workflow_runtime::prelude::*;

#[derive(Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct Paid {
    pub order: u64,
}

#[workflow]
async fn pay(order: u64) -> u64 {
    let paid = receive::<Paid>(order).await;
    paid.order
}

fn main() {
    let _ = pay(1);
}
