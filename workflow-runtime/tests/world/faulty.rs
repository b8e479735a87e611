//! A store that fails on purpose: it stops answering, or answers with errors, around chosen writes.
//! It changes nothing of what the store beneath it does.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use workflow_runtime::store::*;
use workflow_runtime::{Payload, RunFilter, RunState, RunStatus, RunSummary, Timestamp};

/// When the store stops answering for good, as if the process had died.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Crash {
    Never,
    /// Before the write with this number, counted from 0, is done.
    Before(usize),
    /// After it is done, but before anybody hears of it.
    After(usize),
}

/// Shared as an `Arc`, which is a store too.
pub struct Faulty<S> {
    inner: S,
    faults: Arc<Faults>,
    /// Lets several engines in, as a lease that ran out does.
    is_open_to_all: bool,
}

struct Faults {
    crash: Crash,
    writes: AtomicUsize,
    has_crashed: AtomicBool,
    /// So many of the next writes fail; those with an odd number fail after they were done.
    failures: AtomicI64,
    /// Every second write fails after it was done.
    stutters: AtomicBool,
    /// Whatever is written in which these bytes are fails, and is not done.
    poison: Mutex<Option<String>>,
    /// About how many bytes the largest turn had.
    largest_turn: AtomicUsize,
    /// The most runs that were loaded at once.
    most_loaded: AtomicUsize,
    /// The next write panics.
    panics: AtomicBool,
    /// What was written is answered for only once there is a permit.
    held: Mutex<Option<Arc<Semaphore>>>,
    /// Letting go of runs waits for permits.
    parks: Mutex<Option<Arc<HeldParks>>>,
    /// Letting go of runs is a write like any other.
    counts_parks: AtomicBool,
    /// Nothing is asked of the store beneath until it is let in again.
    frozen: watch::Sender<bool>,
    /// No heartbeat gets through.
    is_silent: watch::Sender<bool>,
}

/// Holds whoever lets go of runs, before and after that is written.
pub struct HeldParks {
    before: Semaphore,
    after: Semaphore,
    begun: AtomicUsize,
    written: AtomicUsize,
}

impl HeldParks {
    /// Waits until somebody wants to let go of a run, and is held.
    pub async fn is_asked(&self) {
        super::patience::eventually("it is to be parked", async || {
            (self.begun.load(Ordering::SeqCst) > 0).then_some(())
        })
        .await;
    }

    /// Lets it be written, and waits for that; nobody hears of it yet.
    pub async fn write(&self) {
        self.before.add_permits(1);
        super::patience::eventually("it is parked", async || {
            (self.written.load(Ordering::SeqCst) > 0).then_some(())
        })
        .await;
    }

    /// Holds nobody any more.
    pub fn release(&self) {
        self.before.add_permits(1_000_000);
        self.after.add_permits(1_000_000);
    }
}

impl<S> Faulty<S> {
    pub fn new(inner: S, crash: Crash) -> Arc<Faulty<S>> {
        let (writes, has_crashed, failures, stutters, held, parks, counts_parks) = Default::default();
        let (poison, largest_turn, most_loaded, panics) = Default::default();
        let (frozen, is_silent) = (watch::Sender::new(false), watch::Sender::new(false));
        let faults = Faults {
            crash,
            writes,
            has_crashed,
            failures,
            stutters,
            poison,
            largest_turn,
            most_loaded,
            panics,
            held,
            parks,
            counts_parks,
            frozen,
            is_silent,
        };
        let faults = Arc::new(faults);
        Arc::new(Faulty { inner, faults, is_open_to_all: false })
    }

    pub fn open_to_all(inner: S) -> Arc<Faulty<S>> {
        let mut store = Faulty::new(inner, Crash::Never);
        Arc::get_mut(&mut store).unwrap().is_open_to_all = true;
        store
    }

    pub fn has_crashed(&self) -> bool {
        self.faults.has_crashed()
    }

    pub fn writes(&self) -> usize {
        self.faults.writes.load(Ordering::SeqCst)
    }

    pub fn fail_next(&self, writes: i64) {
        self.faults.failures.store(writes, Ordering::SeqCst);
    }

    /// From now on, every second write fails after it was done.
    pub fn stutter(&self) {
        self.faults.stutters.store(true, Ordering::SeqCst);
    }

    /// From now on, a batch of turns or messages in which this text is fails, and nothing of it is done: as when a
    /// server ends the connection over which something comes that it does not take.
    pub fn poison(&self, text: impl Into<Option<&'static str>>) {
        *self.faults.poison.lock().unwrap() = text.into().map(str::to_owned);
    }

    /// The next batch of turns panics.
    pub fn panic(&self) {
        self.faults.panics.store(true, Ordering::SeqCst);
    }

    /// The most runs that were loaded at once.
    pub fn most_loaded(&self) -> usize {
        self.faults.most_loaded.load(Ordering::SeqCst)
    }

    /// How many bytes the journal rows of the largest turn had.
    pub fn largest_turn(&self) -> usize {
        self.faults.largest_turn.load(Ordering::SeqCst)
    }

    /// From now on, every write is done and then waits for a permit before anybody hears of it.
    pub fn hold_writes(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.faults.held.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    /// From now on, whoever lets go of runs is held.
    pub fn hold_parks(&self) -> Arc<HeldParks> {
        let held = HeldParks {
            before: Semaphore::new(0),
            after: Semaphore::new(0),
            begun: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
        };
        let held = Arc::new(held);
        *self.faults.parks.lock().unwrap() = Some(Arc::clone(&held));
        held
    }

    /// From now on, letting go of runs is counted as a write, and fails like one.
    pub fn count_parks(&self) {
        self.faults.counts_parks.store(true, Ordering::SeqCst);
    }

    /// From now on nothing gets through, as if the process were stopped.
    pub fn freeze(&self) {
        self.faults.frozen.send_replace(true);
    }

    /// Keeps heartbeats back, and nothing else.
    pub fn silence(&self, is_silent: bool) {
        self.faults.is_silent.send_replace(is_silent);
    }

    /// All that was asked meanwhile gets through now.
    pub fn thaw(&self) {
        self.faults.frozen.send_replace(false);
    }

    pub fn failures_left(&self) -> i64 {
        self.faults.failures.load(Ordering::SeqCst).max(0)
    }

    async fn write<T>(&self, write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.faults.write(write).await
    }

    async fn unless_crashed<T>(&self, asked: impl Future<Output = T>) -> T {
        self.faults.let_in().await;
        if self.faults.has_crashed() {
            std::future::pending::<()>().await;
        }
        asked.await
    }
}

impl Faults {
    fn check(&self, what: &impl std::fmt::Debug) -> Result<(), StoreError> {
        let poison = self.poison.lock().unwrap().clone();
        match poison {
            Some(poison) if format!("{what:?}").contains(&poison) => {
                Err(StoreError::new(StoreFault::Unavailable, "the server closed the connection"))
            }
            _ => Ok(()),
        }
    }

    async fn let_in(&self) {
        self.frozen.subscribe().wait_for(|frozen| !frozen).await.unwrap();
    }

    fn has_crashed(&self) -> bool {
        self.has_crashed.load(Ordering::SeqCst)
    }

    async fn write<T>(&self, write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.let_in().await;
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        if self.has_crashed() || self.crash == Crash::Before(number) {
            self.has_crashed.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        let failures = self.failures.fetch_sub(1, Ordering::SeqCst);
        if failures > 0 && failures % 2 == 0 {
            return Err(StoreError::new(StoreFault::Unavailable, "database or disk is full"));
        }
        let written = write.await;
        let held = self.held.lock().unwrap().clone();
        if let Some(gate) = held {
            gate.acquire().await.unwrap().forget();
        }
        if self.crash == Crash::After(number) {
            self.has_crashed.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        if failures > 0 || (self.stutters.load(Ordering::SeqCst) && number.is_multiple_of(2)) {
            return Err(StoreError::new(StoreFault::Unavailable, "disk I/O error"));
        }
        written
    }
}

/// What is written here is not counted: when it comes is not up to the test.
#[async_trait::async_trait]
impl<S: Store> Fleet for Faulty<S> {
    async fn join(&self, worker: &Worker, lease: Duration) -> Result<(), StoreError> {
        self.unless_crashed(self.inner.join(worker, lease)).await
    }

    async fn beat(&self, worker: &str, lease: Duration) -> Result<bool, StoreError> {
        self.faults.is_silent.subscribe().wait_for(|is_silent| !is_silent).await.unwrap();
        self.unless_crashed(self.inner.beat(worker, lease)).await
    }

    async fn leave(&self, worker: &str) -> Result<(), StoreError> {
        self.unless_crashed(self.inner.leave(worker)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        self.unless_crashed(self.inner.claim(claim)).await
    }

    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError> {
        let held = self.faults.parks.lock().unwrap().clone();
        if let Some(held) = &held {
            held.begun.fetch_add(1, Ordering::SeqCst);
            held.before.acquire().await.unwrap().forget();
        }
        let parked = if self.faults.counts_parks.load(Ordering::SeqCst) {
            self.write(self.inner.park(parkings, now_ms)).await
        } else {
            self.unless_crashed(self.inner.park(parkings, now_ms)).await
        };
        if let Some(held) = &held {
            held.written.fetch_add(1, Ordering::SeqCst);
            held.after.acquire().await.unwrap().forget();
        }
        parked
    }

    async fn acquit(&self, leases: &[Lease]) -> Result<(), StoreError> {
        self.unless_crashed(self.inner.acquit(leases)).await
    }

    async fn wake(&self, run_ids: &[Arc<str>]) -> Result<(), StoreError> {
        self.unless_crashed(self.inner.wake(run_ids)).await
    }

    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool, StoreError> {
        self.unless_crashed(self.inner.ask(worker, request, now_ms)).await
    }

    async fn requests(&self, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
        self.unless_crashed(self.inner.requests(run_ids)).await
    }

    async fn answer(&self, request_id: &str) -> Result<Option<Option<Payload>>, StoreError> {
        self.unless_crashed(self.inner.answer(request_id)).await
    }

    async fn orphans(&self) -> Result<Vec<Orphans>, StoreError> {
        self.inner.orphans().await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn known_messages(&self, message: &str) -> Result<Vec<KnownMessage>, StoreError> {
        self.unless_crashed(self.inner.known_messages(message)).await
    }

    async fn is_first(&self, worker: &str) -> Result<bool, StoreError> {
        self.unless_crashed(self.inner.is_first(worker)).await
    }
}

#[async_trait::async_trait]
impl<S: Store> Store for Faulty<S> {
    fn lock(&self) -> Result<EngineLock, StoreError> {
        if self.is_open_to_all { Ok(EngineLock::new(())) } else { self.inner.lock() }
    }

    async fn commit(&self, turns: &[Arc<Turn>], now_ms: Timestamp) -> Result<Vec<TurnOutcome>, StoreError> {
        assert!(!self.faults.panics.swap(false, Ordering::SeqCst), "the store was told to panic");
        let bytes = turns.iter().map(|turn| serde_json::to_string(&turn.records).unwrap().len());
        self.faults.largest_turn.fetch_max(bytes.max().unwrap_or(0), Ordering::SeqCst);
        self.faults.check(&turns)?;
        self.write(self.inner.commit(turns, now_ms)).await
    }

    fn commits_at_once(&self) -> usize {
        self.inner.commits_at_once()
    }

    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>, StoreError> {
        self.faults.let_in().await;
        self.faults.most_loaded.fetch_max(leases.len(), Ordering::SeqCst);
        self.inner.load(leases, now_ms).await
    }

    async fn journal_bytes(&self, run_ids: &[Arc<str>]) -> Result<Vec<u64>, StoreError> {
        self.faults.let_in().await;
        self.inner.journal_bytes(run_ids).await
    }

    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.faults.check(&messages)?;
        self.write(self.inner.deliver(worker, messages, now_ms)).await
    }

    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>, StoreError> {
        self.write(self.inner.discard(message_id, now_ms)).await
    }

    async fn messages(
        &self,
        filter: &MessageFilter,
        now_ms: Timestamp,
    ) -> Result<Vec<MessageStatus>, StoreError> {
        self.inner.messages(filter, now_ms).await
    }

    /// Not counted: when it comes is not up to the test.
    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        self.unless_crashed(self.inner.sweep(sweep)).await
    }

    async fn old_runs(&self, until_ms: Timestamp, limit: u32) -> Result<Vec<Arc<str>>, StoreError> {
        self.inner.old_runs(until_ms, limit).await
    }

    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError> {
        self.write(self.inner.request_cancel(worker, run_id, reason)).await
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
        self.inner.run(run_id).await
    }

    async fn look_up(&self, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
        self.inner.look_up(run_ids).await
    }

    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> Result<OutboxPage, StoreError> {
        self.inner.outbox_due(now_ms, busy, runs, each).await
    }

    async fn change_outbox(&self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
        self.write(self.inner.change_outbox(changes)).await
    }

    async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError> {
        self.inner.outbox(filter).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        self.inner.runs(filter).await
    }

    async fn journal(&self, run_id: &str) -> Result<Vec<workflow_core::Record>, StoreError> {
        self.inner.journal(run_id).await
    }

    async fn schedules(&self) -> Result<Vec<KeptSchedule>, StoreError> {
        self.inner.schedules().await
    }

    async fn note_schedule(&self, schedule: &KeptSchedule) -> Result<(), StoreError> {
        self.write(self.inner.note_schedule(schedule)).await
    }

    fn has_transactions(&self) -> bool {
        self.inner.has_transactions()
    }

    /// Opening one is no write, but a store that has crashed answers nothing.
    async fn begin(&self, lease: &Lease) -> Result<Option<Box<dyn StoreTransaction>>, StoreError> {
        if self.faults.has_crashed() {
            std::future::pending::<()>().await;
        }
        let inner = self.inner.begin(lease).await?;
        let faults = Arc::clone(&self.faults);
        Ok(inner.map(|inner| Box::new(FaultyTransaction { inner, faults }) as Box<dyn StoreTransaction>))
    }

    /// The store beneath stays open, for the next engine.
    async fn close(&self) {}
}

/// A transaction of the store beneath; its end is a write like any other.
struct FaultyTransaction {
    inner: Box<dyn StoreTransaction>,
    faults: Arc<Faults>,
}

#[async_trait::async_trait]
impl StoreTransaction for FaultyTransaction {
    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        self.inner.execute(sql, params).await
    }

    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        self.inner.query(sql, params).await
    }

    fn fault(&mut self) -> Option<StoreError> {
        self.inner.fault()
    }

    async fn commit(self: Box<Self>, turn: &Turn, now_ms: Timestamp) -> Result<TurnOutcome, StoreError> {
        let FaultyTransaction { inner, faults } = *self;
        faults.check(turn)?;
        faults.write(inner.commit(turn, now_ms)).await
    }
}
