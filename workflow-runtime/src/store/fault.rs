//! Why a store could not keep a promise, and whether asking again may help.
//! It names no database's own error type.

use std::error::Error;
use std::fmt;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFault {
    /// The disk is full, the database is busy, a read or write failed: the same call may succeed later.
    Unavailable,
    /// Another engine works on this store.
    Locked,
    /// What was read is not what this software wrote.
    Corrupt,
    /// The database was written by a newer release.
    NewerSchema,
    /// The database refused what was asked of it; asking again changes nothing.
    Refused,
}

/// A store could not keep a promise. Never seen by the code of a workflow.
#[derive(Debug)]
pub struct StoreError {
    fault: StoreFault,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// A failure with a text for the operator.
    pub fn new(fault: StoreFault, message: impl Into<String>) -> StoreError {
        StoreError { fault, message: message.into(), source: None }
    }

    /// Keeps the error that led to this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it was.
    pub fn fault(&self) -> StoreFault {
        self.fault
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.fault == StoreFault::Unavailable
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
