//! A body that is no Rust yet says so once, and the workflow beside it is checked all the same.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[workflow]
async fn half_written(amount: u32) -> u32 {
    let paid = charge(amount).await
    charge(paid).await
}

#[workflow]
async fn whole(amount: u32) -> u32 {
    println!("charging");
    charge(amount).await
}

fn main() {
    let _ = (half_written(1), whole(1));
}
