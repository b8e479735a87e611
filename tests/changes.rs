//! What may change between a journal and the code that reads it without being a change of what a run asks the world
//! for: reports of progress, and the switch of a change whose old way nobody needs any more.

#![allow(missing_docs, unreachable_pub, reason = "modules stand for the code of two times")]

mod driven;

use driven::Driven;
use workflow_core::Run;
use workflow_graph::lock;
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("no")]
    No,
}

#[step(read_only)]
pub async fn weigh() -> Result<u32, Trouble> {
    Ok(1)
}

#[step(read_only)]
pub async fn pack() -> Result<u32, Trouble> {
    Ok(1)
}

#[step(read_only)]
pub async fn ship() -> Result<u32, Trouble> {
    Ok(1)
}

mod before {
    use super::*;

    #[workflow]
    pub async fn send_parcel() {
        progress(&"weighing").await;
        let _ = weigh().await;
        if patched("pack-first").await {
            let _ = pack().await;
        }
        progress(&"shipping").await;
        let _ = ship().await;
    }
}

mod after {
    use super::*;

    #[workflow]
    pub async fn send_parcel() {
        let _ = weigh().await;
        progress(&"weighed").await;
        let _ = pack().await;
        let _ = ship().await;
    }
}

#[test]
fn progress_and_a_switch_that_nobody_needs_may_go() {
    let mut run = Driven::start(before::send_parcel.definition(), &());
    for op in ["weigh", "pack", "ship"] {
        run.done(op);
    }
    assert!(run.run.conclusion().is_some());
    for rows in 0..=run.journal.len() {
        let again = Run::replay(after::send_parcel.definition(), "run", &run.journal[..rows]);
        let open = |run: &Run| run.open_operations().into_iter().map(|open| open.request).collect::<Vec<_>>();
        let old = Run::replay(before::send_parcel.definition(), "run", &run.journal[..rows]).unwrap();
        assert_eq!(open(&again.unwrap()), open(&old), "after {rows} rows");
    }
}

#[test]
fn until_then_the_lock_keeps_the_switch() {
    let why = lock::incompatibility(before::send_parcel.graph(), after::send_parcel.graph()).unwrap();
    assert!(why.contains("patched(\"pack-first\")") && why.contains("--retire"), "{why}");
}
