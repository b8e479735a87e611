//! Connections to the server, and what is done when one of them, or a transaction, meets an accident.
//! It knows messages and their fate, not what is in them.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fault;
use super::hints::Hints;
use super::patience::{PROCESS, Process, wait_for};
use super::script::{DURABILITY, Script, Settings};
use crate::store::StoreError;

/// How often something that others were in the way of is tried, before the engine hears of it.
const ATTEMPTS: usize = 10;

/// How many connections no statement of a user takes: for the commits that are under way at once, and one that is
/// [vital](Pool::acquire_vital).
const KEPT: usize = super::COMMITS_AT_ONCE + VITAL;

/// How many connections are kept for the heartbeat, and for asking what became of a statement that is waited for:
/// whoever waits holds a connection, so that asking must never wait for those who do.
const VITAL: usize = 1;

/// What a server takes in one message (1 GiB), less what sqlx puts around it.
const LONGEST_MESSAGE: usize = (1 << 30) - 1_024;

pub(super) struct Pool {
    options: PgConnectOptions,
    settings: Settings,
    /// Connections that nobody uses, the last used one last; `None` once the store is closed.
    idle: Mutex<Option<Vec<Session>>>,
    /// A network that has forgotten a connection tells nobody: what is not answered by then is lost.
    answer_timeout: Duration,
    permits: Arc<Semaphore>,
    vital: Arc<Semaphore>,
    /// Statements of users, which may take for ever, may not have all connections: the engine has to go on beside them.
    for_users: Arc<Semaphore>,
    /// Whether the server knows in one message what was prepared in another.
    prepares: AtomicBool,
    hints: Arc<Hints>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.hints.stop();
    }
}

pub(super) struct Session {
    connection: PgConnection,
    prepared: HashSet<u64>,
}

/// A connection in use. One that was left in the middle of something is closed.
pub(super) struct Held {
    pool: Arc<Pool>,
    session: Option<Session>,
    is_new: bool,
    is_clean: bool,
    /// What is asked may take as long as it likes: it is a user's, or a migration.
    pub(super) is_patient: bool,
    /// Where the transaction is that was opened here, if one is.
    process: Option<Process>,
    _permit: OwnedSemaphorePermit,
    _users: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(super) fn new(
        options: PgConnectOptions,
        settings: Settings,
        connections: usize,
        answer_timeout: Duration,
    ) -> Pool {
        Pool {
            // Poolers know no such setting.
            options: options.extra_float_digits(None).disable_statement_logging(),
            settings,
            idle: Mutex::new(Some(Vec::new())),
            answer_timeout,
            permits: Arc::new(Semaphore::new(connections.saturating_sub(VITAL).max(1))),
            vital: Arc::new(Semaphore::new(VITAL)),
            for_users: Arc::new(Semaphore::new(connections.saturating_sub(KEPT).max(1))),
            prepares: AtomicBool::new(true),
            hints: Arc::new(Hints::new()),
        }
    }

    pub(super) fn hints(&self) -> &Arc<Hints> {
        &self.hints
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// How long an answer may take.
    pub(super) fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    /// Runs a script, and gives the rows of all its statements.
    pub(super) async fn run(self: &Arc<Self>, script: &Script) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut attempts = Attempts::default();
        loop {
            let mut held = self.acquire().await?;
            match held.run(script).await {
                Err(error) if attempts.again(&error, &held) => {}
                done => return done,
            }
        }
    }

    /// The same for what must not wait until others are done.
    pub(super) async fn run_vital(self: &Arc<Self>, script: &Script) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut attempts = Attempts::default();
        loop {
            let mut held = self.acquire_vital().await?;
            match held.run(script).await {
                Err(error) if attempts.again(&error, &held) => {}
                done => return done,
            }
        }
    }

    /// A connection, when one is free.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<Held, sqlx::Error> {
        let permit = permit_of(&self.permits).await?;
        self.connect(permit, None).await
    }

    /// A connection for statements of a user, which may take as long as they like.
    pub(super) async fn acquire_for_user(self: &Arc<Self>) -> Result<Held, sqlx::Error> {
        let users = permit_of(&self.for_users).await?;
        let permit = permit_of(&self.permits).await?;
        self.connect(permit, Some(users)).await
    }

    /// The same for one who is not waited for for ever: a step that asks beside its own transaction could be waiting
    /// for itself.
    pub(super) async fn acquire_soon_for_user(self: &Arc<Self>) -> Result<Held, sqlx::Error> {
        let acquired = tokio::time::timeout(self.answer_timeout, self.acquire_for_user()).await;
        acquired.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// A connection for what has to be said soon, whatever others are at.
    pub(super) async fn acquire_vital(self: &Arc<Self>) -> Result<Held, sqlx::Error> {
        let permit = tokio::select! {
            biased;
            permit = permit_of(&self.permits) => permit?,
            permit = permit_of(&self.vital) => permit?,
        };
        self.connect(permit, None).await
    }

    pub(super) async fn close(&self) {
        self.hints.stop();
        [&self.permits, &self.vital, &self.for_users].into_iter().for_each(|permits| permits.close());
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        for session in idle.into_iter().flatten() {
            if let Err(error) = within(self.answer_timeout, session.connection.close()).await {
                tracing::debug!(%error, "a connection did not close in order; nothing is lost");
            }
        }
    }

    async fn connect(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        users: Option<OwnedSemaphorePermit>,
    ) -> Result<Held, sqlx::Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(Vec::pop);
        let (session, is_new) = match idle {
            Some(session) => (session, false),
            None => {
                let connection = within(self.answer_timeout, self.open()).await?;
                (Session { connection, prepared: HashSet::new() }, true)
            }
        };
        let session = Some(session);
        Ok(Held {
            pool: Arc::clone(self),
            session,
            is_new,
            is_clean: true,
            is_patient: false,
            process: None,
            _permit: permit,
            _users: users,
        })
    }

    async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        let row = sqlx::raw_sql(DURABILITY).fetch_one(&mut connection).await?;
        self.settings.note_durability(row.try_get(0)?);
        Ok(connection)
    }

    /// The connections that nobody uses are as old as one that turned out to be lost.
    pub(super) fn forget_idle(&self) {
        if let Some(idle) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            idle.clear();
        }
    }
}

async fn permit_of(permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, sqlx::Error> {
    Arc::clone(permits).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)
}

impl Held {
    /// Runs a script. One that is no transaction of its own belongs to the transaction that is open, if one is.
    pub(super) async fn run(&mut self, script: &Script) -> Result<Vec<PgRow>, sqlx::Error> {
        if script.is_empty() {
            return Ok(Vec::new());
        }
        // In the middle of a transaction nothing can be tried again should the server not know a statement.
        let prepares = script.is_transaction() && self.pool.prepares.load(Ordering::Relaxed);
        let session = self.session.as_mut().expect("a connection is held until it is dropped");
        let message = script.message(&self.pool.settings, prepares.then_some(&mut session.prepared));
        let done = self.fetch(message).await;
        if script.is_transaction() && done.as_ref().is_err_and(|error| code(error).is_some()) {
            self.roll_back().await;
        }
        done.map(|rows| Hints::take(&self.pool, rows))
    }

    /// Ends the transaction that is open, so that the connection can be used again; one over which no answer comes is
    /// closed.
    pub(super) async fn roll_back(&mut self) {
        let process = self.process.take();
        let Some(session) = self.session.as_mut() else { return };
        // Which statements were prepared before the error, only the server knows.
        let message = "ROLLBACK; SELECT name FROM pg_prepared_statements";
        let asked = sqlx::raw_sql(message).fetch_all(&mut session.connection);
        let Ok(rows) = within(self.pool.answer_timeout, asked).await else {
            // Should the network have forgotten it, the server does not hear of that either.
            if let Some(process) = process {
                process.end(&self.pool).await;
            }
            return;
        };
        let names = rows.iter().filter_map(|row| row.try_get::<&str, _>(0).ok());
        let hashes = names.filter_map(|name| u64::from_str_radix(name.strip_prefix("workflow_")?, 16).ok());
        session.prepared = hashes.collect();
        self.is_clean = true;
    }

    /// Sends a message, and gives the rows that come back.
    pub(super) async fn fetch(&mut self, message: String) -> Result<Vec<PgRow>, sqlx::Error> {
        refuse_too_many(message.len())?;
        let Some(process) = self.process.filter(|_| self.is_patient) else {
            return self.fetch_soon(message).await;
        };
        let was_clean = std::mem::replace(&mut self.is_clean, false);
        let session = self.session.as_mut().expect("a connection is held until it is dropped");
        let asked = sqlx::raw_sql(AssertSqlSafe(message)).fetch_all(&mut session.connection);
        let rows = wait_for(asked, process, &self.pool, self.pool.answer_timeout).await?;
        self.is_clean = was_clean;
        Ok(rows)
    }

    /// Sends a message that the server has to answer soon.
    pub(super) async fn fetch_soon(&mut self, message: String) -> Result<Vec<PgRow>, sqlx::Error> {
        refuse_too_many(message.len())?;
        let was_clean = std::mem::replace(&mut self.is_clean, false);
        let session = self.session.as_mut().expect("a connection is held until it is dropped");
        let asked = sqlx::raw_sql(AssertSqlSafe(message)).fetch_all(&mut session.connection);
        let rows = within(self.pool.answer_timeout, asked).await?;
        self.is_clean = was_clean;
        Ok(rows)
    }

    /// Sends a message within a transaction, and gives how many rows its statements have changed.
    pub(super) async fn execute(&mut self, message: String) -> Result<u64, sqlx::Error> {
        refuse_too_many(message.len())?;
        let was_clean = std::mem::replace(&mut self.is_clean, false);
        let session = self.session.as_mut().expect("a connection is held until it is dropped");
        let asked = sqlx::raw_sql(AssertSqlSafe(message)).execute(&mut session.connection);
        let timeout = self.pool.answer_timeout;
        let done = match self.process {
            Some(process) => wait_for(asked, process, &self.pool, timeout).await?,
            None => within(timeout, asked).await?,
        };
        self.is_clean = was_clean;
        Ok(done.rows_affected())
    }

    /// Opens a transaction of several messages. Should this process stand still, the server ends it by itself after a
    /// while, so that others need not wait for it for ever.
    pub(super) async fn begin(&mut self, idle_limit: &str) -> Result<(), sqlx::Error> {
        let mut message = format!("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '{idle_limit}';\n");
        self.pool.settings.put(&mut message, true);
        message.push_str(PROCESS);
        self.is_clean = false;
        self.process = Process::of(&self.fetch_soon(message).await?);
        Ok(())
    }

    /// Commits, then asks what is to be asked afterwards.
    pub(super) async fn commit(&mut self, after: &Script) -> Result<Vec<PgRow>, sqlx::Error> {
        let message = format!("COMMIT;\n{}", after.message(&self.pool.settings, None));
        let rows = self.fetch_soon(message).await?;
        (self.is_clean, self.process) = (true, None);
        Ok(Hints::take(&self.pool, rows))
    }

    /// Where the transaction is that is open.
    pub(super) fn process(&self) -> Option<Process> {
        self.process
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(session) = self.session.take().filter(|_| self.is_clean) else { return };
        if let Some(idle) = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            idle.push(session);
        }
    }
}

/// A server closes the connection over which a message comes that is longer than it takes, which looks like a network
/// that fails: it would be sent again and again.
fn refuse_too_many(bytes: usize) -> Result<(), sqlx::Error> {
    if bytes <= LONGEST_MESSAGE {
        return Ok(());
    }
    let text = format!(
        "what is to be written at once has {bytes} bytes, more than the {LONGEST_MESSAGE} that Postgres takes"
    );
    Err(sqlx::Error::Encode(text.into()))
}

/// Whether to try once more. Everything that is asked of a store may be asked again.
#[derive(Default)]
pub(super) struct Attempts(usize);

impl Attempts {
    pub(super) fn again(&mut self, error: &sqlx::Error, held: &Held) -> bool {
        self.0 += 1;
        let may_help = match code(error).as_deref() {
            // It does not know a statement that was prepared, or knows one that was not: a pooler is in between.
            Some("26000" | "42P05") => {
                if held.pool.prepares.swap(false, Ordering::Relaxed) {
                    tracing::info!(
                        "a pooler gives each transaction another session; statements are sent whole"
                    );
                }
                true
            }
            // Others were in the way: serialization, deadlock.
            Some("40001" | "40P01") => true,
            // A plan of a table that a migration has changed meanwhile.
            Some("0A000") => true,
            Some(code) => is_shutdown(code) && self.is_stale(held),
            None if is_stray(error) => true,
            None => is_lost(error) && self.is_stale(held),
        };
        may_help && self.0 < ATTEMPTS
    }

    /// For what was already looked at in the database, and has changed since.
    pub(super) fn once_more(&mut self) -> bool {
        self.0 += 1;
        self.0 < ATTEMPTS
    }

    /// The connection was opened before the server went away; a new one may find it back.
    fn is_stale(&self, held: &Held) -> bool {
        held.pool.forget_idle();
        !held.is_new
    }
}

/// What was asked over this connection is asked again over another one.
async fn within<T>(
    timeout: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(timeout, asked)
        .await
        .unwrap_or_else(|_| Err(lost(format!("the server has not answered within {timeout:?}"))))
}

/// A connection over which no answer comes.
pub(super) fn lost(message: String) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message))
}

fn is_shutdown(code: &str) -> bool {
    // admin_shutdown, crash_shutdown, idle_session_timeout; pgbouncer tells its own as connection failures.
    matches!(code, "57P01" | "57P02" | "57P05") || code.starts_with("08")
}

/// Behind a pooler, a session of the server may have been that of an engine that listened, and still be told what that
/// one wanted to hear: whoever has it next gets an answer to no question.
fn is_stray(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Protocol(text) if text.contains("NotificationResponse"))
}

fn is_lost(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_))
}

/// The code of an error that the server tells: https://www.postgresql.org/docs/current/errcodes-appendix.html
pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// A script that must not wait until others are done.
pub(super) async fn run_vital(pool: &Arc<Pool>, script: &Script) -> Result<Vec<PgRow>, StoreError> {
    pool.run_vital(script).await.map_err(fault)
}

/// A script that reads, or is one transaction.
pub(super) async fn run(pool: &Arc<Pool>, script: &Script) -> Result<Vec<PgRow>, StoreError> {
    pool.run(script).await.map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreFault;

    #[test]
    fn what_another_one_listens_to_is_no_answer() {
        let told = |text: &str| sqlx::Error::Protocol(text.to_owned());
        assert!(is_stray(&told("execute: unexpected message: NotificationResponse")));
        assert!(!is_stray(&told("execute: unexpected message: CopyData")));
    }

    #[test]
    fn what_a_server_does_not_take_is_not_tried_again() {
        assert!(refuse_too_many(1 << 29).is_ok());
        let refused = fault(refuse_too_many(1 << 30).unwrap_err());
        assert_eq!(refused.fault(), StoreFault::Refused);
        assert!(refused.to_string().contains("more than the"), "{refused}");
    }
}
