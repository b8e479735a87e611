//! A store that says when something was written, for whoever would else have to look again and again.
//! All else is passed on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use workflow_core::{Payload, Record, Timestamp};
use workflow_runtime::Sqlite;
use workflow_runtime::store::*;

/// SQLite, watched.
pub(crate) struct Watched {
    pub(crate) store: Sqlite,
    /// How many batches of turns were written.
    pub(crate) written: watch::Sender<u64>,
}

impl Watched {
    pub(crate) fn new(store: Sqlite) -> Watched {
        Watched { store, written: watch::Sender::new(0) }
    }
}

#[async_trait]
impl Fleet for Watched {
    async fn join(&self, worker: &Worker, lease: Duration) -> Result<(), StoreError> {
        self.store.join(worker, lease).await
    }

    async fn beat(&self, worker: &str, lease: Duration) -> Result<bool, StoreError> {
        self.store.beat(worker, lease).await
    }

    async fn leave(&self, worker: &str) -> Result<(), StoreError> {
        self.store.leave(worker).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        self.store.claim(claim).await
    }

    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError> {
        self.store.park(parkings, now_ms).await
    }

    async fn acquit(&self, leases: &[Lease]) -> Result<(), StoreError> {
        self.store.acquit(leases).await
    }

    async fn wake(&self, run_ids: &[Arc<str>]) -> Result<(), StoreError> {
        self.store.wake(run_ids).await
    }

    async fn wake_lost(&self) -> Result<(), StoreError> {
        self.store.wake_lost().await
    }

    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool, StoreError> {
        self.store.ask(worker, request, now_ms).await
    }

    async fn requests(&self, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
        self.store.requests(run_ids).await
    }

    async fn answer(&self, request_id: &str) -> Result<Option<Option<Payload>>, StoreError> {
        self.store.answer(request_id).await
    }

    async fn orphans(&self) -> Result<Vec<Orphans>, StoreError> {
        self.store.orphans().await
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    async fn is_first(&self, worker: &str) -> Result<bool, StoreError> {
        self.store.is_first(worker).await
    }

    async fn woken(&self) {
        self.store.woken().await;
    }
}

#[async_trait]
impl Store for Watched {
    fn lock(&self) -> Result<EngineLock, StoreError> {
        self.store.lock()
    }

    async fn commit(&self, turns: &[Arc<Turn>], now_ms: Timestamp) -> Result<Vec<TurnOutcome>, StoreError> {
        let outcomes = self.store.commit(turns, now_ms).await;
        self.written.send_modify(|written| *written += 1);
        outcomes
    }

    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>, StoreError> {
        self.store.load(leases, now_ms).await
    }

    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.store.deliver(worker, messages, now_ms).await
    }

    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>, StoreError> {
        self.store.discard(message_id, now_ms).await
    }

    async fn messages(
        &self,
        filter: &MessageFilter,
        now_ms: Timestamp,
    ) -> Result<Vec<MessageStatus>, StoreError> {
        self.store.messages(filter, now_ms).await
    }

    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        self.store.sweep(sweep).await
    }

    async fn old_runs(&self, until_ms: Timestamp, limit: u32) -> Result<Vec<Arc<str>>, StoreError> {
        self.store.old_runs(until_ms, limit).await
    }

    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError> {
        self.store.request_cancel(worker, run_id, reason).await
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
        self.store.run(run_id).await
    }

    async fn look_up(&self, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
        self.store.look_up(run_ids).await
    }

    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> Result<OutboxPage, StoreError> {
        self.store.outbox_due(now_ms, busy, runs, each).await
    }

    async fn change_outbox(&self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
        self.store.change_outbox(changes).await
    }

    async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError> {
        self.store.outbox(filter).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        self.store.runs(filter).await
    }

    async fn journal(&self, run_id: &str) -> Result<Vec<Record>, StoreError> {
        self.store.journal(run_id).await
    }

    async fn schedules(&self) -> Result<Vec<KeptSchedule>, StoreError> {
        self.store.schedules().await
    }

    async fn note_schedule(&self, schedule: &KeptSchedule) -> Result<(), StoreError> {
        self.store.note_schedule(schedule).await
    }

    fn has_transactions(&self) -> bool {
        self.store.has_transactions()
    }

    async fn begin(&self, lease: &Lease) -> Result<Option<Box<dyn StoreTransaction>>, StoreError> {
        self.store.begin(lease).await
    }

    async fn close(&self) {
        self.store.close().await
    }
}
