//! A subflow has no run, no deadline and no retries of its own.
use workflow_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = number)]
struct Paid {
    number: u32,
}

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[subflow(deadline = "3d")]
async fn with_a_deadline(item: u32) -> u32 {
    pack(item).await
}

#[subflow(retry(attempts = 3))]
async fn with_retries(item: u32) -> u32 {
    pack(item).await
}

#[subflow(version = 2, on = Paid)]
async fn with_a_version(item: u32) -> u32 {
    pack(item).await
}

#[subflow]
async fn generic<T: Into<u32>>(item: T) -> u32 {
    pack(item.into()).await
}

#[subflow]
async fn exclusive(items: &mut Vec<u32>) -> u32 {
    items.push(1);
    pack(1).await
}

#[subflow]
fn plain(item: u32) -> u32 {
    item
}

#[workflow(on = 5)]
async fn begins_with_a_number(item: u32) -> u32 {
    pack(item).await
}

#[workflow(on = "Paid")]
async fn begins_with_a_text(item: u32) -> u32 {
    pack(item).await
}

#[workflow(timeout = "3d", retry(attempts = 1))]
async fn with_words_of_a_step(item: u32) -> u32 {
    pack(item).await
}

fn main() {}
