//! Goes on with runs that were claimed: their journals are read, many at once, and each gets its driver.
//! What the drivers do is theirs.

use std::sync::Arc;

use tracing::Instrument;
use workflow_core::{Definition, Event, Parent};

use super::driver::{Driver, load_all};
use super::live::{Ends, Seat};
use super::parts::{Parts, Phase};
use super::telemetry::run_span;
use crate::store::{ClaimedRun, Lease, LoadedRun, Orphans, RunFilter, RunSummary, StoreError};

/// How many journals are read with one statement.
const READ_AT_ONCE: usize = 64;

/// How many runs are listed with one statement.
const LISTED_AT_ONCE: u32 = 1_000;

/// Unfinished runs whose workflow, in their version, is not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// One of these runs.
    pub run_id: Arc<str>,
    /// Its workflow.
    pub workflow: String,
    /// The version of its code.
    pub version: u32,
    /// How many runs of that version there are.
    pub runs: u64,
}

impl From<Orphans> for Orphan {
    fn from(orphans: Orphans) -> Orphan {
        let Orphans { workflow, version, runs, example } = orphans;
        Orphan { run_id: example, workflow, version, runs }
    }
}

/// Gives every run that was claimed a seat at once, and a driver in the background; with it goes the reason why it is
/// not to go on, if there is one.
pub(super) fn recover(parts: &Arc<Parts>, claimed: Vec<(ClaimedRun, Option<String>)>) {
    let mut seated = Vec::new();
    for (ClaimedRun { lease, workflow, version, .. }, accusation) in claimed {
        let Some(definition) = parts.registry.find(&workflow, version) else { continue };
        // Before the journal is read, so that nothing that comes in between is missed.
        let (seat, ends) = Seat::new();
        parts.live.insert(&lease, seat);
        seated.push((lease, definition, ends, accusation));
    }
    if !seated.is_empty() {
        tracing::debug!(count = seated.len(), "runs go on");
        tokio::spawn(resume_all(Arc::clone(parts), seated));
    }
}

/// Has somebody look at parked runs with incidents: this engine may have the code that one of them waits for.
pub(super) async fn wake_stuck(parts: &Parts) -> Result<(), StoreError> {
    let mut filter = RunFilter {
        only_unfinished: true,
        only_incidents: true,
        limit: LISTED_AT_ONCE,
        ..RunFilter::default()
    };
    loop {
        let page = parts.store.runs(&filter).await?;
        let has_code = |run: &&RunSummary| parts.registry.find(&run.workflow, run.version).is_some();
        let stuck: Vec<Arc<str>> = page.iter().filter(has_code).map(|run| Arc::clone(&run.run_id)).collect();
        if !stuck.is_empty() {
            parts.store.wake(&stuck).await?;
        }
        let Some(last) = page.last().filter(|_| page.len() == LISTED_AT_ONCE as usize) else { return Ok(()) };
        filter.after = Some(last.run_id.to_string());
    }
}

/// The runs that nobody has code for.
pub(super) async fn orphans(parts: &Parts) -> Result<Vec<Orphan>, StoreError> {
    let orphans = parts.store.orphans().await?;
    let orphans: Vec<Orphan> = orphans.into_iter().map(Orphan::from).collect();
    let runs = orphans.iter().fold(0_u64, |sum, orphan| sum.saturating_add(orphan.runs));
    parts.telemetry.runs_orphaned.set(u32::try_from(runs).unwrap_or(u32::MAX));
    Ok(orphans)
}

/// A run that has a seat and no driver yet.
type Seated = (Lease, Definition, Ends, Option<String>);

async fn resume_all(parts: Arc<Parts>, mut seated: Vec<Seated>) {
    while !seated.is_empty() && parts.phase() == Phase::Running {
        let rest = seated.split_off(seated.len().min(READ_AT_ONCE));
        let some = std::mem::replace(&mut seated, rest);
        let leases: Vec<Lease> = some.iter().map(|(lease, ..)| lease.clone()).collect();
        let Some(mut loaded) = load_all(&parts, &leases).await else { return };
        for (lease, definition, ends, accusation) in some {
            let position = loaded.iter().position(|loaded| loaded.run_id == lease.run_id);
            let Some(position) = position else {
                parts.live.remove(&lease);
                continue;
            };
            let loaded = loaded.swap_remove(position);
            let span = run_span(definition.name, &lease.run_id, parent_of(&loaded));
            let Some(driver) = Driver::new(&parts, definition, lease, ends) else { return };
            match accusation {
                None => tokio::spawn(driver.resume(loaded).instrument(span)),
                Some(cause) => tokio::spawn(driver.resume_accused(loaded, cause).instrument(span)),
            };
        }
    }
}

/// The operation that started the run, if it is a child and its journal can be read.
fn parent_of(loaded: &LoadedRun) -> Option<&Parent> {
    match &loaded.journal.as_ref().ok()?.first()?.event {
        Event::Started { parent, .. } => parent.as_ref(),
        _ => None,
    }
}
