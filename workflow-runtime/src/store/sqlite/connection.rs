//! Connections to the file: how they are opened, and how a job becomes a transaction.
//! It knows no table.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Params};

use super::SqliteOptions;
use super::trouble::Result;

/// How long a write waits for another process that has the file open, before it is tried again from the start.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many statements stay prepared: more than there are in this store.
const STATEMENTS: usize = 128;

/// The connection that writes. Creates the file where needed.
pub(super) fn writer(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", options.synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// A connection that sees what was committed, and cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Does a job in a transaction of its own. If it fails, nothing of it was ever there.
pub(super) fn transact<T>(db: &Connection, job: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    run(db, "BEGIN IMMEDIATE", ())?;
    let _open = Open(db);
    let done = job(db)?;
    run(db, "COMMIT", ())?;
    Ok(done)
}

/// Does a job that sees all tables as they are at one moment.
pub(super) fn at_one_moment<T>(db: &Connection, job: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    run(db, "BEGIN", ())?;
    let _open = Open(db);
    job(db)
}

/// Rolls back what is still open when it goes.
struct Open<'a>(&'a Connection);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        roll_back(self.0);
    }
}

pub(super) fn roll_back(db: &Connection) {
    // Some errors make SQLite roll back by itself.
    if !db.is_autocommit()
        && let Err(error) = run(db, "ROLLBACK", ())
    {
        tracing::warn!(%error, "a transaction could not be rolled back");
    }
}

/// Runs one of our own statements, which stays prepared; gives the number of rows that it has changed.
pub(super) fn run(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    db.prepare_cached(sql)?.execute(params)
}
