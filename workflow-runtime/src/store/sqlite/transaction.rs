//! The transaction that a step shares with the turn that records its answer.
//! It decides nothing: what the turn says is written, or all is rolled back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Column, Executor, Row, SqlSafeStr, Statement, TypeInfo, ValueRef};
use tokio::sync::OwnedMutexGuard;
use workflow_core::Timestamp;

use super::writer::Writer;
use super::{fault, result_code};
use crate::store::{
    SqlError, SqlErrorKind, SqlRow, SqlValue, StoreError, StoreFault, StoreTransaction, Turn, TurnOutcome,
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
    pub(super) async fn over(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut handle = connection.lock_handle().await?;
        let flags = Arc::clone(&self.0);
        handle.set_commit_hook(move || !flags.is_in_step.load(Ordering::SeqCst));
        let flags = Arc::clone(&self.0);
        handle.set_rollback_hook(move || flags.was_rolled_back.store(true, Ordering::SeqCst));
        let flags = Arc::clone(&self.0);
        handle.set_progress_handler(INSTRUCTIONS, move || !flags.is_abandoned.load(Ordering::SeqCst));
        Ok(())
    }

    /// No step runs.
    pub(super) fn reset(&self) {
        self.set(false);
    }

    fn set(&self, is_in_step: bool) {
        self.0.was_rolled_back.store(false, Ordering::SeqCst);
        self.0.is_abandoned.store(false, Ordering::SeqCst);
        self.0.is_in_step.store(is_in_step, Ordering::SeqCst);
    }
}

/// An open transaction. Dropped, it is rolled back.
pub(super) struct Transaction {
    /// `None` once it is over.
    writer: Option<OwnedMutexGuard<Writer>>,
    watch: Watch,
    fault: Option<StoreError>,
}

impl Transaction {
    /// The transaction that the writer has begun.
    pub(super) fn begun(writer: OwnedMutexGuard<Writer>) -> Transaction {
        let watch = writer.watch();
        watch.set(true);
        Transaction { writer: Some(writer), watch, fault: None }
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.writer.as_mut().ok_or(sqlx::Error::PoolClosed)?.connection()
    }

    fn refused(&mut self, error: sqlx::Error) -> SqlError {
        let refused = sql_error(&error);
        if refused.kind() == SqlErrorKind::Unavailable {
            self.fault = Some(fault(error));
        }
        refused
    }
}

#[async_trait]
impl StoreTransaction for Transaction {
    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        let done = match self.connection() {
            Ok(connection) => execute(connection, sql, params).await,
            Err(error) => Err(Refusal::Database(error)),
        };
        done.map_err(|refusal| refusal.told_to(self))
    }

    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let rows = match self.connection() {
            Ok(connection) => query(connection, sql, params).await,
            Err(error) => Err(Refusal::Database(error)),
        };
        rows.map_err(|refusal| refusal.told_to(self))
    }

    fn fault(&mut self) -> Option<StoreError> {
        let was_rolled_back = || {
            let message =
                "the transaction of the step is gone: the step, or an error that it met, rolled it back";
            let is_gone = self.watch.0.was_rolled_back.load(Ordering::SeqCst);
            is_gone.then(|| StoreError::new(StoreFault::Refused, message))
        };
        self.fault.take().or_else(was_rolled_back)
    }

    async fn commit(mut self: Box<Self>, turn: &Turn, now_ms: Timestamp) -> Result<TurnOutcome, StoreError> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        self.watch.reset();
        let writer = self.writer.as_mut().ok_or_else(|| fault(sqlx::Error::PoolClosed))?;
        let outcome = writer.commit_step(turn, now_ms).await?;
        self.writer = None;
        Ok(outcome)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else { return };
        // A statement may be under way that would take for ever.
        self.watch.0.is_abandoned.store(true, Ordering::SeqCst);
        // Else the file would stay locked until the next write. Without a runtime the connection goes, too.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { writer.roll_back_what_is_left().await });
        }
    }
}

/// Why a statement was not run.
enum Refusal {
    Database(sqlx::Error),
    Ours(SqlError),
}

impl Refusal {
    fn told_to(self, transaction: &mut Transaction) -> SqlError {
        match self {
            Refusal::Database(error) => transaction.refused(error),
            Refusal::Ours(error) => error,
        }
    }

    fn into_error(self) -> SqlError {
        match self {
            Refusal::Database(error) => sql_error(&error),
            Refusal::Ours(error) => error,
        }
    }
}

async fn execute(
    connection: &mut SqliteConnection,
    sql: &str,
    params: Vec<SqlValue>,
) -> Result<u64, Refusal> {
    let arguments = arguments(connection, sql, params).await?;
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
    let done = query.execute(connection).await.map_err(Refusal::Database)?;
    Ok(done.rows_affected())
}

async fn query(
    connection: &mut SqliteConnection,
    sql: &str,
    params: Vec<SqlValue>,
) -> Result<Vec<SqlRow>, Refusal> {
    let arguments = arguments(connection, sql, params).await?;
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
    let rows = query.fetch_all(connection).await.map_err(Refusal::Database)?;
    let columns: Option<Arc<[String]>> =
        rows.first().map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect());
    let Some(columns) = columns else { return Ok(Vec::new()) };
    let rows = rows.iter().map(|row| Ok(SqlRow { columns: Arc::clone(&columns), values: values(row)? }));
    rows.collect::<Result<_, sqlx::Error>>().map_err(Refusal::Database)
}

/// Runs a query outside of all transactions.
pub(super) async fn read(
    readers: &SqlitePool,
    sql: &str,
    params: Vec<SqlValue>,
) -> Result<Vec<SqlRow>, SqlError> {
    let mut connection = readers.acquire().await.map_err(|error| sql_error(&error))?;
    query(&mut connection, sql, params).await.map_err(Refusal::into_error)
}

/// The parameters, one for each that the statement asks for: SQLite would take a missing one for a NULL.
async fn arguments(
    connection: &mut SqliteConnection,
    sql: &str,
    params: Vec<SqlValue>,
) -> Result<SqliteArguments, Refusal> {
    let statement = connection.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await;
    let wanted = statement.map_err(Refusal::Database)?.parameters().map_or(0, |wanted| match wanted {
        sqlx::Either::Left(types) => types.len(),
        sqlx::Either::Right(count) => count,
    });
    if wanted != params.len() {
        let message = format!("the statement asks for {wanted} parameters, but gets {}: {sql}", params.len());
        return Err(Refusal::Ours(SqlError::new(SqlErrorKind::Mismatch, message)));
    }
    let mut arguments = SqliteArguments::default();
    for param in params {
        let added = match param {
            SqlValue::Null => arguments.add(None::<i64>),
            SqlValue::Integer(value) => arguments.add(value),
            SqlValue::Real(value) => arguments.add(value),
            SqlValue::Text(value) => arguments.add(value),
            SqlValue::Blob(value) => arguments.add(value),
        };
        added.map_err(|error| Refusal::Database(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}

fn values(row: &SqliteRow) -> Result<Vec<SqlValue>, sqlx::Error> {
    let value = |column| {
        let raw = row.try_get_raw(column)?;
        if raw.is_null() {
            return Ok(SqlValue::Null);
        }
        let kind = raw.type_info().name().to_owned();
        Ok(match kind.as_str() {
            "INTEGER" => SqlValue::Integer(row.try_get_unchecked(column)?),
            "REAL" => SqlValue::Real(row.try_get_unchecked(column)?),
            "BLOB" => SqlValue::Blob(row.try_get_unchecked(column)?),
            _ => SqlValue::Text(row.try_get_unchecked(column)?),
        })
    };
    (0..row.len()).map(value).collect()
}

/// What an error of the database means for the statement of a user.
pub(super) fn sql_error(error: &sqlx::Error) -> SqlError {
    let text =
        error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    // https://www.sqlite.org/rescode.html
    let kind = match result_code(error) {
        // CONSTRAINT_COMMITHOOK
        Some(531) => {
            let message = "a step cannot commit: its transaction is committed with its answer";
            return SqlError::new(SqlErrorKind::Statement, message);
        }
        // CONSTRAINT_PRIMARYKEY, CONSTRAINT_UNIQUE, CONSTRAINT_ROWID
        Some(1555 | 2067 | 2579) => SqlErrorKind::Unique,
        // CONSTRAINT_FOREIGNKEY
        Some(787) => SqlErrorKind::ForeignKey,
        Some(code) => match code & 0xff {
            19 => SqlErrorKind::Constraint,
            // BUSY, LOCKED, NOMEM, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB
            5 | 6 | 7 | 10 | 11 | 13 | 14 | 15 | 26 => SqlErrorKind::Unavailable,
            _ => SqlErrorKind::Statement,
        },
        None => match error {
            sqlx::Error::Protocol(_) | sqlx::Error::Encode(_) => SqlErrorKind::Statement,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => SqlErrorKind::Mismatch,
            _ => SqlErrorKind::Unavailable,
        },
    };
    if text.starts_with("cannot start a transaction within a transaction") {
        let message = format!("{text}: a step runs inside of one already; for a part of it, use SAVEPOINT");
        return SqlError::new(kind, message);
    }
    SqlError::new(kind, text)
}
