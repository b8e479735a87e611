//! A `Result` under another name would hide the errors of the step, and another type under that name as well.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Refused {
    #[error("refused")]
    Refused,
}

type Charged = Result<u64, Refused>;

#[step]
async fn charge() -> Charged {
    Ok(7)
}

fn main() {
    let _ = charge();
}
