//! What belongs to one thread is gone before the next await; what does not may be held.
use std::rc::Rc;
use std::sync::Arc;
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn lets_go(item: u32) -> u32 {
    let doubled = {
        let shared = Rc::new(item);
        *shared * 2
    };
    let held = Arc::new(item);
    pack(doubled).await + *held
}

fn main() {}
