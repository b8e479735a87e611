//! The store in a Postgres database, for as many engines as there are.
//! The same promises as in the memory store; what differs is the dialect, and that others work on it at the same time.

mod batch;
mod claim;
mod fleet;
mod hints;
mod inbox;
mod listing;
mod literal;
mod outbox;
mod patience;
mod pool;
mod read;
mod refuse;
mod schema;
mod script;
mod statement;
mod sweep;
mod transaction;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgConnectOptions;
use workflow_core::{Payload, Record, Timestamp};

use self::claim::Unanswered;
use self::hints::Hints;
use self::pool::Pool;
use self::script::Settings;
use super::{
    Claim, Claimed, Delivered, EngineLock, Fleet, KeptSchedule, KnownMessage, KnownRun, Lease, LoadedRun,
    MessageFilter, MessageStatus, NewMessage, Orphans, OutboxChange, OutboxEntry, OutboxFilter, OutboxPage,
    Parking, Request, RunFilter, RunState, RunStatus, RunSummary, Store, StoreError, StoreFault, Sweep,
    Swept, Turn, TurnOutcome, Worker,
};
use super::{SqlError, SqlParams, StoreTransaction};

/// How often a worker looks for runs that should be woken, but of which nobody knows that.
const UNSEEN_EVERY: Duration = Duration::from_secs(30);

/// While the answer to one commit is on its way, the server writes another one.
const COMMITS_AT_ONCE: usize = 2;

/// Keeps runs in a Postgres database (15 or later) that many engines share. What was acknowledged is on the disk of the
/// server.
///
/// Works behind a pooler that gives each transaction another session (pgbouncer with `pool_mode = transaction`).
pub struct Postgres {
    pool: Arc<Pool>,
    unanswered: Unanswered,
    opened: Instant,
    /// When that is looked for the next time, in milliseconds since it was opened.
    look_at_ms: AtomicI64,
}

/// How to connect to a [`Postgres`] store: [`Postgres::options`].
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    connections: usize,
    schema: Option<String>,
    answer_timeout: Duration,
    waits_for_the_disk: bool,
}

impl PostgresOptions {
    /// At most so many connections at once; 8, if nothing is said, and never fewer than 4. Each transactional step, and
    /// each call of [`Postgres::query`] and [`Postgres::execute_batch`], takes one for as long as it runs, and waits
    /// until one is free; three are kept for everything else. An engine has one more, on which it hears of what other
    /// engines have told its runs.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> PostgresOptions {
        self.connections = connections.max(4);
        self
    }

    /// The schema in which the tables of the engine are; it is created if it is not there. Transactional steps find
    /// tables of theirs in it, too, and then in `public`. Without it, tables are where the `search_path` of the
    /// connection leads.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> PostgresOptions {
        self.schema = Some(schema.into());
        self
    }

    /// How long the server may take to answer the engine; 20 seconds, if nothing is said. A connection over which no
    /// answer has come by then is given up, and what was asked is asked again over a new one: a network that has
    /// forgotten a connection tells nobody. The statements of steps may take as long as they like: when no answer has
    /// come by then, the server is asked over another connection whether it is still at work on them.
    #[must_use]
    pub fn answer_timeout(mut self, timeout: Duration) -> PostgresOptions {
        self.answer_timeout = timeout;
        self
    }

    /// Does not wait for the disk (`synchronous_commit = off`): the last commits can be lost when the server crashes,
    /// not when an engine does. A run goes on from its last commit that is left, so a step may run again.
    #[must_use]
    pub fn synchronous_commit_off(mut self) -> PostgresOptions {
        self.waits_for_the_disk = false;
        self
    }

    /// Connects, and brings the tables up to date where needed.
    ///
    /// # Errors
    /// When the URL cannot be read, the server cannot be reached or does not let us in, or a newer release has changed
    /// the tables in a way that this one cannot work with.
    pub async fn connect(self, url: &str) -> Result<Postgres, crate::Error> {
        Ok(self.connect_store(url).await?)
    }

    async fn connect_store(self, url: &str) -> Result<Postgres, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
            // Not the URL itself: it may hold a password.
            let message = format!("the URL of the database cannot be read: {error}");
            StoreError::new(StoreFault::Refused, message).caused_by(error)
        })?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("workflow"),
        };
        let place = format!("{}:{}", options.get_host(), options.get_port());
        let settings = Settings::new(self.schema.as_deref(), self.waits_for_the_disk);
        let pool = Arc::new(Pool::new(options, settings, self.connections, self.answer_timeout));
        schema::migrate(&pool, self.schema.as_deref()).await.map_err(|error| {
            let message = format!("the database at `{place}` cannot be used: {error}");
            StoreError::new(error.fault(), message).caused_by(error)
        })?;
        let look_at_ms = AtomicI64::new(milliseconds(UNSEEN_EVERY));
        Ok(Postgres { pool, unanswered: Unanswered::default(), opened: Instant::now(), look_at_ms })
    }
}

impl Postgres {
    /// Connects, and brings the tables up to date where needed. The URL is
    /// `postgres://user:password@host:port/database`; `?sslmode=require` asks for TLS.
    ///
    /// # Errors
    /// When the URL cannot be read, the server cannot be reached or does not let us in, or a newer release has changed
    /// the tables in a way that this one cannot work with.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), workflow_runtime::Error> {
    /// use workflow_runtime::{Engine, Postgres};
    /// let store = Postgres::connect("postgres://orders@db.internal/orders").await?;
    /// let engine = Engine::builder().store(store).start().await?;
    /// # Ok(()) }
    /// ```
    pub async fn connect(url: &str) -> Result<Postgres, crate::Error> {
        Postgres::options().connect(url).await
    }

    /// Runs statements without parameters in one transaction of their own: to make the tables that transactional steps
    /// ([`Tx`](crate::Tx)) use, before the engine starts.
    ///
    /// # Errors
    /// What the database says, or that no connection became free within the `answer_timeout`. Then none of the
    /// statements has had an effect.
    pub async fn execute_batch(&self, sql: &str) -> Result<(), SqlError> {
        transaction::execute_batch(&self.pool, sql).await
    }

    /// Reads from the database, outside of any run: what transactional steps ([`Tx`](crate::Tx)) have written, say. A
    /// row becomes a tuple, a struct, or the value of its only column. (To read while an engine runs, give it the store
    /// in an `Arc`. A transactional step reads with its `Tx`: beside it, it would need a second connection.)
    ///
    /// # Errors
    /// What the database says, also when the statement would write; that a row does not fit the type; that no
    /// connection became free within the `answer_timeout`.
    pub async fn query<T: DeserializeOwned>(
        &self,
        sql: &str,
        params: impl SqlParams,
    ) -> Result<Vec<T>, SqlError> {
        let rows = transaction::read(&self.pool, sql, &params.values()?).await?;
        rows.into_iter().map(|row| row.read()).collect()
    }

    /// The options, as [`Postgres::connect`] has them: 8 connections, 20 seconds for an answer, and commits that
    /// wait for the disk.
    pub fn options() -> PostgresOptions {
        let answer_timeout = Duration::from_secs(20);
        PostgresOptions { connections: 8, schema: None, answer_timeout, waits_for_the_disk: true }
    }

    /// Whether it is time to look for runs that nobody sees; then it is not for a while.
    fn looks_for_unseen(&self) -> bool {
        let now_ms = milliseconds(self.opened.elapsed());
        let next_ms = now_ms.saturating_add(milliseconds(UNSEEN_EVERY));
        let due_ms = self.look_at_ms.load(Ordering::Relaxed);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        due_ms <= now_ms && self.look_at_ms.compare_exchange(due_ms, next_ms, set, fetch).is_ok()
    }
}

#[async_trait]
impl Fleet for Postgres {
    async fn join(&self, worker: &Worker, lease: Duration) -> Result<(), StoreError> {
        fleet::join(&self.pool, worker, lease).await
    }

    async fn beat(&self, worker: &str, lease: Duration) -> Result<bool, StoreError> {
        fleet::beat(&self.pool, worker, lease).await
    }

    async fn leave(&self, worker: &str) -> Result<(), StoreError> {
        fleet::leave(&self.pool, worker).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        if self.looks_for_unseen() {
            fleet::wake_unseen(&self.pool, claim.now_ms).await?;
        }
        claim::claim(&self.pool, &self.unanswered, claim).await
    }

    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError> {
        fleet::park(&self.pool, parkings, now_ms).await
    }

    async fn acquit(&self, leases: &[Lease]) -> Result<(), StoreError> {
        fleet::acquit(&self.pool, leases).await
    }

    async fn wake(&self, run_ids: &[Arc<str>]) -> Result<(), StoreError> {
        let mut script = script::Script::default();
        let run_ids: Vec<&str> = run_ids.iter().map(AsRef::as_ref).collect();
        fleet::wake(&mut script, &run_ids, None);
        pool::run(&self.pool, &script.in_one_transaction()).await.map(drop)
    }

    async fn wake_lost(&self) -> Result<(), StoreError> {
        fleet::wake_lost(&self.pool).await
    }

    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool, StoreError> {
        fleet::ask(&self.pool, worker, request, now_ms).await
    }

    async fn requests(&self, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
        fleet::requests(&self.pool, run_ids).await
    }

    async fn answer(&self, request_id: &str) -> Result<Option<Option<Payload>>, StoreError> {
        fleet::answer(&self.pool, request_id).await
    }

    async fn orphans(&self) -> Result<Vec<Orphans>, StoreError> {
        fleet::orphans(&self.pool).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn known_messages(&self, message: &str) -> Result<Vec<KnownMessage>, StoreError> {
        fleet::known_messages(&self.pool, message).await
    }

    async fn is_first(&self, worker: &str) -> Result<bool, StoreError> {
        let is_first = fleet::is_first(&self.pool, worker).await?;
        self.pool.hints().note_first(is_first);
        Ok(is_first)
    }

    async fn woken(&self) {
        Hints::woken(&self.pool).await;
    }
}

#[async_trait]
impl Store for Postgres {
    /// Many engines work on it: nothing is held.
    fn lock(&self) -> Result<EngineLock, StoreError> {
        Ok(EngineLock::new(()))
    }

    async fn commit(&self, turns: &[Arc<Turn>], now_ms: Timestamp) -> Result<Vec<TurnOutcome>, StoreError> {
        write::commit(&self.pool, turns, now_ms).await
    }

    fn commits_at_once(&self) -> usize {
        COMMITS_AT_ONCE
    }

    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>, StoreError> {
        read::load(&self.pool, leases, now_ms).await
    }

    async fn journal_bytes(&self, run_ids: &[Arc<str>]) -> Result<Vec<u64>, StoreError> {
        read::journal_bytes(&self.pool, run_ids).await
    }

    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        write::deliver(&self.pool, worker, messages, now_ms).await
    }

    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>, StoreError> {
        write::discard(&self.pool, message_id, now_ms).await
    }

    async fn messages(
        &self,
        filter: &MessageFilter,
        now_ms: Timestamp,
    ) -> Result<Vec<MessageStatus>, StoreError> {
        listing::messages(&self.pool, filter, now_ms).await
    }

    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        sweep::sweep(&self.pool, sweep).await
    }

    async fn old_runs(&self, until_ms: Timestamp, limit: u32) -> Result<Vec<Arc<str>>, StoreError> {
        sweep::ended(&self.pool, until_ms, limit, None).await
    }

    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError> {
        write::request_cancel(&self.pool, worker, run_id, reason).await
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
        read::run(&self.pool, run_id).await
    }

    async fn look_up(&self, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
        read::look_up(&self.pool, run_ids).await
    }

    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> Result<OutboxPage, StoreError> {
        outbox::due(&self.pool, now_ms, busy, runs, each).await
    }

    async fn change_outbox(&self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
        outbox::change(&self.pool, changes).await
    }

    async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError> {
        outbox::list(&self.pool, filter).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        read::runs(&self.pool, filter).await
    }

    async fn journal(&self, run_id: &str) -> Result<Vec<Record>, StoreError> {
        read::journal(&self.pool, run_id).await
    }

    async fn schedules(&self) -> Result<Vec<KeptSchedule>, StoreError> {
        read::schedules(&self.pool).await
    }

    async fn note_schedule(&self, schedule: &KeptSchedule) -> Result<(), StoreError> {
        write::note_schedule(&self.pool, schedule).await
    }

    fn has_transactions(&self) -> bool {
        true
    }

    async fn begin(&self, lease: &Lease) -> Result<Option<Box<dyn StoreTransaction>>, StoreError> {
        let transaction = transaction::begin(&self.pool, lease).await?;
        Ok(transaction.map(|transaction| Box::new(transaction) as Box<dyn StoreTransaction>))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What an error of the database means for the engine.
fn fault(error: sqlx::Error) -> StoreError {
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    let fault = match pool::code(&error).as_deref() {
        // Somebody was in the way, also for long; a read-only server (one that took over, or will); login or
        // connections run out for now.
        Some("40001" | "40P01" | "55P03" | "25006" | "25P03" | "3D000" | "28000" | "28P01") => {
            StoreFault::Unavailable
        }
        // data_corrupted, index_corrupted
        Some("XX001" | "XX002") => StoreFault::Corrupt,
        // It took longer than somebody allows, and would again.
        Some("57014") => StoreFault::Refused,
        // What the server did not expect of itself: lasting only where it could not hold what was sent.
        Some("XX000") if error.to_string().contains("invalid memory alloc request size") => {
            StoreFault::Refused
        }
        Some(code) => match &code[..2] {
            // Connection, resources (disk full, too many connections), operator (shutdown), system.
            "08" | "53" | "57" | "58" | "XX" => StoreFault::Unavailable,
            _ => StoreFault::Refused,
        },
        None => match error {
            sqlx::Error::PoolClosed => StoreFault::Refused, // The store was closed.
            sqlx::Error::Encode(_) => StoreFault::Refused,  // It is too long to be sent.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreFault::Corrupt,
            _ => StoreFault::Unavailable,
        },
    };
    StoreError::new(fault, error.to_string()).caused_by(error)
}

/// Whether the database refused a row because of a constraint, found that a worker is not there, or that two turns of a
/// batch want the same.
fn is_refusal(error: &sqlx::Error) -> bool {
    matches!(pool::code(error).as_deref(), Some("21000" | "22012" | "23502" | "23505"))
}
