//! What the wiring passes must be what the compensation takes.
use workflow_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize)]
pub struct Order {
    pub id: String,
}

#[step(compensate = release(output, order))]
async fn reserve(order: &Order) -> u64 {
    order.id.len() as u64
}

#[step(retriable)]
async fn release(order: &Order, reservation: &u64) {
    let _ = (order, reservation);
}

fn main() {
    let _ = reserve(&Order { id: "42".into() });
}
