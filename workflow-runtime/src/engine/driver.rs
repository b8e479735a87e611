//! Drives one run: waits for what happens, has the run take it, has the turn written, and only then acts on it.
//! The one owner of the run in memory; it knows no database and leaves every decision to the core.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument;
use workflow_core::{Command, CoreError, Definition, OpId, Payload, Record};

use super::attempts::Attempts;
use super::live::{Ends, Input, Seat};
use super::live_run::{Happening, LiveRun, Taken, journal_incident};
use super::parts::{Backoff, Parts, Phase};
use crate::error::{Error, ErrorKind};
use crate::store::{Lease, LoadedRun, Offer, Turn, TurnOutcome};

/// See the module.
pub(crate) struct Driver {
    parts: Arc<Parts>,
    definition: Definition,
    lease: Lease,
    ends: Ends,
    phase: watch::Receiver<Phase>,
    _permit: mpsc::Sender<()>,
}

/// A run that begins with a message: its first turn is written with the message.
pub(crate) struct Beginning {
    driver: Driver,
    live: LiveRun,
    seat: Seat,
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
        Some(Driver { parts: Arc::clone(parts), definition, lease, ends, phase, _permit })
    }

    /// Begins a run and stays with it. What became of the beginning goes to `reply`.
    pub(crate) async fn begin(
        mut self,
        input: Payload,
        seat: Seat,
        reply: oneshot::Sender<Result<TurnOutcome, Error>>,
    ) {
        let now_ms = self.parts.clock.now_ms();
        let begun = LiveRun::begin(self.definition, &self.lease.run_id, input, now_ms);
        let (mut live, turn) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let _ = reply.send(Err(ErrorKind::CannotBegin(error).into()));
                return;
            }
        };
        // Before anything of it happens, the run is on the disk.
        let written = self.parts.commit(turn, Some(seat)).await;
        let begins = match &written {
            Ok(TurnOutcome::Written(offers)) => {
                live.note_written(offers.clone());
                true
            }
            _ => false,
        };
        let _ = reply.send(written);
        if begins {
            self.go(Next::Drive(Box::new(live), Attempts::default())).await;
        }
    }

    /// A run that is to begin with a message, and its first turn; `None` when the engine is on its way out.
    ///
    /// # Errors
    /// When the code cannot even begin.
    pub(crate) fn prepare(
        parts: &Arc<Parts>,
        definition: Definition,
        run_id: Arc<str>,
        input: Payload,
    ) -> Result<Option<(Beginning, Turn)>, CoreError> {
        let (live, turn) = LiveRun::begin(definition, &run_id, input, parts.clock.now_ms())?;
        let (seat, ends) = Seat::new();
        let driver = Driver::new(parts, definition, Lease { run_id, epoch: 1 }, ends);
        Ok(driver.map(|driver| (Beginning { driver, live, seat }, turn)))
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
                tracing::debug!("the run has ended");
                return Next::Leave;
            }
            let phase = *self.phase.borrow_and_update();
            if phase == Phase::Stopped || (phase == Phase::Draining && attempts.is_empty()) {
                return Next::Leave;
            }
            let is_running = phase == Phase::Running;
            if is_running {
                self.start_due(&mut live, &mut attempts);
            }
            let happenings = self.gather(&mut live, &mut attempts, is_running).await;
            let now_ms = live.tick(self.parts.clock.now_ms());
            let Taken { turn, replies, broken } = live.take(happenings, now_ms);
            if let Some(turn) = turn {
                let cancelled = cancelled_steps(&turn);
                match self.write(turn).await {
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
            for (reply, retried) in replies {
                let _ = reply.send(retried); // Who no longer waits has lost interest.
            }
            if let Some(error) = broken {
                return Next::Broken(error.to_string());
            }
        }
    }

    /// Starts the attempts that are due. Everything that led to them is on the disk.
    fn start_due(&self, live: &mut LiveRun, attempts: &mut Attempts) {
        let now_ms = live.tick(self.parts.clock.now_ms());
        for (op, due, def) in live.start_due(now_ms) {
            // It is not told of a cancel from before a crash: what it did then, nobody knows unless it does it again.
            attempts.start(&self.parts, def, &self.lease.run_id, op, due);
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
            attempted = attempts.next() => happenings.push(Happening::Attempted(attempted)),
            Some(input) = self.ends.inbox.recv(), if is_running => hear(input, live, &mut happenings),
            () = clock.sleep_until(due_ms.unwrap_or_default()), if due_ms.is_some() => {}
        }
        while let Some(attempted) = attempts.try_next() {
            happenings.push(Happening::Attempted(attempted));
        }
        if is_running {
            while let Ok(input) = self.ends.inbox.try_recv() {
                hear(input, live, &mut happenings);
            }
            happenings.push(Happening::Due(self.parts.clock.over_ms()));
        }
        happenings
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
        let lease = self.lease.clone();
        let replayed = LiveRun::replay(self.definition, lease, &journal, loaded, attempts.running());
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
                Some(input) = self.ends.inbox.recv() => {
                    // Messages and cancels are in the store, for when the run can go on.
                    if let Input::Retry(reply) = input {
                        let _ = reply.send(1);
                        return Next::Load(Attempts::default());
                    }
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

impl Beginning {
    /// Where the run can be reached.
    pub(crate) fn seat(&self) -> Seat {
        self.seat.clone()
    }

    /// The store has the first turn: the run goes on by itself.
    pub(crate) fn go_on(self, offers: Vec<Offer>) {
        let Beginning { mut driver, mut live, .. } = self;
        let (run_id, workflow) = (&driver.lease.run_id, driver.definition.name);
        let span = tracing::info_span!("run", run_id = %run_id, workflow);
        live.note_written(offers);
        let drive = async move { driver.go(Next::Drive(Box::new(live), Attempts::default())).await };
        tokio::spawn(drive.instrument(span));
    }
}

fn hear(input: Input, live: &mut LiveRun, happenings: &mut Vec<Happening>) {
    match input {
        Input::Offer(offer) => live.note_written(vec![offer]),
        Input::Cancel(reason) => happenings.push(Happening::Cancel(reason)),
        Input::Retry(reply) => happenings.push(Happening::Retry(reply)),
    }
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
