//! Enums and structs of one's own, also those that cannot happen.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PaymentError {
    #[error("declined")]
    Declined,
    #[error("unavailable: {0}")]
    #[step_error(transient)]
    Unavailable(String),
    #[error("limit of {limit}")]
    #[step_error(code = "LIMIT", label = "Over the limit")]
    OverLimit { limit: u64 },
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("no stock")]
pub struct NoStock;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Never {}

#[step]
async fn charge() -> Result<u64, PaymentError> {
    Ok(1)
}

#[step]
async fn pack() -> Result<u64, NoStock> {
    Ok(1)
}

#[step(read_only)]
async fn look() -> Result<u64, Never> {
    Ok(1)
}

fn main() {
    let _ = (charge(), pack(), look());
}
