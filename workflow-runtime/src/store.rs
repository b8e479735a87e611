//! What the engine asks of a database, each promise one transaction; who holds which run is in `fleet`.
//! No business decision is made here: what a turn changes is computed above and comes down as data.
//!
//! [`Memory`] is the executable specification; read it first. [`Sqlite`] keeps the same promises on a disk,
//! `Postgres` on a server.

mod codec;
mod fault;
mod fleet;
mod inbox;
mod memory;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod sql;
mod sqlite;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use workflow_core::{Record, Timestamp};

pub use fault::{StoreError, StoreFault};
pub use fleet::{Claim, Claimed, Fleet, KnownMessage, Orphans, Parking, Request, Worker};
pub use inbox::{
    Delivered, MessageFilter, MessageState, MessageStatus, Misfit, NewMessage, ParkReason, Sweep, Swept,
    Taker,
};
pub use memory::Memory;
pub use outbox::{OutboxChange, OutboxEntry, OutboxFilter, OutboxPage, Outgoing};
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresOptions};
pub use rows::{
    Changes, ClaimedRun, Incident, IncidentPlace, KeptSchedule, KnownRun, Lease, LoadedRun, MessageWait,
    NewRun, Offer, RunFilter, RunState, RunStatus, RunSummary, Turn, TurnOutcome,
};
pub use sql::{SqlError, SqlErrorKind, SqlParams, SqlRow, SqlValue};
pub use sqlite::{Sqlite, SqliteOptions};

/// A database that keeps runs. Every method is one transaction: it happens wholly or not at all, and when it
/// has returned, what it wrote survives a crash.
///
/// A method that failed may be called again with the same arguments, also when the failed call did write:
/// what is already there is recognised and reported as written.
#[async_trait]
pub trait Store: Fleet {
    /// Makes sure that no other engine works on this store until the lock is dropped; a store that serves many holds
    /// nothing.
    ///
    /// # Errors
    /// [`StoreFault::Locked`] when another engine holds it.
    fn lock(&self) -> Result<EngineLock, StoreError>;

    /// Writes turns of different runs. A turn that is refused leaves no trace and harms no other; the outcomes
    /// come in the order of the turns. `now_ms` decides which early messages have expired. Each turn is shared with
    /// whoever took it, who may have to ask for it once more.
    async fn commit(&self, turns: &[Arc<Turn>], now_ms: Timestamp) -> Result<Vec<TurnOutcome>, StoreError>;

    /// How many commits of turns an engine has under way at most; no two of them have turns of the same run, but when
    /// two callers begin the same one. A store that writes one after the other anyway says one, which is what stores
    /// say that say nothing.
    fn commits_at_once(&self) -> usize {
        1
    }

    /// Reads what is needed to go on with these runs. Those that do not exist, or that are not held by these leases
    /// (any more), are left out.
    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>, StoreError>;

    /// About how many bytes the journals of these runs have, in their order: asked before they are loaded, so that no
    /// more of them are in memory at once than fit. Nothing, for a store that says nothing.
    async fn journal_bytes(&self, run_ids: &[Arc<str>]) -> Result<Vec<u64>, StoreError> {
        Ok(vec![0; run_ids.len()])
    }

    /// Keeps messages, begins the runs that begin with them, and says which runs wait for them. A message whose id
    /// is known already is dropped, unless it is the redelivery of one that is parked. A message that was sent is
    /// taken by one run, or by those that begin with it; an event by any number of runs, by each once. Runs that wait
    /// for it and that this worker does not hold are woken.
    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError>;

    /// Throws a message away that nobody has taken; says whether it is gone, `None` when there is no such message.
    /// Its id stays known. An event is kept from those who do not have it yet.
    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>, StoreError>;

    /// Messages that the filter lets through, in the order in which they came. `now_ms` decides which of them have
    /// expired: they are parked from that moment on, whether a sweep has noted it or not.
    async fn messages(
        &self,
        filter: &MessageFilter,
        now_ms: Timestamp,
    ) -> Result<Vec<MessageStatus>, StoreError>;

    /// Removes some of what may go by now, the oldest first. A run goes with its journal and all that belongs to it.
    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError>;

    /// The runs that a sweep up to that time would remove next, oldest first: at most so many rows of journals, but at
    /// least one run if there is any.
    async fn old_runs(&self, until_ms: Timestamp, limit: u32) -> Result<Vec<Arc<str>>, StoreError>;

    /// Notes that a run is to be cancelled, and gives the state it is in; `None` when there is no such run.
    /// Only a run that has not ended keeps the note; it is woken unless this worker holds it.
    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError>;

    /// All that is known about a run, but for its journal.
    async fn run(&self, run_id: &str) -> Result<Option<RunStatus>, StoreError>;

    /// What is known about these runs, for their parents. Those that do not exist, or that are not held by these leases
    /// (any more), are left out.
    async fn look_up(&self, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError>;

    /// Messages that are to be handed over now, of at most `runs` runs: those whose oldest message in the outbox is due
    /// and not parked, without the runs in `busy`. Of each at most `each` messages, up to the first that is parked.
    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> Result<OutboxPage, StoreError>;

    /// Changes messages of the outbox. Says of each change whether the message is there.
    async fn change_outbox(&self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError>;

    /// Messages of the outbox that the filter lets through, oldest first.
    async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError>;

    /// Runs that the filter lets through, in the order of their ids.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError>;

    /// The journal of a run, from the first row on; empty when there is no such run.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`] when a row cannot be read.
    async fn journal(&self, run_id: &str) -> Result<Vec<Record>, StoreError>;

    /// How far each schedule has been kept, in the order of the workflows.
    async fn schedules(&self) -> Result<Vec<KeptSchedule>, StoreError>;

    /// Notes how far a schedule has been kept. What was noted for its workflow before is replaced.
    async fn note_schedule(&self, schedule: &KeptSchedule) -> Result<(), StoreError>;

    /// Whether it has transactions for steps ([`Store::begin`]). Without them, workflows with transactional steps are
    /// refused when an engine starts.
    fn has_transactions(&self) -> bool {
        false
    }

    /// Opens a transaction for a step of this run, and holds all other writes until it is over. `None` when the lease
    /// is lost or the run has ended.
    ///
    /// # Errors
    /// [`StoreFault::Refused`] when the store has no transactions for steps.
    async fn begin(&self, lease: &Lease) -> Result<Option<Box<dyn StoreTransaction>>, StoreError> {
        let message = format!("this store has no transactions for the steps of the run `{}`", lease.run_id);
        Err(StoreError::new(StoreFault::Refused, message))
    }

    /// Puts everything in order before the process ends. Nothing else is asked of the store afterwards.
    async fn close(&self);
}

/// A transaction that a step shares with the turn that records its answer ([`Store::begin`]). Dropped, it is rolled
/// back: nothing of it was ever there.
#[async_trait]
pub trait StoreTransaction: Send + 'static {
    /// Runs a statement of the step; gives how many rows an `INSERT`, `UPDATE` or `DELETE` has changed.
    ///
    /// # Errors
    /// What the database says; the step may go on.
    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError>;

    /// Runs a query of the step.
    ///
    /// # Errors
    /// What the database says; the step may go on.
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError>;

    /// Why the transaction cannot be committed, if it cannot: the store was in trouble during a statement, or a
    /// statement has rolled it back.
    fn fault(&mut self) -> Option<StoreError>;

    /// Writes the turn, and commits it with all that the step has written.
    ///
    /// # Errors
    /// Then nothing of both is there; but for [`StoreFault::Unavailable`], after which they may be.
    async fn commit(self: Box<Self>, turn: &Turn, now_ms: Timestamp) -> Result<TurnOutcome, StoreError>;
}

/// Holds a store for one engine, until it is dropped.
pub struct EngineLock {
    _held: Box<dyn Any + Send + Sync>,
}

impl EngineLock {
    /// The lock is held for as long as `held` lives.
    pub fn new(held: impl Any + Send + Sync) -> EngineLock {
        EngineLock { _held: Box::new(held) }
    }
}

impl fmt::Debug for EngineLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineLock")
    }
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    fn lock(&self) -> Result<EngineLock, StoreError> {
        (**self).lock()
    }

    async fn commit(&self, turns: &[Arc<Turn>], now_ms: Timestamp) -> Result<Vec<TurnOutcome>, StoreError> {
        (**self).commit(turns, now_ms).await
    }

    fn commits_at_once(&self) -> usize {
        (**self).commits_at_once()
    }

    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>, StoreError> {
        (**self).load(leases, now_ms).await
    }

    async fn journal_bytes(&self, run_ids: &[Arc<str>]) -> Result<Vec<u64>, StoreError> {
        (**self).journal_bytes(run_ids).await
    }

    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        (**self).deliver(worker, messages, now_ms).await
    }

    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>, StoreError> {
        (**self).discard(message_id, now_ms).await
    }

    async fn messages(
        &self,
        filter: &MessageFilter,
        now_ms: Timestamp,
    ) -> Result<Vec<MessageStatus>, StoreError> {
        (**self).messages(filter, now_ms).await
    }

    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        (**self).sweep(sweep).await
    }

    async fn old_runs(&self, until_ms: Timestamp, limit: u32) -> Result<Vec<Arc<str>>, StoreError> {
        (**self).old_runs(until_ms, limit).await
    }

    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError> {
        (**self).request_cancel(worker, run_id, reason).await
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
        (**self).run(run_id).await
    }

    async fn look_up(&self, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
        (**self).look_up(run_ids).await
    }

    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> Result<OutboxPage, StoreError> {
        (**self).outbox_due(now_ms, busy, runs, each).await
    }

    async fn change_outbox(&self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
        (**self).change_outbox(changes).await
    }

    async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError> {
        (**self).outbox(filter).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        (**self).runs(filter).await
    }

    async fn journal(&self, run_id: &str) -> Result<Vec<Record>, StoreError> {
        (**self).journal(run_id).await
    }

    async fn schedules(&self) -> Result<Vec<KeptSchedule>, StoreError> {
        (**self).schedules().await
    }

    async fn note_schedule(&self, schedule: &KeptSchedule) -> Result<(), StoreError> {
        (**self).note_schedule(schedule).await
    }

    fn has_transactions(&self) -> bool {
        (**self).has_transactions()
    }

    async fn begin(&self, lease: &Lease) -> Result<Option<Box<dyn StoreTransaction>>, StoreError> {
        (**self).begin(lease).await
    }

    async fn close(&self) {
        (**self).close().await
    }
}
