//! A result that serde cannot write is refused where its type is written, inside of `Result` too.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Refused {
    #[error("refused")]
    Refused,
}

#[derive(Deserialize)]
pub struct Receipt {
    pub number: u64,
}

#[step]
async fn charge() -> Receipt {
    Receipt { number: 7 }
}

#[step]
async fn charge_again() -> Result<Receipt, Refused> {
    Ok(Receipt { number: 7 })
}

fn main() {
    let _ = (charge(), charge_again());
}
