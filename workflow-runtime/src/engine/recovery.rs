//! Goes on with runs that were claimed: their journals are read, many at once, and each gets its driver.
//! What the drivers do is theirs.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;
use workflow_core::{Definition, Event, Parent};

use super::driver::{Driver, load_all};
use super::live::{Ends, Seat};
use super::parts::{Backoff, Parts, Phase};
use super::telemetry::run_span;
use crate::store::{ClaimedRun, Lease, LoadedRun, Orphans, RunFilter, RunSummary, StoreError};

/// How many journals are read with one statement.
const READ_AT_ONCE: usize = 64;

/// About how many bytes of journals are read with one statement; twice as many may be in memory until they are
/// replayed.
const READ_BYTES_AT_ONCE: u64 = 64 << 20;

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

/// Room in memory for journals that are being replayed.
pub(crate) struct ReplayRoom(Arc<Semaphore>);

/// A part of that room, until the journals that it is for are gone.
pub(crate) type Replaying = Arc<OwnedSemaphorePermit>;

impl Default for ReplayRoom {
    fn default() -> ReplayRoom {
        ReplayRoom(Arc::new(Semaphore::new(2 * kibibytes(READ_BYTES_AT_ONCE) as usize)))
    }
}

impl ReplayRoom {
    /// Waits until there is room for so many bytes. One journal that is larger than all the room has all of it.
    async fn take(&self, bytes: u64) -> Option<Replaying> {
        let wanted = kibibytes(bytes).clamp(1, kibibytes(READ_BYTES_AT_ONCE));
        Arc::clone(&self.0).acquire_many_owned(wanted).await.ok().map(Arc::new)
    }
}

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes / 1_024).unwrap_or(u32::MAX)
}

async fn resume_all(parts: Arc<Parts>, seated: Vec<Seated>) {
    let run_ids: Vec<Arc<str>> = seated.iter().map(|(lease, ..)| Arc::clone(&lease.run_id)).collect();
    let Some(bytes) = journal_bytes(&parts, &run_ids).await else { return };
    let lengths = together(&bytes);
    let (mut seated, mut bytes) = (seated.into_iter(), bytes.into_iter());
    for length in lengths {
        let some: Vec<Seated> = seated.by_ref().take(length).collect();
        let room = tokio::select! {
            biased;
            () = parts.stopped() => return,
            room = parts.replay_room.take(bytes.by_ref().take(length).sum()) => room,
        };
        if parts.phase() != Phase::Running || resume_some(&parts, some, room).await.is_none() {
            return;
        }
    }
}

/// How many of these are read at once, one after the other: as many as are not too many and not too large, at least
/// one.
fn together(bytes: &[u64]) -> Vec<usize> {
    let (mut lengths, mut sum) = (Vec::new(), 0_u64);
    for bytes in bytes {
        sum = sum.saturating_add(*bytes);
        match lengths.last_mut() {
            Some(length) if *length < READ_AT_ONCE && sum <= READ_BYTES_AT_ONCE => *length += 1,
            _ => {
                lengths.push(1);
                sum = *bytes;
            }
        }
    }
    lengths
}

/// Reads some journals and hands each to its driver. `None` when the engine is on its way out.
async fn resume_some(parts: &Arc<Parts>, some: Vec<Seated>, room: Option<Replaying>) -> Option<()> {
    let leases: Vec<Lease> = some.iter().map(|(lease, ..)| lease.clone()).collect();
    let mut loaded = load_all(parts, &leases).await?;
    for (lease, definition, ends, accusation) in some {
        let position = loaded.iter().position(|loaded| loaded.run_id == lease.run_id);
        let Some(position) = position else {
            parts.live.remove(&lease);
            continue;
        };
        let loaded = loaded.swap_remove(position);
        let span = run_span(definition.name, &lease.run_id, parent_of(&loaded));
        let driver = Driver::new(parts, definition, lease, ends)?;
        match accusation {
            None => tokio::spawn(driver.resume(loaded, room.clone()).instrument(span)),
            Some(cause) => tokio::spawn(driver.resume_accused(loaded, cause).instrument(span)),
        };
    }
    Some(())
}

/// About how large these journals are; `None` when the engine stopped before the store has answered.
async fn journal_bytes(parts: &Parts, run_ids: &[Arc<str>]) -> Option<Vec<u64>> {
    let mut backoff = Backoff::new();
    loop {
        match parts.store.journal_bytes(run_ids).await {
            Ok(bytes) => return Some(bytes),
            Err(error) => {
                tracing::warn!(%error, "the store does not say how large journals are; asking again")
            }
        }
        if !backoff.wait(parts).await {
            return None;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_are_read_together_while_they_are_few_and_small() {
        let megabyte = 1 << 20;
        assert_eq!(together(&[]), [0; 0]);
        assert_eq!(together(&[0; 130]), [64, 64, 2]);
        assert_eq!(together(&[20 * megabyte; 7]), [3, 3, 1]);
        assert_eq!(
            together(&[1, 100 * megabyte, 1, 2, 64 * megabyte, 1]),
            [1, 1, 2, 1, 1],
            "a large one is alone"
        );
        assert_eq!(together(&[u64::MAX, u64::MAX]), [1, 1]);
    }
}
