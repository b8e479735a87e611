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
