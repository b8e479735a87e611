//! A call may be made anywhere, since it does nothing; a step may call the body of another as a plain function.
use workflow_runtime::prelude::*;

async fn charged(amount: u32) -> u32 {
    amount
}

#[step]
async fn charge(amount: u32) -> u32 {
    charged(amount).await
}

fn main() {
    let _call = charge(1);
}
