//! What a guard or a macro waits for has no place in the diagram; the remedy is named.
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
    if matches!(charge().await, Ok(1)) {
        return 7;
    }
    match charge().await {
        Ok(n) if charge().await.is_ok() => n,
        Ok(n) => n + 1,
        Err(Refused::Code(_)) => 1,
    }
}

fn main() {
    let _ = sell();
}
