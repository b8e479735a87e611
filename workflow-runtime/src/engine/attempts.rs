//! Attempts of steps under way: started, timed, cancelled, and turned into outcomes.
//! It knows neither the journal nor what becomes of an outcome. Dropped, it cancels and aborts what is under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tracing::{Instrument, Span};
use workflow_core::{
    Answer, AttemptControl, AttemptOutcome, Failure, FailureKind, OpId, Payload, Run, StepBody, StepContext,
    StepDef, StepFault,
};

use super::agenda::DueAttempt;
use super::parts::Parts;
use super::transactional::{Queue, Waiting};

/// The attempts of one run that are under way.
#[derive(Default)]
pub(crate) struct Attempts {
    tasks: JoinSet<AttemptOutcome>,
    under_way: HashMap<Id, UnderWay>,
    /// Those of transactional steps: they are not tasks of their own.
    pub(crate) transactions: Queue,
}

struct UnderWay {
    name: (OpId, u32),
    control: AttemptControl,
}

/// An attempt that is over.
pub(crate) struct Attempted {
    pub(crate) op: OpId,
    pub(crate) attempt: u32,
    pub(crate) outcome: AttemptOutcome,
}

impl Attempts {
    /// Starts an attempt on a task of its own. A timeout that its call gives goes before the step's. One that is
    /// transactional waits for its turn.
    pub(crate) fn start(
        &mut self,
        parts: &Arc<Parts>,
        def: &'static StepDef,
        run: &Run,
        op: OpId,
        due: DueAttempt,
    ) {
        let attempt = due.attempt;
        let (cx, control) = StepContext::controlled(run.run_id(), op.as_str(), attempt);
        let cx = cx.in_generation(run.generation());
        if def.is_transactional() {
            self.transactions.push(Waiting { name: (op, attempt), control, cx, def, due });
            return;
        }
        let span = tracing::info_span!("attempt", node = op.node(), op = op.as_str(), attempt);
        let running = attempt_of(Arc::clone(parts), def, cx, control.clone(), due);
        let task = self.tasks.spawn(running.instrument(span));
        self.under_way.insert(task.id(), UnderWay { name: (op, attempt), control });
    }

    /// Tells the attempt of this operation, if one is under way, that its answer is no longer wanted. It is waited
    /// for all the same: whether it heeds the cancel is up to the body of the step.
    pub(crate) fn cancel(&self, op: &OpId) {
        let attempts = self.under_way.values().filter(|under_way| under_way.name.0 == *op);
        attempts.for_each(|under_way| under_way.control.cancel());
        let waiting = self.transactions.iter().filter(|waiting| waiting.name.0 == *op);
        waiting.for_each(|waiting| waiting.control.cancel());
    }

    /// Has an attempt that is over already be heard of like any other.
    pub(crate) fn report(&mut self, attempted: Attempted) {
        let Attempted { op, attempt, outcome } = attempted;
        let (_, control) = StepContext::controlled("", op.as_str(), attempt);
        let task = self.tasks.spawn(async move { outcome });
        self.under_way.insert(task.id(), UnderWay { name: (op, attempt), control });
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

    /// Which attempts are under way, or wait for their turn.
    pub(crate) fn running(&self) -> impl Iterator<Item = &(OpId, u32)> {
        let waiting = self.transactions.iter().map(|waiting| &waiting.name);
        self.under_way.values().map(|under_way| &under_way.name).chain(waiting)
    }

    fn attempted(&mut self, joined: Result<(Id, AttemptOutcome), JoinError>) -> Attempted {
        let (id, outcome) = match joined {
            Ok(joined) => joined,
            Err(error) => (error.id(), AttemptOutcome::panicked(panic_text(error))),
        };
        let UnderWay { name: (op, attempt), .. } =
            self.under_way.remove(&id).expect("every task is named when it is spawned");
        Attempted { op, attempt, outcome }
    }
}

impl Drop for Attempts {
    /// A task can be aborted, a thread cannot: whoever still runs is told that nobody listens any more.
    fn drop(&mut self) {
        self.under_way.values().for_each(|under_way| under_way.control.cancel());
    }
}

/// One attempt, from its arguments to its outcome: the body, unless its time is over first.
async fn attempt_of(
    parts: Arc<Parts>,
    def: &'static StepDef,
    cx: StepContext,
    control: AttemptControl,
    due: DueAttempt,
) -> AttemptOutcome {
    let DueAttempt { args, timeout_ms, .. } = due;
    tokio::select! {
        biased;
        outcome = body(&parts, def, cx, args) => outcome,
        timeout_ms = time_limit(timeout_ms.or(def.facts.timeout_ms)) => {
            control.cancel();
            AttemptOutcome::timed_out(timeout_ms)
        }
        heartbeat_ms = silence(def.facts.heartbeat_ms, &control) => {
            control.cancel();
            AttemptOutcome::silent(heartbeat_ms)
        }
    }
}

/// Runs the body of the step. The arguments are read in here: a panic of the user's deserializer is the attempt's
/// panic.
async fn body(parts: &Parts, def: &'static StepDef, cx: StepContext, args: Payload) -> AttemptOutcome {
    match def.run {
        StepBody::Async(run) => outcome(run(cx, &parts.resources, &args).await, parts.payload_limit),
        StepBody::Blocking(run) => {
            // Not the parts: a thread that never comes back must not keep the store open.
            let (resources, span) = (parts.resources.clone(), Span::current());
            let called = move || span.in_scope(|| run(cx, &resources, &args));
            let mut thread = Withdrawn(tokio::task::spawn_blocking(called));
            match (&mut thread.0).await {
                Ok(answer) => outcome(answer, parts.payload_limit),
                Err(error) if error.is_panic() => AttemptOutcome::panicked(panic_text(error)),
                // The executor shuts down and has not begun it. This task is next; nothing happened to the step.
                Err(_) => std::future::pending().await,
            }
        }
        StepBody::Transactional(_) => AttemptOutcome::of(Err(StepFault::NoTransaction)),
    }
}

/// A call on the blocking pool. One that still waits for a thread when this is dropped is never made; one that has
/// begun goes on, and its answer is dropped.
struct Withdrawn<T>(JoinHandle<T>);

impl<T> Drop for Withdrawn<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns when an attempt has taken this long.
pub(super) async fn time_limit(timeout_ms: Option<u64>) -> u64 {
    let Some(timeout_ms) = timeout_ms else { return std::future::pending().await };
    tokio::time::sleep(Duration::from_millis(timeout_ms)).await;
    timeout_ms
}

/// Returns when there has been no heartbeat for this long.
pub(super) async fn silence(heartbeat_ms: Option<u64>, control: &AttemptControl) -> u64 {
    let Some(heartbeat_ms) = heartbeat_ms else { return std::future::pending().await };
    let span = Duration::from_millis(heartbeat_ms);
    let mut heard = 0;
    while let Ok(heartbeats) = tokio::time::timeout(span, control.heartbeat_after(heard)).await {
        heard = heartbeats;
    }
    heartbeat_ms
}

pub(super) fn outcome(answer: Result<Answer, StepFault>, limit: usize) -> AttemptOutcome {
    if let Ok(Answer::Done(output) | Answer::Refused { output, .. }) = &answer {
        let bytes = output.as_json().len();
        if bytes > limit {
            let message =
                format!("the answer has {bytes} bytes, more than the {limit} that this engine takes");
            return AttemptOutcome::Failed(Failure { kind: FailureKind::AnswerLost, message });
        }
    }
    AttemptOutcome::of(answer)
}

pub(super) fn panic_text(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "the attempt was aborted".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_says_that_it_is_alive_is_not_silent() {
        let (cx, control) = StepContext::controlled("run", "step", 1);
        let began = Instant::now();
        let alive = tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(900)).await;
                cx.heartbeat();
            }
        });
        assert_eq!(silence(Some(1_000), &control).await, 1_000);
        alive.await.unwrap();
        assert_eq!(
            began.elapsed(),
            Duration::from_millis(5 * 900 + 1_000),
            "counted from the last heartbeat"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_promises_nothing_is_never_late() {
        let (_cx, control) = StepContext::controlled("run", "step", 1);
        let a_year = Duration::from_secs(365 * 24 * 3_600);
        let late = async { tokio::join!(time_limit(None), silence(None, &control)) };
        assert!(tokio::time::timeout(a_year, late).await.is_err());
    }
}
