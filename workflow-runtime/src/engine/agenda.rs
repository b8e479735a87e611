//! What a run waits for, as its driver sees it, and what each turn changes about that in the store.
//! Pure bookkeeping over the commands of the core: it starts nothing and reads no clock.

mod children;

use std::collections::{BTreeMap, BTreeSet};

use workflow_core::{Command, Event, OpId, OpenOperation, Payload, Timestamp};

pub(crate) use children::{Children, IsDetached};

use crate::store::{Changes, IncidentPlace, MessageWait};

/// An attempt of a step that has been asked for and whose outcome is not recorded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DueAttempt {
    pub(crate) attempt: u32,
    pub(crate) args: Payload,
    pub(crate) due_ms: Timestamp,
    /// Where the call says otherwise than the step.
    pub(crate) timeout_ms: Option<u64>,
    /// It has been cancelled before the engine began to know it, that is before a crash.
    pub(crate) is_unwanted: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    attempts: BTreeMap<OpId, DueAttempt>,
    /// Those of them that are not running: a turn must not cost a look at each of thousands that are.
    idle: BTreeSet<OpId>,
    /// Sleeps and deadlines.
    timers: BTreeMap<OpId, Timestamp>,
    waits: BTreeSet<OpId>,
    pub(crate) children: Children,
    /// The operations that have a timer in the store: sleeps, deadlines and delayed attempts.
    stored_timers: BTreeSet<OpId>,
}

impl Agenda {
    /// The agenda of a run that was replayed, and what it waits for. (Since when, only the journal knows.)
    pub(crate) fn of_open(open: &[OpenOperation]) -> (Agenda, BTreeMap<OpId, MessageWait>) {
        let mut agenda = Agenda::default();
        let mut unneeded = Changes::default();
        for operation in open.iter().filter(|operation| !operation.is_stuck) {
            // The store may have a timer for it or not; removing one that is not there harms nobody.
            agenda.note_command(Timestamp::MIN, &operation.request, &mut unneeded);
            agenda.children.note_open(operation);
            let due = operation.request.op().and_then(|op| agenda.attempts.get_mut(op));
            if let Some(due) = due {
                due.is_unwanted = operation.is_abandoned;
            }
        }
        (agenda, unneeded.begin_waits)
    }

    /// Notes a turn of the core: one event, recorded at `at_ms`, and what the code asked for.
    pub(crate) fn note(
        &mut self,
        at_ms: Timestamp,
        event: &Event,
        commands: &[Command],
        changes: &mut Changes,
    ) {
        match event {
            Event::Started { .. } | Event::RetryRequested { .. } | Event::Resumed => {}
            Event::CancelRequested { .. } => changes.takes_cancel = true,
            Event::MessageReceived { op, message_id, .. } => {
                changes.take_messages.insert(message_id.clone(), op.clone());
                self.forget(op, changes);
            }
            Event::StepCompleted { op, .. }
            | Event::AttemptFailed { op, .. }
            | Event::TimerFired { op }
            | Event::ChildStarted { op }
            | Event::ChildEnded { op, .. }
            | Event::ChildRefused { op, .. }
            | Event::Skipped { op, .. }
            | Event::GivenUp { op, .. } => self.forget(op, changes),
        }
        for command in commands {
            self.note_command(at_ms, command, changes);
        }
    }

    fn note_command(&mut self, at_ms: Timestamp, command: &Command, changes: &mut Changes) {
        match command {
            Command::StartStep { op, args, attempt, due_ms, timeout_ms, .. } => {
                let due = DueAttempt {
                    attempt: *attempt,
                    args: args.clone(),
                    due_ms: *due_ms,
                    timeout_ms: *timeout_ms,
                    is_unwanted: false,
                };
                self.attempts.insert(op.clone(), due);
                self.idle.insert(op.clone());
                if *due_ms > at_ms {
                    self.store_timer(op, *due_ms, changes);
                }
            }
            Command::SetTimer { op, due_ms } => {
                self.timers.insert(op.clone(), *due_ms);
                self.store_timer(op, *due_ms, changes);
            }
            Command::AwaitMessage { op, message, key, due_ms } => {
                self.waits.insert(op.clone());
                let wait = MessageWait { message: message.clone(), key: key.clone(), since_ms: at_ms };
                changes.begin_waits.insert(op.clone(), wait);
                if let Some(due_ms) = due_ms {
                    self.timers.insert(op.clone(), *due_ms);
                    self.store_timer(op, *due_ms, changes);
                }
            }
            Command::Withdraw { op } => self.forget(op, changes),
            Command::OpenIncident { op, cause } => {
                let place = op.clone().map_or(IncidentPlace::Run, IncidentPlace::Operation);
                changes.close_incidents.remove(&place);
                changes.open_incidents.insert(place, cause.clone());
            }
            Command::CloseIncident { op } => {
                let place = IncidentPlace::Operation(op.clone());
                changes.open_incidents.remove(&place);
                changes.close_incidents.insert(place);
            }
            Command::Finish(conclusion) => changes.conclusion = Some(conclusion.clone()),
            Command::StartChild { .. } | Command::CancelChild { .. } => self.children.note(command),
            Command::CancelStep { .. }
            | Command::Send { .. }
            | Command::ReportProgress { .. }
            | Command::Continue { .. }
            | Command::Patch { .. } => {}
        }
    }

    fn store_timer(&mut self, op: &OpId, due_ms: Timestamp, changes: &mut Changes) {
        self.stored_timers.insert(op.clone());
        changes.set_timers.insert(op.clone(), due_ms);
    }

    /// The operation no longer waits for anything.
    fn forget(&mut self, op: &OpId, changes: &mut Changes) {
        self.attempts.remove(op);
        self.idle.remove(op);
        self.children.forget(op);
        self.timers.remove(op);
        if self.stored_timers.remove(op) {
            changes.set_timers.remove(op);
            changes.clear_timers.insert(op.clone());
        }
        if self.waits.remove(op) {
            changes.begin_waits.remove(op);
            changes.end_waits.insert(op.clone());
        }
    }

    /// The attempts to start now; they count as running from here on.
    pub(crate) fn start_due(&mut self, now_ms: Timestamp) -> Vec<(OpId, DueAttempt)> {
        let mut due = Vec::new();
        let attempts = &self.attempts;
        self.idle.retain(|op| match attempts.get(op) {
            Some(attempt) if attempt.due_ms <= now_ms => {
                due.push((op.clone(), attempt.clone()));
                false
            }
            attempt => attempt.is_some(),
        });
        due
    }

    /// Whether the run waits for one attempt, and for nothing else but its deadline.
    pub(crate) fn has_one_attempt_only(&self) -> bool {
        self.attempts.len() == 1
            && self.waits.is_empty()
            && self.children.is_empty()
            && self.timers.keys().all(OpId::is_deadline)
    }

    /// Whether there are sleeps or deadlines that could be over.
    pub(crate) fn has_timers(&self) -> bool {
        !self.timers.is_empty()
    }

    /// This attempt has been started before, and still runs.
    pub(crate) fn note_running(&mut self, op: &OpId, attempt: u32) {
        if self.expects(op, attempt) {
            self.idle.remove(op);
        }
    }

    /// Whether the outcome of this attempt is still waited for.
    pub(crate) fn expects(&self, op: &OpId, attempt: u32) -> bool {
        self.attempts.get(op).is_some_and(|due| due.attempt == attempt)
    }

    /// Whether the operation waits for a message.
    pub(crate) fn waits_for_message(&self, op: &OpId) -> bool {
        self.waits.contains(op)
    }

    /// The sleeps and deadlines that are over, earliest first.
    pub(crate) fn due_timers(&self, now_ms: Timestamp) -> Vec<OpId> {
        let mut due: Vec<_> = self.timers.iter().filter(|(_, due_ms)| **due_ms <= now_ms).collect();
        due.sort_by_key(|(_, due_ms)| **due_ms);
        due.into_iter().map(|(op, _)| op.clone()).collect()
    }

    /// Whether this sleep or deadline is still set.
    pub(crate) fn has_timer(&self, op: &OpId) -> bool {
        self.timers.contains_key(op)
    }

    /// Whether it waits for no more than times: sleeps, deadlines, and attempts that have not been started.
    pub(crate) fn has_only_times(&self) -> bool {
        self.waits.is_empty() && self.children.ids().next().is_none()
    }

    /// When something comes due by itself next.
    pub(crate) fn next_due_ms(&self) -> Option<Timestamp> {
        let delayed = self.idle.iter().filter_map(|op| self.attempts.get(op)).map(|due| due.due_ms);
        delayed.chain(self.timers.values().copied()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(id: &str) -> OpId {
        OpId::from_text(id)
    }

    fn wait(due_ms: Option<Timestamp>) -> Command {
        Command::AwaitMessage { op: op("m"), message: "M".into(), key: "k".into(), due_ms }
    }

    fn start(due_ms: Timestamp) -> Command {
        let (step, args, attempt, timeout_ms) = ("s".into(), Payload::null(), 1, None);
        Command::StartStep { op: op("s"), step, args, attempt, due_ms, timeout_ms }
    }

    #[test]
    fn what_is_set_and_withdrawn_in_one_turn_leaves_nothing() {
        let mut agenda = Agenda::default();
        let mut changes = Changes::default();
        let fired = Event::TimerFired { op: op("t") };
        agenda.note(5, &fired, &[wait(Some(9)), Command::Withdraw { op: op("m") }], &mut changes);
        assert!(changes.set_timers.is_empty() && changes.begin_waits.is_empty());
        assert_eq!(agenda.next_due_ms(), None);
    }

    #[test]
    fn a_deadline_ends_the_wait_and_a_message_the_deadline() {
        let mut agenda = Agenda::default();
        agenda.note(5, &Event::started(Payload::null()), &[wait(Some(9))], &mut Changes::default());
        assert_eq!(agenda.due_timers(9), [op("m")]);
        let mut changes = Changes::default();
        let received =
            Event::MessageReceived { op: op("m"), message_id: "1".into(), payload: Payload::null() };
        agenda.note(6, &received, &[], &mut changes);
        assert!(!agenda.has_timer(&op("m")) && !agenda.waits_for_message(&op("m")));
        assert!(changes.clear_timers.contains(&op("m")) && changes.end_waits.contains(&op("m")));
        assert_eq!(changes.take_messages["1"], op("m"));
    }

    #[test]
    fn an_attempt_is_alone_unless_something_else_can_happen_to_the_run() {
        let mut agenda = Agenda::default();
        let note = |agenda: &mut Agenda, command: Command| {
            agenda.note(5, &Event::started(Payload::null()), &[command], &mut Changes::default());
            agenda.has_one_attempt_only()
        };
        let deadline = Command::SetTimer { op: op("*deadline"), due_ms: 9 };
        assert!(!note(&mut agenda, deadline), "there is none");
        assert!(note(&mut agenda, start(5)));
        assert!(!note(&mut agenda, wait(None)));
        assert!(note(&mut agenda, Command::Withdraw { op: op("m") }));
        assert!(!note(&mut agenda, Command::SetTimer { op: op("t"), due_ms: 9 }));
    }

    #[test]
    fn an_attempt_that_is_due_at_once_needs_no_row() {
        let mut agenda = Agenda::default();
        let mut changes = Changes::default();
        agenda.note(5, &Event::started(Payload::null()), &[start(5)], &mut changes);
        assert!(changes.set_timers.is_empty());
        assert_eq!(agenda.start_due(5).len(), 1);
        assert_eq!(agenda.start_due(5), []);
    }
}
