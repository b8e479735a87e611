//! Goes on with the runs that an engine finds at its start.
//! Only sees that each gets its driver; what the drivers do is theirs.

use std::sync::Arc;

use tracing::Instrument;

use super::driver::{Driver, load_all};
use super::live::{Ends, Seat};
use super::parts::{Parts, Phase};
use crate::store::{ClaimedRun, Lease};
use workflow_core::Definition;

/// How many journals are read with one statement.
const READ_AT_ONCE: usize = 64;

/// An unfinished run whose workflow, in its version, is not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The run.
    pub run_id: Arc<str>,
    /// Its workflow.
    pub workflow: String,
    /// The version of its code.
    pub version: u32,
}

/// Gives every run that there is code for a seat at once, and a driver in the background. The others are
/// returned.
pub(super) fn recover(parts: &Arc<Parts>, claimed: Vec<ClaimedRun>) -> Vec<Orphan> {
    let (mut seated, mut orphans) = (Vec::new(), Vec::new());
    for ClaimedRun { lease, workflow, version } in claimed {
        let Some(definition) = parts.registry.find(&workflow, version) else {
            orphans.push(Orphan { run_id: lease.run_id, workflow, version });
            continue;
        };
        // Before the journal is read, so that nothing that comes in between is missed.
        let (seat, ends) = Seat::new();
        parts.live.insert(Arc::clone(&lease.run_id), seat);
        seated.push((lease, definition, ends));
    }
    if let Some(first) = orphans.first() {
        tracing::warn!(
            count = orphans.len(),
            run_id = %first.run_id,
            workflow = first.workflow,
            version = first.version,
            why = parts.registry.explain_unknown(&first.workflow, first.version, None),
            "unfinished runs have no code here and are left alone; this is the first of them"
        );
    }
    if !seated.is_empty() {
        tracing::info!(count = seated.len(), "unfinished runs go on");
        tokio::spawn(resume_all(Arc::clone(parts), seated));
    }
    orphans
}

async fn resume_all(parts: Arc<Parts>, mut seated: Vec<(Lease, Definition, Ends)>) {
    while !seated.is_empty() && parts.phase() == Phase::Running {
        let rest = seated.split_off(seated.len().min(READ_AT_ONCE));
        let some = std::mem::replace(&mut seated, rest);
        let leases: Vec<Lease> = some.iter().map(|(lease, ..)| lease.clone()).collect();
        let Some(mut loaded) = load_all(&parts, &leases).await else { return };
        for (lease, definition, ends) in some {
            let position = loaded.iter().position(|loaded| loaded.run_id == lease.run_id);
            let Some(position) = position else {
                parts.live.remove(&lease.run_id);
                continue;
            };
            let loaded = loaded.swap_remove(position);
            let span = tracing::info_span!("run", run_id = %lease.run_id, workflow = definition.name);
            let Some(driver) = Driver::new(&parts, definition, lease, ends) else { return };
            tokio::spawn(driver.resume(loaded).instrument(span));
        }
    }
}
