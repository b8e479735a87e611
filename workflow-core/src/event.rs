//! What the journal records: events that came from outside, and what the code asked for in answer.
//! Plain data that serde writes; nothing here decides anything.

use serde::{Deserialize, Serialize};

use crate::{Command, Conclusion, OpId, Payload, Timestamp};

/// Something that happened to a run. Fed to it one at a time, in the order of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The run begins. Always the first event, and only the first.
    Started {
        /// The arguments of the workflow.
        input: Payload,
        /// How often the run has begun: more than once when it continued as new.
        #[serde(default = "first", skip_serializing_if = "is_first")]
        generation: u32,
        /// The operation that started this run, if it is a child.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<Parent>,
    },
    /// A step gave its answer, or a compensation is done.
    StepCompleted {
        /// Which one.
        op: OpId,
        /// The value that the code sees.
        output: Payload,
        /// The variant of the step's error if the answer is an error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// An attempt of a step failed without being the step's answer.
    AttemptFailed {
        /// Which step.
        op: OpId,
        /// Which attempt, counted from 1.
        attempt: u32,
        /// What went wrong.
        failure: Failure,
        /// When the next attempt is due; `None` when there is none and a person has to look.
        retry_at_ms: Option<Timestamp>,
    },
    /// A timer came due: of a `sleep`, or the deadline of a `receive`.
    TimerFired {
        /// Which one.
        op: OpId,
    },
    /// A message reached the run.
    MessageReceived {
        /// The waiting operation.
        op: OpId,
        /// The id of the message, by which duplicates are known.
        message_id: String,
        /// The message.
        payload: Payload,
    },
    /// Somebody asked for the run to be cancelled.
    CancelRequested {
        /// Why, in that person's words.
        reason: String,
    },
    /// A child was started; nobody waits for how it ends.
    ChildStarted {
        /// Which one.
        op: OpId,
    },
    /// A child has ended.
    ChildEnded {
        /// Which one.
        op: OpId,
        /// How.
        conclusion: Conclusion,
    },
    /// A child could not be started, or ended in a way that the code cannot look at.
    ChildRefused {
        /// Which one.
        op: OpId,
        /// Why, for people.
        reason: String,
    },
    /// Somebody looked at the incident of this operation and says what it came to.
    Skipped {
        /// Which one.
        op: OpId,
        /// The value that the code sees.
        output: Payload,
    },
    /// Somebody looked at the incident of this operation and gives the run up.
    GivenUp {
        /// Which one.
        op: OpId,
        /// Why, in that person's words.
        reason: String,
    },
    /// The code can go on with an event on which it broke off before.
    Resumed,
    /// Somebody looked at the incident of this operation and asked for another round of attempts.
    RetryRequested {
        /// Which one.
        op: OpId,
    },
}

impl Event {
    /// The event that begins a run which nobody waits for.
    pub fn started(input: Payload) -> Event {
        Event::Started { input, generation: 1, parent: None }
    }

    /// The operation that it concerns.
    pub fn op(&self) -> Option<&OpId> {
        match self {
            Event::StepCompleted { op, .. }
            | Event::AttemptFailed { op, .. }
            | Event::TimerFired { op }
            | Event::MessageReceived { op, .. }
            | Event::ChildStarted { op }
            | Event::ChildEnded { op, .. }
            | Event::ChildRefused { op, .. }
            | Event::Skipped { op, .. }
            | Event::GivenUp { op, .. }
            | Event::RetryRequested { op } => Some(op),
            Event::Started { .. } | Event::CancelRequested { .. } | Event::Resumed => None,
        }
    }
}

/// The operation that started a child, and waits for its end unless it is detached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The run.
    pub run_id: String,
    /// How often that run had begun by then.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub generation: u32,
    /// The operation.
    pub op: OpId,
}

fn first() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde asks.
fn is_first(generation: &u32) -> bool {
    *generation == 1
}

/// Why an attempt of a step failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// For people.
    pub message: String,
}

/// The kinds of failure that are not the step's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The step answered with an error that is retried. It did not take effect.
    Error,
    /// It took longer than its timeout, or gave no sign of life. Whether it took effect is unknown.
    Timeout,
    /// It panicked. Whether it took effect is unknown.
    Panic,
    /// It could not be called.
    Fault,
    /// It answered, but the answer could not be stored. It took effect, as far as anybody knows.
    AnswerLost,
    /// It timed out, panicked or gave no answer that can be stored, inside of a transaction that was rolled back. It
    /// did not take effect.
    RolledBack,
}

impl FailureKind {
    /// Whether the world may have changed all the same.
    pub fn is_unknown_outcome(self) -> bool {
        matches!(self, FailureKind::Timeout | FailureKind::Panic | FailureKind::AnswerLost)
    }
}

/// One row of the journal: an event, when it was recorded, and what the code asked for in answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When the event was recorded. The run's clock: never goes back within a run.
    pub at_ms: Timestamp,
    /// What happened.
    pub event: Event,
    /// What the code asked for.
    pub commands: Vec<Command>,
    /// The code broke off on this event: it panicked, or could not read a value. What it asks for once it has
    /// been mended is recorded with the [`Event::Resumed`] that follows, and what had happened is not lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub broke_off: bool,
}

impl Record {
    /// An event with what the code asked for in answer.
    pub fn new(at_ms: Timestamp, event: Event, commands: Vec<Command>) -> Record {
        Record { at_ms, event, commands, broke_off: false }
    }

    /// An event on which the code broke off.
    pub fn broken_off(at_ms: Timestamp, event: Event) -> Record {
        Record { at_ms, event, commands: Vec::new(), broke_off: true }
    }
}
