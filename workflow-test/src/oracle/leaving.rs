//! How a run is left: a cancel before the point of no return ends it, one behind it does not.
//! Computed from the journal alone; what is undone on the way out is the saga's affair.

use std::collections::BTreeSet;

use workflow_core::{Command, Conclusion, Event, OpId};

use crate::violation::{Oracle, Violation};

/// What the journal says of cancels, row by row.
#[derive(Default)]
pub(crate) struct Leaving<'a> {
    /// What the code waits for; when it waits for nothing it has come to its end.
    waits: BTreeSet<&'a OpId>,
    /// The row in which a cancel came while the code was waiting and had not passed the point of no return.
    cancelled: Option<usize>,
    /// A person has given up something that the code waited for: then the run ends wherever it is.
    is_given_up: bool,
}

impl<'a> Leaving<'a> {
    pub(crate) fn hear(&mut self, event: &'a Event, row: usize, pivot: Option<&OpId>) {
        let is_cancel = match event {
            Event::CancelRequested { .. } => true,
            Event::TimerFired { op } => op.is_deadline(),
            _ => false,
        };
        if is_cancel && pivot.is_none() && !self.waits.is_empty() {
            self.cancelled.get_or_insert(row);
        }
        match event {
            // Somebody has to look at it; the code goes on waiting.
            Event::ChildEnded { conclusion: Conclusion::Cancelled { .. }, .. }
            | Event::ChildRefused { .. }
            | Event::AttemptFailed { .. } => {}
            Event::GivenUp { op, .. } => {
                self.is_given_up |= op.undoes().is_none();
                self.waits.remove(op);
            }
            event => {
                event.op().map(|op| self.waits.remove(op));
            }
        }
    }

    /// No cancel is owed any more.
    pub(crate) fn forget(&mut self) {
        self.cancelled = None;
    }

    pub(crate) fn see(&mut self, command: &'a Command) {
        match command {
            Command::StartStep { op, .. }
            | Command::SetTimer { op, .. }
            | Command::AwaitMessage { op, .. }
            | Command::StartChild { op, .. }
                if op.undoes().is_none() && !op.is_deadline() =>
            {
                self.waits.insert(op);
            }
            Command::Withdraw { op } | Command::CancelStep { op } | Command::CancelChild { op } => {
                self.waits.remove(op);
            }
            _ => {}
        }
    }

    /// Holds how the run ended against what was asked of it; `None` for one that continues as new.
    pub(crate) fn check(
        &self,
        conclusion: Option<&Conclusion>,
        pivot: Option<&OpId>,
    ) -> Result<(), Violation> {
        match (conclusion, pivot) {
            (Some(Conclusion::Failed { code, .. }), Some(pivot)) => Err(Violation::new(
                Oracle::Pivot,
                format!("the run failed with `{code}` though it had passed the point of no return `{pivot}`"),
            )),
            (Some(Conclusion::Cancelled { .. }), Some(pivot)) if !self.is_given_up => Err(Violation::new(
                Oracle::Pivot,
                format!("the run was cancelled though it had passed the point of no return `{pivot}`"),
            )),
            (Some(Conclusion::Cancelled { .. }), _) | (_, Some(_)) => Ok(()),
            (_, None) => match self.cancelled {
                Some(row) => Err(Violation::new(
                    Oracle::Saga,
                    format!(
                        "the run went on though a cancel had come with write {row}, before any point of no return"
                    ),
                )),
                None => Ok(()),
            },
        }
    }
}
