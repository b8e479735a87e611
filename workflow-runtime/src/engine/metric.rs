//! Every metric of an engine in one list: its name, what kind it is, its unit, its labels, and what it tells.
//! It counts nothing; `telemetry` does, and a test holds the two, and the guide, against each other.

use metrics::Unit;

/// A metric that an engine emits through the [`metrics`](https://docs.rs/metrics) facade.
///
/// ```
/// use workflow_runtime::METRICS;
/// for metric in METRICS {
///     println!("{} {:?} {:?}: {}", metric.name, metric.kind, metric.labels, metric.meaning);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How its values are to be read.
    pub kind: MetricKind,
    /// What is counted or measured; seconds are in the name.
    pub unit: MetricUnit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub meaning: &'static str,
}

/// How the values of a [`Metric`] are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows while the process lives.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Many values, of which counts and quantiles tell.
    Histogram,
}

/// What a [`Metric`] counts or measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
}

const fn metric(
    name: &'static str,
    kind: MetricKind,
    unit: MetricUnit,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Metric {
    Metric { name, kind, unit, labels, meaning }
}

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident, $unit:ident, [$($label:literal),*], $meaning:literal;)*) => {
        $(pub(super) const $constant: &str = $name;)*

        /// All metrics, in the order of the guide.
        pub const METRICS: &[Metric] = &[
            $(metric($name, MetricKind::$kind, MetricUnit::$unit, &[$($label),*], $meaning),)*
        ];
    };
}

metrics! {
    RUNS_STARTED = "workflow_runs_started_total", Counter, Count, ["workflow"],
        "runs that began here";
    RUNS_ENDED = "workflow_runs_ended_total", Counter, Count, ["workflow", "outcome"],
        "runs that ended here: completed, failed, cancelled";
    RUNS_CLAIMED = "workflow_runs_claimed_total", Counter, Count, [],
        "unfinished runs that this engine took: at its start, when their time had come, or after their holder was gone";
    RUNS_PARKED = "workflow_runs_parked_total", Counter, Count, [],
        "runs that left memory because they only wait";
    STRIKES = "workflow_strikes_total", Counter, Count, [],
        "runs that were taken after their holder had gone without having got on with them";
    LEASES_LOST = "workflow_leases_lost_total", Counter, Count, [],
        "turns that were refused because somebody else holds the run";
    RUNS_LIVE = "workflow_runs_live", Gauge, Count, [],
        "runs in memory";
    RUNS_STALLED = "workflow_runs_stalled", Gauge, Count, [],
        "runs in memory that should get on and do not, as the watchdog sees it";
    RUNS_ORPHANED = "workflow_runs_orphaned", Gauge, Count, [],
        "unfinished runs in the store that no worker has code for";
    INCIDENTS_OPEN = "workflow_incidents_open", Gauge, Count, [],
        "incidents in the store that wait for a person, of at most 10,000 runs";
    INCIDENTS_OPENED = "workflow_incidents_opened_total", Counter, Count, ["place"],
        "incidents that were opened: run, journal, operation";
    TURNS = "workflow_turns_total", Counter, Count, [],
        "turns that were written";
    BATCH_TURNS = "workflow_batch_turns", Histogram, Count, [],
        "turns in one transaction";
    COMMIT_SECONDS = "workflow_commit_seconds", Histogram, Seconds, [],
        "how long the store took to write a batch of turns, with repetitions while it was not available";
    STORE_RETRIES = "workflow_store_retries_total", Counter, Count, [],
        "writes that were tried again because the store was not available";
    ATTEMPTS = "workflow_attempts_total", Counter, Count, ["step", "outcome"],
        "attempts that are over: completed, error, transient_error, timeout, panic, fault, rolled_back";
    ATTEMPT_SECONDS = "workflow_attempt_seconds", Histogram, Seconds, ["step"],
        "how long attempts took, without the time in a queue";
    QUEUE_SECONDS = "workflow_queue_seconds", Histogram, Seconds, ["step"],
        "how long attempts waited for a limit or a circuit breaker before they began";
    TIMER_LATENESS_SECONDS = "workflow_timer_lateness_seconds", Histogram, Seconds, [],
        "how long after its time a sleep, a deadline or a delayed attempt was taken up";
    MESSAGES = "workflow_messages_total", Counter, Count, ["delivery"],
        "messages that came in: started, awaited, buffered, duplicate, parked";
    OUTBOX = "workflow_outbox_total", Counter, Count, ["outcome"],
        "attempts to hand a message over: handed_over, failed, parked";
    OUTBOX_LAG_SECONDS = "workflow_outbox_lag_seconds", Histogram, Seconds, [],
        "how long messages were in the outbox before they were handed over";
    RUNS_REMOVED = "workflow_runs_removed_total", Counter, Count, [],
        "ended runs that were removed after their retention";
    RUNS_EXPORTED = "workflow_runs_exported_total", Counter, Count, [],
        "ended runs that were exported before their removal";
}

impl Metric {
    /// Tells the recorder what it means.
    pub(super) fn describe(&self) {
        let unit = match self.unit {
            MetricUnit::Count => Unit::Count,
            MetricUnit::Seconds => Unit::Seconds,
        };
        match self.kind {
            MetricKind::Counter => metrics::describe_counter!(self.name, unit, self.meaning),
            MetricKind::Gauge => metrics::describe_gauge!(self.name, unit, self.meaning),
            MetricKind::Histogram => metrics::describe_histogram!(self.name, unit, self.meaning),
        }
    }
}
