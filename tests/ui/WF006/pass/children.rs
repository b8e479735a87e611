//! A workflow that only looks may lose a race, one that nobody waits for goes on alone, and a person may know better.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn ask_price(_item: u32) -> u32 {
    3
}

#[step(retriable)]
async fn write_to_supplier(_item: u32) -> u32 {
    7
}

#[workflow]
async fn compare_prices(item: u32) -> u32 {
    let first = ask_price(item).await;
    sleep(hours(1)).await;
    first.min(ask_price(item).await)
}

#[workflow]
async fn order_from_supplier(item: u32) -> u32 {
    write_to_supplier(item).await
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = item)]
pub struct Ordered {
    item: u32,
}

#[workflow]
async fn order_and_tell(item: u32) {
    write_to_supplier(item).await;
    send(Ordered { item }).await;
}

/// One that only looks may start another one that only looks, and lose.
#[workflow]
async fn look_twice(item: u32) -> u32 {
    compare_prices(item).detached().await;
    ask_price(item).await
}

/// What is meant to go on whoever wins is started before, and tells when it is done.
#[workflow]
async fn order_at_leisure(item: u32) -> u32 {
    order_and_tell(item).detached().await;
    select! {
        price = look_twice(item) => price,
        ordered = receive::<Ordered>(item).forever() => ordered.item,
        () = sleep(days(1)) => 0,
    }
}

#[workflow]
async fn buy(item: u32) -> u32 {
    let price = select! {
        price = compare_prices(item) => price,
        () = sleep(days(1)) => order_from_supplier(item).await,
    };
    #[allow_workflow(race_effect, reason = "the supplier takes a letter too many with good humour")]
    let answer = select! {
        answer = order_from_supplier(item) => answer,
        () = sleep(days(1)) => price,
    };
    answer
}

fn main() {}
