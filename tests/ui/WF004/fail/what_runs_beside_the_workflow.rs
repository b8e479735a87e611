//! What another crate runs, no journal records: the language's own word is named.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

fn weigh(item: u32) -> u32 {
    item
}

async fn audit(_item: u32) {}

#[step]
async fn ship(_item: u32) -> Result<u32, Lost> {
    Ok(1)
}

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("lost")]
struct Lost;

#[workflow]
async fn macros_of_other_crates(item: u32) -> u32 {
    let (a, b) = tokio::join!(pack(item), pack(1));
    let c = tokio::select! {
        c = pack(item) => c,
        _ = sleep(hours(1)) => 0,
    };
    let calls = futures::try_join!(ship(2), ship(3));
    let audited = audit(item);
    tokio::pin!(audited);
    drop(calls);
    a + b + c
}

#[workflow]
async fn tasks_and_threads(item: u32) -> u32 {
    tokio::spawn(async move {
        pack(item).await;
    });
    let weight = tokio::task::spawn_blocking(move || weigh(item)).await.unwrap();
    let thread = std::thread::spawn(move || weigh(item));
    pack(weight + thread.join().unwrap()).await
}

#[workflow]
async fn blocking(item: u32) -> u32 {
    use tokio::runtime::Handle;
    Handle::current().block_on(audit(item));
    pack(item).await
}

#[workflow]
async fn imported(item: u32) -> u32 {
    use tokio::task as jobs;
    jobs::spawn(audit(item));
    pack(item).await
}

fn main() {}
