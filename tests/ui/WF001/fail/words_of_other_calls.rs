//! What a call may say beside its arguments depends on what is called.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[subflow]
async fn pack_two(item: u32) -> u32 {
    pack(item).await + pack(item).await
}

#[workflow]
async fn ship(item: u32) -> u32 {
    pack(item).await
}

#[workflow]
async fn a_detached_step(item: u32) -> u32 {
    pack(item).detached().await;
    1
}

#[workflow]
async fn a_subflow_in_time(item: u32) -> u32 {
    pack_two(item).timeout(minutes(1)).await
}

#[workflow]
async fn a_child_in_time(item: u32) -> u32 {
    ship(item).timeout(minutes(1)).await
}

#[workflow]
async fn a_child_again(item: u32) -> u32 {
    ship(item).retry(RetryPolicy::attempts(3)).await
}

#[workflow]
async fn a_sleep_within(item: u32) -> u32 {
    sleep(days(1)).within(days(2)).await;
    item
}

#[workflow]
async fn a_step_within(item: u32) -> u32 {
    pack(item).within(days(2)).await;
    item
}

#[workflow]
async fn a_limited_step(item: u32) -> u32 {
    pack(item).limit(2).await;
    item
}

fn main() {}
