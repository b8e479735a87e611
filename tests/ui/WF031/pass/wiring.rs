//! Parameters and the output may be wired in any order, also twice; a compensation may need nothing.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("no stock")]
pub struct NoStock;

mod undo {
    use workflow_runtime::prelude::*;

    #[step(retriable)]
    pub async fn release(reservation: &u64, order: &str, again: String) {
        let _ = (reservation, order, again);
    }

    #[step(retriable)]
    pub async fn reset() {}
}

#[step(compensate = undo::release(output, order, order))]
async fn reserve(amount: u64, order: &str) -> Result<u64, NoStock> {
    if order.is_empty() { Err(NoStock) } else { Ok(amount) }
}

#[step(compensate = undo::reset())]
async fn set() {}

fn main() {
    let _ = (reserve(1, "42"), set());
}
