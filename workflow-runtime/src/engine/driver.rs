//! Drives one run: waits for what happens, has the run take it, has the turn written, and only then acts on it.
//! The one owner of the run in memory; it knows no database and leaves every decision to the core.

mod beginnings;
mod effects;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use workflow_core::{Command, Definition, OpId, Record};

use super::attempts::Attempts;
use super::children::{self, Fate};
use super::live::{Ends, Input};
use super::live_run::{Happening, LiveRun, Taken, journal_incident};
use super::parts::{Backoff, Parts, Phase};
use super::stuck::Answer;
use super::transactional::{Committed, Transacted};
use crate::error::{Error, ErrorKind};
use crate::store::{Lease, LoadedRun, Turn, TurnOutcome};

pub(crate) use beginnings::Beginning;

/// See the module.
pub(crate) struct Driver {
    parts: Arc<Parts>,
    definition: Definition,
    lease: Lease,
    ends: Ends,
    phase: watch::Receiver<Phase>,
    /// The children that are being started; news of them is on its way.
    starting: BTreeSet<Arc<str>>,
    _permit: mpsc::Sender<()>,
}

/// What a driver goes on with.
enum Next {
    Drive(Box<LiveRun>, Attempts),
    /// Reads the run from the store; attempts under way go on meanwhile.
    Load(Attempts),
    Resume(Box<LoadedRun>, Attempts),
    /// The code cannot go on with the journal: a person has to look.
    Broken(String),
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
        let starting = BTreeSet::new();
        Some(Driver { parts: Arc::clone(parts), definition, lease, ends, phase, starting, _permit })
    }

    /// Goes on with a run that was read from the store.
    pub(crate) async fn resume(mut self, loaded: LoadedRun) {
        self.go(Next::Resume(Box::new(loaded), Attempts::default())).await;
    }

    async fn go(&mut self, mut next: Next) {
        loop {
            next = match next {
                Next::Drive(live, attempts) => self.drive(live, attempts).await,
                Next::Load(attempts) => self.load(attempts).await,
                Next::Resume(loaded, attempts) => self.replay(*loaded, attempts).await,
                Next::Broken(cause) => self.wait_for_a_person(cause).await,
                Next::Leave => break,
            }
        }
        self.parts.live.remove(&self.lease.run_id);
    }

    async fn drive(&mut self, mut live: Box<LiveRun>, mut attempts: Attempts) -> Next {
        loop {
            if let Some(conclusion) = live.run.conclusion() {
                self.ends.ending.send_replace(Some(conclusion.clone()));
                if let Some(parent) = &live.parent {
                    let (run_id, fate) = (Arc::clone(&self.lease.run_id), Fate::Ended(conclusion.clone()));
                    children::tell(&self.parts, parent, run_id, fate);
                }
                tracing::debug!("the run has ended");
                return Next::Leave;
            }
            let phase = *self.phase.borrow_and_update();
            if phase == Phase::Stopped || (phase == Phase::Draining && attempts.is_empty()) {
                return Next::Leave;
            }
            let is_running = phase == Phase::Running;
            if is_running {
                if live.run.continuation().is_some() {
                    return self.begin_anew(&mut live).await;
                }
                self.carry_out(&mut live, &mut attempts);
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
            let now_ms = live.tick(self.parts.clock.now_ms());
            let Taken { turn, answers, broken } = live.take(happenings, now_ms);
            if let Some(turn) = turn {
                let cancelled = cancelled_steps(&turn);
                let written = match transaction {
                    None => self.write(turn).await,
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
                        live.note_written(offers);
                        cancelled.iter().for_each(|op| attempts.cancel(op));
                    }
                    Some(TurnOutcome::MessageTaken) => return Next::Load(attempts),
                    Some(TurnOutcome::LostLease | TurnOutcome::Exists) => {
                        tracing::warn!("somebody else holds the run now; this engine lets go of it");
                        return Next::Leave;
                    }
                    None => return Next::Leave,
                }
            }
            answers.into_iter().for_each(Answer::send);
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
        let due_ms = live.next_due_ms().filter(|_| is_running);
        let clock = self.parts.clock.clone();
        tokio::select! {
            biased;
            _ = self.phase.changed() => return happenings,
            attempted = attempts.next() => happenings.extend(attempted.map(Happening::Attempted)),
            Some(input) = self.ends.inbox.recv(), if is_running => self.hear(input, live, &mut happenings),
            () = clock.sleep_until(due_ms.unwrap_or_default()), if due_ms.is_some() => {}
            () = std::future::ready(()), if is_running && !attempts.transactions.is_empty() => {}
        }
        while let Some(attempted) = attempts.try_next() {
            happenings.push(Happening::Attempted(attempted));
        }
        if is_running {
            while let Ok(input) = self.ends.inbox.try_recv() {
                self.hear(input, live, &mut happenings);
            }
            happenings.push(Happening::Due(self.parts.clock.over_ms()));
        }
        happenings
    }

    fn hear(&mut self, input: Input, live: &mut LiveRun, happenings: &mut Vec<Happening>) {
        match input {
            Input::Offer(offer) => live.note_written(vec![offer]),
            Input::Cancel(reason) => happenings.push(Happening::Cancel(reason)),
            Input::Retry(reply) => happenings.push(Happening::Retry(reply)),
            Input::Rule(ruling) => happenings.push(Happening::Rule(ruling)),
            Input::Child(news) => {
                self.starting.remove(&news.run_id);
                happenings.push(Happening::Child(news));
            }
        }
    }

    /// Has a turn written. `None` when the engine stopped before the store answered.
    async fn write(&self, turn: Turn) -> Option<TurnOutcome> {
        let mut backoff = Backoff::new();
        loop {
            match self.parts.commit(turn.clone(), None).await {
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
        if had_incident || live.run.owes_commands() {
            let now_ms = live.tick(self.parts.clock.now_ms());
            let turn = match live.journal_is_in_order(now_ms) {
                Ok(turn) => turn,
                Err(error) => return Next::Broken(error.to_string()),
            };
            let Some(TurnOutcome::Written(offers)) = self.write(turn).await else { return Next::Leave };
            // What the code owed may be a wait, and the message may have been there for long.
            live.note_written(offers);
        }
        if self.find_children(&mut live).await.is_none() {
            return Next::Leave;
        }
        if let Some(reason) = cancel_reason {
            // Not handed to the code here: like everything that happens, it is one turn.
            self.parts.live.send(&self.lease.run_id, Input::Cancel(reason));
        }
        Next::Drive(Box::new(live), attempts)
    }

    /// Opens an incident, and waits until somebody asks for the run to be tried again.
    async fn wait_for_a_person(&mut self, cause: String) -> Next {
        tracing::error!(%cause, "the run cannot go on: a person has to look");
        let turn = journal_incident(&self.lease, self.parts.clock.now_ms(), cause);
        if !matches!(self.write(turn).await, Some(TurnOutcome::Written(_))) {
            return Next::Leave;
        }
        loop {
            tokio::select! {
                biased;
                // Looked at, not waited for: the engine may have been on its way out before the run broke off.
                _ = self.phase.wait_for(|phase| *phase != Phase::Running) => return Next::Leave,
                // Messages and cancels are in the store, for when the run can go on.
                Some(input) = self.ends.inbox.recv() => match input {
                    Input::Retry(reply) => {
                        let _ = reply.send(1);
                        return Next::Load(Attempts::default());
                    }
                    Input::Rule(ruling) => {
                        let _ = ruling.reply.send(Err(cannot_rule(&self.lease.run_id)));
                    }
                    Input::Child(news) => drop(self.starting.remove(&news.run_id)),
                    Input::Offer(_) | Input::Cancel(_) => {}
                }
            }
        }
    }
}

/// The steps that nobody waits for any more from this turn on.
fn cancelled_steps(turn: &Turn) -> Vec<OpId> {
    let commands = turn.records.iter().flat_map(|record| &record.commands);
    let cancelled = commands.filter_map(|command| match command {
        Command::CancelStep { op } => Some(op.clone()),
        _ => None,
    });
    cancelled.collect()
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

fn cannot_rule(run_id: &str) -> Error {
    let text = format!(
        "the code of the run `{run_id}` cannot go on with its journal, so that nothing in it can be skipped or given \
         up: mend the code, then retry"
    );
    ErrorKind::NotStuck(text).into()
}
