//! What undoes a step is repeated until it succeeds: one that may give up leaves the run half done.

use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum BankError {
    #[error("the bank is closed")]
    Closed,
}

#[step(compensate = refund(output))]
async fn charge(cents: u64) -> u64 {
    cents
}

#[step]
async fn refund(cents: &u64) -> Result<(), BankError> {
    let _ = cents;
    Err(BankError::Closed)
}

mod shelf {
    use workflow_runtime::prelude::*;

    #[step(read_only)]
    pub(super) async fn put_back(_item: &str) {}
}

#[step(compensate = shelf::put_back(item))]
async fn take(item: &str) {
    let _ = item;
}

fn main() {}
