//! A run may go on in another thread: what belongs to one thread is not held across an await.
use std::rc::Rc;
use std::sync::Mutex;
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn holds_a_guard(items: Vec<u32>) -> u32 {
    let packed = Mutex::new(0);
    let mut guard = packed.lock().unwrap();
    for item in items {
        *guard += pack(item).await;
    }
    *guard
}

#[workflow]
async fn holds_a_count(item: u32) -> u32 {
    let shared = Rc::new(item);
    let packed = pack(*shared).await;
    packed + *shared
}

fn main() {}
