//! The store in one SQLite file, for one engine in one process.
//! The same functions in the same order as in every store; what differs is the dialect.

mod batch;
mod fleet;
mod inbox;
mod outbox;
mod read;
mod refuse;
mod schema;
mod sweep;
mod transaction;
mod writer;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::Mutex;
use workflow_core::{Payload, Record, Timestamp};

use self::transaction::Transaction;
use self::writer::Writer;
use super::{
    Claim, Claimed, Delivered, EngineLock, Fleet, KeptSchedule, KnownRun, Lease, LoadedRun, MessageFilter,
    MessageStatus, NewMessage, Orphans, OutboxChange, OutboxEntry, OutboxFilter, OutboxPage, Parking,
    Request, RunFilter, RunState, RunStatus, RunSummary, Store, StoreError, StoreFault, Sweep, Swept, Turn,
    TurnOutcome, Worker,
};
use super::{SqlError, SqlParams, StoreTransaction};

/// How long a write waits for another process that has the file open, before it is tried again from the start.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps runs in one SQLite file (WAL). What was acknowledged is on the disk.
pub struct Sqlite {
    path: PathBuf,
    /// SQLite has one writer at a time anyway; one connection spares the locking.
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
}

/// How to open a [`Sqlite`] store: [`Sqlite::options`].
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    synchronous: SqliteSynchronous,
}

impl SqliteOptions {
    /// Does not wait for the disk: the last commits can be lost when the power fails or the system crashes (not
    /// when only the process dies). A run goes on from its last commit that is left, so a step may run again.
    #[must_use]
    pub fn synchronous_normal(mut self) -> SqliteOptions {
        self.synchronous = SqliteSynchronous::Normal;
        self
    }

    /// Opens the file; creates it, and brings its tables up to date, where needed.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or was written by a newer release.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, crate::Error> {
        Ok(self.open_store(path.as_ref()).await?)
    }

    async fn open_store(self, path: &Path) -> Result<Sqlite, StoreError> {
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            let message = "a SQLite store needs a file; what need not outlive the process goes into `Memory`";
            return Err(StoreError::new(StoreFault::Refused, message.to_owned()));
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(self.synchronous)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let cannot_open = |error: sqlx::Error| {
            let error = fault(error);
            let message = format!("the database `{}` cannot be opened: {error}", path.display());
            StoreError::new(error.fault(), message).caused_by(error)
        };
        let mut writer = Writer::connect(&options).await.map_err(cannot_open)?;
        schema::migrate(&mut writer, path).await?;
        // One lock file for one database, whatever name it was opened by.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let readers = SqlitePoolOptions::new().max_connections(4).min_connections(0);
        let readers = readers.connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Sqlite { path, writer: Arc::new(Mutex::new(writer)), readers })
    }
}

impl Sqlite {
    /// Opens the file; creates it, and brings its tables up to date, where needed.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or was written by a newer release.
    ///
    /// ```
    /// # async fn f() -> Result<(), workflow_runtime::Error> {
    /// use workflow_runtime::{Engine, Sqlite};
    /// let engine = Engine::builder().store(Sqlite::open("orders.db").await?).start().await?;
    /// # Ok(()) }
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> Result<Sqlite, crate::Error> {
        Sqlite::options().open(path).await
    }

    /// Runs statements without parameters in one transaction of their own: to make the tables that transactional steps
    /// ([`Tx`](crate::Tx)) use, before the engine starts.
    ///
    /// # Errors
    /// What the database says. Then none of the statements has had an effect.
    ///
    /// ```
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use workflow_runtime::{Engine, Sqlite};
    /// let store = Sqlite::open("orders.db").await?;
    /// store.execute_batch("CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, pieces INTEGER NOT NULL)").await?;
    /// let engine = Engine::builder().store(store).start().await?;
    /// # Ok(()) }
    /// ```
    pub async fn execute_batch(&self, sql: &str) -> Result<(), SqlError> {
        self.writer.lock().await.execute_batch(sql).await
    }

    /// Reads from the database, outside of any run: what transactional steps ([`Tx`](crate::Tx)) have written, say. A
    /// row becomes a tuple, a struct, or the value of its only column. (To read while an engine runs, give it the store
    /// in an `Arc`.)
    ///
    /// # Errors
    /// What the database says, also when the statement would write; that a row does not fit the type.
    pub async fn query<T: DeserializeOwned>(
        &self,
        sql: &str,
        params: impl SqlParams,
    ) -> Result<Vec<T>, SqlError> {
        let rows = transaction::read(&self.readers, sql, params.values()?).await?;
        rows.into_iter().map(|row| row.read()).collect()
    }

    /// The options, as [`Sqlite::open`] has them: `synchronous=FULL`.
    pub fn options() -> SqliteOptions {
        SqliteOptions { synchronous: SqliteSynchronous::Full }
    }
}

#[async_trait]
impl Fleet for Sqlite {
    async fn join(&self, worker: &Worker, _lease: Duration) -> Result<(), StoreError> {
        self.writer.lock().await.join(worker).await
    }

    async fn beat(&self, worker: &str, _lease: Duration) -> Result<bool, StoreError> {
        Ok(self.writer.lock().await.worker().is_some_and(|joined| *joined == *worker))
    }

    async fn leave(&self, worker: &str) -> Result<(), StoreError> {
        self.writer.lock().await.leave(worker).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.worker().as_ref() != Some(&claim.worker) {
            return Ok(Claimed::default());
        }
        fleet::claim(&mut writer, claim).await
    }

    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError> {
        fleet::park(&mut *self.writer.lock().await, parkings, now_ms).await
    }

    async fn wake(&self, run_ids: &[Arc<str>]) -> Result<(), StoreError> {
        self.writer.lock().await.wake(run_ids).await
    }

    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool, StoreError> {
        fleet::ask(&mut *self.writer.lock().await, worker, request, now_ms).await
    }

    async fn requests(&self, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
        fleet::requests(&self.readers, run_ids).await
    }

    async fn answer(&self, request_id: &str) -> Result<Option<Option<Payload>>, StoreError> {
        fleet::answer(&self.readers, request_id).await
    }

    async fn orphans(&self) -> Result<Vec<Orphans>, StoreError> {
        fleet::orphans(&self.readers).await
    }
}

#[async_trait]
impl Store for Sqlite {
    fn lock(&self) -> Result<EngineLock, StoreError> {
        let mut path = self.path.clone().into_os_string();
        path.push("-engine.lock");
        let path = PathBuf::from(path);
        let failed = |error: std::io::Error| {
            let message = format!("the lock file `{}` cannot be opened: {error}", path.display());
            StoreError::new(StoreFault::Unavailable, message).caused_by(error)
        };
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        // The operating system lets go of it when the process dies, however it dies.
        match file.try_lock() {
            Ok(()) => Ok(EngineLock::new(file)),
            Err(TryLockError::Error(error)) => Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "another engine works on the database `{}`; a SQLite file serves one engine at a time",
                    self.path.display()
                );
                Err(StoreError::new(StoreFault::Locked, message))
            }
        }
    }

    async fn commit(&self, turns: &[Turn], now_ms: Timestamp) -> Result<Vec<TurnOutcome>, StoreError> {
        self.writer.lock().await.commit(turns, now_ms).await
    }

    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>, StoreError> {
        read::load(&self.readers, leases, now_ms).await
    }

    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.writer.lock().await.deliver(worker, messages, now_ms).await
    }

    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>, StoreError> {
        self.writer.lock().await.discard(message_id, now_ms).await
    }

    async fn messages(
        &self,
        filter: &MessageFilter,
        now_ms: Timestamp,
    ) -> Result<Vec<MessageStatus>, StoreError> {
        inbox::messages(&self.readers, filter, now_ms).await
    }

    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        self.writer.lock().await.sweep(sweep).await
    }

    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError> {
        self.writer.lock().await.request_cancel(worker, run_id, reason).await
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
        read::run(&self.readers, run_id).await
    }

    async fn look_up(&self, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
        read::look_up(&self.readers, run_ids).await
    }

    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> Result<OutboxPage, StoreError> {
        outbox::due(&self.readers, now_ms, busy, runs, each).await
    }

    async fn change_outbox(&self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
        self.writer.lock().await.change_outbox(changes).await
    }

    async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError> {
        outbox::list(&self.readers, filter).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        read::runs(&self.readers, filter).await
    }

    async fn journal(&self, run_id: &str) -> Result<Vec<Record>, StoreError> {
        read::journal(&self.readers, run_id).await
    }

    async fn schedules(&self) -> Result<Vec<KeptSchedule>, StoreError> {
        read::schedules(&self.readers).await
    }

    async fn note_schedule(&self, schedule: &KeptSchedule) -> Result<(), StoreError> {
        self.writer.lock().await.note_schedule(schedule).await
    }

    fn has_transactions(&self) -> bool {
        true
    }

    async fn begin(&self, lease: &Lease) -> Result<Option<Box<dyn StoreTransaction>>, StoreError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        if !writer.begin_step(lease).await? {
            return Ok(None);
        }
        Ok(Some(Box::new(Transaction::begun(writer))))
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.lock().await.close().await;
    }
}

/// What an error of the database means for the engine.
fn fault(error: sqlx::Error) -> StoreError {
    // The low byte of an extended result code is the plain one: https://www.sqlite.org/rescode.html
    let fault = match result_code(&error).map(|code| code & 0xff) {
        // BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL
        Some(5 | 6 | 7 | 8 | 10 | 13 | 14 | 15) => StoreFault::Unavailable,
        // CORRUPT, NOTADB
        Some(11 | 26) => StoreFault::Corrupt,
        Some(_) => StoreFault::Refused,
        None => match error {
            sqlx::Error::PoolClosed => StoreFault::Refused, // The store was closed.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreFault::Corrupt,
            _ => StoreFault::Unavailable,
        },
    };
    StoreError::new(fault, error.to_string()).caused_by(error)
}

/// Whether the database refused a row because of a constraint.
fn is_refusal(error: &sqlx::Error) -> bool {
    result_code(error).is_some_and(|code| code & 0xff == 19)
}

fn result_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}
