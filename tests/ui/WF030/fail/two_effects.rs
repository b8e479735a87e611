//! A step has one effect, and words that are known.
use workflow_runtime::prelude::*;

#[step(pivot, read_only)]
async fn charge(amount: u64) -> u64 {
    amount
}

#[step(
    retry(atempts = 3, initial = "2m", max = "1m", factor = 0.5),
    timeout = "PT7D",
    human,
    rule,
    deadline = "1d"
)]
async fn pack(amount: u64) -> u64 {
    amount
}

#[step(name = "sl eep", retry(attempts = 0), timeout = "30")]
async fn wait(amount: u64) -> u64 {
    amount
}

fn main() {
    let _ = (charge(1), pack(1), wait(1));
}
