//! A blocking body may hold what is not `Send`, and knows all that an async one knows.
use std::rc::Rc;

use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("too heavy")]
    TooHeavy,
}

#[step(was = ["weigh_it", "weigh"], heartbeat = "10s", timeout = "PT1M", compensate = forget(item))]
fn measure(limit: Resource<u64>, cx: StepContext, item: &str) -> Result<u64, Trouble> {
    let item = Rc::new(item.len() as u64);
    cx.heartbeat();
    if *item > *limit || cx.is_cancelled() { Err(Trouble::TooHeavy) } else { Ok(*item) }
}

#[step(retriable)]
fn forget(_item: &str) -> Result<(), Trouble> {
    Ok(())
}

#[workflow]
async fn pack(item: String) -> Result<u64, Trouble> {
    measure(&item).await
}

fn main() {
    let _ = pack("scales".to_owned());
}
