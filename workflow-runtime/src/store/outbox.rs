//! Messages on their way out of the store, as plain data.
//! How they travel, and how often that is tried, is decided elsewhere.

use std::sync::Arc;

use workflow_core::{OpId, Payload, Timestamp};

/// A message that a run sent: what a [`Transport`](crate::Transport) is handed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// By which the receiver knows a duplicate: the same for every attempt to hand it over, and for no other message.
    /// Made of the id of the run, how often it had begun, and the operation.
    pub id: String,
    /// The run that sent it.
    pub run_id: Arc<str>,
    /// The operation that sent it.
    pub op: OpId,
    /// The name of the message.
    pub message: String,
    /// The correlation key.
    pub key: String,
    /// The message itself.
    pub payload: Payload,
    /// Whether it was published, for all that listen, and not sent to one receiver.
    pub publishes: bool,
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEntry {
    /// The message.
    pub outgoing: Outgoing,
    /// When it was sent.
    pub sent_ms: Timestamp,
    /// How often handing it over has failed.
    pub attempts: u32,
    /// Not tried again before this time; 0 before the first attempt.
    pub due_ms: Timestamp,
    /// Why the last attempt failed.
    pub cause: Option<String>,
    /// It is not tried again until somebody asks for that; later messages of its run wait behind it.
    pub is_parked: bool,
}

/// What is to be handed over now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutboxPage {
    /// Messages in the order in which they were sent. The first one of each run is the oldest that the run has in the
    /// outbox.
    pub messages: Vec<OutboxEntry>,
    /// When there will be more to hand over, as far as that is known: an attempt that is to be repeated.
    pub next_due_ms: Option<Timestamp>,
}

/// What became of a message in the outbox. One that is not there any more is passed over.
#[derive(Clone, Debug, PartialEq)]
pub enum OutboxChange {
    /// It was handed over, or nobody wants it any more.
    Remove {
        /// Which one.
        id: String,
    },
    /// It could not be handed over.
    Fail {
        /// Which one.
        id: String,
        /// How often that has failed now.
        attempts: u32,
        /// Not again before this time.
        due_ms: Timestamp,
        /// Why.
        cause: String,
        /// Not again until somebody asks for it.
        parks: bool,
    },
    /// Somebody asks for a parked message to be tried again.
    Release {
        /// Which one.
        id: String,
        /// From this time on.
        due_ms: Timestamp,
    },
}

impl OutboxChange {
    /// The message that it is about.
    pub fn id(&self) -> &str {
        match self {
            OutboxChange::Remove { id }
            | OutboxChange::Fail { id, .. }
            | OutboxChange::Release { id, .. } => id,
        }
    }
}

/// Which messages of the outbox a listing shows. The default is the first hundred of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxFilter {
    /// Only those of this run.
    pub run_id: Option<String>,
    /// Only those that are not tried again until somebody asks for that.
    pub only_parked: bool,
    /// At most this many, oldest first.
    pub limit: u32,
}

impl OutboxEntry {
    /// A line for a message of which nothing can be read but its id.
    pub(crate) fn unreadable(id: String, run_id: Arc<str>, cause: String) -> OutboxEntry {
        tracing::error!(id, cause, "a message in the outbox cannot be read");
        let (op, payload) = (OpId::from_text(""), Payload::null());
        let (message, key) = (String::new(), String::new());
        OutboxEntry {
            outgoing: Outgoing { id, run_id, op, message, key, payload, publishes: false },
            sent_ms: 0,
            attempts: 0,
            due_ms: 0,
            cause: Some(cause),
            is_parked: true,
        }
    }
}

impl Default for OutboxFilter {
    fn default() -> OutboxFilter {
        OutboxFilter { run_id: None, only_parked: false, limit: 100 }
    }
}
