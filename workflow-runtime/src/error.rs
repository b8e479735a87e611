//! What can go wrong for those who use the engine from outside.
//! Opaque, with predicates for what an operator or a handler has to tell apart.

use std::fmt;
use std::sync::Arc;

use workflow_core::{Payload, PayloadError};

use crate::store::{StoreError, StoreFault};

/// An engine, a client or a store could not do what was asked. Cheap to clone; the cause is kept as the source.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Arc<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the engine cannot start: {} (WF070, docs/errors/WF070.md)", .0.join("; "))]
    Setup(Vec<String>),
    #[error("{0}")]
    UnknownWorkflow(String),
    #[error("there is no run `{0}`")]
    UnknownRun(Arc<str>),
    #[error("{0}")]
    Taken(String),
    #[error("{0}")]
    BadInput(String),
    #[error("{what} has {bytes} bytes, more than the {limit} that this engine takes")]
    TooLarge { what: String, bytes: usize, limit: usize },
    #[error("{what} cannot be stored in the journal: {error}")]
    Unstorable { what: String, error: PayloadError },
    #[error("{what} does not fit the type that is asked for: {error}")]
    Unreadable { what: String, error: PayloadError },
    #[error("the workflow cannot begin: {0}")]
    CannotBegin(#[source] workflow_core::CoreError),
    #[error("{0}")]
    NothingToRetry(String),
    #[error("{0}")]
    UnknownMessage(String),
    #[error("{0}")]
    NotParked(String),
    #[error("{0}")]
    NotStuck(String),
    #[error("the runs cannot be written: {0}")]
    Export(#[source] std::io::Error),
    #[error("the engine has stopped; what is not finished goes on when an engine starts again")]
    Stopped,
}

impl<K: Into<ErrorKind>> From<K> for Error {
    fn from(kind: K) -> Error {
        Error(Arc::new(kind.into()))
    }
}

impl Error {
    /// Whether the run that was named does not exist.
    pub fn is_unknown_run(&self) -> bool {
        matches!(*self.0, ErrorKind::UnknownRun(_))
    }

    /// Whether the workflow that was named is not registered.
    pub fn is_unknown_workflow(&self) -> bool {
        matches!(*self.0, ErrorKind::UnknownWorkflow(_))
    }

    /// Whether the id belongs to a run of another workflow, or with other input.
    pub fn is_taken(&self) -> bool {
        matches!(*self.0, ErrorKind::Taken(_))
    }

    /// Whether what was passed in is at fault: an id, a key or a payload that is not taken.
    pub fn is_bad_input(&self) -> bool {
        matches!(*self.0, ErrorKind::BadInput(_) | ErrorKind::TooLarge { .. } | ErrorKind::Unstorable { .. })
    }

    /// Whether a payload was over the limit.
    pub fn is_too_large(&self) -> bool {
        matches!(*self.0, ErrorKind::TooLarge { .. })
    }

    /// Whether the engine is set up wrongly: a missing resource, a workflow registered twice, no store.
    pub fn is_setup(&self) -> bool {
        matches!(*self.0, ErrorKind::Setup(_))
    }

    /// Whether another engine works on the store.
    pub fn is_locked(&self) -> bool {
        self.store_fault() == Some(StoreFault::Locked)
    }

    /// Whether the database was written by a newer release.
    pub fn is_newer_schema(&self) -> bool {
        self.store_fault() == Some(StoreFault::NewerSchema)
    }

    /// Whether the store failed.
    pub fn is_store(&self) -> bool {
        self.store_fault().is_some()
    }

    /// Whether the engine has stopped, or is about to.
    pub fn is_stopped(&self) -> bool {
        matches!(*self.0, ErrorKind::Stopped)
    }

    /// Whether there was no incident to retry.
    pub fn is_nothing_to_retry(&self) -> bool {
        matches!(*self.0, ErrorKind::NothingToRetry(_))
    }

    /// Whether nothing is stuck where somebody wanted to skip it or give it up.
    pub fn is_not_stuck(&self) -> bool {
        matches!(*self.0, ErrorKind::NotStuck(_))
    }

    /// Whether no registered workflow knows a message of that name, or no message has that id.
    pub fn is_unknown_message(&self) -> bool {
        matches!(*self.0, ErrorKind::UnknownMessage(_))
    }

    /// Whether the message that was named is not set aside: it waits, was taken, or was discarded.
    pub fn is_not_parked(&self) -> bool {
        matches!(*self.0, ErrorKind::NotParked(_))
    }

    fn store_fault(&self) -> Option<StoreFault> {
        match &*self.0 {
            ErrorKind::Store(error) => Some(error.fault()),
            _ => None,
        }
    }
}

/// Why a run has no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RunError<E> {
    /// The workflow ended with its own error, after everything that was done has been undone.
    Failed(E),
    /// The run was cancelled, after everything that was done has been undone.
    Cancelled {
        /// Why, in the words of the person who asked.
        reason: String,
    },
    /// Nobody knows yet: the engine has stopped, there is no such run, or the store failed.
    Unavailable(Error),
}

impl<E> RunError<E> {
    /// The workflow's own error.
    pub fn into_failed(self) -> Option<E> {
        match self {
            RunError::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, RunError::Cancelled { .. })
    }
}

impl<E: fmt::Display> fmt::Display for RunError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Failed(error) => error.fmt(f),
            RunError::Cancelled { reason } => write!(f, "the run was cancelled: {reason}"),
            RunError::Unavailable(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for RunError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RunError::Unavailable(error) => error.source(),
            _ => None,
        }
    }
}

/// A workflow's own error, for those who do not know its type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RunFailure {
    /// The error's code.
    pub code: String,
    /// The error's text.
    pub message: String,
    /// The error, as the workflow's error type writes it.
    pub error: Payload,
}
