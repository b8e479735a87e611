//! Whether an engine can be made to do what the kit did: the kit also plays orders that nobody can bring about from
//! outside, such as two timers that are due at the same time with something between them.
//! It looks at what was written; how it is brought about is told elsewhere.

use std::collections::BTreeMap;

use workflow_core::{Command, Event, FailureKind, OpId, Timestamp};

use crate::explore::Row;
use crate::steps::TIMEOUT_MS;

type Journal = (String, u32);

/// What an engine does by itself, at once.
#[derive(Debug, PartialEq)]
enum Duty {
    Begin,
    Cancel,
    TellOfChild(OpId),
}

#[derive(Default)]
struct Open {
    /// What happens when the clock gets there.
    due: BTreeMap<(Journal, OpId), Timestamp>,
    waits: BTreeMap<(Journal, OpId), (String, String)>,
    duties: Vec<(Journal, Duty, Timestamp)>,
    incidents: Vec<(Journal, OpId)>,
    /// The operation and the journal that started each child, and whether it is waited for.
    children: BTreeMap<String, (Journal, OpId, bool)>,
    ended: Vec<String>,
    messages: Vec<String>,
}

/// Why this order cannot be brought about from outside; `None` if it can.
pub(crate) fn why_not(rows: &[Row]) -> Option<&'static str> {
    let mut open = Open::default();
    rows.iter().find_map(|row| open.why_not(row))
}

impl Open {
    fn why_not(&mut self, row: &Row) -> Option<&'static str> {
        let journal = (row.run_id.clone(), row.generation);
        let now_ms = row.record.at_ms;
        let op = row.record.event.op().cloned();
        let place = op.clone().map(|op| (journal.clone(), op));

        let duty = match &row.record.event {
            Event::Started { .. } => Some(Duty::Begin),
            Event::CancelRequested { .. } => Some(Duty::Cancel),
            Event::ChildStarted { op } | Event::ChildEnded { op, .. } => Some(Duty::TellOfChild(op.clone())),
            _ => None,
        };
        let kept = self.duties.iter().position(|(of, open, _)| *of == journal && Some(open) == duty.as_ref());
        if let Some(kept) = kept {
            self.duties.remove(kept);
        }
        if self.duties.iter().any(|(of, _, since_ms)| *of == journal || *since_ms < now_ms) {
            return Some("something else came before what follows at once");
        }
        let by_the_clock = match &row.record.event {
            Event::TimerFired { .. } => true,
            Event::AttemptFailed { failure, .. } => failure.kind == FailureKind::Timeout,
            _ => false,
        };
        let is_own = |at: &(Journal, OpId)| by_the_clock && Some(at) == place.as_ref();
        if self.due.iter().any(|(at, due_ms)| *due_ms <= now_ms && !is_own(at)) {
            return Some("two things are due at the same time");
        }
        if let Event::AttemptFailed { attempt, .. } = &row.record.event
            && by_the_clock
            && *attempt > 1
        {
            // The clock goes from row to row, and such an attempt begins in between.
            return Some("a later attempt times out");
        }
        match &row.record.event {
            Event::MessageReceived { message_id, op, .. } => {
                let wait = self.waits.get(&(journal.clone(), op.clone()));
                if self.waits.values().filter(|other| Some(*other) == wait).count() > 1 {
                    return Some("two wait for the same message");
                }
                if self.messages.contains(message_id) {
                    return Some("one message for two");
                }
                self.messages.push(message_id.clone());
            }
            Event::RetryRequested { .. }
                if self.incidents.iter().filter(|(of, _)| *of == journal).count() > 1 =>
            {
                return Some("one of two incidents is looked at");
            }
            _ => {}
        }
        if let Some(place) = &place {
            self.due.remove(place);
            self.waits.remove(place);
        }
        for command in &row.record.commands {
            self.note(command, &journal, now_ms);
        }
        None
    }

    fn note(&mut self, command: &Command, journal: &Journal, now_ms: Timestamp) {
        let place = command.op().map(|op| (journal.clone(), op.clone()));
        match (command, place) {
            (Command::SetTimer { due_ms, .. }, Some(place)) => drop(self.due.insert(place, *due_ms)),
            (Command::AwaitMessage { message, key, due_ms, .. }, Some(place)) => {
                due_ms.map(|due_ms| self.due.insert(place.clone(), due_ms));
                self.waits.insert(place, (message.clone(), key.clone()));
            }
            (Command::StartStep { step, due_ms, .. }, Some(place)) if step == "check" || step == "hold" => {
                self.due.insert(place, now_ms.max(*due_ms) + TIMEOUT_MS);
            }
            (Command::Withdraw { .. }, Some(place)) => {
                self.due.remove(&place);
                self.waits.remove(&place);
            }
            (Command::StartChild { run_id, detached, .. }, Some((_, op))) => {
                self.duties.push(((run_id.clone(), 1), Duty::Begin, now_ms));
                if *detached {
                    self.duties.push((journal.clone(), Duty::TellOfChild(op.clone()), now_ms));
                }
                self.children.insert(run_id.clone(), (journal.clone(), op, !detached));
            }
            (Command::CancelChild { .. }, Some((_, op))) => {
                let child = self.children.iter().find(|(_, (of, at, _))| of == journal && *at == op);
                if let Some((child, _)) = child.filter(|(child, _)| !self.ended.contains(child)) {
                    self.duties.push(((child.clone(), 1), Duty::Cancel, now_ms));
                }
            }
            (Command::OpenIncident { .. }, Some(place)) => self.incidents.push(place),
            (Command::CloseIncident { .. }, Some(place)) => self.incidents.retain(|other| *other != place),
            (Command::Continue { .. }, _) => {
                self.forget(journal);
                self.duties.push(((journal.0.clone(), journal.1 + 1), Duty::Begin, now_ms));
            }
            (Command::Finish(_), _) => {
                self.forget(journal);
                self.ended.push(journal.0.clone());
                if let Some((parent, op, true)) = self.children.get(&journal.0) {
                    self.duties.push((parent.clone(), Duty::TellOfChild(op.clone()), now_ms));
                }
            }
            _ => {}
        }
    }

    fn forget(&mut self, journal: &Journal) {
        self.due.retain(|(of, _), _| of != journal);
        self.waits.retain(|(of, _), _| of != journal);
        self.duties.retain(|(of, ..)| of != journal);
    }
}
