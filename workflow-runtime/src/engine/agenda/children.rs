//! The children that a run waits for, as its driver sees them: which to start, which to cancel.
//! Pure bookkeeping; whether a child exists is told from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use workflow_core::{Command, OpId, OpenOperation};

use crate::engine::children::NewChild;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Children {
    open: BTreeMap<OpId, Child>,
    /// Not started yet, as far as is known.
    due: Vec<OpId>,
    /// To be cancelled now.
    unwanted: Vec<OpId>,
}

#[derive(Debug)]
struct Child {
    run_id: Arc<str>,
    is_detached: bool,
    is_abandoned: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Due(NewChild),
    Starting,
    Runs,
}

impl Children {
    /// Notes of an operation of a run that was replayed whether the code still waits for it.
    pub(super) fn note_open(&mut self, operation: &OpenOperation) {
        if let Some(child) = operation.request.op().and_then(|op| self.open.get_mut(op)) {
            child.is_abandoned = operation.is_abandoned;
        }
    }

    pub(super) fn note(&mut self, command: &Command) {
        match command {
            Command::StartChild { op, workflow, version, run_id, input, detached } => {
                let run_id: Arc<str> = run_id.as_str().into();
                let (workflow, version, input) = (workflow.clone(), *version, input.clone());
                let new = NewChild { workflow, version, run_id: Arc::clone(&run_id), input };
                let is_detached = *detached;
                let child = Child { run_id, is_detached, is_abandoned: false, stage: Stage::Due(new) };
                self.open.insert(op.clone(), child);
                self.due.push(op.clone());
            }
            Command::CancelChild { op } => {
                if let Some(child) = self.open.get_mut(op) {
                    child.is_abandoned = true;
                    // One that is being started is cancelled once it is there.
                    if matches!(child.stage, Stage::Runs) {
                        self.unwanted.push(op.clone());
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn forget(&mut self, op: &OpId) {
        self.open.remove(op);
    }

    /// Whether none is waited for.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The ids of all that are waited for.
    pub(crate) fn ids(&self) -> impl Iterator<Item = (&OpId, &Arc<str>)> {
        self.open.iter().map(|(op, child)| (op, &child.run_id))
    }

    /// Somebody is about to start this one.
    pub(crate) fn note_starting(&mut self, op: &OpId) {
        if let Some(child) = self.open.get_mut(op) {
            child.stage = Stage::Starting;
        }
    }

    /// It is there.
    pub(crate) fn note_running(&mut self, op: &OpId) {
        if let Some(child) = self.open.get_mut(op) {
            child.stage = Stage::Runs;
            if child.is_abandoned {
                self.unwanted.push(op.clone());
            }
        }
    }

    /// Whether this run is waited for there, and whether only its start is.
    pub(crate) fn waits_for(&self, op: &OpId, run_id: &str) -> Option<IsDetached> {
        let child = self.open.get(op).filter(|child| *child.run_id == *run_id)?;
        Some(IsDetached(child.is_detached))
    }

    /// The children to start now; they count as being started from here on. With `None` comes one that nobody wants any
    /// more: there will be none.
    pub(crate) fn start_due(&mut self) -> Vec<(OpId, Arc<str>, Option<NewChild>)> {
        let mut started = Vec::with_capacity(self.due.len());
        for op in std::mem::take(&mut self.due) {
            let Some(child) = self.open.get_mut(&op) else { continue };
            let is_wanted = !child.is_abandoned || child.is_detached;
            match std::mem::replace(&mut child.stage, Stage::Starting) {
                Stage::Due(new) => started.push((op, Arc::clone(&child.run_id), is_wanted.then_some(new))),
                other => child.stage = other,
            }
        }
        started
    }

    /// The children to cancel now, each once.
    pub(crate) fn cancel_unwanted(&mut self) -> Vec<Arc<str>> {
        let unwanted = std::mem::take(&mut self.unwanted);
        let open = unwanted.iter().filter_map(|op| self.open.get(op)).filter(|child| !child.is_detached);
        open.map(|child| Arc::clone(&child.run_id)).collect()
    }
}

/// Whether only the start of a child is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IsDetached(pub(crate) bool);
