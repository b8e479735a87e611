//! The transaction that a step shares with the turn that records its answer.
//! It decides nothing: what the turn says is written, or all is rolled back.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};
use workflow_core::Timestamp;

use super::hints::Hints;
use super::pool::{Held, Pool, code};
use super::read::assign_offers;
use super::script::Script;
use super::statement::{Kind, Statement};
use super::{batch, fault, is_refusal};
use crate::store::{
    Lease, Offer, SqlError, SqlErrorKind, SqlRow, SqlValue, StoreError, StoreFault, StoreTransaction, Turn,
    TurnOutcome,
};

/// How long a step may think between two statements. A process that stands still does not hold its locks for longer.
const IDLE_LIMIT: &str = "5min";

/// The same once its answer is written, and only the commit is left.
const LAST_IDLE_LIMIT: &str = "10s";

/// How long the server has to hear that a connection was closed before it is told over another one.
const GOODBYE: Duration = Duration::from_secs(5);

/// An error aborts a transaction of Postgres; a step may go on from here.
const SAVEPOINT: &str = "SAVEPOINT workflow_step";

/// An open transaction. Dropped, it is rolled back.
pub(super) struct Transaction {
    /// `None` once it is over.
    held: Option<Held>,
    /// A statement was sent and has not been answered.
    is_busy: bool,
    /// The step has set savepoints of its own, which ours must not take away.
    has_savepoints: bool,
    fault: Option<StoreError>,
}

/// Opens the transaction of a step; `None` when somebody else holds the run, or it has ended.
pub(super) async fn begin(pool: &Arc<Pool>, lease: &Lease) -> Result<Option<Transaction>, StoreError> {
    let mut attempts = super::pool::Attempts::default();
    loop {
        let mut held = pool.acquire_for_user().await.map_err(fault)?;
        match begin_once(&mut held, lease).await {
            Ok(true) => {
                let (held, fault) = (Some(held), None);
                return Ok(Some(Transaction { held, is_busy: false, has_savepoints: false, fault }));
            }
            Ok(false) => {
                held.roll_back().await;
                return Ok(None);
            }
            Err(error) if attempts.again(&error, &held) => {}
            Err(error) => return Err(fault(error)),
        }
    }
}

/// The run is not locked: whether it is still held is asked again when the answer is written. Else a process that
/// stands still would keep others from giving it up.
async fn begin_once(held: &mut Held, lease: &Lease) -> Result<bool, sqlx::Error> {
    held.begin(IDLE_LIMIT).await?;
    let mut script = Script::default();
    script
        .push(
            "SELECT 1 FROM workflow_runs r JOIN workflow_workers w ON w.worker = r.holder \
             WHERE r.run_id = $1 AND r.epoch = $2::int8 AND r.holder = $3 AND r.ended_ms IS NULL AND NOT w.is_gone",
        )
        .bind(&lease.run_id)
        .bind_number(lease.epoch)
        .bind(&lease.worker);
    script.push(SAVEPOINT);
    Ok(!held.run(&script).await?.is_empty())
}

impl Transaction {
    /// Sends a statement of the step. After an error, the transaction is as it was before the statement.
    async fn send<T>(
        &mut self,
        sql: &str,
        params: &[SqlValue],
        send: impl AsyncFnOnce(&mut Held, String) -> Result<T, sqlx::Error>,
    ) -> Result<T, SqlError> {
        let statement = Statement::read(sql);
        let is_savepoint = match statement.kind() {
            Kind::Transaction => return Err(not_by_a_step(sql)),
            Kind::Savepoint => true,
            Kind::Ordinary => false,
        };
        let sql = statement.with(params)?;
        let Some(held) = self.held.as_mut() else { return Err(sql_error(&sqlx::Error::PoolClosed)) };
        self.is_busy = true;
        held.is_patient = true;
        // A comment at the end of the text must not hide what follows.
        let done = if is_savepoint {
            self.has_savepoints = true;
            send(held, sql).await
        } else if self.has_savepoints {
            match held.fetch("SAVEPOINT workflow_part".to_owned()).await {
                Ok(_) => send(held, format!("{sql}\n;RELEASE SAVEPOINT workflow_part")).await,
                Err(error) => Err(error),
            }
        } else {
            send(held, format!("{sql}\n;RELEASE {SAVEPOINT};{SAVEPOINT}")).await
        };
        let done = match done {
            Err(error) if code(&error).is_some() && !is_savepoint => {
                let name = if self.has_savepoints { "workflow_part" } else { "workflow_step" };
                let back = held.fetch(format!("ROLLBACK TO SAVEPOINT {name}")).await;
                if let Err(error) = back {
                    self.fault = Some(fault(error));
                }
                Err(error)
            }
            Err(error) if code(&error).is_some() => {
                // There is no way back from here: see the kinds above.
                let message = format!("the transaction of the step is gone: {error}, which rolled it back");
                self.fault = Some(StoreError::new(StoreFault::Refused, message));
                Err(error)
            }
            done => done,
        };
        self.is_busy = false;
        held.is_patient = false;
        done.map_err(|error| {
            let refused = sql_error(&error);
            if refused.kind() == SqlErrorKind::Unavailable {
                self.fault = Some(fault(error));
            }
            refused
        })
    }
}

fn not_by_a_step(sql: &str) -> SqlError {
    let message = match sql.trim_start().get(..5).map(str::to_ascii_lowercase).as_deref() {
        Some("begin" | "start") => {
            "there is no transaction within a transaction: a step runs inside of one already; for a part of it, use \
             SAVEPOINT"
        }
        _ => {
            "a step cannot commit or roll back: its transaction is committed with its answer, and rolled back with its \
             error; for a part of it, use SAVEPOINT"
        }
    };
    SqlError::new(SqlErrorKind::Statement, message)
}

#[async_trait]
impl StoreTransaction for Transaction {
    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        let only_reads = Statement::read(sql).only_reads();
        let changed = self.send(sql, &params, async |held, message| held.execute(message).await).await?;
        Ok(if only_reads { 0 } else { changed })
    }

    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let rows = self.send(sql, &params, async |held, message| held.fetch(message).await).await?;
        read_rows(&rows)
    }

    fn fault(&mut self) -> Option<StoreError> {
        self.fault.take()
    }

    async fn commit(mut self: Box<Self>, turn: &Turn, now_ms: Timestamp) -> Result<TurnOutcome, StoreError> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let held = self.held.as_mut().ok_or_else(|| fault(sqlx::Error::PoolClosed))?;
        let turns = [turn];
        // From here on the worker's row is locked: should this process stand still now, others wait for that long.
        let limit = format!("SET LOCAL idle_in_transaction_session_timeout = '{LAST_IDLE_LIMIT}'");
        held.fetch(limit).await.map_err(fault)?;
        match held.run(&batch::turns(&turns)).await {
            Ok(_) => {}
            Err(error) if is_refusal(&error) => return Ok(TurnOutcome::LostLease),
            Err(error) => return Err(fault(error)),
        }
        // What the step has left to be looked at last is looked at here.
        let rows = held.commit(&batch::offers(&turns, now_ms)).await.map_err(fault)?;
        let mut offers: Vec<Offer> = Vec::new();
        assign_offers(&rows, &turns, |_, offer| offers.push(offer))?;
        if !turn.changes.sends.is_empty() {
            Hints::tell_of_messages(held.pool());
        }
        self.held = None;
        Ok(TurnOutcome::Written(offers))
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else { return };
        let is_busy = self.is_busy;
        // Without a runtime the connection goes, and the transaction with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let Some(process) = held.process().filter(|_| is_busy) else {
                held.roll_back().await;
                return;
            };
            // The statement may take for ever.
            let pool = Arc::clone(held.pool());
            process.cancel(&pool).await;
            drop(held);
            // Nearly always the server has heard by then that nobody is there.
            tokio::time::sleep(GOODBYE).await;
            process.end(&pool).await;
        });
    }
}

/// Runs statements of a user in a transaction of their own.
pub(super) async fn execute_batch(pool: &Arc<Pool>, sql: &str) -> Result<(), SqlError> {
    let unavailable = |error: sqlx::Error| sql_error(&error);
    let mut held = pool.acquire_soon_for_user().await.map_err(unavailable)?;
    held.begin(IDLE_LIMIT).await.map_err(unavailable)?;
    held.is_patient = true;
    let done = held.fetch(sql.to_owned()).await;
    held.is_patient = false;
    match done {
        Ok(_) => held.commit(&Script::default()).await.map(drop).map_err(|error| sql_error(&error)),
        Err(error) => {
            held.roll_back().await;
            Err(sql_error(&error))
        }
    }
}

/// Runs a query outside of all runs. It cannot write.
pub(super) async fn read(pool: &Arc<Pool>, sql: &str, params: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
    let statement = Statement::read(sql);
    if statement.kind() != Kind::Ordinary {
        return Err(not_by_a_step(sql));
    }
    let sql = statement.with(params)?;
    let mut held = pool.acquire_soon_for_user().await.map_err(|error| sql_error(&error))?;
    held.begin(IDLE_LIMIT).await.map_err(|error| sql_error(&error))?;
    held.is_patient = true;
    let rows = held.fetch(format!("SET TRANSACTION READ ONLY;\n{sql}")).await;
    held.is_patient = false;
    held.roll_back().await;
    read_rows(&rows.map_err(|error| sql_error(&error))?)
}

fn read_rows(rows: &[PgRow]) -> Result<Vec<SqlRow>, SqlError> {
    let columns: Option<Arc<[String]>> =
        rows.first().map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect());
    let Some(columns) = columns else { return Ok(Vec::new()) };
    let rows = rows.iter().map(|row| {
        let values = (0..row.len()).map(|column| value(row, column)).collect::<Result<_, _>>();
        Ok(SqlRow { columns: Arc::clone(&columns), values: values.map_err(|error| sql_error(&error))? })
    });
    rows.collect()
}

/// A column as the server writes it, as the value that comes nearest. What has no value of its own is text: times
/// (`2026-11-22 05:00:00+00`), ids, JSON, arrays.
fn value(row: &PgRow, column: usize) -> Result<SqlValue, sqlx::Error> {
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(SqlValue::Null);
    }
    let text = raw.as_str().map_err(sqlx::Error::Decode)?;
    let unlike = |error: &dyn std::fmt::Display| sqlx::Error::Decode(format!("`{text}`: {error}").into());
    Ok(match raw.type_info().name() {
        "BOOL" => SqlValue::Integer(i64::from(text == "t")),
        "INT2" | "INT4" | "INT8" | "OID" => SqlValue::Integer(text.parse().map_err(|error| unlike(&error))?),
        "FLOAT4" | "FLOAT8" => SqlValue::Real(text.parse().map_err(|error| unlike(&error))?),
        "NUMERIC" => numeric(text),
        "BYTEA" => SqlValue::Blob(bytes(text).ok_or_else(|| unlike(&"it is no `\\x` and digits"))?),
        _ => SqlValue::Text(text.to_owned()),
    })
}

/// A sum of whole numbers is a `NUMERIC`, and read as a whole number. One with a fraction is read as such where nothing
/// is lost, and as text where it is.
fn numeric(text: &str) -> SqlValue {
    if let Ok(whole) = text.parse() {
        return SqlValue::Integer(whole);
    }
    let shortest = text.trim_end_matches('0').trim_end_matches('.');
    match text.parse::<f64>() {
        Ok(real) if text.contains('.') && real.to_string() == shortest => SqlValue::Real(real),
        _ => SqlValue::Text(text.to_owned()),
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    let byte = |place| u8::from_str_radix(digits.get(place..place + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// What an error of the database means for the statement of a user.
pub(super) fn sql_error(error: &sqlx::Error) -> SqlError {
    let text =
        error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    let kind = match code(error).as_deref() {
        Some("23505") => SqlErrorKind::Unique,
        Some("23503") => SqlErrorKind::ForeignKey,
        // There is no parameter; its type is unknown; text that is no number, no time.
        Some("42P02" | "42P18" | "22P02" | "22007" | "22008" | "22003") => SqlErrorKind::Mismatch,
        Some("40001" | "40P01" | "55P03") => SqlErrorKind::Unavailable,
        // It took longer than somebody allows, and would again.
        Some("57014") => SqlErrorKind::Statement,
        Some(code) => match &code[..2] {
            "23" => SqlErrorKind::Constraint,
            "08" | "53" | "57" | "58" | "XX" => SqlErrorKind::Unavailable,
            _ => SqlErrorKind::Statement,
        },
        None => match error {
            sqlx::Error::Encode(_) => SqlErrorKind::Statement,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => SqlErrorKind::Mismatch,
            _ => SqlErrorKind::Unavailable,
        },
    };
    SqlError::new(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_come_as_what_loses_nothing() {
        assert_eq!(numeric("42"), SqlValue::Integer(42));
        assert_eq!(numeric("2.5000000000000000"), SqlValue::Real(2.5));
        assert_eq!(numeric("-0.10"), SqlValue::Real(-0.1));
        let long = "12345678901234567890.123";
        assert_eq!(numeric(long), SqlValue::Text(long.to_owned()));
        assert_eq!(numeric("99999999999999999999"), SqlValue::Text("99999999999999999999".to_owned()));
        assert_eq!(numeric("NaN"), SqlValue::Text("NaN".to_owned()));
    }

    #[test]
    fn bytes_are_read_from_their_digits() {
        assert_eq!(bytes("\\x00ff"), Some(vec![0, 255]));
        assert_eq!(bytes("\\x"), Some(vec![]));
        assert_eq!(bytes("\\x0g"), None);
    }
}
