//! SQL of users: values, rows and errors, as plain data that names no database.
//! It runs nothing; how values are read and written is in the files below.

mod read;
mod write;

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use workflow_core::StepError;
use workflow_graph::ErrorFacts;

pub use write::SqlParams;

/// A value of a column or a parameter, as databases know it.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// Nothing.
    Null,
    /// A whole number; also a `bool`, as 0 or 1.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text; also what has an inner structure, as JSON.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A row that a query came back with.
#[derive(Clone, Debug, PartialEq)]
pub struct SqlRow {
    /// The names of the columns, in order. Rows of one answer share them.
    pub columns: Arc<[String]>,
    /// The values, in the same order.
    pub values: Vec<SqlValue>,
}

impl SqlRow {
    /// The row as a value: a tuple by the order of the columns, a struct by their names, anything else from the only
    /// column.
    ///
    /// # Errors
    /// When it does not fit the type.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, SqlError> {
        read::row(self).map_err(|error| {
            SqlError::new(
                SqlErrorKind::Mismatch,
                format!("a row does not fit the type that is asked for: {error}"),
            )
        })
    }
}

/// What a database says against a statement. It is a step error of its own, with a name for each kind, and it can be
/// part of another: `#[from]` makes `?` do the rest.
///
/// ```
/// use workflow_runtime::{SqlError, prelude::*};
/// #[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
/// pub enum BookError {
///     #[error("this seat is taken")]
///     Taken,
///     #[error(transparent)]
///     Sql(#[from] SqlError),
/// }
///
/// #[step]
/// async fn book(tx: &mut Tx, seat: u32, guest: &str) -> Result<(), BookError> {
///     match tx.execute("INSERT INTO bookings (seat, guest) VALUES (?, ?)", (seat, guest)).await {
///         Err(error) if error.is_unique_violation() => Err(BookError::Taken),
///         done => Ok(done.map(drop)?),
///     }
/// }
///
/// #[step]
/// async fn cancel(tx: &mut Tx, seat: u32) -> Result<u64, SqlError> {
///     tx.execute("DELETE FROM bookings WHERE seat = ?", (seat,)).await
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct SqlError {
    kind: SqlErrorKind,
    message: String,
}

/// What a statement ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SqlErrorKind {
    /// A row with this key is there already.
    Unique,
    /// A row that is referred to is not there, or one that is referred to would go.
    ForeignKey,
    /// Another constraint of the table: `NOT NULL`, `CHECK`.
    Constraint,
    /// Parameters or rows do not fit the statement or the type that is asked for.
    Mismatch,
    /// The statement is not taken: its text is wrong, or a step must not run it.
    Statement,
    /// The database itself is in trouble. An attempt that meets it is repeated, whatever its body makes of this error.
    Unavailable,
}

const fn facts(variant: &'static str, label: &'static str, transient: bool) -> ErrorFacts {
    let (code, label) = (Cow::Borrowed(variant), Cow::Borrowed(label));
    ErrorFacts { variant: Cow::Borrowed(variant), code, label, transient, wraps: &[] }
}

impl StepError for SqlError {
    /// In the order of [`SqlErrorKind`].
    const ERRORS: &'static [ErrorFacts] = &[
        facts("Unique", "There already", false),
        facts("ForeignKey", "Not there", false),
        facts("Constraint", "Against a rule of the table", false),
        facts("Mismatch", "Wrong parameters or rows", false),
        facts("Statement", "Wrong statement", false),
        facts("Unavailable", "Database not available", true),
    ];

    fn index(&self) -> usize {
        match self.kind {
            SqlErrorKind::Unique => 0,
            SqlErrorKind::ForeignKey => 1,
            SqlErrorKind::Constraint => 2,
            SqlErrorKind::Mismatch => 3,
            SqlErrorKind::Statement => 4,
            SqlErrorKind::Unavailable => 5,
        }
    }
}

impl SqlError {
    /// An error of a store.
    pub fn new(kind: SqlErrorKind, message: impl Into<String>) -> SqlError {
        SqlError { kind, message: message.into() }
    }

    /// What the statement ran into.
    pub fn kind(&self) -> SqlErrorKind {
        self.kind
    }

    /// Whether a row with this key is there already.
    pub fn is_unique_violation(&self) -> bool {
        self.kind == SqlErrorKind::Unique
    }

    /// Whether a row is missing that is referred to, or would be.
    pub fn is_foreign_key_violation(&self) -> bool {
        self.kind == SqlErrorKind::ForeignKey
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        use SqlErrorKind::{Constraint, ForeignKey, Mismatch, Statement, Unavailable, Unique};
        for kind in [Unique, ForeignKey, Constraint, Mismatch, Statement, Unavailable] {
            let facts = SqlError::new(kind, "text").facts();
            assert_eq!(facts.variant, format!("{kind:?}"));
            assert_eq!(facts.transient, kind == Unavailable);
        }
    }
}
