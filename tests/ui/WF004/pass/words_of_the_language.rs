//! `join!`, `select!` and the rest are the language's own, and functions of the user may have the names of others.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[step]
fn weigh(item: u32) -> u32 {
    item
}

#[step]
async fn spawn(item: u32) -> u32 {
    item
}

#[workflow]
async fn parcels(item: u32) -> u32 {
    let (a, b) = join!(pack(item), weigh(item));
    let c = select! {
        c = receive::<Paid>(item).forever() => c.item,
        _ = sleep(hours(1)) => 0,
    };
    audit(item).detached().await;
    a + b + c + spawn(item).await
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = item)]
struct Paid {
    item: u32,
}

#[workflow]
async fn audit(item: u32) -> u32 {
    pack(item).await
}

fn main() {}
