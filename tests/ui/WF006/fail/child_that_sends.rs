//! A message that has left is not taken back, and neither is a workflow that nobody waits for.

use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = item)]
pub struct Asked {
    item: u32,
}

#[step(read_only)]
async fn look_up(_item: u32) -> u32 {
    3
}

#[step(retriable)]
async fn write_to_supplier(_item: u32) -> u32 {
    7
}

#[workflow]
async fn order_from_supplier(item: u32) -> u32 {
    write_to_supplier(item).await
}

#[workflow]
async fn ask(item: u32) -> u32 {
    tell(item).await;
    look_up(item).await
}

#[subflow]
async fn tell(item: u32) {
    send(Asked { item }).await;
}

#[workflow]
async fn look_and_order(item: u32) -> u32 {
    order_from_supplier(item).detached().await;
    look_up(item).await
}

#[workflow]
async fn buy(item: u32) -> u32 {
    let asked = select! {
        asked = ask(item) => asked,
        () = sleep(days(1)) => 0,
    };
    let ordered = select! {
        ordered = look_and_order(item) => ordered,
        () = sleep(days(1)) => asked,
    };
    select! {
        _ = order_from_supplier(item).detached() => ordered,
        () = sleep(days(1)) => asked,
    }
}

fn main() {}
