//! The store in one SQLite file, for one engine in one process.
//! The same functions in the same order as in every store; what differs is the dialect, and that SQLite blocks: one
//! thread writes, others read.

mod connection;
#[cfg(test)]
mod effort_tests;
mod fleet;
mod inbox;
mod listing;
mod outbox;
mod read;
mod runs;
mod schema;
mod sweep;
mod threads;
mod transaction;
mod trouble;
mod turns;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use workflow_core::{Payload, Record, Timestamp};

use self::connection::{at_one_moment, transact};
use self::fleet::Joined;
use self::threads::Threads;
use self::transaction::{Transaction, Watch, Writer};
use self::trouble::Result;
use super::{
    Claim, Claimed, Delivered, EngineLock, Fleet, KeptSchedule, KnownRun, Lease, LoadedRun, MessageFilter,
    MessageStatus, NewMessage, Orphans, OutboxChange, OutboxEntry, OutboxFilter, OutboxPage, Parking,
    Request, RunFilter, RunState, RunStatus, RunSummary, Store, StoreError, StoreFault, Sweep, Swept, Turn,
    TurnOutcome, Worker,
};
use super::{SqlError, SqlParams, StoreTransaction};

type StoreResult<T> = std::result::Result<T, StoreError>;

/// How many reads go on at once; none of them waits for the one that writes.
const READERS: usize = 4;

/// Keeps runs in one SQLite file (WAL). What was acknowledged is on the disk.
pub struct Sqlite {
    path: PathBuf,
    /// SQLite has one writer at a time anyway; one connection spares the locking. The transaction of a step holds it.
    writer: Arc<Mutex<Writer>>,
    readers: Threads,
}

/// How to open a [`Sqlite`] store: [`Sqlite::options`].
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    synchronous: &'static str,
}

impl SqliteOptions {
    /// Does not wait for the disk: the last commits can be lost when the power fails or the system crashes (not
    /// when only the process dies). A run goes on from its last commit that is left, so a step may run again.
    #[must_use]
    pub fn synchronous_normal(mut self) -> SqliteOptions {
        self.synchronous = "NORMAL";
        self
    }

    /// Opens the file; creates it, and brings its tables up to date, where needed.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or was written by a newer release.
    pub async fn open(self, path: impl AsRef<Path>) -> std::result::Result<Sqlite, crate::Error> {
        Ok(self.open_store(path.as_ref()).await?)
    }

    async fn open_store(self, path: &Path) -> StoreResult<Sqlite> {
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            let message = "a SQLite store needs a file; what need not outlive the process goes into `Memory`";
            return Err(StoreError::new(StoreFault::Refused, message.to_owned()));
        }
        let watch = Watch::default();
        let thread = Threads::start("workflow-writer", 1, {
            let (path, watch) = (path.to_owned(), watch.clone());
            move || {
                let connection = connection::writer(&path, &self)?;
                watch.over(&connection)?;
                Ok(connection)
            }
        })?;
        let cannot_open = |error: StoreError| {
            let message = format!("the database `{}` cannot be opened: {error}", path.display());
            StoreError::new(error.fault(), message).caused_by(error)
        };
        thread.call(|_| Ok(())).await.map_err(|trouble| cannot_open(trouble.into()))?;
        // One lock file for one database, whatever name it was opened by.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let writer = Arc::new(Mutex::new(Writer { thread, watch, joined: Joined::default() }));
        let readers = Threads::start("workflow-reader", READERS, {
            let path = path.clone();
            move || connection::reader(&path)
        })?;
        let store = Sqlite { path: path.clone(), writer, readers };
        store.write(move |db, _| schema::migrate(db, &path)).await?;
        Ok(store)
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
    pub async fn open(path: impl AsRef<Path>) -> std::result::Result<Sqlite, crate::Error> {
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
    pub async fn execute_batch(&self, sql: &str) -> std::result::Result<(), SqlError> {
        let (sql, writer) = (sql.to_owned(), self.writer.lock().await);
        let done = writer.thread.call(move |db| transact(db, |db| Ok(db.execute_batch(&sql)?)));
        done.await.map_err(|trouble| trouble.to_sql())
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
    ) -> std::result::Result<Vec<T>, SqlError> {
        let (sql, params) = (sql.to_owned(), params.values()?);
        let rows = self.readers.call(move |db| transaction::query(db, &sql, params)).await;
        rows.map_err(|trouble| trouble.to_sql())?.into_iter().map(|row| row.read()).collect()
    }

    /// The options, as [`Sqlite::open`] has them: `synchronous=FULL`.
    pub fn options() -> SqliteOptions {
        SqliteOptions { synchronous: "FULL" }
    }

    /// Does a job in a transaction of its own. It comes to its end even if nobody waits for it any more.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection, &Joined) -> Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let writer = self.writer.lock().await;
        let joined = writer.joined.clone();
        Ok(writer.thread.call(move |db| transact(db, |db| job(db, &joined))).await?)
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        Ok(self.readers.call(|db| at_one_moment(db, job)).await?)
    }
}

#[async_trait]
impl Fleet for Sqlite {
    async fn join(&self, worker: &Worker, _lease: Duration) -> StoreResult<()> {
        let (worker, writer) = (worker.clone(), self.writer.lock().await);
        let joined = writer.joined.clone();
        let join = move |db: &Connection| {
            transact(db, |db| fleet::join(db, &worker))?;
            joined.set(Some(&worker.id));
            Ok(())
        };
        Ok(writer.thread.call(join).await?)
    }

    async fn beat(&self, worker: &str, _lease: Duration) -> StoreResult<bool> {
        Ok(self.writer.lock().await.joined.is(worker))
    }

    async fn leave(&self, worker: &str) -> StoreResult<()> {
        let (worker, writer) = (worker.to_owned(), self.writer.lock().await);
        let joined = writer.joined.clone();
        let leave = move |db: &Connection| {
            transact(db, |db| fleet::leave(db, &worker))?;
            if joined.is(&worker) {
                joined.set(None);
            }
            Ok(())
        };
        Ok(writer.thread.call(leave).await?)
    }

    async fn claim(&self, claim: &Claim) -> StoreResult<Claimed> {
        let claim = claim.clone();
        self.write(move |db, joined| match joined.is(&claim.worker) {
            true => fleet::claim(db, &claim),
            false => Ok(Claimed::default()),
        })
        .await
    }

    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> StoreResult<Vec<bool>> {
        let parkings = parkings.to_vec();
        self.write(move |db, joined| fleet::park(db, joined, &parkings, now_ms)).await
    }

    async fn wake(&self, run_ids: &[Arc<str>]) -> StoreResult<()> {
        let run_ids = run_ids.to_vec();
        self.write(move |db, _| run_ids.iter().try_for_each(|run_id| fleet::wake(db, run_id, None))).await
    }

    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> StoreResult<bool> {
        let (worker, request) = (worker.to_owned(), request.clone());
        self.write(move |db, _| fleet::ask(db, &worker, &request, now_ms)).await
    }

    async fn requests(&self, run_ids: &[Arc<str>]) -> StoreResult<Vec<Request>> {
        let run_ids = run_ids.to_vec();
        self.read(move |db| fleet::requests(db, &run_ids)).await
    }

    async fn answer(&self, request_id: &str) -> StoreResult<Option<Option<Payload>>> {
        let request_id = request_id.to_owned();
        self.read(move |db| fleet::answer(db, &request_id)).await
    }

    async fn acquit(&self, leases: &[Lease]) -> StoreResult<()> {
        let leases = leases.to_vec();
        self.write(move |db, _| leases.iter().try_for_each(|lease| fleet::acquit(db, lease))).await
    }

    async fn wake_lost(&self) -> StoreResult<()> {
        self.write(|db, _| fleet::wake_lost(db)).await
    }

    async fn orphans(&self) -> StoreResult<Vec<Orphans>> {
        self.read(fleet::orphans).await
    }
}

#[async_trait]
impl Store for Sqlite {
    fn lock(&self) -> StoreResult<EngineLock> {
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

    async fn commit(&self, turns: &[Arc<Turn>], now_ms: Timestamp) -> StoreResult<Vec<TurnOutcome>> {
        let turns = turns.to_vec();
        self.write(move |db, joined| turns::commit(db, joined, &turns, now_ms)).await
    }

    async fn load(&self, leases: &[Lease], now_ms: Timestamp) -> StoreResult<Vec<LoadedRun>> {
        let leases = leases.to_vec();
        self.read(move |db| read::load(db, &leases, now_ms)).await
    }

    async fn deliver(
        &self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> StoreResult<Vec<Delivered>> {
        let (worker, messages) = (worker.to_owned(), messages.to_vec());
        self.write(move |db, joined| inbox::deliver(db, joined, &worker, &messages, now_ms)).await
    }

    async fn discard(&self, message_id: &str, now_ms: Timestamp) -> StoreResult<Option<bool>> {
        let message_id = message_id.to_owned();
        self.write(move |db, _| inbox::discard(db, &message_id, now_ms)).await
    }

    async fn messages(&self, filter: &MessageFilter, now_ms: Timestamp) -> StoreResult<Vec<MessageStatus>> {
        let filter = filter.clone();
        self.read(move |db| listing::messages(db, &filter, now_ms)).await
    }

    async fn sweep(&self, sweep: &Sweep) -> StoreResult<Swept> {
        let sweep = sweep.clone();
        self.write(move |db, _| sweep::sweep(db, &sweep)).await
    }

    async fn old_runs(&self, until_ms: Timestamp, limit: u32) -> StoreResult<Vec<Arc<str>>> {
        self.read(move |db| sweep::ended(db, until_ms, limit, None)).await
    }

    async fn request_cancel(
        &self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> StoreResult<Option<RunState>> {
        let (worker, run_id, reason) = (worker.to_owned(), run_id.to_owned(), reason.to_owned());
        self.write(move |db, _| runs::request_cancel(db, &worker, &run_id, &reason)).await
    }

    async fn journal_bytes(&self, run_ids: &[Arc<str>]) -> StoreResult<Vec<u64>> {
        let run_ids = run_ids.to_vec();
        self.read(move |db| read::journal_bytes(db, &run_ids)).await
    }

    async fn run(&self, run_id: &str) -> StoreResult<Option<RunStatus>> {
        let run_id = run_id.to_owned();
        self.read(move |db| read::run(db, &run_id)).await
    }

    async fn look_up(&self, run_ids: &[Arc<str>]) -> StoreResult<Vec<KnownRun>> {
        let run_ids = run_ids.to_vec();
        self.read(move |db| read::look_up(db, &run_ids)).await
    }

    async fn outbox_due(
        &self,
        now_ms: Timestamp,
        busy: &[Arc<str>],
        runs: usize,
        each: usize,
    ) -> StoreResult<OutboxPage> {
        let busy = busy.to_vec();
        self.read(move |db| outbox::due(db, now_ms, &busy, runs, each)).await
    }

    async fn change_outbox(&self, changes: &[OutboxChange]) -> StoreResult<Vec<bool>> {
        let changes = changes.to_vec();
        self.write(move |db, _| outbox::change(db, &changes)).await
    }

    async fn outbox(&self, filter: &OutboxFilter) -> StoreResult<Vec<OutboxEntry>> {
        let filter = filter.clone();
        self.read(move |db| outbox::list(db, &filter)).await
    }

    async fn runs(&self, filter: &RunFilter) -> StoreResult<Vec<RunSummary>> {
        let filter = filter.clone();
        self.read(move |db| read::runs(db, &filter)).await
    }

    async fn journal(&self, run_id: &str) -> StoreResult<Vec<Record>> {
        let run_id = run_id.to_owned();
        self.read(move |db| read::journal(db, &run_id)).await
    }

    async fn schedules(&self) -> StoreResult<Vec<KeptSchedule>> {
        self.read(read::schedules).await
    }

    async fn note_schedule(&self, schedule: &KeptSchedule) -> StoreResult<()> {
        let schedule = schedule.clone();
        self.write(move |db, _| runs::note_schedule(db, &schedule)).await
    }

    fn has_transactions(&self) -> bool {
        true
    }

    async fn begin(&self, lease: &Lease) -> StoreResult<Option<Box<dyn StoreTransaction>>> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let transaction = Transaction::begin(writer, lease.clone()).await?;
        Ok(transaction.map(|transaction| Box::new(transaction) as Box<dyn StoreTransaction>))
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.lock().await.thread.close().await;
    }
}
