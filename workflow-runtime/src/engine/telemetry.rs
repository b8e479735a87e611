//! Counts and measures what an engine does, and names its spans. What each metric means is in `metric`.
//! All counters are looked up once, when the engine starts: what happens later is an addition, and without a recorder
//! not even that.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use tracing::Span;
use workflow_core::{
    Answer, AttemptOutcome, Conclusion, Definition, FailureKind, OpId, Parent, StepContext, StepDef, StepId,
    Timestamp, TraceContext,
};

use super::inbound::Delivery;
use super::metric::{self, METRICS};
use crate::store::{IncidentPlace, Turn};

/// See the module.
pub(crate) struct Telemetry {
    workflows: HashMap<&'static str, WorkflowMeters>,
    /// By its id.
    steps: HashMap<StepId, StepMeters>,
    messages: [Counter; 5],
    incidents_opened: [Counter; 3],
    turns: Counter,
    batch_turns: Histogram,
    commit_seconds: Histogram,
    timer_lateness: Histogram,
    outbox: [Counter; 3],
    outbox_lag: Histogram,
    pub(crate) store_retries: Counter,
    pub(crate) leases_lost: Counter,
    pub(crate) runs_claimed: Counter,
    pub(crate) runs_parked: Counter,
    pub(crate) strikes: Counter,
    pub(crate) runs_removed: Counter,
    pub(crate) runs_exported: Counter,
    pub(crate) runs_live: Gauge,
    pub(crate) runs_stalled: Gauge,
    pub(crate) runs_orphaned: Gauge,
    pub(crate) incidents_open: Gauge,
}

struct WorkflowMeters {
    started: Counter,
    /// In the order of [`CONCLUSIONS`].
    ended: [Counter; 3],
}

struct StepMeters {
    /// In the order of [`OUTCOMES`].
    attempts: [Counter; 7],
    seconds: Histogram,
    queue_seconds: Histogram,
}

const CONCLUSIONS: [&str; 3] = ["completed", "failed", "cancelled"];
const OUTCOMES: [&str; 7] =
    ["completed", "error", "transient_error", "timeout", "panic", "fault", "rolled_back"];
const DELIVERIES: [&str; 5] = ["started", "awaited", "buffered", "duplicate", "parked"];
const PLACES: [&str; 3] = ["run", "journal", "operation"];
const HAND_OVERS: [&str; 3] = ["handed_over", "failed", "parked"];

/// What came of handing a message over.
#[derive(Clone, Copy)]
pub(crate) enum HandOver {
    /// It waited so long for it, in milliseconds.
    Done(Timestamp),
    Failed,
    Parked,
}

impl Telemetry {
    /// The metrics of an engine with this code, in whatever recorder is installed by now.
    pub(crate) fn new(workflows: &[Definition], steps: &[&'static StepDef]) -> Telemetry {
        METRICS.iter().for_each(metric::Metric::describe);
        let workflow = |definition: &Definition| (definition.name, WorkflowMeters::new(definition.name));
        let step = |step: &&'static StepDef| (step.id, StepMeters::new(&step.facts.name));
        Telemetry {
            workflows: workflows.iter().map(workflow).collect(),
            steps: steps.iter().map(step).collect(),
            messages: DELIVERIES.map(|delivery| counter!(metric::MESSAGES, "delivery" => delivery)),
            incidents_opened: PLACES.map(|place| counter!(metric::INCIDENTS_OPENED, "place" => place)),
            turns: counter!(metric::TURNS),
            batch_turns: histogram!(metric::BATCH_TURNS),
            commit_seconds: histogram!(metric::COMMIT_SECONDS),
            timer_lateness: histogram!(metric::TIMER_LATENESS_SECONDS),
            outbox: HAND_OVERS.map(|outcome| counter!(metric::OUTBOX, "outcome" => outcome)),
            outbox_lag: histogram!(metric::OUTBOX_LAG_SECONDS),
            store_retries: counter!(metric::STORE_RETRIES),
            leases_lost: counter!(metric::LEASES_LOST),
            runs_claimed: counter!(metric::RUNS_CLAIMED),
            runs_parked: counter!(metric::RUNS_PARKED),
            strikes: counter!(metric::STRIKES),
            runs_removed: counter!(metric::RUNS_REMOVED),
            runs_exported: counter!(metric::RUNS_EXPORTED),
            runs_live: gauge!(metric::RUNS_LIVE),
            runs_stalled: gauge!(metric::RUNS_STALLED),
            runs_orphaned: gauge!(metric::RUNS_ORPHANED),
            incidents_open: gauge!(metric::INCIDENTS_OPEN),
        }
    }

    pub(crate) fn run_started(&self, workflow: &str) {
        if let Some(meters) = self.workflows.get(workflow) {
            meters.started.increment(1);
        }
    }

    pub(crate) fn run_ended(&self, workflow: &str, conclusion: &Conclusion) {
        let outcome = match conclusion {
            Conclusion::Completed(_) => 0,
            Conclusion::Failed { .. } => 1,
            Conclusion::Cancelled { .. } => 2,
        };
        if let Some(meters) = self.workflows.get(workflow) {
            meters.ended[outcome].increment(1);
        }
    }

    /// A batch was written, or refused turn by turn.
    pub(crate) fn batch(&self, turns: usize, took: Duration) {
        self.batch_turns.record(count(turns));
        self.commit_seconds.record(took);
    }

    pub(crate) fn turn_written(&self, turn: &Turn) {
        self.turns.increment(1);
        for place in turn.changes.open_incidents.keys() {
            let place = match place {
                IncidentPlace::Run => 0,
                IncidentPlace::Journal => 1,
                IncidentPlace::Operation(_) => 2,
            };
            self.incidents_opened[place].increment(1);
        }
    }

    pub(crate) fn attempt_over(&self, step: &'static StepDef, outcome: &AttemptOutcome, took: Duration) {
        let Some(meters) = self.steps.get(&step.id) else { return };
        let outcome = match outcome {
            AttemptOutcome::Answered(Answer::Done(_)) => 0,
            AttemptOutcome::Answered(Answer::Refused { transient, .. }) => 1 + usize::from(*transient),
            AttemptOutcome::Failed(failure) => match failure.kind {
                FailureKind::Error => 1,
                FailureKind::Timeout => 3,
                FailureKind::Panic => 4,
                FailureKind::Fault | FailureKind::AnswerLost => 5,
                FailureKind::RolledBack => 6,
            },
        };
        meters.attempts[outcome].increment(1);
        meters.seconds.record(took);
    }

    pub(crate) fn admitted(&self, step: &'static StepDef, waited: Duration) {
        if let Some(meters) = self.steps.get(&step.id) {
            meters.queue_seconds.record(waited);
        }
    }

    /// Something that was due then is taken up now.
    pub(crate) fn timer_due(&self, due_ms: Timestamp, now_ms: Timestamp) {
        self.timer_lateness.record(seconds(now_ms.saturating_sub(due_ms)));
    }

    pub(crate) fn message_in(&self, delivery: Delivery) {
        let delivery = match delivery {
            Delivery::Started => 0,
            Delivery::Awaited => 1,
            Delivery::Buffered => 2,
            Delivery::Duplicate => 3,
            Delivery::Parked => 4,
        };
        self.messages[delivery].increment(1);
    }

    pub(crate) fn message_out(&self, hand_over: HandOver) {
        let outcome = match hand_over {
            HandOver::Done(lag_ms) => {
                self.outbox_lag.record(seconds(lag_ms));
                0
            }
            HandOver::Failed => 1,
            HandOver::Parked => 2,
        };
        self.outbox[outcome].increment(1);
    }
}

impl WorkflowMeters {
    fn new(workflow: &'static str) -> WorkflowMeters {
        let ended = |outcome| counter!(metric::RUNS_ENDED, "workflow" => workflow, "outcome" => outcome);
        WorkflowMeters {
            started: counter!(metric::RUNS_STARTED, "workflow" => workflow),
            ended: CONCLUSIONS.map(ended),
        }
    }
}

impl StepMeters {
    fn new(step: &'static str) -> StepMeters {
        let attempts = |outcome| counter!(metric::ATTEMPTS, "step" => step, "outcome" => outcome);
        StepMeters {
            attempts: OUTCOMES.map(attempts),
            seconds: histogram!(metric::ATTEMPT_SECONDS, "step" => step),
            queue_seconds: histogram!(metric::QUEUE_SECONDS, "step" => step),
        }
    }
}

/// The span of a run, as long as it is in memory. All of them have the ids that the run has in every process.
pub(crate) fn run_span(workflow: &str, run_id: &str, parent: Option<&Parent>) -> Span {
    let span = tracing::info_span!(
        "run",
        %run_id,
        workflow,
        trace_id = %when_shown(|| TraceContext::of_run(run_id).trace_id()),
        span_id = %when_shown(|| TraceContext::of_run(run_id).span_id()),
        parent_run_id = tracing::field::Empty,
    );
    if let Some(parent) = parent {
        span.record("parent_run_id", &*parent.run_id);
    }
    span
}

/// The span of one attempt of a step.
pub(crate) fn attempt_span(op: &OpId, cx: &StepContext) -> Span {
    tracing::info_span!(
        "attempt",
        node = op.node(),
        op = op.as_str(),
        attempt = cx.attempt(),
        trace_id = %when_shown(|| cx.trace().trace_id()),
        span_id = %when_shown(|| cx.trace().span_id()),
        parent_span_id = %when_shown(|| TraceContext::of_run(cx.run_id()).span_id()),
    )
}

/// Text that is computed where it is shown. A span that nobody takes has its values computed all the same when some
/// crate of the program turns on what `tracing` has for `log`, as sqlx does; and these are hashes.
fn when_shown(text: impl Fn() -> String) -> impl fmt::Display {
    fmt::from_fn(move |f| f.write_str(&text()))
}

#[expect(clippy::cast_precision_loss, reason = "a count in a histogram need not be exact beyond 2^52")]
fn count(count: usize) -> f64 {
    count as f64
}

fn seconds(ms: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
