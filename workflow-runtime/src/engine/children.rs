//! Children of runs: started, found again and cancelled on behalf of their parents.
//! The row of a child is the message to its parent: what is told here is told once more whenever the parent is loaded.

use std::sync::Arc;

use tracing::Instrument;
use workflow_core::{Conclusion, OpId, Parent, Payload, reason_to_cancel_child};

use super::driver::Begun;
use super::live::Input;
use super::live_run::Origin;
use super::parts::{Backoff, Parts};
use super::start::begin_as;
use super::weight;
use crate::error::{Error, ErrorKind};
use crate::limits::{check_id, check_size};
use crate::store::{KnownRun, Lease, RunState};

/// A child to be started.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewChild {
    pub(crate) workflow: String,
    pub(crate) version: u32,
    pub(crate) run_id: Arc<str>,
    pub(crate) input: Payload,
}

/// What a parent hears of a child.
#[derive(Debug)]
pub(crate) struct ChildNews {
    /// How often the parent had begun when it asked for the child: a later beginning may use the same ids again.
    pub(crate) generation: u32,
    pub(crate) op: OpId,
    pub(crate) run_id: Arc<str>,
    pub(crate) fate: Fate,
}

impl ChildNews {
    /// About how many bytes there are to record.
    pub(crate) fn weight(&self) -> usize {
        match &self.fate {
            Fate::Runs => 0,
            Fate::Ended(conclusion) => weight::of_conclusion(conclusion),
            Fate::Refused(reason) => reason.len(),
        }
    }
}

/// What became of a child.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is on the disk and has not ended.
    Runs,
    Ended(Conclusion),
    /// It cannot be started; for people.
    Refused(String),
}

/// Starts a child in the background; its parent hears what became of that. Asked twice, it is started once, and not at
/// all under another name than the one that this engine holds the parent by: whoever has taken that over starts it.
pub(super) fn start(parts: &Arc<Parts>, worker: &Arc<str>, parent: Parent, child: NewChild) {
    let span = tracing::Span::current();
    let (parts, worker) = (Arc::clone(parts), Arc::clone(worker));
    let starting = async move {
        let run_id = Arc::clone(&child.run_id);
        // Otherwise the engine is on its way out, or has lost the parent: the next one starts it.
        if let Some(fate) = start_once(&parts, worker, &parent, child).await {
            tell(&parts, &parent, run_id, fate);
        }
    };
    tokio::spawn(starting.instrument(span));
}

/// Tells a parent, if it is in memory. If it is not, it finds the same in the store once it is; the end of its child
/// has woken it.
pub(super) fn tell(parts: &Parts, parent: &Parent, run_id: Arc<str>, fate: Fate) {
    if !parts.live.send(&parent.run_id, Input::Child(news(parent, run_id, fate))) {
        parts.alarm.ring();
    }
}

pub(super) fn news(parent: &Parent, run_id: Arc<str>, fate: Fate) -> ChildNews {
    ChildNews { generation: parent.generation, op: parent.op.clone(), run_id, fate }
}

/// Asks in the background for a child to be cancelled; `asking` is held until that is on the disk.
pub(super) fn cancel(parts: &Arc<Parts>, parent: &str, run_id: Arc<str>, asking: Arc<()>) {
    let parts = Arc::clone(parts);
    let reason = reason_to_cancel_child(parent);
    tokio::spawn(async move {
        let _asking = asking;
        let mut backoff = Backoff::new();
        // A child that has ended, or never began, tells its parent by that.
        while let Err(error) = parts.request_cancel(Arc::clone(&run_id), reason.clone()).await {
            if error.is_stopped() || !backoff.wait(&parts).await {
                return; // The next engine asks again.
            }
        }
    });
}

async fn start_once(parts: &Arc<Parts>, worker: Arc<str>, parent: &Parent, child: NewChild) -> Option<Fate> {
    let NewChild { workflow, version, run_id, input } = child;
    if let Err(error) = check(parts, &run_id, &input) {
        return Some(Fate::Refused(format!("the child `{}` cannot be started: {error}", shortened(&run_id))));
    }
    let Some(definition) = parts.registry.find(&workflow, version) else {
        return Some(Fate::Refused(parts.registry.explain_unknown(&workflow, version, None)));
    };
    let mut backoff = Backoff::new();
    loop {
        let origin = Origin { input: input.clone(), generation: 1, parent: Some(parent.clone()) };
        let lease = Lease { run_id: Arc::clone(&run_id), epoch: 1, worker: Arc::clone(&worker) };
        match begin_as(parts, definition, lease, origin).await {
            Ok(Begun::Live(_) | Begun::Parked) => return Some(Fate::Runs),
            Ok(Begun::LostLease) => return None,
            Ok(Begun::Exists) => match look_up(parts, &[Arc::clone(&run_id)]).await?.first() {
                Some(known) => return Some(fate_of(known, parent)),
                None => tracing::warn!(%run_id, "a child is there and is not; trying again"),
            },
            Err(error) if error.is_stopped() => return None,
            Err(error) if error.is_store() => {
                tracing::error!(%error, %run_id, "the store refuses a child; trying again");
            }
            Err(error) => {
                return Some(Fate::Refused(format!("the child `{run_id}` cannot be started: {error}")));
            }
        }
        if !backoff.wait(parts).await {
            return None;
        }
    }
}

fn check(parts: &Parts, run_id: &str, input: &Payload) -> Result<(), Error> {
    check_id("its id", run_id)
        .map_err(|error| ErrorKind::BadInput(format!("{error}; give it another one with `.id(..)`")))?;
    check_size("its input", input, parts.payload_limit)
}

/// What a run that has the id of a child is to its parent.
pub(super) fn fate_of(known: &KnownRun, parent: &Parent) -> Fate {
    match &known.state {
        _ if known.parent.as_ref() != Some(parent) => Fate::Refused(format!(
            "the id `{}` belongs to another run already: give the child one of its own with `.id(..)`",
            known.run_id
        )),
        RunState::Ended(conclusion) => Fate::Ended(conclusion.clone()),
        RunState::Running => Fate::Runs,
    }
}

/// What is known about runs; `None` when the engine stopped before the store answered.
pub(super) async fn look_up(parts: &Parts, run_ids: &[Arc<str>]) -> Option<Vec<KnownRun>> {
    let mut backoff = Backoff::new();
    loop {
        match parts.store.look_up(run_ids).await {
            Ok(known) => return Some(known),
            Err(error) => tracing::warn!(%error, "children cannot be read from the store; trying again"),
        }
        if !backoff.wait(parts).await {
            return None;
        }
    }
}

/// An id that is too long is not repeated as a whole.
fn shortened(run_id: &str) -> &str {
    &run_id[..run_id.floor_char_boundary(80)]
}
