//! Attempts of steps under way: admitted, started, timed, cancelled, and turned into outcomes.
//! It knows neither the journal nor what becomes of an outcome. Dropped, it cancels and aborts what is under way.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::Instant;
use tracing::{Instrument, Span};
use workflow_core::{
    Answer, AttemptControl, AttemptOutcome, Failure, FailureKind, OpId, Payload, Resources, Run, StepBody,
    StepContext, StepDef, StepFault, StepFuture, Timestamp,
};

use super::agenda::DueAttempt;
use super::flow_control::{Admission, Health, Slot};
use super::parts::Parts;
use super::telemetry::attempt_span;
use super::transactional::{Queue, Waiting};

/// The attempts of one run that are under way.
#[derive(Default)]
pub(crate) struct Attempts {
    /// An attempt that was not begun when the engine went has no outcome.
    tasks: JoinSet<Option<AttemptOutcome>>,
    under_way: HashMap<Id, UnderWay>,
    /// Those that are over already.
    over: VecDeque<Attempted>,
    /// Those of transactional steps: they are not tasks of their own.
    pub(crate) transactions: Queue,
}

struct UnderWay {
    name: (OpId, u32),
    control: AttemptControl,
    /// When it was asked for, by the clock of the engine, and how long it may take.
    since_ms: Timestamp,
    timeout_ms: Option<u64>,
    has_heartbeat: bool,
}

/// An attempt under way, as the watchdog sees it.
pub(crate) struct UnderWaySince {
    pub(crate) op: OpId,
    pub(crate) attempt: u32,
    pub(crate) since_ms: Timestamp,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) has_heartbeat: bool,
}

/// An attempt that is over.
pub(crate) struct Attempted {
    pub(crate) op: OpId,
    pub(crate) attempt: u32,
    pub(crate) outcome: AttemptOutcome,
}

impl Attempts {
    /// Starts an attempt on a task of its own; it begins once its step lets it in. A timeout that its call gives goes
    /// before the step's. One that is transactional waits for its turn. One that is `alone`, so that nothing else of
    /// the run could go on meanwhile, gets no task if it comes back at once.
    pub(crate) fn start(&mut self, parts: &Arc<Parts>, attempt: Attempt<'_>, alone: bool) {
        let Attempt { def, run, priority, op, due } = attempt;
        let attempt = due.attempt;
        let (cx, control) = run.attempt(&op, attempt);
        if def.is_transactional() {
            let since_ms = parts.clock.now_ms();
            self.transactions.push(Waiting { name: (op, attempt), control, cx, def, due, since_ms });
            return;
        }
        let span = attempt_span(&op, &cx);
        let timeout_ms = due.timeout_ms.or(def.facts.timeout_ms);
        let task = match def.run {
            StepBody::Async(body) if alone && parts.flow_control.lane_of(def).is_none() => {
                match at_once(parts, body, def, cx, &control, due, &span) {
                    AtOnce::Over(outcome) => {
                        self.over.push_back(Attempted { op, attempt, outcome });
                        return;
                    }
                    AtOnce::GoesOn(running) => {
                        self.tasks.spawn(async move { Some(running.await) }.instrument(span))
                    }
                }
            }
            _ => {
                let running = attempt_of(Arc::clone(parts), def, cx, control.clone(), priority, due);
                self.tasks.spawn(running.instrument(span))
            }
        };
        let (since_ms, has_heartbeat) = (parts.clock.now_ms(), def.facts.heartbeat_ms.is_some());
        let name = (op, attempt);
        let under_way = UnderWay { name, control, since_ms, timeout_ms, has_heartbeat };
        self.under_way.insert(task.id(), under_way);
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
        self.over.push_back(attempted);
    }

    /// Waits for the next attempt that is over; forever when none is under way. `None` for one that was not begun,
    /// because the engine is on its way out: it goes on when an engine starts again.
    pub(crate) async fn next(&mut self) -> Option<Attempted> {
        if let Some(attempted) = self.over.pop_front() {
            return Some(attempted);
        }
        match self.tasks.join_next_with_id().await {
            Some(joined) => self.attempted(joined),
            None => std::future::pending().await,
        }
    }

    /// The next attempt that is over by now.
    pub(crate) fn try_next(&mut self) -> Option<Attempted> {
        if let Some(attempted) = self.over.pop_front() {
            return Some(attempted);
        }
        loop {
            let joined = self.tasks.try_join_next_with_id()?;
            if let Some(attempted) = self.attempted(joined) {
                return Some(attempted);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.over.is_empty()
    }

    /// Whether the outcome of one is there, so that nobody has to wait.
    pub(crate) fn has_outcome(&self) -> bool {
        !self.over.is_empty()
    }

    /// Which attempts are under way, wait for their turn, or are over and were not taken yet.
    pub(crate) fn running(&self) -> impl Iterator<Item = (&OpId, u32)> {
        let waiting = self.transactions.iter().map(|waiting| &waiting.name);
        let named = self.under_way.values().map(|under_way| &under_way.name).chain(waiting);
        let over = self.over.iter().map(|attempted| (&attempted.op, attempted.attempt));
        named.map(|(op, attempt)| (op, *attempt)).chain(over)
    }

    /// What is under way, for the watchdog. One that the store never takes begins again and again, and is as much under
    /// way as any other.
    pub(crate) fn since(&self) -> Vec<UnderWaySince> {
        let under_way = self.under_way.values().map(|under_way| UnderWaySince {
            op: under_way.name.0.clone(),
            attempt: under_way.name.1,
            since_ms: under_way.since_ms,
            timeout_ms: under_way.timeout_ms,
            has_heartbeat: under_way.has_heartbeat,
        });
        let transactions = self.transactions.iter().map(|waiting| UnderWaySince {
            op: waiting.name.0.clone(),
            attempt: waiting.name.1,
            since_ms: waiting.since_ms,
            timeout_ms: waiting.due.timeout_ms.or(waiting.def.facts.timeout_ms),
            // Between two tries nothing beats.
            has_heartbeat: false,
        });
        under_way.chain(transactions).collect()
    }

    fn attempted(&mut self, joined: Result<(Id, Option<AttemptOutcome>), JoinError>) -> Option<Attempted> {
        let (id, outcome) = match joined {
            Ok(joined) => joined,
            Err(error) => (error.id(), Some(AttemptOutcome::panicked(abort_text(error)))),
        };
        let UnderWay { name: (op, attempt), .. } =
            self.under_way.remove(&id).expect("every task is named when it is spawned");
        outcome.map(|outcome| Attempted { op, attempt, outcome })
    }
}

impl Drop for Attempts {
    /// A task can be aborted, a thread cannot: whoever still runs is told that nobody listens any more.
    fn drop(&mut self) {
        self.under_way.values().for_each(|under_way| under_way.control.cancel());
    }
}

/// An attempt to be made.
pub(crate) struct Attempt<'a> {
    pub(crate) def: &'static StepDef,
    pub(crate) run: &'a Run,
    pub(crate) priority: i8,
    pub(crate) op: OpId,
    pub(crate) due: DueAttempt,
}

/// An attempt that began right where it was asked for.
enum AtOnce {
    Over(AttemptOutcome),
    GoesOn(Pin<Box<dyn Future<Output = AttemptOutcome> + Send>>),
}

/// Begins an attempt on the task of its run, where one that has nothing to wait for comes to its end, too. One that
/// could hear of a cancel gets a task at once: this one has to be free to tell it.
fn at_once(
    parts: &Arc<Parts>,
    body: fn(StepContext, &Resources, &Payload) -> StepFuture,
    def: &'static StepDef,
    cx: StepContext,
    control: &AttemptControl,
    due: DueAttempt,
    span: &Span,
) -> AtOnce {
    if due.is_unwanted && def.facts.cancellable {
        control.cancel();
    }
    let began = Instant::now();
    let _entered = span.enter();
    let (args, limit) = (&due.args, parts.payload_limit);
    let called = catch_unwind(AssertUnwindSafe(|| body(cx, &parts.resources, args)));
    let called = match called {
        Ok(called) => called,
        Err(panic) => {
            let outcome = AttemptOutcome::panicked(panic_text(panic.as_ref()));
            parts.telemetry.attempt_over(def, &outcome, began.elapsed());
            return AtOnce::Over(outcome);
        }
    };
    // Who keeps its context is held by the call; the clones of the other end come later.
    let is_heard = control.is_heard();
    let called = caught(async move { outcome(called.await, limit) });
    let (control, watching) = (control.clone(), Arc::clone(parts));
    let mut running: Pin<Box<dyn Future<Output = AttemptOutcome> + Send>> = Box::pin(async move {
        let outcome = in_time(called, due.timeout_ms, def, &control).await;
        watching.telemetry.attempt_over(def, &outcome, began.elapsed());
        outcome
    });
    if is_heard {
        return AtOnce::GoesOn(running);
    }
    // Its waker wakes nobody: whatever goes on is polled once more, on a task of its own.
    match running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => AtOnce::Over(outcome),
        Poll::Pending => AtOnce::GoesOn(running),
    }
}

/// One attempt, from its arguments to its outcome: the body, unless its time is over first. Its time begins when it
/// is let in. `None` when the engine goes before that.
async fn attempt_of(
    parts: Arc<Parts>,
    def: &'static StepDef,
    cx: StepContext,
    control: AttemptControl,
    priority: i8,
    due: DueAttempt,
) -> Option<AttemptOutcome> {
    let admission = match admission(&parts, def, &cx, priority).await {
        Entry::Free => None,
        Entry::Admitted(admission) => Some(admission),
        Entry::Cancelled => return Some(never_begun()),
        Entry::Leaving => return None,
    };
    let slot = admission.as_ref().map(Admission::slot);
    let began = Instant::now();
    let DueAttempt { args, timeout_ms, is_unwanted, .. } = due;
    // Only now: an attempt from before the crash may have left something, so that the body has to have its say.
    if is_unwanted && def.facts.cancellable {
        control.cancel();
    }
    let running = caught(body(&parts, def, cx.clone(), args, slot));
    let outcome = in_time(running, timeout_ms, def, &control).await;
    parts.telemetry.attempt_over(def, &outcome, began.elapsed());
    if let Some(admission) = admission {
        admission.report(health(&outcome, cx.is_cancelled()));
    }
    Some(outcome)
}

/// The outcome of a body, unless its time is over first.
async fn in_time(
    running: impl Future<Output = AttemptOutcome>,
    timeout_ms: Option<u64>,
    def: &'static StepDef,
    control: &AttemptControl,
) -> AttemptOutcome {
    tokio::select! {
        biased;
        outcome = running => outcome,
        timeout_ms = time_limit(timeout_ms.or(def.facts.timeout_ms)) => {
            control.cancel();
            AttemptOutcome::timed_out(timeout_ms)
        }
        heartbeat_ms = silence(def.facts.heartbeat_ms, control) => {
            control.cancel();
            AttemptOutcome::silent(heartbeat_ms)
        }
    }
}

/// How an attempt may begin, or why it may not.
enum Entry {
    /// Its step has no limits.
    Free,
    Admitted(Admission),
    /// Nobody wants its answer any more.
    Cancelled,
    /// The engine is on its way out.
    Leaving,
}

async fn admission(parts: &Parts, def: &'static StepDef, cx: &StepContext, priority: i8) -> Entry {
    let Some(lane) = parts.flow_control.lane_of(def) else { return Entry::Free };
    let came = Instant::now();
    tokio::select! {
        biased;
        () = parts.leaving() => Entry::Leaving,
        () = cx.cancelled() => Entry::Cancelled,
        admission = parts.flow_control.admit(lane, priority) => {
            parts.telemetry.admitted(def, came.elapsed());
            Entry::Admitted(admission)
        }
    }
}

/// It took no effect: an error says just that.
fn never_begun() -> AttemptOutcome {
    let message = "was cancelled before it began".to_owned();
    AttemptOutcome::Failed(Failure { kind: FailureKind::Error, message })
}

/// What an attempt tells about the resources that its step takes.
fn health(outcome: &AttemptOutcome, is_cancelled: bool) -> Health {
    match outcome {
        // A body that heeds a cancel comes back with an error, and that is not the fault of the resource.
        AttemptOutcome::Answered(Answer::Refused { transient: true, .. }) if is_cancelled => Health::Unknown,
        AttemptOutcome::Answered(Answer::Refused { transient: true, .. }) => Health::Failing,
        AttemptOutcome::Answered(_) => Health::Healthy,
        AttemptOutcome::Failed(failure) => match failure.kind {
            FailureKind::Timeout | FailureKind::Panic => Health::Failing,
            FailureKind::AnswerLost => Health::Healthy,
            _ => Health::Unknown,
        },
    }
}

/// Takes a panic of the body for an outcome, so that whoever waits for the step hears of it.
async fn caught(body: impl Future<Output = AttemptOutcome>) -> AttemptOutcome {
    let mut body = pin!(body);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx)));
        polled.unwrap_or_else(|panic| Poll::Ready(AttemptOutcome::panicked(panic_text(panic.as_ref()))))
    })
    .await
}

/// Runs the body of the step. The arguments are read in here: a panic of the user's deserializer is the attempt's
/// panic.
async fn body(
    parts: &Parts,
    def: &'static StepDef,
    cx: StepContext,
    args: Payload,
    slot: Option<Arc<Slot>>,
) -> AttemptOutcome {
    match def.run {
        StepBody::Async(run) => outcome(run(cx, &parts.resources, &args).await, parts.payload_limit),
        StepBody::Blocking(run) => {
            // Not the parts: a thread that never comes back must not keep the store open.
            let (resources, span) = (parts.resources.clone(), Span::current());
            let called = move || {
                // Until the thread comes back, and not until its time is over: nobody else may be in its place.
                let _slot = slot;
                span.in_scope(|| run(cx, &resources, &args))
            };
            let mut thread = Withdrawn(tokio::task::spawn_blocking(called));
            match (&mut thread.0).await {
                Ok(answer) => outcome(answer, parts.payload_limit),
                Err(error) if error.is_panic() => AttemptOutcome::panicked(abort_text(error)),
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
            let message = format!(
                "the answer has {bytes} bytes, more than the {limit} that this engine takes: keep the value \
                 elsewhere and return where it is, or raise `.payload_limit(..)` and retry"
            );
            return AttemptOutcome::Failed(Failure { kind: FailureKind::AnswerLost, message });
        }
    }
    AttemptOutcome::of(answer)
}

pub(super) fn abort_text(error: JoinError) -> String {
    let panic = error.try_into_panic();
    panic.map_or_else(|_| "the attempt was aborted".to_owned(), |panic| panic_text(panic.as_ref()))
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn what_comes_back_after_a_cancel_says_nothing_about_the_resource() {
        let refused = |transient| {
            let (output, message) = (Payload::of(&1).unwrap(), "busy".to_owned());
            AttemptOutcome::Answered(Answer::Refused { output, variant: "Busy", transient, message })
        };
        let healths = [
            (refused(true), false, Health::Failing),
            (refused(true), true, Health::Unknown),
            (refused(false), false, Health::Healthy),
            (AttemptOutcome::Answered(Answer::Done(Payload::of(&1).unwrap())), true, Health::Healthy),
            (AttemptOutcome::timed_out(5), true, Health::Failing),
            (AttemptOutcome::panicked("oh".to_owned()), false, Health::Failing),
            (AttemptOutcome::of(Err(StepFault::Resource("Gateway"))), false, Health::Unknown),
        ];
        for (outcome, is_cancelled, expected) in healths {
            assert_eq!(health(&outcome, is_cancelled), expected, "{outcome:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_promises_nothing_is_never_late() {
        let (_cx, control) = StepContext::controlled("run", "step", 1);
        let a_year = Duration::from_secs(365 * 24 * 3_600);
        let late = async { tokio::join!(time_limit(None), silence(None, &control)) };
        assert!(tokio::time::timeout(a_year, late).await.is_err());
    }
}
