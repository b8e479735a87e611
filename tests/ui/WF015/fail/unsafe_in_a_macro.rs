//! `unsafe` is found where a macro is given it, too.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    let amounts = vec![amount, unsafe { std::mem::zeroed() }];
    assert!(unsafe { amounts.get_unchecked(0) } > &0);
    let (sum, _) = join!(charge(amount), async { unsafe { std::mem::zeroed::<u32>() } });
    sum
}

fn main() {}
