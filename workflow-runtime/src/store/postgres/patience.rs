//! Statements that may take as long as they like: a user's, or a migration. They are waited for as long as the server
//! is at work on them, which is asked over another connection: a network that has forgotten a connection tells nobody.
//! What the statements do is not known here.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::pool::{Attempts, Pool, lost};

/// A session of the server, for as long as one transaction lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Process {
    pid: i32,
    /// When the transaction began, in microseconds by the server's clock: behind a pooler the session may serve
    /// somebody else afterwards.
    began: i64,
}

/// Asked at the beginning of a transaction.
pub(super) const PROCESS: &str = "SELECT pg_backend_pid(), (extract(epoch FROM now()) * 1000000)::int8::text";

/// What a session is at, as others see it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    AtWork,
    /// The answer is on its way, or nobody takes it.
    Answers,
    /// It has answered, or was never asked, or is not there any more.
    Idle,
}

/// So much speaks against a connection that it is given up: an idle session twice in a row, one that answers for long.
const LOST: u32 = 10;

impl Process {
    pub(super) fn of(rows: &[PgRow]) -> Option<Process> {
        let row = rows.last()?;
        let began = row.try_get_raw(1).ok().and_then(|raw| raw.as_str().ok()?.parse().ok())?;
        Some(Process { pid: row.try_get(0).ok()?, began })
    }

    fn named(self) -> String {
        let Process { pid, began } = self;
        format!("pid = {pid} AND (extract(epoch FROM xact_start) * 1000000)::int8 = {began}")
    }

    async fn state(self, pool: &Arc<Pool>) -> Result<State, sqlx::Error> {
        let sql = "SELECT CASE WHEN state IN ('idle', 'idle in transaction', 'idle in transaction (aborted)') THEN 'i' \
                   WHEN wait_event = 'ClientWrite' THEN 'a' END FROM pg_stat_activity WHERE ";
        let rows = ask(pool, format!("{sql}{}", self.named())).await?;
        let Some(row) = rows.first() else { return Ok(State::Idle) };
        Ok(match row.try_get::<Option<&str>, _>(0)? {
            Some("i") => State::Idle,
            Some(_) => State::Answers,
            None => State::AtWork,
        })
    }

    /// Has the server stop what this session is at.
    pub(super) async fn cancel(self, pool: &Arc<Pool>) {
        self.tell(pool, "pg_cancel_backend").await;
    }

    /// Has the server end this session, if it is still in that transaction: else what it has locked would stay locked
    /// for as long as the server believes that somebody is there.
    pub(super) async fn end(self, pool: &Arc<Pool>) {
        self.tell(pool, "pg_terminate_backend").await;
    }

    async fn tell(self, pool: &Arc<Pool>, what: &str) {
        let message = format!("SELECT {what}(pid) FROM pg_stat_activity WHERE {}", self.named());
        if let Err(error) = ask(pool, message).await {
            tracing::debug!(%error, "a transaction that nobody waits for any more may go on for a while");
        }
    }
}

/// Waits for what was asked in this process.
pub(super) async fn wait_for<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
    process: Process,
    pool: &Arc<Pool>,
    look_after: Duration,
) -> Result<T, sqlx::Error> {
    let mut asked = pin!(asked);
    let (mut against, mut pause) = (0, look_after);
    loop {
        if let Ok(done) = tokio::time::timeout(pause, &mut asked).await {
            return done;
        }
        let state = tokio::select! {
            biased;
            done = &mut asked => return done,
            state = process.state(pool) => state,
        };
        (against, pause) = match state {
            Ok(State::AtWork) => (0, look_after),
            Ok(State::Answers) => (against + 1, look_after),
            // Once more, soon: the answer may have crossed the question.
            Ok(State::Idle) => (against + LOST / 2, look_after / 4),
            // Nobody can be asked. Whether the connection is lost shows once the server is there again.
            Err(_) => (against, look_after),
        };
        if against >= LOST {
            process.end(pool).await;
            return Err(lost("the server is at work on nothing any more, and no answer has come".to_owned()));
        }
    }
}

/// Over another connection, which is not waited for for long.
async fn ask(pool: &Arc<Pool>, message: String) -> Result<Vec<PgRow>, sqlx::Error> {
    let mut attempts = Attempts::default();
    loop {
        let mut held = pool.acquire_vital().await?;
        match held.fetch_soon(message.clone()).await {
            Err(error) if attempts.again(&error, &held) => {}
            done => return done,
        }
    }
}
