//! Branches and repeated calls that the diagram could not show.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[step]
async fn weigh(_item: u32) -> u32 {
    1
}

#[workflow]
async fn made_elsewhere(item: u32) -> u32 {
    let call = pack(item);
    let (a, b) = join!(call, weigh(item));
    a + b
}

#[workflow]
async fn too_many(item: u32) -> u32 {
    let (first, ..) = join!(
        pack(1), pack(2), pack(3), pack(4), pack(5), pack(6), pack(7), pack(8), pack(item),
    );
    first
}

#[workflow]
async fn without_an_end(item: u32) -> u32 {
    let (a, ()) = join!(pack(item), async {
        loop {
            weigh(item).await;
        }
    });
    a
}

#[workflow]
async fn hidden(items: Vec<u32>) -> usize {
    let calls: Vec<_> = items.into_iter().map(pack).collect();
    join_all(calls).await.len()
}

#[workflow]
async fn different(item: u32) -> usize {
    join_all([pack(item), weigh(item)]).limit(2).await.len()
}

#[workflow]
async fn no_call(items: Vec<u32>) -> usize {
    join_all(items.into_iter().map(|item| if item > 1 { pack(item) } else { pack(0) })).await.len()
}

#[workflow]
async fn closure_that_awaits(items: Vec<u32>) -> usize {
    join_all(items.into_iter().map(|item| pack(weigh(item).await))).await.len()
}

fn main() {
    let _ = (made_elsewhere(1), too_many(1), without_an_end(1));
    let _ = (hidden(vec![]), different(1), no_call(vec![]), closure_that_awaits(vec![]));
}
