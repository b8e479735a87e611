//! A run in memory with all that belongs to it, and the turns it takes.
//! It writes nothing and waits for nothing: what a turn came to is handed to the driver to be written.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::oneshot;
use workflow_core::{CoreError, Definition, Event, OpId, Payload, Record, Run, StepDef, Timestamp};

use super::agenda::{Agenda, DueAttempt};
use super::attempts::Attempted;
use crate::store::{Changes, IncidentPlace, Lease, LoadedRun, Misfit, NewRun, Offer, Turn};

/// Something that happened and that the run may have to hear of.
pub(crate) enum Happening {
    Attempted(Attempted),
    Cancel(String),
    Retry(oneshot::Sender<usize>),
    Offer(Offer),
    /// Look at the timers: the last millisecond that is over.
    Due(Timestamp),
}

/// A run in memory.
pub(crate) struct LiveRun {
    pub(crate) run: Run,
    lease: Lease,
    next_seq: i64,
    /// When the last turn was taken: the run's clock never goes back.
    last_ms: Timestamp,
    agenda: Agenda,
    /// Messages that are there for waits of this run.
    offers: VecDeque<Offer>,
}

/// What some happenings came to.
pub(crate) struct Taken {
    /// What to write, if anything.
    pub(crate) turn: Option<Turn>,
    /// Who waits for that to be written, and with which answer.
    pub(crate) replies: Vec<(oneshot::Sender<usize>, usize)>,
    /// Why the code cannot go on after that.
    pub(crate) broken: Option<CoreError>,
}

impl LiveRun {
    /// A new run, and its first turn.
    ///
    /// # Errors
    /// When the code cannot even begin.
    pub(crate) fn begin(
        definition: Definition,
        run_id: &Arc<str>,
        input: Payload,
        now_ms: Timestamp,
    ) -> Result<(LiveRun, Turn), CoreError> {
        let lease = Lease { run_id: Arc::clone(run_id), epoch: 1 };
        let run = Run::new(definition, run_id);
        let mut live = LiveRun {
            run,
            lease,
            next_seq: 1,
            last_ms: now_ms,
            agenda: Agenda::default(),
            offers: VecDeque::new(),
        };
        let (mut records, mut changes) = (Vec::new(), Changes::default());
        live.feed(now_ms, Event::started(input), &mut records, &mut changes)?;
        let begins = NewRun { workflow: definition.name.to_owned(), version: definition.version };
        let turn = Turn { begins: Some(begins), ..live.turn(now_ms, records, changes) };
        Ok((live, turn))
    }

    /// A run that is rebuilt from its journal; attempts that still run are known to it.
    ///
    /// # Errors
    /// When the code cannot go on with this journal.
    pub(crate) fn replay<'a>(
        definition: Definition,
        lease: Lease,
        journal: &[Record],
        loaded: LoadedRun,
        running: impl Iterator<Item = &'a (OpId, u32)>,
    ) -> Result<LiveRun, CoreError> {
        let replayed = catch_unwind(AssertUnwindSafe(|| Run::replay(definition, &lease.run_id, journal)));
        let run = replayed.map_err(|panic| panicked(panic.as_ref()))??;
        let mut agenda = Agenda::of_open(&run.open_operations());
        for (op, attempt) in running {
            agenda.note_running(op, *attempt);
        }
        let next_seq = i64::try_from(journal.len()).expect("a journal fits in memory") + 1;
        let last_ms = journal.last().map_or(Timestamp::MIN, |record| record.at_ms);
        Ok(LiveRun { run, lease, next_seq, last_ms, agenda, offers: loaded.offers.into() })
    }

    /// The run's clock.
    pub(crate) fn tick(&mut self, now_ms: Timestamp) -> Timestamp {
        self.last_ms = self.last_ms.max(now_ms);
        self.last_ms
    }

    /// The attempts to start now; they count as running from here on.
    pub(crate) fn start_due(&mut self, now_ms: Timestamp) -> Vec<(OpId, DueAttempt, &'static StepDef)> {
        let due = self.agenda.start_due(now_ms);
        let with_step = |(op, due)| {
            let def = self.run.step(&op).expect("what is on the agenda is open, and an attempt has a step");
            (op, due, def)
        };
        due.into_iter().map(with_step).collect()
    }

    /// When something comes due by itself next.
    pub(crate) fn next_due_ms(&self) -> Option<Timestamp> {
        self.agenda.next_due_ms()
    }

    /// A message that one of the waits can have now.
    pub(crate) fn next_offer(&mut self) -> Option<Offer> {
        while let Some(offer) = self.offers.pop_front() {
            if self.agenda.waits_for_message(&offer.op) {
                return Some(offer);
            }
        }
        None
    }

    /// The store has the turn.
    pub(crate) fn note_written(&mut self, offers: Vec<Offer>) {
        self.offers.extend(offers);
    }

    /// Takes what happened, one event at a time. What nobody waits for any more is dropped.
    pub(crate) fn take(&mut self, happenings: Vec<Happening>, now_ms: Timestamp) -> Taken {
        let (mut records, mut changes) = (Vec::new(), Changes::default());
        let mut taken = Taken { turn: None, replies: Vec::new(), broken: None };
        for happening in happenings {
            if let Err(error) =
                self.take_one(happening, now_ms, &mut records, &mut changes, &mut taken.replies)
            {
                taken.broken = Some(error);
                break;
            }
        }
        if !records.is_empty() || !changes.misfits.is_empty() {
            taken.turn = Some(self.turn(now_ms, records, changes));
        }
        taken
    }

    fn take_one(
        &mut self,
        happening: Happening,
        now_ms: Timestamp,
        records: &mut Vec<Record>,
        changes: &mut Changes,
        replies: &mut Vec<(oneshot::Sender<usize>, usize)>,
    ) -> Result<(), CoreError> {
        match happening {
            _ if self.run.conclusion().is_some() => Ok(()),
            Happening::Attempted(Attempted { op, attempt, outcome }) => {
                if !self.agenda.expects(&op, attempt) {
                    return Ok(());
                }
                let Some(event) = self.run.judge(&op, outcome, now_ms) else { return Ok(()) };
                self.feed(now_ms, event, records, changes)
            }
            Happening::Cancel(reason) => {
                self.feed(now_ms, Event::CancelRequested { reason }, records, changes)
            }
            Happening::Retry(reply) => {
                let open = self.run.open_operations();
                let stuck = open.iter().filter(|open| open.is_stuck).filter_map(|open| open.request.op());
                let stuck: Vec<OpId> = stuck.cloned().collect();
                replies.push((reply, stuck.len()));
                stuck
                    .into_iter()
                    .try_for_each(|op| self.feed(now_ms, Event::RetryRequested { op }, records, changes))
            }
            Happening::Offer(Offer { op, message_id, payload, .. }) => {
                if !self.agenda.waits_for_message(&op) {
                    return Ok(());
                }
                if let Err(error) = self.reads(&op, &payload) {
                    tracing::warn!(
                        message_id,
                        op = op.as_str(),
                        error,
                        "a message is set aside: it does not fit"
                    );
                    changes.misfits.insert(message_id, Misfit { op, error });
                    return Ok(());
                }
                self.feed(now_ms, Event::MessageReceived { op, message_id, payload }, records, changes)
            }
            Happening::Due(over_ms) => self.agenda.due_timers(over_ms).into_iter().try_for_each(|op| {
                // An earlier one of them may have made the code drop this one.
                if self.agenda.has_timer(&op) {
                    self.feed(now_ms, Event::TimerFired { op }, records, changes)
                } else {
                    Ok(())
                }
            }),
        }
    }

    /// Whether the operation can read this message; if not, why.
    fn reads(&self, op: &OpId, payload: &Payload) -> Result<(), String> {
        match catch_unwind(AssertUnwindSafe(|| self.run.fits(op, payload))) {
            Ok(fits) => fits.map_err(|error| error.to_string()),
            Err(panic) => Err(panicked(panic.as_ref()).to_string()),
        }
    }

    fn feed(
        &mut self,
        now_ms: Timestamp,
        event: Event,
        records: &mut Vec<Record>,
        changes: &mut Changes,
    ) -> Result<(), CoreError> {
        // The core catches panics of the workflow's code; those of the user's deserializers it does not.
        let fed = catch_unwind(AssertUnwindSafe(|| self.run.feed(now_ms, &event)));
        match fed.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))) {
            Ok(commands) => {
                self.agenda.note(now_ms, &event, &commands, changes);
                records.push(Record::new(now_ms, event, commands));
                Ok(())
            }
            Err(error) => {
                // What happened is recorded all the same: an answer is never asked for a second time.
                if error.broke_off() {
                    self.agenda.note(now_ms, &event, &[], changes);
                    records.push(Record::broken_off(now_ms, event));
                }
                Err(error)
            }
        }
    }

    fn turn(&mut self, at_ms: Timestamp, records: Vec<Record>, changes: Changes) -> Turn {
        let first_seq = self.next_seq;
        self.next_seq += i64::try_from(records.len()).expect("a turn fits in memory");
        Turn { lease: self.lease.clone(), begins: None, at_ms, first_seq, records, changes }
    }

    /// The code can go on with the journal again; what it owes to an event on which it broke off is recorded.
    pub(crate) fn journal_is_in_order(&mut self, now_ms: Timestamp) -> Result<Turn, CoreError> {
        let (mut records, mut changes) = (Vec::new(), Changes::default());
        if self.run.owes_commands() {
            self.feed(now_ms, Event::Resumed, &mut records, &mut changes)?;
        }
        changes.close_incidents.insert(IncidentPlace::Journal);
        Ok(self.turn(now_ms, records, changes))
    }
}

/// A note that the code cannot go on with a journal.
pub(crate) fn journal_incident(lease: &Lease, at_ms: Timestamp, cause: String) -> Turn {
    let mut changes = Changes::default();
    changes.open_incidents.insert(IncidentPlace::Journal, cause);
    Turn { lease: lease.clone(), begins: None, at_ms, first_seq: 0, records: Vec::new(), changes }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> CoreError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    CoreError::Panicked { message: text.unwrap_or_else(|| "without a text".to_owned()) }
}
