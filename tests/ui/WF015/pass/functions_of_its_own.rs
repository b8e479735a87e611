//! A function inside of a workflow only computes; what waits stands outside.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[subflow]
async fn pack_twice(item: u32) -> u32 {
    pack(item).await;
    pack(item).await
}

#[workflow]
async fn parcels(item: u32) -> u32 {
    fn doubled(item: u32) -> u32 {
        item * 2
    }
    pack_twice(doubled(item)).await
}

fn main() {}
