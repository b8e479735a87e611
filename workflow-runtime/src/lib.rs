//! Durable, compile-time checked workflows: the one crate that users add.
//! It introduces and re-exports; the engine, the stores and the client are in the modules.

mod client;
mod clock;
mod engine;
mod error;
mod export;
mod handle;
mod limits;
pub mod prelude;
mod regions;
mod schedule;
pub mod store;
mod transport;
mod tx;

pub use client::{Cancel, Client, Deliver, Redeliver};
pub use clock::Clock;
pub use engine::inbound::Delivery;
pub use engine::{
    BreakerState, BreakerStatus, CircuitBreaker, Engine, EngineBuilder, Limit, LimitedStep, Limits, METRICS,
    Metric, MetricKind, MetricUnit, Orphan, Stalled, Start, StartAndWait, Waited,
};
pub use error::{Error, RunError, RunFailure};
pub use export::{ExportedRun, JsonLines, RunSink};
pub use handle::{RunHandle, RunOutput};
pub use schedule::ScheduleStatus;
pub use store::{
    Incident, IncidentPlace, Memory, MessageFilter, MessageState, MessageStatus, OutboxEntry, OutboxFilter,
    Outgoing, ParkReason, RunFilter, RunState, RunStatus, RunSummary, SqlError, Sqlite, Taker,
};
#[cfg(feature = "postgres")]
pub use store::{Postgres, PostgresOptions};
pub use transport::{RecordingTransport, Transport, TransportError};
pub use tx::Tx;

pub use workflow_core::{
    AttemptControl, Conclusion, Message, OpId, Payload, Resource, StepCall, StepContext, StepError, TimedOut,
    Timestamp, TraceContext, WorkflowCall, WorkflowFn, compensate, continue_as_new, days, hours, join_all,
    minutes, now, patched, progress, publish, random, receive, seconds, send, sleep, sleep_until,
    try_join_all, uuid,
};
pub use workflow_graph as graph;
pub use workflow_graph::{Rate, RetryPolicy};
pub use workflow_macros::{Message, StepError, step, subflow, workflow};

/// What the macros write refers to these paths, to the calls above, and to no others.
#[doc(hidden)]
pub mod __private {
    pub use crate::schedule::{ScheduledTime, is_scheduled_time};
    pub use crate::tx::transaction;
    pub use workflow_core as core;
    // Written for every step, so that a short way to them is worth having.
    pub use workflow_core::attempt::{
        Attempt, answer, answering, arguments, doing, done, retried, retrying, supplied,
    };
    pub use workflow_core::{Lent, Resources, Step, StepBody, StepDef, Stored};
    pub use workflow_graph as graph;
    pub use workflow_graph::StepFacts;
    pub use workflow_graph::literal::step;
}

/// The README's example, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The guide's examples, compiled with the documentation tests.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../docs/writing/steps.md")]
    struct Steps;
    #[doc = include_str!("../../docs/writing/workflows.md")]
    struct Workflows;
    #[doc = include_str!("../../docs/writing/scopes.md")]
    struct Scopes;
    #[doc = include_str!("../../docs/writing/parallel.md")]
    struct Parallel;
    #[doc = include_str!("../../docs/writing/messages.md")]
    struct Messages;
    #[doc = include_str!("../../docs/writing/children.md")]
    struct Children;
    #[doc = include_str!("../../docs/writing/schedules.md")]
    struct Schedules;
    #[doc = include_str!("../../docs/writing/change.md")]
    struct Change;
    #[doc = include_str!("../../docs/writing/flow-control.md")]
    struct FlowControl;
    #[doc = include_str!("../../docs/checks.md")]
    struct Checks;
    #[doc = include_str!("../../docs/operations.md")]
    struct Operations;
    #[doc = include_str!("../../docs/writing/running.md")]
    struct Running;
}
