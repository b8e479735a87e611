//! The way that messages take out of an engine: pluggable, in order, at least once.
//! It must not know how they are kept until then.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use crate::store::Outgoing;

/// Hands messages that runs sent to whoever is to get them: a broker, another service, a test. Set with
/// [`EngineBuilder::transport`](crate::EngineBuilder::transport); without one, messages go to the runs of the same
/// engine.
///
/// What is promised: a message leaves only after the turn that sent it is on the disk; it is handed over at least once,
/// and under the same [`Outgoing::id`] each time, so that the receiver can drop duplicates; messages of one run are
/// handed over in the order in which they were sent, one after the other. Between two runs there is no order. A
/// message that fails is tried again after a wait, and the later ones of its run wait behind it. One that is refused,
/// or has failed too often, is parked: [`Client::outbox`](crate::Client::outbox) shows it, and its run's later
/// messages wait until somebody resends or discards it. Other runs are not held up.
///
/// ```
/// use workflow_runtime::{Outgoing, Transport, TransportError};
///
/// struct Printer;
///
/// #[async_trait::async_trait]
/// impl Transport for Printer {
///     async fn hand_over(&self, message: &Outgoing) -> Result<(), TransportError> {
///         println!("{} {}: {}", message.id, message.message, message.payload);
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Hands one message over. When this returns `Ok`, the message is somebody else's affair. It has a minute.
    ///
    /// # Errors
    /// When the message was not taken: [`TransportError::unavailable`] if it may be later,
    /// [`TransportError::refused`] if asking again changes nothing.
    async fn hand_over(&self, message: &Outgoing) -> Result<(), TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn hand_over(&self, message: &Outgoing) -> Result<(), TransportError> {
        (**self).hand_over(message).await
    }
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    cause: String,
    is_refusal: bool,
}

impl TransportError {
    /// Nobody takes messages at the moment: it is tried again after a wait.
    pub fn unavailable(cause: impl fmt::Display) -> TransportError {
        TransportError { cause: cause.to_string(), is_refusal: false }
    }

    /// This very message is not taken, however often it is offered: it is parked at once.
    pub fn refused(cause: impl fmt::Display) -> TransportError {
        TransportError { cause: cause.to_string(), is_refusal: true }
    }

    /// Whether asking again changes nothing.
    pub fn is_refusal(&self) -> bool {
        self.is_refusal
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for TransportError {}

/// A transport for tests: keeps what it is handed, and fails when it is told to. Clones are the same transport.
///
/// ```
/// # async fn f() -> Result<(), workflow_runtime::Error> {
/// use workflow_runtime::{Engine, Memory, RecordingTransport};
/// let transport = RecordingTransport::new();
/// let engine = Engine::builder().store(Memory::new()).transport(transport.clone()).start().await?;
/// assert!(transport.handed_over().is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct RecordingTransport {
    record: Arc<Mutex<Record>>,
}

#[derive(Default)]
struct Record {
    handed_over: Vec<Outgoing>,
    failures: Vec<Failure>,
}

struct Failure {
    message: Option<String>,
    error: TransportError,
    times: usize,
}

impl RecordingTransport {
    /// One that takes everything.
    pub fn new() -> RecordingTransport {
        RecordingTransport::default()
    }

    /// What was taken so far, in this order.
    pub fn handed_over(&self) -> Vec<Outgoing> {
        self.record().handed_over.clone()
    }

    /// The next so many messages, whichever, are not taken.
    pub fn fail_next(&self, times: usize, error: TransportError) {
        self.record().failures.push(Failure { message: None, error, times });
    }

    /// The next so many messages of this name are not taken.
    pub fn fail_message(&self, message: impl Into<String>, times: usize, error: TransportError) {
        self.record().failures.push(Failure { message: Some(message.into()), error, times });
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("nothing panics while the record is locked")
    }
}

#[async_trait]
impl Transport for RecordingTransport {
    async fn hand_over(&self, message: &Outgoing) -> Result<(), TransportError> {
        let mut record = self.record();
        let is_meant = |failure: &&mut Failure| {
            failure.times > 0 && failure.message.as_ref().is_none_or(|name| *name == message.message)
        };
        if let Some(failure) = record.failures.iter_mut().find(is_meant) {
            failure.times -= 1;
            return Err(failure.error.clone());
        }
        record.handed_over.push(message.clone());
        Ok(())
    }
}
