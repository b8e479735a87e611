//! What becomes of an attempt of a step: its answer, another attempt, or an incident.
//! A pure decision that is recorded with the event, so that a later change of policy alters no history.

use workflow_graph::{Effect, StepFacts};

use crate::{Answer, Event, Failure, FailureKind, OpId, Timestamp};

/// How an attempt of a step ended, as its driver saw it.
#[derive(Clone, Debug)]
pub enum AttemptOutcome {
    /// It came back.
    Answered(Answer),
    /// It failed without an answer.
    Failed(Failure),
}

impl AttemptOutcome {
    /// An attempt that took longer than its timeout, in milliseconds.
    pub fn timed_out(timeout_ms: u64) -> AttemptOutcome {
        let message = format!("took longer than {timeout_ms} ms");
        AttemptOutcome::Failed(Failure { kind: FailureKind::Timeout, message })
    }

    /// An attempt that panicked with this message.
    pub fn panicked(message: String) -> AttemptOutcome {
        AttemptOutcome::Failed(Failure { kind: FailureKind::Panic, message })
    }
}

/// Turns the outcome of an attempt into the event to record.
///
/// - An error that is not transient is the step's answer.
/// - A transient error is retried by policy, then it is the step's answer.
/// - A timeout, a panic, and any error of a step that must succeed (retriable, or a compensation) are retried by
///   policy; when that ends, a person has to look.
/// - What could not be called or stored goes to a person at once: repeating it changes nothing.
pub fn judge(
    op: &OpId,
    facts: &StepFacts,
    attempt: u32,
    outcome: AttemptOutcome,
    now_ms: Timestamp,
) -> Event {
    let op = op.clone();
    let must_succeed = facts.effect == Effect::Retriable || op.undoes().is_some();
    let wait_ms = facts.retry.wait_after(attempt);
    let retry_at_ms =
        wait_ms.map(|wait_ms| now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX)));
    match outcome {
        AttemptOutcome::Answered(Answer::Done(output)) => Event::StepCompleted { op, output, error: None },
        AttemptOutcome::Answered(Answer::Refused { output, variant, transient, message }) => {
            let is_answer = !must_succeed && (!transient || retry_at_ms.is_none());
            if is_answer {
                return Event::StepCompleted { op, output, error: Some(variant.to_owned()) };
            }
            let failure = Failure { kind: FailureKind::Error, message };
            Event::AttemptFailed { op, attempt, failure, retry_at_ms }
        }
        AttemptOutcome::Failed(failure) => {
            let retry_at_ms = if failure.kind == FailureKind::Fault { None } else { retry_at_ms };
            Event::AttemptFailed { op, attempt, failure, retry_at_ms }
        }
    }
}
