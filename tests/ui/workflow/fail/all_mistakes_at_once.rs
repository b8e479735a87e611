//! Every mistake of a function is told, and none hides those of another.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use workflow_runtime::prelude::*;

static COUNTER: AtomicU32 = AtomicU32::new(0);

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = order)]
struct Paid {
    order: u32,
}

async fn fetch(id: u32) -> u32 {
    id
}

#[step(compensate = refund(output))]
async fn charge(amount: u32) -> u32 {
    amount
}

#[step(retriable)]
async fn refund(_amount: &u32) {}

#[step]
async fn announce(_count: u32) {}

#[workflow]
async fn seven_mistakes(stock: HashMap<String, u32>) -> u32 {
    println!("begun");
    for (_, count) in &stock {
        charge(*count).await;
    }
    announce(COUNTER.load(Ordering::Relaxed)).await;
    let fetched = fetch(1).await;
    receive::<Paid>(fetched).within(days(1)).await.ok();
    let later = async { charge(2).await };
    drop(later);
    fetched
}

#[workflow]
async fn another(order: u32) -> u32 {
    receive::<Paid>(order).await;
    charge(order).await + tokio::spawn(fetch(order)).await.unwrap()
}

fn main() {}
