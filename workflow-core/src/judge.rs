//! What becomes of an attempt of a step: its answer, another attempt, or an incident.
//! A pure decision that is recorded with the event, so that a later change of policy alters no history.

use workflow_graph::{Effect, RetryPolicy};

use crate::{Answer, Event, Failure, FailureKind, OpId, StepDef, StepFault, Timestamp};

/// How an attempt of a step ended, as its driver saw it.
#[derive(Clone, Debug)]
pub enum AttemptOutcome {
    /// It came back.
    Answered(Answer),
    /// It failed without an answer.
    Failed(Failure),
}

impl AttemptOutcome {
    /// What the body of a step came back with.
    pub fn of(answer: Result<Answer, StepFault>) -> AttemptOutcome {
        let fault = match answer {
            Ok(answer) => return AttemptOutcome::Answered(answer),
            Err(fault) => fault,
        };
        let kind = match fault {
            StepFault::Output(_) => FailureKind::AnswerLost,
            StepFault::Arguments(_) | StepFault::Resource(_) | StepFault::NoTransaction => FailureKind::Fault,
        };
        AttemptOutcome::Failed(Failure { kind, message: fault.to_string() })
    }

    /// An attempt that took longer than its timeout, in milliseconds.
    pub fn timed_out(timeout_ms: u64) -> AttemptOutcome {
        let message = format!("took longer than {timeout_ms} ms");
        AttemptOutcome::Failed(Failure { kind: FailureKind::Timeout, message })
    }

    /// An attempt that gave no sign of life for longer than this many milliseconds, though its step promises some.
    pub fn silent(heartbeat_ms: u64) -> AttemptOutcome {
        let message = format!("was silent for longer than {heartbeat_ms} ms");
        AttemptOutcome::Failed(Failure { kind: FailureKind::Timeout, message })
    }

    /// An attempt that panicked with this message.
    pub fn panicked(message: String) -> AttemptOutcome {
        AttemptOutcome::Failed(Failure { kind: FailureKind::Panic, message })
    }
}

/// What there is to know about the attempt that is judged.
pub(crate) struct Attempt<'a> {
    pub(crate) op: &'a OpId,
    pub(crate) def: &'static StepDef,
    pub(crate) retry: RetryPolicy,
    /// Counted from 1.
    pub(crate) number: u32,
    /// An earlier attempt may have taken effect though nobody knows.
    pub(crate) is_unknown: bool,
}

/// See [`crate::Run::judge`].
pub(crate) fn judge(attempt: &Attempt<'_>, outcome: AttemptOutcome, now_ms: Timestamp) -> Event {
    let Attempt { def, number, .. } = *attempt;
    let (facts, retry) = (&def.facts, &attempt.retry);
    let op = attempt.op.clone();
    let must_succeed = facts.effect == Effect::Retriable || op.undoes().is_some();
    let wait_ms = retry.wait_after(number);
    let retry_at_ms =
        wait_ms.map(|wait_ms| now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX)));
    match outcome {
        AttemptOutcome::Answered(Answer::Done(output)) => Event::StepCompleted { op, output, error: None },
        AttemptOutcome::Answered(Answer::Refused { output, variant, transient, message }) => {
            // "Busy" after an attempt that may have passed the point of no return is no reason to undo the rest.
            let is_pivot_in_doubt = facts.effect == Effect::Pivot && attempt.is_unknown && transient;
            let is_answer = !must_succeed && !is_pivot_in_doubt && (!transient || retry_at_ms.is_none());
            if is_answer {
                return Event::StepCompleted { op, output, error: Some(variant.to_owned()) };
            }
            let failure = Failure { kind: FailureKind::Error, message };
            Event::AttemptFailed { op, attempt: number, failure, retry_at_ms }
        }
        AttemptOutcome::Failed(mut failure) => {
            // What could not be called or stored once cannot be the next time either.
            let is_hopeless = matches!(failure.kind, FailureKind::Fault | FailureKind::AnswerLost);
            let retry_at_ms = retry_at_ms.filter(|_| !is_hopeless);
            if def.is_transactional() && failure.kind.is_unknown_outcome() {
                failure.kind = FailureKind::RolledBack;
            }
            Event::AttemptFailed { op, attempt: number, failure, retry_at_ms }
        }
    }
}
