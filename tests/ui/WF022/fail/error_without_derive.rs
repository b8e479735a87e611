//! An error type of one's own needs `StepError` as well.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    #[error("refused")]
    Refused,
}

#[step(retriable)]
async fn charge(amount: u64) -> Result<u64, Refused> {
    if amount == 0 { Err(Refused::Refused) } else { Ok(amount) }
}

fn main() {
    let _ = charge(1);
}
