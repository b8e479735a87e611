//! Messages as a store keeps them: what comes in, what became of it, and what is set aside for a person.
//! Plain data; who may take a message is decided by the stores, what a message means by nobody here.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use workflow_core::{OpId, Payload, Timestamp};

use super::{Offer, Turn, TurnOutcome};

/// A message from outside.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// By which duplicates are known.
    pub message_id: String,
    /// The name of the message.
    pub message: String,
    /// The correlation key.
    pub key: String,
    /// The message itself.
    pub payload: Payload,
    /// Not given to anybody from this time on.
    pub expires_ms: Timestamp,
    /// Whether it is for all who wait, each run once, and not for one of them.
    pub is_event: bool,
    /// Whether a message of this id that is parked gives way to it. Any other message of this id does not.
    pub is_redelivery: bool,
    /// The runs that begin with it: their first turns. They are written with the message or not at all. A message
    /// that is no event is taken by them.
    pub starts: Vec<Turn>,
    /// Why it is set aside at once.
    pub parked: Option<ParkReason>,
}

impl NewMessage {
    /// A message for one run that waits for it.
    pub fn new(
        message_id: &str,
        message: &str,
        key: &str,
        payload: Payload,
        expires_ms: Timestamp,
    ) -> NewMessage {
        NewMessage {
            message_id: message_id.to_owned(),
            message: message.to_owned(),
            key: key.to_owned(),
            payload,
            expires_ms,
            is_event: false,
            is_redelivery: false,
            starts: Vec::new(),
            parked: None,
        }
    }
}

/// What became of a message from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    /// The id was known already.
    pub is_duplicate: bool,
    /// The operations that wait for such a message, longest wait first, each with the oldest message it can have. Of
    /// runs that this worker does not hold at least one is named if there is any; they are all woken.
    pub offers: Vec<Offer>,
    /// What became of the runs that begin with it, in their order. A run that a failed call did begin counts as
    /// written, as it does in a commit; of a duplicate nothing else begins.
    pub starts: Vec<TurnOutcome>,
}

/// That an operation waits for a message of this name, but cannot read this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The waiting operation; it goes on waiting.
    pub op: OpId,
    /// What is wrong with the message.
    pub error: String,
}

/// Why a message was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ParkReason {
    /// Its time to live was over before anybody took it.
    Expired,
    /// The run that waited for it cannot read it. It goes on waiting.
    Misfit {
        /// The run.
        run_id: String,
        /// The operation that waits.
        op: OpId,
        /// What is wrong with the message.
        error: String,
    },
    /// The workflow that begins with it cannot begin.
    CannotStart {
        /// The workflow.
        workflow: String,
        /// What is wrong with the message, or with the code.
        error: String,
    },
    /// What is kept of it cannot be read: somebody has changed the database by hand, or its disk is broken. Only its
    /// id is to be trusted.
    Unreadable {
        /// What is wrong.
        error: String,
    },
}

impl fmt::Display for ParkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParkReason::Expired => f.write_str("nobody took it before its time to live was over"),
            ParkReason::Misfit { run_id, op, error } => {
                write!(f, "it does not fit what `{op}` of the run `{run_id}` waits for: {error}")
            }
            ParkReason::CannotStart { workflow, error } => {
                write!(f, "the workflow `{workflow}` cannot begin with it: {error}")
            }
            ParkReason::Unreadable { error } => write!(f, "what is kept of it cannot be read: {error}"),
        }
    }
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageStatus {
    /// Its place in the order in which messages came.
    pub number: i64,
    /// By which duplicates are known.
    pub message_id: String,
    /// The name of the message.
    pub message: String,
    /// The correlation key.
    pub key: String,
    /// The message itself.
    pub payload: Payload,
    /// Whether it was published to all who wait, and not sent to one of them.
    pub is_event: bool,
    /// When it came.
    pub delivered_ms: Timestamp,
    /// Not given to anybody from this time on.
    pub expires_ms: Timestamp,
    /// What became of it.
    pub state: MessageState,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// Nobody has taken it yet.
    Waiting,
    /// These runs took it. An event may reach others until its time to live is over, and may have reached nobody
    /// by then.
    Taken {
        /// In the order of their ids.
        by: Vec<Taker>,
    },
    /// It is set aside, to be redelivered or discarded.
    Parked(ParkReason),
    /// A person has thrown it away.
    Discarded,
}

impl MessageStatus {
    /// A line for a message of which nothing can be read but its id.
    pub(crate) fn unreadable(number: i64, message_id: String, error: String) -> MessageStatus {
        tracing::error!(message_id, error, "what is kept of a message cannot be read");
        MessageStatus {
            number,
            message_id,
            message: String::new(),
            key: String::new(),
            payload: Payload::null(),
            is_event: false,
            delivered_ms: 0,
            expires_ms: 0,
            state: MessageState::Parked(ParkReason::Unreadable { error }),
        }
    }
}

/// A run that took a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taker {
    /// The run.
    pub run_id: Arc<str>,
    /// The operation that waited for it; `None` when the run began with it.
    pub op: Option<OpId>,
}

/// Which messages a listing shows. The default is the first hundred of all messages.
///
/// ```
/// use workflow_runtime::MessageFilter;
/// let parked = MessageFilter { only_parked: true, ..MessageFilter::default() };
/// assert_eq!(parked.limit, 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFilter {
    /// Only the message with this id.
    pub message_id: Option<String>,
    /// Only messages of this name.
    pub message: Option<String>,
    /// Only messages with this correlation key.
    pub key: Option<String>,
    /// Only messages that this run took, began with, or could not read.
    pub run_id: Option<String>,
    /// Only messages that nobody has taken yet.
    pub only_waiting: bool,
    /// Only messages that were taken.
    pub only_taken: bool,
    /// Only messages that are set aside.
    pub only_parked: bool,
    /// Only messages that came after this one: the last number of the page before.
    pub after: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

impl Default for MessageFilter {
    fn default() -> MessageFilter {
        MessageFilter {
            message_id: None,
            message: None,
            key: None,
            run_id: None,
            only_waiting: false,
            only_taken: false,
            only_parked: false,
            after: None,
            limit: 100,
        }
    }
}

/// What may go from a store by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Which time it is: messages that have expired by now are noted as parked.
    pub now_ms: Timestamp,
    /// Messages that were settled (taken, parked, discarded, or over) by then are removed.
    pub messages_until_ms: Timestamp,
    /// Runs that ended by then are removed with their journals; none when this is `None`.
    pub runs_until_ms: Option<Timestamp>,
    /// Removes no runs but these; any when this is `None`.
    pub only_runs: Option<Vec<Arc<str>>>,
    /// At most so many messages, and so many rows of journals (but at least one run), at once.
    pub limit: u32,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many messages were noted as expired.
    pub expired: u32,
    /// How many messages were removed.
    pub messages: u32,
    /// How many runs were removed.
    pub runs: u32,
}

impl Swept {
    /// Whether there was anything to do; then there may be more.
    pub fn is_anything(&self) -> bool {
        *self != Swept::default()
    }
}
