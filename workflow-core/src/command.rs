//! What the code of a run asks for.
//! Plain data that is recorded beside the event that led to it; carrying it out is up to the driver.

use serde::{Deserialize, Serialize};
use workflow_graph::Text;

use crate::{OpId, Payload, Timestamp};

/// One thing that the code of a run asks its driver to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Run an attempt of a step.
    StartStep {
        /// Which operation.
        op: OpId,
        /// The name of the step.
        step: Text,
        /// Its arguments; the same for every attempt.
        args: Payload,
        /// The number of this attempt, counted from 1.
        attempt: u32,
        /// Not before this time.
        due_ms: Timestamp,
        /// How long the attempt may take, in milliseconds, where the call says otherwise than the step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
    },
    /// Nobody waits for this step any more: tell the attempt under way. Its outcome is still waited for.
    CancelStep {
        /// Which operation.
        op: OpId,
    },
    /// Start another workflow as a child of this run.
    StartChild {
        /// Which operation.
        op: OpId,
        /// The name of the workflow.
        workflow: String,
        /// The version of its code.
        version: u32,
        /// The id of its run.
        run_id: String,
        /// Its arguments.
        input: Payload,
        /// Whether only its start is waited for.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        detached: bool,
    },
    /// Nobody waits for this child any more: cancel it. How it ends is still waited for.
    CancelChild {
        /// Which operation.
        op: OpId,
    },
    /// Let a message leave.
    Send {
        /// Which operation.
        op: OpId,
        /// The name of the message.
        message: String,
        /// The correlation key.
        key: String,
        /// The message.
        payload: Payload,
        /// Whether it is for all that listen, and not for one receiver.
        publishes: bool,
    },
    /// What people outside may read about how far the run is.
    ReportProgress {
        /// The value.
        value: Payload,
    },
    /// The run passed the place of a change for the first time with the changed code: it goes the new way.
    Patch {
        /// The id of the change.
        id: String,
    },
    /// Wake the run at a time.
    SetTimer {
        /// Which operation.
        op: OpId,
        /// When.
        due_ms: Timestamp,
    },
    /// Wait for a message.
    AwaitMessage {
        /// Which operation.
        op: OpId,
        /// The name of the message.
        message: String,
        /// The correlation key.
        key: String,
        /// When to give up; `None` for never.
        due_ms: Option<Timestamp>,
    },
    /// The code no longer waits for this: forget the attempt that is due, the timer or the wait.
    Withdraw {
        /// Which operation.
        op: OpId,
    },
    /// A person has to look.
    OpenIncident {
        /// Which operation; `None` when it concerns the run as a whole.
        op: Option<OpId>,
        /// What is wrong.
        cause: String,
    },
    /// The incident of this operation is settled.
    CloseIncident {
        /// Which operation.
        op: OpId,
    },
    /// The run goes on under the same id with a fresh journal. What was done stays done. Always the last command.
    Continue {
        /// The version of the code that goes on.
        version: u32,
        /// The arguments.
        input: Payload,
    },
    /// The run has ended. Always the last command.
    Finish(Conclusion),
}

impl Command {
    /// The operation that this command belongs to.
    pub fn op(&self) -> Option<&OpId> {
        match self {
            Command::StartStep { op, .. }
            | Command::CancelStep { op }
            | Command::StartChild { op, .. }
            | Command::CancelChild { op }
            | Command::Send { op, .. }
            | Command::SetTimer { op, .. }
            | Command::AwaitMessage { op, .. }
            | Command::Withdraw { op }
            | Command::CloseIncident { op } => Some(op),
            Command::OpenIncident { op, .. } => op.as_ref(),
            Command::ReportProgress { .. }
            | Command::Patch { .. }
            | Command::Continue { .. }
            | Command::Finish(_) => None,
        }
    }

    /// Whether the code asks for what was recorded. Arguments and times are not compared: they follow from values,
    /// and the recorded ones are used. The name of a step may be another where `was(recorded, asked)` says so.
    pub(crate) fn is_same_request(&self, asked: &Command, was: impl Fn(&str, &str) -> bool) -> bool {
        match (self, asked) {
            (Command::StartStep { op: a, step: s, .. }, Command::StartStep { op: b, step: t, .. }) => {
                a == b && (s == t || was(s, t))
            }
            (
                Command::AwaitMessage { op: a, message: m, .. },
                Command::AwaitMessage { op: b, message: n, .. },
            )
            | (Command::Send { op: a, message: m, .. }, Command::Send { op: b, message: n, .. })
            | (
                Command::StartChild { op: a, workflow: m, .. },
                Command::StartChild { op: b, workflow: n, .. },
            ) => a == b && m == n,
            (Command::Patch { id: a }, Command::Patch { id: b }) => a == b,
            (Command::Finish(a), Command::Finish(b)) => {
                std::mem::discriminant(a) == std::mem::discriminant(b)
            }
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b) && a.op() == b.op(),
        }
    }

    /// For error messages: what is asked for, in a few words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Command::StartStep { op, step, .. } if op.node() == step => format!("the step `{op}`"),
            Command::StartStep { op, step, .. } => format!("the step `{step}` at `{op}`"),
            Command::CancelStep { op } => format!("to cancel the step `{op}`"),
            Command::StartChild { op, workflow, .. } => format!("the child `{workflow}` at `{op}`"),
            Command::CancelChild { op } => format!("to cancel the child `{op}`"),
            Command::Send { op, message, .. } => format!("to send `{message}` at `{op}`"),
            Command::ReportProgress { .. } => "to report progress".to_owned(),
            Command::Patch { id } => format!("the change `{id}`"),
            Command::SetTimer { op, .. } => format!("the timer `{op}`"),
            Command::AwaitMessage { op, message, .. } => format!("the message `{message}` at `{op}`"),
            Command::Withdraw { op } => format!("to withdraw `{op}`"),
            Command::OpenIncident { op: Some(op), .. } => format!("an incident at `{op}`"),
            Command::OpenIncident { op: None, .. } => "an incident".to_owned(),
            Command::CloseIncident { op } => format!("the end of the incident at `{op}`"),
            Command::Finish(Conclusion::Completed(_)) => "to end with a result".to_owned(),
            Command::Finish(Conclusion::Failed { .. }) => "to end with an error".to_owned(),
            Command::Finish(Conclusion::Cancelled { .. }) => "to end cancelled".to_owned(),
            Command::Continue { .. } => "to continue as new".to_owned(),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Conclusion {
    /// With a result.
    Completed(Payload),
    /// With an error, after everything that was done has been undone.
    Failed {
        /// The error, as the workflow's error type writes it.
        error: Payload,
        /// The error's code.
        code: String,
        /// The error's text.
        message: String,
    },
    /// On request, after everything that was done has been undone.
    Cancelled {
        /// Why, in the words of the person who asked.
        reason: String,
    },
}
