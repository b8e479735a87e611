//! A workflow that begins with a message takes this message and nothing else.
use workflow_runtime::prelude::*;

#[derive(Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct OrderPlaced {
    order: String,
}

#[derive(Serialize, Deserialize)]
pub struct NoMessage {
    order: String,
}

#[workflow(on = OrderPlaced)]
async fn with_two(placed: OrderPlaced, amount: u64) -> u64 {
    let _ = placed;
    amount
}

#[workflow(on = OrderPlaced)]
async fn with_none() -> u64 {
    1
}

#[workflow(on = OrderPlaced)]
async fn with_another(order: String) -> String {
    order
}

#[workflow(on = NoMessage)]
async fn without_message(placed: NoMessage) -> String {
    placed.order
}

#[workflow(on = "OrderPlaced")]
async fn with_text(placed: OrderPlaced) -> String {
    placed.order
}

fn main() {}
