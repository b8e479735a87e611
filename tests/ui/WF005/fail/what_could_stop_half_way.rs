//! What loses is withdrawn; what consists of several operations would be left half done.
use workflow_runtime::prelude::*;

#[step(read_only)]
async fn pack(_item: u32) -> u32 {
    1
}

#[subflow]
async fn pack_two(item: u32) -> u32 {
    pack(item).await + pack(item).await
}

#[workflow]
async fn a_subflow(item: u32) -> u32 {
    select! {
        packed = pack_two(item) => packed,
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn a_block(item: u32) -> u32 {
    select! {
        packed = async { pack(item).await + pack(item).await } => packed,
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn many(items: Vec<u32>) -> usize {
    select! {
        packed = join_all(items.into_iter().map(pack)) => packed.len(),
        _ = sleep(hours(1)) => 0,
    }
}

fn main() {
    let _ = (a_subflow(1), a_block(1), many(vec![1]));
}
