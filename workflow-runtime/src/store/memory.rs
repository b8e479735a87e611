//! The store in memory: the executable specification of [`Store`], and a store for tests and trials.
//! It must not be clever: where this and another store differ, this one is right.

mod fleet;
mod inbox;
mod outbox;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use workflow_core::{OpId, Parent, Payload, Record, Timestamp};

use self::fleet::{KeptRequest, Member};
use self::inbox::KeptMessage;
use super::codec::record_text;
use super::{
    Delivered, EngineLock, Incident, IncidentPlace, KeptSchedule, KnownRun, Lease, LoadedRun, MessageFilter,
    MessageStatus, MessageWait, NewMessage, NewRun, OutboxChange, OutboxEntry, OutboxFilter, OutboxPage,
    RunFilter, RunState, RunStatus, RunSummary, Store, StoreError, StoreFault, Sweep, Swept, Turn,
    TurnOutcome,
};

/// Keeps runs for as long as the process lives. Clones share the same runs.
///
/// ```
/// # async fn f() -> Result<(), workflow_runtime::Error> {
/// use workflow_runtime::{Engine, Memory};
/// let engine = Engine::builder().store(Memory::new()).start().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Memory {
    tables: Arc<Mutex<Tables>>,
    is_locked: Arc<AtomicBool>,
    /// Several engines may work on it.
    is_shared: bool,
}

#[derive(Default)]
struct Tables {
    runs: BTreeMap<Arc<str>, Row>,
    /// By their numbers: in the order in which they came.
    messages: BTreeMap<i64, KeptMessage>,
    /// How many messages have come.
    last_number: i64,
    /// By workflow.
    schedules: BTreeMap<String, KeptSchedule>,
    /// In the order in which they were sent.
    outbox: Vec<OutboxEntry>,
    /// Those that have not been given up.
    workers: BTreeMap<Arc<str>, Member>,
    /// In the order in which they came.
    requests: Vec<KeptRequest>,
}

struct Row {
    epoch: i64,
    /// The worker that holds it, if any.
    holder: Option<Arc<str>>,
    /// When somebody has to look at it.
    wake_ms: Option<Timestamp>,
    /// How many holders were given up in a row at the same length of the journal.
    strikes: u32,
    strikes_at: usize,
    workflow: String,
    version: u32,
    generation: u32,
    parent: Option<Parent>,
    state: RunState,
    started_ms: Timestamp,
    ended_ms: Option<Timestamp>,
    progress: Option<Payload>,
    cancel_reason: Option<String>,
    journal: Vec<Record>,
    timers: BTreeMap<OpId, Timestamp>,
    waits: BTreeMap<OpId, MessageWait>,
    incidents: BTreeMap<IncidentPlace, Incident>,
}

impl Memory {
    /// A store without runs.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// A store without runs that several engines of this process may work on at once: for tests of fleets.
    ///
    /// ```
    /// # async fn f() -> Result<(), workflow_runtime::Error> {
    /// use workflow_runtime::{Engine, Memory};
    /// let store = Memory::shared();
    /// let one = Engine::builder().store(store.clone()).start().await?;
    /// let another = Engine::builder().store(store).start().await?;
    /// # Ok(()) }
    /// ```
    pub fn shared() -> Memory {
        Memory { is_shared: true, ..Memory::default() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("nothing panics while the tables are locked")
    }
}

#[async_trait]
impl Store for Memory {
    fn lock(&self) -> Result<EngineLock, StoreError> {
        struct Unlock(Arc<AtomicBool>);
        impl Drop for Unlock {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Release);
            }
        }
        if self.is_shared {
            return Ok(EngineLock::new(()));
        }
        if self.is_locked.swap(true, Ordering::AcqRel) {
            return Err(StoreError::new(StoreFault::Locked, "another engine works on this store in memory"));
        }
        Ok(EngineLock::new(Unlock(Arc::clone(&self.is_locked))))
    }

    async fn commit(&self, turns: &[Arc<Turn>], now_ms: Timestamp) -> Result<Vec<TurnOutcome>, StoreError> {
        let mut tables = self.tables();
        let refusals: Vec<Option<TurnOutcome>> = turns.iter().map(|turn| tables.write(turn)).collect();
        let offers = |turn: &Turn| tables.offers_to(turn, now_ms);
        let outcomes = turns.iter().zip(refusals).map(|(turn, refusal)| match refusal {
            Some(refusal) => refusal,
            None => TurnOutcome::Written(offers(turn)),
        });
        Ok(outcomes.collect())
    }

    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>, StoreError> {
        let tables = self.tables();
        let rows = leases.iter().filter_map(|lease| {
            let (run_id, row) = tables.runs.get_key_value(&lease.run_id)?;
            row.is_held(lease).then_some((run_id, row))
        });
        Ok(rows
            .map(|(run_id, row)| LoadedRun {
                run_id: Arc::clone(run_id),
                journal: Ok(row.journal.clone()),
                offers: tables.offers(run_id, row.waits.keys(), now_ms),
                cancel_reason: row.cancel_reason.clone(),
                has_journal_incident: row.incidents.contains_key(&IncidentPlace::Journal),
                requests: tables.requests_to(run_id),
                waits: row.waits.clone(),
            })
            .collect())
    }

    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        let mut tables = self.tables();
        let kept: Vec<_> = messages.iter().map(|message| tables.keep(message, now_ms)).collect();
        let delivered = messages.iter().zip(kept).map(|(message, (is_duplicate, refusals))| {
            let starts = message.starts.iter().zip(refusals);
            let starts = starts.map(|(turn, refusal)| match refusal {
                Some(refusal) => refusal,
                None => TurnOutcome::Written(tables.offers_to(turn, now_ms)),
            });
            Delivered { is_duplicate, offers: tables.offers_for(message, now_ms), starts: starts.collect() }
        });
        let delivered: Vec<Delivered> = delivered.collect();
        for offer in delivered.iter().flat_map(|delivered| &delivered.offers) {
            tables.wake(&offer.run_id, Some(worker));
        }
        Ok(delivered)
    }

    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>, StoreError> {
        Ok(self.tables().discard(message_id, now_ms))
    }

    async fn messages(
        &self,
        filter: &MessageFilter,
        now_ms: Timestamp,
    ) -> Result<Vec<MessageStatus>, StoreError> {
        Ok(self.tables().list(filter, now_ms))
    }

    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        Ok(self.tables().sweep(sweep))
    }

    async fn old_runs(&self, until_ms: Timestamp, limit: u32) -> Result<Vec<Arc<str>>, StoreError> {
        Ok(self.tables().old_runs(until_ms, limit, None))
    }

    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError> {
        let mut tables = self.tables();
        tables.wake(run_id, Some(worker));
        let Some(row) = tables.runs.get_mut(run_id) else { return Ok(None) };
        if row.state == RunState::Running {
            row.cancel_reason = Some(reason.to_owned());
        }
        Ok(Some(row.state.clone()))
    }

    async fn journal_bytes(&self, run_ids: &[Arc<str>]) -> Result<Vec<u64>, StoreError> {
        let tables = self.tables();
        let bytes = |run_id: &Arc<str>| {
            let records = tables.runs.get(run_id).into_iter().flat_map(|row| &row.journal);
            records.map(|record| record_text(record).len() as u64).sum()
        };
        Ok(run_ids.iter().map(bytes).collect())
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
        let tables = self.tables();
        Ok(tables.runs.get_key_value(run_id).map(|(run_id, row)| RunStatus {
            run_id: Arc::clone(run_id),
            workflow: row.workflow.clone(),
            version: row.version,
            generation: row.generation,
            parent: row.parent.clone(),
            state: row.state.clone(),
            started_ms: row.started_ms,
            ended_ms: row.ended_ms,
            progress: row.progress.clone(),
            cancel_reason: row.cancel_reason.clone(),
            incidents: row.incidents.values().cloned().collect(),
            strikes: if row.strikes_at == row.journal.len() { row.strikes } else { 0 },
            waits: row.waits.clone(),
            timers: row.timers.clone(),
        }))
    }

    async fn look_up(&self, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
        let tables = self.tables();
        let known = run_ids.iter().filter_map(|run_id| tables.runs.get_key_value(run_id));
        Ok(known
            .map(|(run_id, row)| KnownRun {
                run_id: Arc::clone(run_id),
                parent: row.parent.clone(),
                state: row.state.clone(),
            })
            .collect())
    }

    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> Result<OutboxPage, StoreError> {
        Ok(outbox::due(&self.tables().outbox, now_ms, busy, runs, each))
    }

    async fn change_outbox(&self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
        let mut tables = self.tables();
        Ok(changes.iter().map(|change| outbox::change(&mut tables.outbox, change)).collect())
    }

    async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError> {
        Ok(outbox::list(&self.tables().outbox, filter))
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        let tables = self.tables();
        let passes = |(run_id, row): &(&Arc<str>, &Row)| {
            filter.workflow.as_ref().is_none_or(|workflow| *workflow == row.workflow)
                && filter.parent.as_ref().is_none_or(|parent| row.is_child_of(parent))
                && filter.after.as_ref().is_none_or(|after| ***run_id > **after)
                && (!filter.only_unfinished || row.state == RunState::Running)
                && (!filter.only_incidents || !row.incidents.is_empty())
        };
        let listed = tables.runs.iter().filter(passes).take(filter.limit as usize);
        Ok(listed
            .map(|(run_id, row)| RunSummary {
                run_id: Arc::clone(run_id),
                workflow: row.workflow.clone(),
                version: row.version,
                state: row.state.clone(),
                started_ms: row.started_ms,
                ended_ms: row.ended_ms,
                incidents: u32::try_from(row.incidents.len()).unwrap_or(u32::MAX),
                unreadable: None,
            })
            .collect())
    }

    async fn journal(&self, run_id: &str) -> Result<Vec<Record>, StoreError> {
        Ok(self.tables().runs.get(run_id).map(|row| row.journal.clone()).unwrap_or_default())
    }

    async fn schedules(&self) -> Result<Vec<KeptSchedule>, StoreError> {
        Ok(self.tables().schedules.values().cloned().collect())
    }

    async fn note_schedule(&self, schedule: &KeptSchedule) -> Result<(), StoreError> {
        self.tables().schedules.insert(schedule.workflow.clone(), schedule.clone());
        Ok(())
    }

    async fn close(&self) {}
}

impl Tables {
    /// Writes one turn, or says why not.
    fn write(&mut self, turn: &Turn) -> Option<TurnOutcome> {
        if self.is_written(turn) {
            return None;
        }
        if !self.has_worker(&turn.lease.worker) {
            return Some(TurnOutcome::LostLease);
        }
        match (&turn.begins, self.runs.get(&turn.lease.run_id)) {
            (Some(NewRun { generation: 1, .. }), Some(_)) => return Some(TurnOutcome::Exists),
            (Some(begins @ NewRun { generation: 1, .. }), None) => {
                self.runs.insert(Arc::clone(&turn.lease.run_id), Row::new(turn, begins));
            }
            (Some(begins), Some(row)) if row.can_begin_anew(turn, begins) => {}
            (Some(_), _) => return Some(TurnOutcome::LostLease),
            (None, Some(row)) if row.can_write(turn) => {}
            (None, _) => return Some(TurnOutcome::LostLease),
        }
        let (run_id, changes) = (&turn.lease.run_id, &turn.changes);
        if changes.take_messages.keys().any(|message_id| !self.can_take(message_id, run_id)) {
            return Some(TurnOutcome::MessageTaken);
        }
        for (message_id, op) in &changes.take_messages {
            self.take(message_id, run_id, op, turn.at_ms);
        }
        for (message_id, misfit) in &changes.misfits {
            self.refuse(message_id, run_id, misfit, turn.at_ms);
        }
        self.outbox.extend(outbox::entries(turn));
        self.runs.get_mut(&turn.lease.run_id).expect("looked at above").apply(turn);
        self.tell(turn);
        None
    }

    /// Whether a call that failed has written this very turn all the same. Nobody can have gone on from a write
    /// that nobody was told of: the rows must be the last ones.
    fn is_written(&self, turn: &Turn) -> bool {
        let Some(row) = self.runs.get(&turn.lease.run_id) else { return false };
        if turn.records.is_empty() {
            return false;
        }
        let first = usize::try_from(turn.first_seq - 1).expect("rows are counted from 1");
        let is_same_journal = turn.begins.as_ref().is_none_or(|begins| begins.generation == row.generation);
        // Whoever is told that a run has begun drives it.
        let is_driven = turn.begins.as_ref().is_some_and(|begins| begins.parks_until.is_none());
        row.epoch == turn.lease.epoch
            && is_same_journal
            && (!is_driven || row.state != RunState::Running || row.is_held_by(&turn.lease.worker))
            && row.journal.get(first..) == Some(turn.records.as_slice())
    }
}

impl Row {
    fn new(turn: &Turn, begins: &NewRun) -> Row {
        Row {
            epoch: turn.lease.epoch,
            holder: begins.parks_until.is_none().then(|| Arc::clone(&turn.lease.worker)),
            wake_ms: begins.parks_until,
            strikes: 0,
            strikes_at: 0,
            workflow: begins.workflow.clone(),
            version: begins.version,
            generation: begins.generation,
            parent: begins.parent.clone(),
            state: RunState::Running,
            started_ms: turn.at_ms,
            ended_ms: None,
            progress: None,
            cancel_reason: None,
            journal: Vec::new(),
            timers: BTreeMap::new(),
            waits: BTreeMap::new(),
            incidents: BTreeMap::new(),
        }
    }

    fn is_child_of(&self, parent: &str) -> bool {
        self.parent.as_ref().is_some_and(|of| of.run_id == *parent)
    }

    /// Whether the turn may take the place of the journal.
    fn can_begin_anew(&self, turn: &Turn, begins: &NewRun) -> bool {
        let is_next = begins.generation == self.generation + 1 && turn.first_seq == 1;
        self.is_held(&turn.lease) && is_next
    }

    pub(super) fn is_held(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch && self.is_held_by(&lease.worker)
    }

    fn can_write(&self, turn: &Turn) -> bool {
        let next_seq = i64::try_from(self.journal.len()).expect("a journal fits in memory") + 1;
        let is_next = turn.records.is_empty() || turn.first_seq == next_seq;
        self.is_held(&turn.lease) && is_next
    }

    fn apply(&mut self, turn: &Turn) {
        let changes = &turn.changes;
        if let Some(begins) = &turn.begins {
            (self.version, self.generation) = (begins.version, begins.generation);
            self.journal.clear();
        }
        self.progress = changes.progress.clone().or_else(|| self.progress.take());
        self.journal.extend(turn.records.iter().cloned());
        self.timers.retain(|op, _| !changes.clear_timers.contains(op));
        self.timers.extend(changes.set_timers.clone());
        self.waits.retain(|op, _| !changes.end_waits.contains(op));
        self.waits.extend(changes.begin_waits.clone());
        self.incidents.retain(|place, _| !changes.close_incidents.contains(place));
        for (place, cause) in &changes.open_incidents {
            let incident = Incident { place: place.clone(), cause: cause.clone(), since_ms: turn.at_ms };
            self.incidents.insert(place.clone(), incident);
        }
        if changes.takes_cancel {
            self.cancel_reason = None;
        }
        if let Some(conclusion) = &changes.conclusion {
            self.state = RunState::Ended(conclusion.clone());
            self.ended_ms = Some(turn.at_ms);
            self.timers.clear();
            self.waits.clear();
            self.incidents.clear();
            self.cancel_reason = None;
        }
    }
}
