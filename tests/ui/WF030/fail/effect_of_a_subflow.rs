//! A subflow is a part of the saga that calls it, with all of its steps.

use workflow_runtime::prelude::*;

#[step(compensate = release(item))]
async fn reserve(item: &str) {
    let _ = item;
}

#[step(retriable)]
async fn release(_item: &str) {}

#[step]
async fn pack(_item: &str) {}

#[subflow]
async fn prepare(item: &str) {
    pack(item).await;
}

#[workflow]
async fn sell(item: String) {
    reserve(&item).await;
    prepare(&item).await;
}

fn main() {}
