//! Branches run at the same time: what they share, they borrow, and what they keep can cross threads.
use std::rc::Rc;
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn both_write(item: u32) -> u32 {
    let mut sum = 0;
    join!(
        async { sum += pack(item).await },
        async { sum += pack(item).await },
    );
    sum
}

#[workflow]
async fn both_take(items: Vec<u32>) -> usize {
    let (a, b) = join!(
        async move { pack(1).await; items.len() },
        async move { pack(2).await; items.len() },
    );
    a + b
}

#[workflow]
async fn not_send(item: u32) -> u32 {
    let shared = Rc::new(item);
    let (a, b) = join!(
        async { pack(*shared).await },
        async { pack(*shared).await },
    );
    a + b
}

fn main() {}
