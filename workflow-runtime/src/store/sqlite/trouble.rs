//! What SQLite says when it does not do what it is asked, and what that means for the engine and for users' SQL.
//! It decides nothing: whether to ask again is up to whoever asked.

use rusqlite::types::ValueRef;
use rusqlite::{Error, Row};

use crate::store::{SqlError, SqlErrorKind, StoreError, StoreFault};

/// Why a job on a connection came to nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database says so.
    Database(Error),
    /// What the database holds, or what is asked of it, is wrong.
    Store(StoreError),
    /// A user's statement is, without the database being asked.
    Sql(SqlError),
}

pub(super) type Result<T> = std::result::Result<T, Trouble>;

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Database(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Store(error)
    }
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Trouble {
        Trouble::Sql(error)
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> StoreError {
        match trouble {
            Trouble::Database(error) => fault(error),
            Trouble::Store(error) => error,
            Trouble::Sql(error) => StoreError::new(StoreFault::Refused, error.to_string()).caused_by(error),
        }
    }
}

impl Trouble {
    /// What was read is not what this software wrote: other rows may well be.
    pub(super) fn is_corrupt(&self) -> bool {
        match self {
            Trouble::Database(error) => is_misfit(error),
            Trouble::Store(error) => error.fault() == StoreFault::Corrupt,
            Trouble::Sql(_) => false,
        }
    }

    /// The same, with the row named if it is what is wrong.
    pub(super) fn about(self, row: impl FnOnce() -> String) -> Trouble {
        if !self.is_corrupt() {
            return self;
        }
        let error = StoreError::from(self);
        let message = format!("{} cannot be read: {error}", row());
        StoreError::new(StoreFault::Corrupt, message).caused_by(error).into()
    }

    /// What it means for the statement of a user.
    pub(super) fn to_sql(&self) -> SqlError {
        match self {
            Trouble::Database(error) => sql_error(error),
            Trouble::Store(error) => SqlError::new(SqlErrorKind::Unavailable, error.to_string()),
            Trouble::Sql(error) => error.clone(),
        }
    }
}

/// A value as people read it, where a name is expected.
pub(super) fn shown(row: &Row<'_>, column: usize) -> String {
    match row.get_ref(column) {
        Ok(ValueRef::Text(text)) => format!("`{}`", String::from_utf8_lossy(text)),
        Ok(other) => format!("{other:?}"),
        Err(error) => error.to_string(),
    }
}

/// What can be read, where one row must not keep others from being read; what cannot be is said aloud.
pub(super) fn legible<T>(read: Result<T>, row: impl FnOnce() -> String) -> Result<Option<T>> {
    match read.map_err(|trouble| trouble.about(row)) {
        Ok(read) => Ok(Some(read)),
        Err(trouble) if trouble.is_corrupt() => {
            let error = StoreError::from(trouble);
            tracing::error!(%error, "a row of the database is corrupt and is left out");
            Ok(None)
        }
        Err(trouble) => Err(trouble),
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::new(StoreFault::Refused, "the store was closed")
}

/// What an error of the database means for the engine.
fn fault(error: Error) -> StoreError {
    // The low byte of an extended result code is the plain one: https://www.sqlite.org/rescode.html
    let fault = match result_code(&error).map(|code| code & 0xff) {
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL
        Some(5 | 6 | 7 | 8 | 9 | 10 | 13 | 14 | 15) => StoreFault::Unavailable,
        // CORRUPT, NOTADB
        Some(11 | 26) => StoreFault::Corrupt,
        Some(_) => StoreFault::Refused,
        None if is_misfit(&error) => StoreFault::Corrupt,
        None => StoreFault::Refused,
    };
    StoreError::new(fault, error.to_string()).caused_by(error)
}

fn sql_error(error: &Error) -> SqlError {
    let text = message(error);
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
        None if is_misfit(error) => SqlErrorKind::Mismatch,
        None => SqlErrorKind::Statement,
    };
    if text.starts_with("cannot start a transaction within a transaction") {
        let message = format!("{text}: a step runs inside of one already; for a part of it, use SAVEPOINT");
        return SqlError::new(kind, message);
    }
    if matches!(error, Error::MultipleStatement) {
        return SqlError::new(kind, "more than one statement at once: run them one after the other");
    }
    SqlError::new(kind, text)
}

/// A value is not of the type that is asked for.
fn is_misfit(error: &Error) -> bool {
    use Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    )
}

fn message(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        _ => error.to_string(),
    }
}

fn result_code(error: &Error) -> Option<i32> {
    match error {
        Error::SqliteFailure(error, _) | Error::SqlInputError { error, .. } => Some(error.extended_code),
        _ => None,
    }
}
