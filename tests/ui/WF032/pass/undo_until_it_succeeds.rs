//! What undoes a step may fail at first; it is repeated, and how often a person is asked is for its policy to say.

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

#[step(retriable)]
async fn refund(cents: &u64) -> Result<(), BankError> {
    let _ = cents;
    Err(BankError::Closed)
}

#[step(compensate = shelf::put_back(item))]
async fn take(item: &str) {
    let _ = item;
}

mod shelf {
    use workflow_runtime::prelude::*;

    #[step(retriable, retry(attempts = 20))]
    pub(super) async fn put_back(_item: &str) {}
}

fn main() {}
