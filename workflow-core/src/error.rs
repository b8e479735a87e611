//! Why a run cannot go on: the code and the journal disagree, or a value cannot be kept.
//! Never seen by the code of a workflow; for the operator and the engine.

use std::fmt;

use crate::{ForeignFuture, OpId, PayloadError};

/// A run cannot go on with this code. Nothing that was recorded changes: with code that fits, it goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// The code asks for something else than the journal says it asked for.
    #[error(transparent)]
    Mismatch(Mismatch),
    /// A recorded value does not fit the type that the code now has for it.
    #[error("the recorded value of `{what}` does not fit its type: {error} (WF102, docs/errors/WF102.md)")]
    Unreadable {
        /// The operation, or `the input`.
        what: String,
        /// What serde says.
        error: PayloadError,
    },
    /// A value cannot be written to the journal.
    #[error("the value of `{what}` cannot be stored in the journal: {error} (WF104, docs/errors/WF104.md)")]
    Unstorable {
        /// The operation, or `the result`.
        what: String,
        /// What serde says.
        error: PayloadError,
    },
    /// The code waits for something that no journal records.
    #[error(transparent)]
    ForeignFuture(ForeignFuture),
    /// Subflows call each other without an end.
    #[error("`{op}` is called inside of more than {deepest} other subflows (WF106, docs/errors/WF106.md)")]
    TooDeep {
        /// The call.
        op: OpId,
        /// How deep they may call each other.
        deepest: u32,
    },
    /// The run wants to go on as a run of another workflow.
    #[error(
        "the code continues as the workflow `{other}`, which is another one (WF107, docs/errors/WF107.md)"
    )]
    ContinuedAsOther {
        /// The other workflow.
        other: String,
    },
    /// The code of the workflow panicked.
    #[error("the code of the workflow panicked: {message} (WF105, docs/errors/WF105.md)")]
    Panicked {
        /// The panic's message.
        message: String,
    },
}

impl CoreError {
    /// Whether the code broke off on an event that did happen, as opposed to an event that fits no code.
    pub fn broke_off(&self) -> bool {
        !matches!(self, CoreError::Mismatch(_))
    }
}

/// The code of a run and its journal name different things at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The run.
    pub run_id: String,
    /// The row of the journal, counted from 1.
    pub row: usize,
    /// What the journal says.
    pub journal: String,
    /// What the code asks for.
    pub code: String,
    /// The operation in question, if it is one.
    pub op: Option<OpId>,
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "run {}, journal row {}: the journal says {}, the code asks for {} (WF101, docs/errors/WF101.md)",
            self.run_id, self.row, self.journal, self.code
        )
    }
}
