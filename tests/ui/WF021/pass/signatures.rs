//! Everything that a signature may hold, an alias that is called `Result` among it.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Refused {
    #[error("refused")]
    Refused,
}

type Result<T> = std::result::Result<T, Refused>;

#[step]
async fn charge(
    limit: Resource<u64>,
    cx: StepContext,
    mut amount: u64,
    (a, b): (u8, u8),
    text: &str,
) -> Result<u64> {
    amount += u64::from(a + b) + text.len() as u64 + u64::from(cx.attempt());
    if amount > *limit { Err(Refused::Refused) } else { Ok(amount) }
}

#[step(retriable)]
async fn refund() -> Result<()> {
    Ok(())
}

fn main() {
    let _ = (charge(1, (2, 3), "text"), refund());
}
