//! `unsafe`, a `static mut` and functions that await are no part of any flow.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn reaches_around(item: u32) -> u32 {
    static mut PACKED: u32 = 0;
    unsafe {
        PACKED += 1;
    }
    let read = || unsafe { PACKED };
    pack(item + read()).await
}

#[workflow]
async fn hides_a_flow(item: u32) -> u32 {
    async fn pack_twice(item: u32) -> u32 {
        pack(item).await;
        2
    }
    drop(pack_twice);
    pack(item).await
}

fn main() {}
