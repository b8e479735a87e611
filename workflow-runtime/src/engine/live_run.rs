//! A run in memory with all that belongs to it, and the turns it takes.
//! It writes nothing and waits for nothing: what a turn came to is handed to the driver to be written.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use workflow_core::{CoreError, Definition, Event, OpId, Parent, Payload, Record, Run, StepDef, Timestamp};

use super::agenda::{Agenda, DueAttempt, IsDetached};
use super::attempts::Attempted;
use super::children::{ChildNews, Fate};
use super::{outgoing, waits};
use crate::store::{Changes, IncidentPlace, Lease, LoadedRun, Misfit, NewRun, Offer, Parking, Request, Turn};

/// Something that happened and that the run may have to hear of.
pub(crate) enum Happening {
    Attempted(Attempted),
    Cancel(String),
    Asked(Request),
    Child(ChildNews),
    Offer(Offer),
    /// Look at the timers: the last millisecond that is over.
    Due(Timestamp),
}

/// How a run begins.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) input: Payload,
    /// How often it has begun, counted from 1.
    pub(crate) generation: u32,
    pub(crate) parent: Option<Parent>,
}

impl Origin {
    /// Of a run that nobody waits for.
    pub(crate) fn from_outside(input: Payload) -> Origin {
        Origin { input, generation: 1, parent: None }
    }
}

/// A run in memory.
pub(crate) struct LiveRun {
    pub(crate) run: Run,
    pub(crate) agenda: Agenda,
    /// The operation that started it, if it is a child.
    pub(crate) parent: Option<Parent>,
    lease: Lease,
    /// The largest payload that is taken, in bytes.
    payload_limit: usize,
    next_seq: i64,
    /// When the last turn was taken: the run's clock never goes back.
    last_ms: Timestamp,
    /// Messages that are there for waits of this run.
    offers: VecDeque<Offer>,
    /// It could not go on with its journal, and can again since somebody asked for that.
    pub(super) was_mended: bool,
    /// What has to be written so that messages find the run.
    repairs: Option<Box<Changes>>,
}

/// What some happenings came to.
pub(crate) struct Taken {
    /// What to write, if anything.
    pub(crate) turn: Option<Turn>,
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
        lease: Lease,
        origin: Origin,
        payload_limit: usize,
        now_ms: Timestamp,
    ) -> Result<(LiveRun, Turn), CoreError> {
        let Origin { input, generation, parent } = origin;
        let mut live = LiveRun {
            run: Run::new(definition, &lease.run_id),
            agenda: Agenda::default(),
            parent: parent.clone(),
            lease,
            payload_limit,
            next_seq: 1,
            last_ms: now_ms,
            offers: VecDeque::new(),
            was_mended: false,
            repairs: None,
        };
        let (mut records, mut changes) = (Vec::new(), Changes::default());
        let started = Event::Started { input, generation, parent: parent.clone() };
        live.feed(now_ms, started, &mut records, &mut changes)?;
        let (workflow, version) = (definition.name.to_owned(), definition.version);
        let begins = NewRun { workflow, version, generation, parent, parks_until: None };
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
        payload_limit: usize,
        running: impl Iterator<Item = (&'a OpId, u32)>,
    ) -> Result<LiveRun, CoreError> {
        let replayed = catch_unwind(AssertUnwindSafe(|| Run::replay(definition, &lease.run_id, journal)));
        let run = replayed.map_err(|panic| panicked(panic.as_ref()))??;
        let (mut agenda, waits) = Agenda::of_open(&run.open_operations());
        let repairs = waits::repairs(waits, &loaded.waits, journal);
        for (op, attempt) in running {
            agenda.note_running(op, attempt);
        }
        let next_seq = i64::try_from(journal.len()).expect("a journal fits in memory") + 1;
        let last_ms = journal.last().map_or(Timestamp::MIN, |record| record.at_ms);
        let parent = match journal.first().map(|record| &record.event) {
            Some(Event::Started { parent, .. }) => parent.clone(),
            _ => None,
        };
        let was_mended = loaded.has_journal_incident && !loaded.requests.is_empty();
        let offers = loaded.offers.into();
        let mut live = LiveRun {
            run,
            agenda,
            parent,
            lease,
            payload_limit,
            next_seq,
            last_ms,
            offers,
            was_mended,
            repairs,
        };
        if live.has_repairs() {
            tracing::error!("what the run waits for was not kept as its journal tells it; it is kept anew");
            // They were found by what was kept.
            live.offers.clear();
        }
        Ok(live)
    }

    /// The turn with which the run begins anew under its id, once its journal says that it does.
    ///
    /// # Errors
    /// When the code cannot even begin.
    pub(crate) fn begin_anew(
        &self,
        definition: Definition,
        input: Payload,
        now_ms: Timestamp,
    ) -> Result<Turn, CoreError> {
        let generation = self.run.generation() + 1;
        let origin = Origin { input, generation, parent: self.parent.clone() };
        let begun = LiveRun::begin(definition, self.lease.clone(), origin, self.payload_limit, now_ms);
        begun.map(|(_, turn)| turn)
    }

    /// The operation here, as a child knows it.
    pub(crate) fn as_parent(&self, op: OpId) -> Parent {
        Parent { run_id: self.lease.run_id.to_string(), generation: self.run.generation(), op }
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

    /// Whether the outcome of this attempt is still waited for.
    pub(crate) fn expects(&self, op: &OpId, attempt: u32) -> bool {
        self.run.conclusion().is_none() && self.agenda.expects(op, attempt)
    }

    /// When something comes due by itself next.
    pub(crate) fn next_due_ms(&self) -> Option<Timestamp> {
        self.agenda.next_due_ms()
    }

    /// How to let go of the run, which only waits.
    pub(crate) fn parking(&self) -> Parking {
        let children = self.agenda.children.ids().map(|(_, run_id)| Arc::clone(run_id)).collect();
        Parking { lease: self.lease.clone(), wake_ms: self.next_due_ms(), children, is_broken: false }
    }

    /// Until when a run that has just begun waits for nothing but its timers. `None` when there is more to it.
    pub(crate) fn sleeps_until(&self) -> Option<Timestamp> {
        let is_going_on = self.run.conclusion().is_none() && self.run.continuation().is_none();
        let due_ms = self.next_due_ms().filter(|_| is_going_on && self.agenda.has_only_times())?;
        Some(due_ms)
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
        let mut taken = Taken { turn: None, broken: None };
        for happening in happenings {
            if let Err(error) = self.take_one(happening, now_ms, &mut records, &mut changes) {
                taken.broken = Some(error);
                break;
            }
        }
        let is_more = !changes.misfits.is_empty() || !changes.answers.is_empty() || changes.takes_cancel;
        if !records.is_empty() || is_more {
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
    ) -> Result<(), CoreError> {
        match happening {
            // What is still to be heard by a run that begins anew is in the store.
            _ if self.run.conclusion().is_some() || self.run.continuation().is_some() => Ok(()),
            Happening::Attempted(Attempted { op, attempt, outcome }) => {
                if !self.agenda.expects(&op, attempt) {
                    return Ok(());
                }
                let Some(event) = self.run.judge(&op, outcome, now_ms) else { return Ok(()) };
                self.feed(now_ms, event, records, changes)
            }
            Happening::Cancel(reason) if !self.run.heeds_cancel(&reason) => {
                changes.takes_cancel = true;
                Ok(())
            }
            Happening::Cancel(reason) => {
                self.feed(now_ms, Event::CancelRequested { reason }, records, changes)
            }
            Happening::Asked(request) => {
                let (events, answer) = self.heed(&request);
                changes.answers.insert(request.id, answer.to_payload());
                events.into_iter().try_for_each(|event| self.feed(now_ms, event, records, changes))
            }
            Happening::Child(news) => match self.hear_of_child(news) {
                Some(event) => self.feed(now_ms, event, records, changes),
                None => Ok(()),
            },
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

    /// What a child's fate means for the run, if it still waits for that very child.
    fn hear_of_child(&mut self, news: ChildNews) -> Option<Event> {
        let ChildNews { generation, op, run_id, fate } = news;
        if generation != self.run.generation() {
            return None;
        }
        let IsDetached(is_detached) = self.agenda.children.waits_for(&op, &run_id)?;
        match fate {
            Fate::Refused(reason) => Some(Event::ChildRefused { op, reason }),
            Fate::Runs | Fate::Ended(_) if is_detached => Some(Event::ChildStarted { op }),
            Fate::Ended(conclusion) => Some(Event::ChildEnded { op, conclusion }),
            Fate::Runs => {
                self.agenda.children.note_running(&op);
                None
            }
        }
    }

    /// Whether the operation can read this value; if not, why. What panics at it cannot.
    pub(super) fn reads(&self, op: &OpId, payload: &Payload) -> Result<(), String> {
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
        let fed = fed.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let fed = fed.and_then(|commands| {
            outgoing::check(&commands, self.payload_limit)?;
            Ok(commands)
        });
        match fed {
            Ok(commands) => {
                outgoing::note(&self.lease.run_id, self.run.generation(), &commands, changes);
                self.agenda.note(now_ms, &event, &commands, changes);
                records.push(Record::new(now_ms, event, commands));
                if let (Some(_), Some(parent)) = (self.run.conclusion(), &self.parent) {
                    changes.wakes.insert(parent.run_id.as_str().into());
                }
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

    /// Whether what is kept of the run beside its journal does not fit the journal.
    pub(crate) fn has_repairs(&self) -> bool {
        self.repairs.is_some()
    }

    /// The code can go on with the journal again; what it owes to an event on which it broke off is recorded.
    pub(crate) fn journal_is_in_order(&mut self, now_ms: Timestamp) -> Result<Turn, CoreError> {
        let (mut records, mut changes) =
            (Vec::new(), self.repairs.take().map(|repairs| *repairs).unwrap_or_default());
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
