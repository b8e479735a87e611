//! A text is no step error: it has no names for the ways to fail.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u64) -> Result<u64, String> {
    Ok(amount)
}

fn main() {
    let _ = charge(1);
}
