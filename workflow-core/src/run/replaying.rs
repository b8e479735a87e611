//! The code of today held against the journal: what was asked for, and what nobody waits for.
//! It changes nothing but to take the recorded requests for what they are.

use super::{Exit, Phase, Run};
use crate::renames::is_former_name;
use crate::{Command, CoreError, Event, Mismatch, OpId};

impl Run {
    /// Holds what the code asks for against what the journal says it asked for.
    pub(super) fn compare(&self, recorded: &[Command], asked: &[Command]) -> Result<(), CoreError> {
        // That an attempt is told to stop is a courtesy, which older journals do not know; what was told to people is
        // told; and the answer of a switch was read from the journal, by code that may have no old way any more.
        let is_compared = |command: &&Command| {
            !matches!(
                command,
                Command::CancelStep { .. } | Command::ReportProgress { .. } | Command::Patch { .. }
            )
        };
        let (mut recorded, mut asked) =
            (recorded.iter().filter(is_compared), asked.iter().filter(is_compared));
        loop {
            let (recorded, asked) = match (recorded.next(), asked.next()) {
                (None, None) => return Ok(()),
                (Some(recorded), Some(asked))
                    if recorded.is_same_request(asked, |former, name| {
                        is_former_name(&self.definition, former, name)
                    }) =>
                {
                    continue;
                }
                differing => differing,
            };
            let describe =
                |command: Option<&Command>| command.map_or("nothing".to_owned(), Command::describe);
            let op = recorded.or(asked).and_then(Command::op).cloned();
            return Err(self.mismatch(describe(recorded), describe(asked), op));
        }
    }

    /// Takes the recorded requests for what they are: arguments, keys and times come from the journal, also when the
    /// code would compute others today. What has been asked for, and perhaps been done, is undone with these.
    pub(super) fn adopt(&mut self, recorded: &[Command]) {
        for command in recorded {
            match command {
                Command::StartStep { op, .. }
                | Command::StartChild { op, .. }
                | Command::SetTimer { op, .. }
                | Command::AwaitMessage { op, .. } => {
                    self.cx.state().adopt(op, command);
                }
                Command::Finish(conclusion) => self.phase = Phase::Ended(Exit::End(conclusion.clone())),
                Command::Continue { version, input } => {
                    self.phase = Phase::Ended(Exit::Continue { version: *version, input: input.clone() });
                }
                Command::Withdraw { .. }
                | Command::CancelStep { .. }
                | Command::CancelChild { .. }
                | Command::Send { .. }
                | Command::ReportProgress { .. }
                | Command::Patch { .. }
                | Command::OpenIncident { .. }
                | Command::CloseIncident { .. } => {}
            }
        }
    }

    pub(super) fn nobody_waits(&self, event: &Event) -> CoreError {
        let (journal, op) = match event {
            Event::Started { .. } => ("that the run begins again".to_owned(), None),
            Event::StepCompleted { op, .. } => (format!("that the step `{op}` completed"), Some(op)),
            Event::AttemptFailed { op, attempt, .. } => {
                (format!("that attempt {attempt} of the step `{op}` failed"), Some(op))
            }
            Event::TimerFired { op } => (format!("that the timer `{op}` fired"), Some(op)),
            Event::MessageReceived { op, .. } => (format!("that a message came for `{op}`"), Some(op)),
            Event::ChildStarted { op } => (format!("that the child at `{op}` was started"), Some(op)),
            Event::ChildEnded { op, .. } => (format!("that the child at `{op}` ended"), Some(op)),
            Event::ChildRefused { op, .. } => (format!("that the child at `{op}` was refused"), Some(op)),
            Event::Skipped { op, .. } => (format!("that `{op}` was skipped"), Some(op)),
            Event::GivenUp { op, .. } => (format!("that `{op}` was given up"), Some(op)),
            Event::CancelRequested { .. } => ("that a cancel was asked for".to_owned(), None),
            Event::Resumed => ("that the code was mended".to_owned(), None),
            Event::RetryRequested { op } => (format!("that a retry of `{op}` was asked for"), Some(op)),
        };
        let open: Vec<String> = self.open_operations().iter().map(|open| open.request.describe()).collect();
        let code = if open.is_empty() { "nothing".to_owned() } else { open.join(" and ") };
        self.mismatch(journal, code, op.cloned())
    }

    pub(super) fn mismatch(&self, journal: String, code: String, op: Option<OpId>) -> CoreError {
        CoreError::Mismatch(Mismatch { run_id: self.run_id.to_string(), row: self.rows, journal, code, op })
    }
}
