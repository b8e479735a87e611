//! Whatever the macro cannot draw is refused where it stands, all of it at once.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn opaque(items: Vec<u32>) -> u32 {
    let call = pack(1);
    let first = call.await;
    let all = vec![pack(2).await];
    let lazily = async { pack(3).await };
    let each = items.iter().map(|item| pack(*item).await);
    drop((lazily, each));
    if items.is_empty() {
        return first;
        pack(6).await;
    }
    all[0]
}

fn main() {
    let _ = opaque(vec![1]);
}
