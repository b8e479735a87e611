//! An arm that takes only a part of an error's variant has no place in the diagram.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Refused {
    #[error("code {0}")]
    Code(u32),
}

#[step]
async fn charge() -> Result<u32, Refused> {
    Err(Refused::Code(404))
}

#[workflow]
async fn sell() -> u32 {
    match charge().await {
        Ok(n) => n,
        Err(Refused::Code(404)) => 0,
        Err(Refused::Code(_)) => 1,
    }
}

fn main() {
    let _ = sell();
}
