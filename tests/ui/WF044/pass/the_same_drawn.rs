//! The same flows, written so that each operation has its place in the diagram.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Refused {
    #[error("code {0}")]
    Code(u32),
}

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[step]
async fn charge() -> Result<u32, Refused> {
    Err(Refused::Code(404))
}

#[workflow]
async fn drawn(items: Vec<u32>) -> u32 {
    let first = pack(1).await;
    let second = pack(2).await;
    let all = vec![second];
    let both = pack(4).await > 0 && pack(5).await > 0;
    for item in &items {
        pack(*item).await;
    }
    if items.is_empty() {
        return first;
    }
    match charge().await {
        Ok(n) if both => n,
        Ok(n) => {
            if pack(n).await == 1 {
                return 7;
            }
            n
        }
        Err(Refused::Code(404)) => all[0],
        Err(Refused::Code(_)) => pack(6).await,
    }
}

fn main() {
    let _ = drawn(vec![1]);
}
