//! Names in the wiring that stand for nothing that is recorded.
use workflow_runtime::prelude::*;

#[step(compensate = release(ordr, gateway, &output, amount.len()))]
async fn reserve(gateway: Resource<u64>, order: u64, amount: u64) -> u64 {
    order + amount + *gateway
}

#[step(compensate = release)]
async fn reserve_more(order: u64) -> u64 {
    order
}

#[step(retriable)]
async fn release(order: u64) {
    let _ = order;
}

fn main() {
    let _ = (reserve(1, 2), reserve_more(1), release(1));
}
