//! Only an error of the step itself has a way of its own in the diagram.
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("torn")]
    Torn,
    #[error("lost")]
    Lost,
}
use Trouble::Torn as Ripped;

#[step(read_only)]
async fn pack(_item: u32) -> Result<u32, Trouble> {
    Ok(1)
}

#[step(retriable)]
async fn weigh(_item: u32) -> Result<Result<u32, Trouble>, Trouble> {
    Ok(Err(Trouble::Lost))
}

#[workflow]
async fn parcel() -> Result<u32, Trouble> {
    let packed = match pack(1).await {
        Err(Ripped) => 0,
        other => other?,
    };
    Ok(packed + weigh(packed).await?)
}

fn main() {
    let _ = parcel();
}
