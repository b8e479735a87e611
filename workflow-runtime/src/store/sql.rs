//! SQL of users: values, rows and errors, as plain data that names no database.
//! It runs nothing; how values are read and written is in the files below.

mod read;
mod write;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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

/// What a database says against a statement. It can be part of a step's error: it is kept in the journal, and
/// `#[from]` makes `?` do the rest.
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
