//! How a run leaves its code: by its end, a cancel, the deadline or a verdict; and what it does by itself then.
//! What is undone, and in which order, is the saga's.

use super::{Exit, Phase, Run, unless_it_panics};
use crate::settle::{NobodyWaits, Settled};
use crate::state::Operation;
use crate::{Command, Conclusion, CoreError, OpId};

impl Run {
    /// Whether a cancel for this reason is to be recorded. A run that has ended hears of none; one whose journal has
    /// come to its end leaves it to the generation that begins; and who asks again for the reason that was told last,
    /// as a parent does that was taken over, asks for nothing new.
    pub fn heeds_cancel(&self, reason: &str) -> bool {
        !matches!(self.phase, Phase::Ended(_)) && self.cancel_reason.as_deref() != Some(reason)
    }

    pub(super) fn pass_deadline(&mut self) -> Settled {
        if self.cx.state().operations.remove(&OpId::deadline()).is_none() {
            return Ok(Err(NobodyWaits));
        }
        self.cancel("the deadline of the workflow has passed".to_owned())?;
        Ok(Ok(()))
    }

    pub(super) fn give_up(&mut self, op: &OpId, reason: &str) -> Settled {
        let settled = self.cx.state().settle_given_up(op)?;
        // Giving up the undoing of one step leaves the rest to be undone.
        if settled.is_ok() && op.undoes().is_none() {
            self.leave(format!("given up at `{op}`: {reason}"))?;
        }
        Ok(settled)
    }

    pub(super) fn cancel(&mut self, reason: String) -> Result<(), CoreError> {
        if !matches!(self.phase, Phase::Live(_)) {
            return Ok(()); // It is on its way out already.
        }
        let pivot = self.pivot();
        if let Some(pivot) = pivot {
            let cause =
                format!("cancel asked after the point of no return `{pivot}`, the run goes on: {reason}");
            self.cx.state().commands.push(Command::OpenIncident { op: None, cause });
            return Ok(());
        }
        let pivot_may_happen = {
            let state = self.cx.state();
            let may_happen = |operation: &Operation| {
                operation.value.is_none()
                    && operation.is_pivot()
                    && (operation.is_under_way(state.now_ms) || operation.is_pivot_in_doubt())
            };
            state.operations.values().any(|operation| may_happen(operation))
        };
        if pivot_may_happen {
            self.postponed_cancel = Some(reason);
            return Ok(());
        }
        self.leave(reason)
    }

    /// Drops the code, which withdraws what it waits for; steps under way are waited for, to be undone.
    pub(super) fn leave(&mut self, reason: String) -> Result<(), CoreError> {
        if !matches!(self.phase, Phase::Live(_)) {
            return Ok(());
        }
        let code =
            std::mem::replace(&mut self.phase, Phase::Leaving(Exit::End(Conclusion::Cancelled { reason })));
        unless_it_panics(|| drop(code))
    }

    /// What the run does by itself once the code is done: wait, undo, end. Gives what has been asked for in this turn.
    pub(super) fn go_on(&mut self) -> Result<Vec<Command>, CoreError> {
        if let Phase::Live(_) = &self.phase {
            let mut state = self.cx.state();
            state.begin_unwanted_undo()?;
            return Ok(std::mem::take(&mut state.commands));
        }
        if let Phase::Leaving(exit) = &self.phase {
            let exit = exit.clone();
            let is_idle = {
                let mut state = self.cx.state();
                state.drop_operation(&OpId::deadline());
                state.forget_withdrawn(|_, _| true)?;
                if matches!(exit, Exit::End(Conclusion::Completed(_)) | Exit::Continue { .. }) {
                    state.begin_unwanted_undo()?;
                }
                state.operations.is_empty()
            };
            if is_idle {
                self.phase = match exit {
                    Exit::End(Conclusion::Completed(_)) | Exit::Continue { .. } => self.end(exit),
                    Exit::End(conclusion) => Phase::Undoing { conclusion, current: None },
                };
            }
        }
        if let Phase::Undoing { conclusion, current: None } = &self.phase {
            let conclusion = conclusion.clone();
            let next = self.cx.state().begin_next_undo("");
            self.phase = match next.transpose()? {
                Some(op) => Phase::Undoing { conclusion, current: Some(op) },
                None => self.end(Exit::End(conclusion)),
            };
        }
        Ok(std::mem::take(&mut self.cx.state().commands))
    }

    pub(super) fn end(&self, exit: Exit) -> Phase {
        self.cx.state().commands.push(match exit.clone() {
            Exit::End(conclusion) => Command::Finish(conclusion),
            Exit::Continue { version, input } => Command::Continue { version, input },
        });
        Phase::Ended(exit)
    }
}
