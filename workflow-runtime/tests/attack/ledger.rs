//! What steps really did: a database of its own that their bodies write to, in autocommit and never through the engine.
//! It must not know what any of it should have been.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use workflow_runtime::StepContext;

use crate::load::Trouble;

/// What is wrong with a call of a step, besides what is done to its process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Flaw {
    Nothing,
    /// So many attempts fail with an error that is retried.
    Busy(u32),
    /// The first attempt panics after its work is done.
    Panics,
    /// The answer is an error.
    Declines,
}

/// A call of a step's body, as the ledger knows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// Calls are numbered in the order in which they began.
    pub(crate) number: i64,
    pub(crate) worker: u32,
    pub(crate) run_id: String,
    /// The key by which all attempts of one call of the workflow are known.
    pub(crate) key: String,
    pub(crate) step: String,
    pub(crate) what: String,
    pub(crate) attempt: u32,
    pub(crate) began_ms: i64,
    /// How it ended and when; `None` when its process did not live to tell.
    pub(crate) end: Option<(String, i64)>,
}

impl Call {
    pub(crate) fn is_done(&self) -> bool {
        self.end.as_ref().is_some_and(|(end, _)| end == "done")
    }
}

/// Clones write to the same file.
#[derive(Clone)]
pub(crate) struct Ledger {
    connection: Arc<Mutex<Connection>>,
    worker: u32,
}

impl Ledger {
    pub(crate) fn open(path: &Path, worker: u32) -> Ledger {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(60)).unwrap();
        // Processes die here, not machines. A short log, so that a limit for the size of files is met by others.
        // This one does not wait for others that have the file open.
        while connection.pragma_update(None, "journal_mode", "WAL").is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection.pragma_update(None, "wal_autocheckpoint", 50).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS calls (number INTEGER PRIMARY KEY AUTOINCREMENT, worker INTEGER, \
                 run_id TEXT, key TEXT, step TEXT, what TEXT, attempt INTEGER, began_ms INTEGER, ended TEXT, \
                 ended_ms INTEGER)",
            )
            .unwrap();
        Ledger { connection: Arc::new(Mutex::new(connection)), worker }
    }

    /// The body of every step: it does its work, for a moment, and comes to the end that its flaw says.
    pub(crate) async fn call(
        &self,
        cx: &StepContext,
        step: &str,
        what: String,
        flaw: Flaw,
    ) -> Result<i64, Trouble> {
        let number = self.begin(cx, step, &what);
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..4_000))).await;
        let (end, answer) = match flaw {
            Flaw::Busy(attempts) if cx.attempt() <= attempts => ("busy", Err(Trouble::Busy)),
            Flaw::Panics if cx.attempt() == 1 => ("panicked", Ok(number)),
            Flaw::Declines => ("declined", Err(Trouble::Declined)),
            _ => ("done", Ok(number)),
        };
        self.end(number, end);
        assert!(end != "panicked", "the step was told to panic");
        answer
    }

    pub(crate) fn begin(&self, cx: &StepContext, step: &str, what: &str) -> i64 {
        let connection = self.connection.lock().unwrap();
        let sql = "INSERT INTO calls (worker, run_id, key, step, what, attempt, began_ms) \
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        let values =
            params![self.worker, cx.run_id(), cx.idempotency_key(), step, what, cx.attempt(), now_ms()];
        connection.execute(sql, values).unwrap();
        connection.last_insert_rowid()
    }

    pub(crate) fn end(&self, number: i64, end: &str) {
        let sql = "UPDATE calls SET ended = ?, ended_ms = ? WHERE number = ?";
        self.connection.lock().unwrap().execute(sql, params![end, now_ms(), number]).unwrap();
    }

    /// All calls, in the order in which they began.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let connection = self.connection.lock().unwrap();
        let mut statement = connection
            .prepare(
                "SELECT number, worker, run_id, key, step, what, attempt, began_ms, ended, ended_ms FROM calls \
                 ORDER BY number",
            )
            .unwrap();
        let calls = statement.query_map((), |row| {
            let ended: Option<String> = row.get(8)?;
            Ok(Call {
                number: row.get(0)?,
                worker: row.get(1)?,
                run_id: row.get(2)?,
                key: row.get(3)?,
                step: row.get(4)?,
                what: row.get(5)?,
                attempt: row.get(6)?,
                began_ms: row.get(7)?,
                end: ended.map(|ended| Ok::<_, rusqlite::Error>((ended, row.get(9)?))).transpose()?,
            })
        });
        calls.unwrap().map(Result::unwrap).collect()
    }

    /// How many calls have begun so far.
    pub(crate) fn count(&self) -> i64 {
        let connection = self.connection.lock().unwrap();
        let count = connection.query_row("SELECT max(number) FROM calls", (), |row| row.get(0));
        count.optional().unwrap().flatten().unwrap_or(0)
    }
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
