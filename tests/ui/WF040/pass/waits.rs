//! A wait has a deadline, or says that it has none.
use workflow_runtime::prelude::*;

#[derive(Serialize, Deserialize, Message)]
#[message(name = "OrderPaid", key = order)]
pub struct Paid {
    pub order: u64,
}

#[workflow]
async fn pay(order: u64) -> u64 {
    match receive::<Paid>(order).within(days(7)).await {
        Ok(paid) => paid.order,
        Err(TimedOut) => receive::<Paid>(order).forever().await.order,
    }
}

fn main() {
    let _ = pay(1);
}
