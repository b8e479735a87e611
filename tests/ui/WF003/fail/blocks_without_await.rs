//! A call that is the value of a block or of an `if`, and that nobody awaits, does nothing.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    { charge(amount) };
    if amount > 8 { charge(8) } else { charge(9) };
    (charge(amount), 1);
    charge(amount).await
}

fn main() {
    let _ = pay(1);
}
