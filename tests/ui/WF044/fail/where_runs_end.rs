//! `continue_as_new` ends the run, so that nothing can come behind it.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn not_returned(item: u32) -> u32 {
    continue_as_new(not_returned(item)).await;
    pack(item).await
}

#[workflow]
async fn in_a_branch(item: u32) -> u32 {
    let (a, b) = join!(pack(item), async { continue_as_new(in_a_branch(item)).await });
    a + b
}

#[subflow]
async fn of_a_subflow(item: u32) -> u32 {
    return continue_as_new(not_returned(item)).await;
}

fn main() {}
