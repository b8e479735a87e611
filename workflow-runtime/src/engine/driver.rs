//! Drives one run: waits for what happens, has the run take it, has the turn written, and only then acts on it.
//! The one owner of the run in memory; it knows no database and leaves every decision to the core.

mod beginnings;
mod broken;
mod effects;
mod parking;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{mpsc, watch};
use workflow_core::{Command, Definition, OpId, Record};

use super::attempts::{Attempts, panic_text};
use super::children::{self, Fate};
use super::live::{Ends, Input};
use super::live_run::{Happening, LiveRun, Taken};
use super::parts::{Backoff, Parts, Phase};
use super::recovery::Replaying;
use super::transactional::{Committed, Transacted};
use super::watchdog::Situation;
use super::weight;
use crate::store::{Lease, LoadedRun, Turn, TurnOutcome};

pub(crate) use beginnings::Beginning;
pub(super) use beginnings::{Begun, begin};

/// See the module.
pub(crate) struct Driver {
    parts: Arc<Parts>,
    definition: Definition,
    lease: Lease,
    ends: Ends,
    phase: watch::Receiver<Phase>,
    /// The children that are being started; news of them is on its way.
    starting: BTreeSet<Arc<str>>,
    /// Held by those who ask for children to be cancelled: after a crash, only a run that is loaded asks once more.
    cancelling: Arc<()>,
    /// Heard and not taken yet.
    heard: Vec<Happening>,
    /// What the store has to be asked for.
    untold: Untold,
    /// It has waited for long enough to be let go of.
    is_idle: bool,
    /// How often in a row the store has kept it.
    refusals: u32,
    /// Where its journal is, until it is replayed.
    room: Option<Replaying>,
    _permit: mpsc::Sender<()>,
}

/// What somebody has told the run that only the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Untold {
    Nothing,
    /// Requests.
    Asked,
    /// Requests, messages, a cancel, ends of children.
    Anything,
}

/// How much of what has happened goes into one turn: the rest comes with the next ones. What is written together has to
/// fit into a message to a database, and into memory.
const MOST_BYTES: usize = 8 << 20;

/// What a turn still has room for.
#[derive(Default)]
struct Room {
    bytes: usize,
    counted: usize,
}

impl Room {
    /// Whether there is any beside these.
    fn is_left(&mut self, happenings: &[Happening]) -> bool {
        self.bytes += happenings[self.counted..].iter().map(weight::of_happening).sum::<usize>();
        self.counted = happenings.len();
        self.bytes < MOST_BYTES
    }
}

/// What a driver goes on with.
enum Next {
    Drive(Box<LiveRun>, Attempts),
    /// Reads the run from the store; attempts under way go on meanwhile.
    Load(Attempts),
    Resume(Box<LoadedRun>, Attempts),
    /// The code cannot go on with the journal: a person has to look.
    Broken(String),
    /// Nobody holds the run any more.
    Parked,
    Leave,
}

impl Driver {
    /// A driver, unless the engine is on its way out.
    pub(crate) fn new(
        parts: &Arc<Parts>,
        definition: Definition,
        lease: Lease,
        ends: Ends,
    ) -> Option<Driver> {
        let _permit = parts.driver_permit()?;
        let phase = parts.phase.subscribe();
        Some(Driver {
            parts: Arc::clone(parts),
            definition,
            lease,
            ends,
            phase,
            starting: BTreeSet::new(),
            cancelling: Arc::default(),
            heard: Vec::new(),
            untold: Untold::Nothing,
            is_idle: false,
            refusals: 0,
            room: None,
            _permit,
        })
    }

    /// Goes on with a run that was read from the store.
    pub(crate) async fn resume(mut self, loaded: LoadedRun, room: Option<Replaying>) {
        self.room = room;
        self.go(Next::Resume(Box::new(loaded), Attempts::default())).await;
    }

    /// Does not go on with a run that was read from the store, for this reason, unless a person asks for it.
    pub(crate) async fn resume_accused(mut self, loaded: LoadedRun, cause: String) {
        self.heard = loaded.requests.into_iter().map(Happening::Asked).collect();
        self.go(Next::Broken(cause)).await;
    }

    /// Drives the run until it is let go of. A panic in here is no end of it: nobody would see that the run is held and
    /// does not get on. It becomes an incident instead.
    async fn go(&mut self, mut next: Next) {
        let mut backoff = Backoff::new();
        while let Err(panic) = unless_it_panics(self.go_on(next)).await {
            next = Next::Broken(format!("what drives the run has panicked: {panic}"));
            if !backoff.wait(&self.parts).await {
                break;
            }
        }
        self.parts.live.remove(&self.lease);
        self.parts.alarm.note_room();
    }

    async fn go_on(&mut self, mut next: Next) {
        loop {
            next = match next {
                Next::Drive(live, attempts) => self.drive(live, attempts).await,
                Next::Load(attempts) => self.load(attempts).await,
                Next::Resume(loaded, attempts) => self.replay(*loaded, attempts).await,
                Next::Broken(cause) => self.wait_for_a_person(cause).await,
                Next::Parked => {
                    self.leave_parked().await;
                    break;
                }
                Next::Leave => break,
            }
        }
    }

    async fn drive(&mut self, mut live: Box<LiveRun>, mut attempts: Attempts) -> Next {
        loop {
            if let Some(conclusion) = live.run.conclusion() {
                self.ends.ending.send_replace(Some(conclusion.clone()));
                self.parts.endings.tell(&self.lease.run_id, conclusion);
                if let Some(parent) = &live.parent {
                    let (run_id, fate) = (Arc::clone(&self.lease.run_id), Fate::Ended(conclusion.clone()));
                    children::tell(&self.parts, parent, run_id, fate);
                }
                self.parts.telemetry.run_ended(self.definition.name, conclusion);
                tracing::debug!("the run has ended");
                return Next::Leave;
            }
            let phase = *self.phase.borrow_and_update();
            if phase == Phase::Stopped || (phase == Phase::Draining && attempts.is_empty()) {
                return Next::Leave;
            }
            if !self.is_holder() {
                tracing::warn!("the lease of this engine is lost; it lets go of the run");
                return Next::Leave;
            }
            // While others may hold the run, nothing is begun; what is under way may come to its end.
            let is_running = phase == Phase::Running && self.parts.membership.is_certain();
            if is_running {
                if live.run.continuation().is_some() {
                    return self.begin_anew(&mut live).await;
                }
                self.carry_out(&mut live, &mut attempts);
                if self.untold != Untold::Nothing && self.look(&mut live).await.is_none() {
                    return Next::Leave;
                }
            }
            let transacted = match is_running {
                true => attempts.transactions.transact(&self.parts, &self.lease, &mut live).await,
                false => None,
            };
            let (happenings, transaction) = match transacted {
                None => (self.gather(&mut live, &mut attempts, is_running).await, None),
                Some(Transacted::Over(attempted, transaction)) => {
                    let name = (attempted.op.clone(), attempted.attempt);
                    (
                        vec![Happening::Attempted(attempted)],
                        transaction.map(|transaction| (transaction, name)),
                    )
                }
                Some(Transacted::Again) => continue,
                Some(Transacted::LostLease) => {
                    tracing::warn!("somebody else holds the run now; this engine lets go of it");
                    return Next::Leave;
                }
                Some(Transacted::Stopped) => return Next::Leave,
            };
            if std::mem::take(&mut self.is_idle) {
                match self.park(live.parking()).await {
                    Some(true) => return Next::Parked,
                    Some(false) => continue,
                    None => return Next::Leave,
                }
            }
            let now_ms = live.tick(self.parts.clock.now_ms());
            let Taken { turn, broken } = live.take(happenings, now_ms);
            if let Some(turn) = turn {
                self.refusals = 0;
                let turn = Arc::new(turn);
                let written = match transaction {
                    None => self.write(&turn).await,
                    Some((transaction, name)) => {
                        match attempts.transactions.commit(&self.parts, transaction, &turn, name).await {
                            Committed::Answered(outcome) => Some(outcome),
                            Committed::Undone(failed) => {
                                // The run in memory is ahead of the store now.
                                failed.into_iter().for_each(|attempted| attempts.report(attempted));
                                return Next::Load(attempts);
                            }
                            Committed::Stopped => None,
                        }
                    }
                };
                match written {
                    Some(TurnOutcome::Written(offers)) => {
                        self.ends.note_progress(now_ms);
                        live.note_written(offers);
                        cancelled_steps(&turn).for_each(|op| attempts.cancel(op));
                        let answers = turn.changes.answers.iter();
                        answers.for_each(|(id, answer)| self.parts.answers.tell(id, answer));
                    }
                    Some(TurnOutcome::MessageTaken) => return Next::Load(attempts),
                    Some(TurnOutcome::LostLease | TurnOutcome::Exists) => {
                        tracing::warn!("somebody else holds the run now; this engine lets go of it");
                        return Next::Leave;
                    }
                    None => return Next::Leave,
                }
            }
            if let Some(error) = broken {
                return Next::Broken(error.to_string());
            }
        }
    }

    /// Waits until something happens, and takes all that has happened by then.
    async fn gather(
        &mut self,
        live: &mut LiveRun,
        attempts: &mut Attempts,
        is_running: bool,
    ) -> Vec<Happening> {
        let mut happenings = Vec::new();
        if is_running && let Some(offer) = live.next_offer() {
            // In a turn of its own: when another run took the message, nothing else is refused with it.
            return vec![Happening::Offer(offer)];
        }
        let mut room = Room::default();
        if is_running {
            let mut heard = std::mem::take(&mut self.heard).into_iter();
            while room.is_left(&happenings)
                && let Some(happening) = heard.next()
            {
                happenings.push(happening);
            }
            self.heard = heard.collect();
        }
        if happenings.is_empty() && !attempts.has_outcome() {
            let due_ms = live.next_due_ms().filter(|_| is_running);
            let idle = self.idle_time(live, attempts).filter(|_| is_running);
            tokio::select! {
                biased;
                _ = self.phase.changed() => return happenings,
                attempted = attempts.next() => happenings.extend(attempted.map(Happening::Attempted)),
                Some(input) = self.ends.inbox.recv(), if is_running => {
                    self.hear(*input, live, attempts, &mut happenings);
                }
                () = tokio::time::sleep(idle.unwrap_or_default()), if idle.is_some() => {
                    self.is_idle = true;
                    return happenings;
                }
                () = self.parts.clock.sleep_until(due_ms.unwrap_or_default()), if due_ms.is_some() => {
                    let due_ms = due_ms.unwrap_or_default();
                    self.parts.telemetry.timer_due(due_ms, self.parts.clock.over_ms());
                }
                () = std::future::ready(()), if is_running && !attempts.transactions.is_empty() => {}
            }
        }
        while room.is_left(&happenings)
            && let Some(attempted) = attempts.try_next()
        {
            happenings.push(Happening::Attempted(attempted));
        }
        if is_running {
            while room.is_left(&happenings)
                && let Ok(input) = self.ends.inbox.try_recv()
            {
                self.hear(*input, live, attempts, &mut happenings);
            }
            if live.agenda.has_timers() {
                happenings.push(Happening::Due(self.parts.clock.over_ms()));
            }
        }
        happenings
    }

    fn hear(
        &mut self,
        input: Input,
        live: &mut LiveRun,
        attempts: &Attempts,
        happenings: &mut Vec<Happening>,
    ) {
        match input {
            Input::Offer(offer) => live.note_written(vec![offer]),
            Input::Explain(reply) => {
                let (under_way, next_due_ms) = (attempts.since(), live.next_due_ms());
                let _ = reply.send(Situation { under_way, next_due_ms });
            }
            Input::Cancel(reason) => happenings.push(Happening::Cancel(reason)),
            Input::Child(news) => {
                self.starting.remove(&news.run_id);
                happenings.push(Happening::Child(news));
            }
            Input::Asked => self.untold = self.untold.max(Untold::Asked),
            Input::News => self.untold = Untold::Anything,
        }
    }

    /// Has a turn written. `None` when the engine stopped before the store answered.
    async fn write(&self, turn: &Arc<Turn>) -> Option<TurnOutcome> {
        let mut backoff = Backoff::new();
        loop {
            match self.parts.commit(Arc::clone(turn), None).await {
                Ok(outcome) => {
                    tracing::debug!(row = turn.first_seq, rows = turn.records.len(), "turn committed");
                    return Some(outcome);
                }
                Err(error) if error.is_stopped() => return None,
                // Nothing is lost and nothing goes on: the turn stays here until the store takes it.
                Err(error) => tracing::error!(%error, "the store refuses a turn; trying again"),
            }
            if !backoff.wait(&self.parts).await {
                return None;
            }
        }
    }

    async fn load(&self, attempts: Attempts) -> Next {
        let leases = std::slice::from_ref(&self.lease);
        match load_all(&self.parts, leases).await.map(|mut loaded| loaded.pop()) {
            Some(Some(loaded)) => Next::Resume(Box::new(loaded), attempts),
            _ => Next::Leave,
        }
    }

    async fn replay(&mut self, mut loaded: LoadedRun, attempts: Attempts) -> Next {
        let room = self.room.take();
        // All that was told before is in what was loaded.
        self.untold = Untold::Nothing;
        self.heard = loaded.requests.iter().cloned().map(Happening::Asked).collect();
        let journal = std::mem::replace(&mut loaded.journal, Ok(Vec::new()));
        let journal: Vec<Record> = match journal {
            Ok(journal) => journal,
            Err(error) => return Next::Broken(error.to_string()),
        };
        let (cancel_reason, had_incident) = (loaded.cancel_reason.take(), loaded.has_journal_incident);
        let (lease, limit) = (self.lease.clone(), self.parts.payload_limit);
        let replayed = LiveRun::replay(self.definition, lease, &journal, loaded, limit, attempts.running());
        let mut live = match replayed {
            Ok(live) => live,
            Err(error) => return Next::Broken(error.to_string()),
        };
        tracing::debug!(rows = journal.len(), "the run was replayed");
        drop((journal, room));
        if had_incident || live.has_repairs() || live.run.owes_commands() {
            let now_ms = live.tick(self.parts.clock.now_ms());
            let turn = match live.journal_is_in_order(now_ms) {
                Ok(turn) => turn,
                Err(error) => return Next::Broken(error.to_string()),
            };
            let Some(TurnOutcome::Written(offers)) = self.write(&Arc::new(turn)).await else {
                return Next::Leave;
            };
            // What the code owed may be a wait, and the message may have been there for long.
            live.note_written(offers);
        }
        if self.find_children(&mut live).await.is_none() {
            return Next::Leave;
        }
        if let Some(reason) = cancel_reason {
            self.heard.push(Happening::Cancel(reason));
        }
        Next::Drive(Box::new(live), attempts)
    }
}

/// What it comes to, or the text of its panic.
async fn unless_it_panics<T>(running: impl Future<Output = T>) -> Result<T, String> {
    let mut running = pin!(running);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic_text(panic.as_ref()))),
    })
    .await
}

/// The steps that nobody waits for any more from this turn on.
fn cancelled_steps(turn: &Turn) -> impl Iterator<Item = &OpId> {
    let commands = turn.records.iter().flat_map(|record| &record.commands);
    commands.filter_map(|command| match command {
        Command::CancelStep { op } => Some(op),
        _ => None,
    })
}

/// Reads runs from the store; `None` when the engine stopped before it answered.
pub(crate) async fn load_all(parts: &Parts, leases: &[Lease]) -> Option<Vec<LoadedRun>> {
    let mut backoff = Backoff::new();
    loop {
        match parts.store.load(leases, parts.clock.now_ms()).await {
            Ok(loaded) => return Some(loaded),
            Err(error) => tracing::warn!(%error, "runs cannot be read from the store; trying again"),
        }
        if !backoff.wait(parts).await {
            return None;
        }
    }
}
