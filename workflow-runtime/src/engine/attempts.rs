//! Attempts of steps under way: started, timed, and turned into outcomes.
//! It knows neither the journal nor what becomes of an outcome. Dropped, it aborts what is under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tracing::Instrument;
use workflow_core::{
    Answer, AttemptOutcome, Failure, FailureKind, OpId, Payload, StepContext, StepDef, StepFault,
};

use super::parts::Parts;

/// The attempts of one run that are under way.
#[derive(Default)]
pub(crate) struct Attempts {
    tasks: JoinSet<AttemptOutcome>,
    names: HashMap<Id, (OpId, u32)>,
}

/// An attempt that is over.
pub(crate) struct Attempted {
    pub(crate) op: OpId,
    pub(crate) attempt: u32,
    pub(crate) outcome: AttemptOutcome,
}

impl Attempts {
    /// Starts an attempt on a task of its own.
    pub(crate) fn start(
        &mut self,
        parts: &Arc<Parts>,
        def: &'static StepDef,
        run_id: &str,
        op: OpId,
        attempt: u32,
        args: Payload,
    ) {
        let cx = StepContext::new(run_id, op.as_str(), attempt);
        let span = tracing::info_span!("attempt", node = op.node(), op = op.as_str(), attempt);
        let parts = Arc::clone(parts);
        let running = async move {
            // The arguments are read in here: a panic of the user's deserializer is the attempt's panic.
            let attempt = (def.run)(cx, &parts.resources, &args);
            let answer = match def.facts.timeout_ms {
                None => attempt.await,
                Some(timeout_ms) => {
                    match tokio::time::timeout(Duration::from_millis(timeout_ms), attempt).await {
                        Ok(answer) => answer,
                        Err(_) => return AttemptOutcome::timed_out(timeout_ms),
                    }
                }
            };
            outcome(answer, parts.payload_limit)
        };
        let task = self.tasks.spawn(running.instrument(span));
        self.names.insert(task.id(), (op, attempt));
    }

    /// Waits for the next attempt that is over; forever when none is under way.
    pub(crate) async fn next(&mut self) -> Attempted {
        match self.tasks.join_next_with_id().await {
            Some(joined) => self.attempted(joined),
            None => std::future::pending().await,
        }
    }

    /// The next attempt that is over by now.
    pub(crate) fn try_next(&mut self) -> Option<Attempted> {
        let joined = self.tasks.try_join_next_with_id()?;
        Some(self.attempted(joined))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Which attempts are under way.
    pub(crate) fn running(&self) -> impl Iterator<Item = &(OpId, u32)> {
        self.names.values()
    }

    fn attempted(&mut self, joined: Result<(Id, AttemptOutcome), JoinError>) -> Attempted {
        let (id, outcome) = match joined {
            Ok(joined) => joined,
            Err(error) => (error.id(), AttemptOutcome::panicked(panic_text(error))),
        };
        let (op, attempt) = self.names.remove(&id).expect("every task is named when it is spawned");
        Attempted { op, attempt, outcome }
    }
}

fn outcome(answer: Result<Answer, StepFault>, limit: usize) -> AttemptOutcome {
    let failed = |kind, message| AttemptOutcome::Failed(Failure { kind, message });
    let answer = match answer {
        Ok(answer) => answer,
        Err(error @ StepFault::Output(_)) => return failed(FailureKind::AnswerLost, error.to_string()),
        Err(error) => return failed(FailureKind::Fault, error.to_string()),
    };
    let (Answer::Done(output) | Answer::Refused { output, .. }) = &answer;
    let bytes = output.as_json().len();
    if bytes > limit {
        let message = format!("the answer has {bytes} bytes, more than the {limit} that this engine takes");
        return failed(FailureKind::AnswerLost, message);
    }
    AttemptOutcome::Answered(answer)
}

fn panic_text(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "the attempt was aborted".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
}
