//! The transaction that a step shares with the turn that records its answer, and the SQL of users in general.
//! It decides nothing: what the turn says is written, or all is rolled back.

use std::result::Result as StdResult;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{CachedStatement, Connection, params_from_iter};
use tokio::sync::OwnedMutexGuard;
use workflow_core::Timestamp;

use super::connection::{roll_back, run};
use super::fleet::Joined;
use super::threads::Threads;
use super::trouble::{Result, Trouble, closed};
use super::turns::{TurnWriter, Write};
use crate::store::{
    Lease, SqlError, SqlErrorKind, SqlRow, SqlValue, StoreError, StoreFault, StoreTransaction, Turn,
    TurnOutcome,
};

/// What the one connection that writes is told about the step whose SQL it runs, and what it tells.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Flags>);

#[derive(Default)]
struct Flags {
    /// SQL of a step runs: only the engine commits.
    is_in_step: AtomicBool,
    /// The transaction of the step is gone, by SQL of its own or because of an error.
    was_rolled_back: AtomicBool,
    /// Nobody waits for the statement under way any more.
    is_abandoned: AtomicBool,
}

/// How many instructions of SQLite's machine run before it asks whether anybody still waits: well below a millisecond.
const INSTRUCTIONS: i32 = 10_000;

impl Watch {
    /// Makes the connection keep to what it is told from now on.
    pub(super) fn over(&self, connection: &Connection) -> Result<()> {
        let flags = Arc::clone(&self.0);
        connection.commit_hook(Some(move || flags.is_in_step.load(Ordering::SeqCst)))?;
        let flags = Arc::clone(&self.0);
        connection.rollback_hook(Some(move || flags.was_rolled_back.store(true, Ordering::SeqCst)))?;
        let flags = Arc::clone(&self.0);
        connection.progress_handler(INSTRUCTIONS, Some(move || flags.is_abandoned.load(Ordering::SeqCst)))?;
        Ok(())
    }

    fn set(&self, is_in_step: bool) {
        self.0.was_rolled_back.store(false, Ordering::SeqCst);
        self.0.is_abandoned.store(false, Ordering::SeqCst);
        self.0.is_in_step.store(is_in_step, Ordering::SeqCst);
    }
}

/// The thread that writes, and who watches over it.
pub(super) struct Writer {
    pub(super) thread: Threads,
    pub(super) watch: Watch,
    pub(super) joined: Joined,
}

/// An open transaction, which holds the writer. Dropped, it is rolled back.
pub(super) struct Transaction {
    /// `None` once it is over.
    writer: Option<OwnedMutexGuard<Writer>>,
    fault: Option<StoreError>,
}

impl Transaction {
    /// Opens the transaction of a step; `None` when somebody else holds the run, or it has ended.
    pub(super) async fn begin(
        writer: OwnedMutexGuard<Writer>,
        lease: Lease,
    ) -> StdResult<Option<Transaction>, StoreError> {
        let (watch, joined) = (writer.watch.clone(), writer.joined.clone());
        // From here on it is rolled back if nobody waits for it any more.
        let transaction = Transaction { writer: Some(writer), fault: None };
        let is_held = transaction.call(move |db| {
            run(db, "BEGIN IMMEDIATE", ())?;
            watch.set(true);
            let held = "SELECT 1 FROM workflow_runs WHERE run_id = ? AND epoch = ? AND holder = ? AND ended_ms IS NULL";
            let is_held = db.prepare_cached(held)?.exists((&*lease.run_id, lease.epoch, &*lease.worker))?;
            Ok(is_held && joined.is(&lease.worker))
        });
        Ok(is_held.await?.then_some(transaction))
    }

    async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let writer = self.writer.as_ref().ok_or_else(closed)?;
        writer.thread.call(job).await
    }

    /// What is told to the step; what is no fault of its SQL is kept for the engine.
    fn told(&mut self, trouble: Trouble) -> SqlError {
        let told = trouble.to_sql();
        if told.kind() == SqlErrorKind::Unavailable {
            self.fault = Some(trouble.into());
        }
        told
    }
}

#[async_trait]
impl StoreTransaction for Transaction {
    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> StdResult<u64, SqlError> {
        let sql = sql.to_owned();
        let done = self.call(move |db| execute(db, &sql, params)).await;
        done.map_err(|trouble| self.told(trouble))
    }

    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> StdResult<Vec<SqlRow>, SqlError> {
        let sql = sql.to_owned();
        let rows = self.call(move |db| query(db, &sql, params)).await;
        rows.map_err(|trouble| self.told(trouble))
    }

    fn fault(&mut self) -> Option<StoreError> {
        let was_rolled_back = || {
            let message =
                "the transaction of the step is gone: the step, or an error that it met, rolled it back";
            let is_gone = self.writer.as_ref()?.watch.0.was_rolled_back.load(Ordering::SeqCst);
            is_gone.then(|| StoreError::new(StoreFault::Refused, message))
        };
        self.fault.take().or_else(was_rolled_back)
    }

    async fn commit(
        mut self: Box<Self>,
        turn: &Turn,
        now_ms: Timestamp,
    ) -> StdResult<TurnOutcome, StoreError> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let writer = self.writer.as_ref().ok_or_else(closed)?;
        let (watch, joined, turn) = (writer.watch.clone(), writer.joined.clone(), turn.clone());
        let outcome = self.call(move |db| {
            watch.set(false);
            let write = TurnWriter::new(db, &joined)?.write(&turn)?;
            if !matches!(write, Write::Done) {
                // Either this engine must not write any more, or what the step did is there already.
                roll_back(db);
                return write.outcome(db, &turn, now_ms);
            }
            let outcome = write.outcome(db, &turn, now_ms)?;
            run(db, "COMMIT", ())?;
            Ok(outcome)
        });
        let outcome = outcome.await?;
        self.writer = None;
        Ok(outcome)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        // A statement may be under way that would take for ever.
        writer.watch.0.is_abandoned.store(true, Ordering::SeqCst);
        let watch = writer.watch.clone();
        // It gets in line before the writer is free for anybody else.
        writer.thread.post(move |db| {
            roll_back(db);
            watch.set(false);
        });
    }
}

/// Runs a statement of a user; gives the number of rows that it has changed.
fn execute(db: &Connection, sql: &str, params: Vec<SqlValue>) -> Result<u64> {
    let mut statement = prepare(db, sql, &params)?;
    let before = db.total_changes();
    let mut rows = statement.query(params_from_iter(params.into_iter().map(value)))?;
    while rows.next()?.is_some() {}
    // SQLite goes on naming the rows of the last statement that has changed any.
    Ok(if db.total_changes() == before { 0 } else { db.changes() })
}

/// Runs a query of a user.
pub(super) fn query(db: &Connection, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>> {
    let mut statement = prepare(db, sql, &params)?;
    let columns: Arc<[String]> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = statement.query(params_from_iter(params.into_iter().map(value)))?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|column| sql_value(column, row.get_ref(column)?));
        read.push(SqlRow { columns: Arc::clone(&columns), values: values.collect::<Result<_>>()? });
    }
    Ok(read)
}

/// The statement, if it has one parameter for each that it asks for: SQLite would take a missing one for a NULL.
fn prepare<'db>(db: &'db Connection, sql: &str, params: &[SqlValue]) -> Result<CachedStatement<'db>> {
    let statement = db.prepare_cached(sql)?;
    let (wanted, given) = (statement.parameter_count(), params.len());
    if wanted != given {
        let message = format!("the statement asks for {wanted} parameters, but gets {given}: {sql}");
        return Err(SqlError::new(SqlErrorKind::Mismatch, message).into());
    }
    Ok(statement)
}

fn value(param: SqlValue) -> Value {
    match param {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(value) => Value::Integer(value),
        SqlValue::Real(value) => Value::Real(value),
        SqlValue::Text(value) => Value::Text(value),
        SqlValue::Blob(value) => Value::Blob(value),
    }
}

fn sql_value(column: usize, value: ValueRef<'_>) -> Result<SqlValue> {
    Ok(match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(value) => SqlValue::Integer(value),
        ValueRef::Real(value) => SqlValue::Real(value),
        ValueRef::Text(text) => {
            let text =
                std::str::from_utf8(text).map_err(|error| rusqlite::Error::Utf8Error(column, error))?;
            SqlValue::Text(text.to_owned())
        }
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_owned()),
    })
}
