//! The pure heart of the workflow system: operations, journal, replay and the order of a saga.
//! It knows no executor, no database, no clock and no randomness: time and events come in as values.
//!
//! A run is driven in turns. [`Run::feed`] takes one recorded [`Event`], polls the workflow's future once and
//! returns the [`Command`]s the code asks for. Live execution and recovery are this same function; the engine
//! and the test kit differ only in where the events come from.

mod call;
mod command;
mod context;
mod durable;
mod error;
mod event;
mod judge;
mod message;
mod op;
mod payload;
mod resource;
mod run;
mod saga;
mod settle;
mod state;
mod step;
mod timer;
mod waker;
mod workflow;

pub use call::{
    StepCall, StepFn, UndoFn, WorkflowCall, WorkflowFn, compensation_of, def_of, facts_of, undo_def_of,
};
pub use command::{Command, Conclusion};
pub use context::StepContext;
pub use durable::{AwaitExt, Cx, Durable};
pub use error::{CoreError, Mismatch};
pub use event::{Event, Failure, FailureKind, Record};
pub use judge::AttemptOutcome;
pub use message::{HasDeadline, Message, Receive, ReceiveForever, ReceiveWithin, TimedOut, receive};
pub use op::OpId;
pub use payload::{Lendable, Lent, Payload, PayloadError, Storable, Stored};
pub use resource::{Resource, ResourceNeed, Resources};
pub use run::{OpenOperation, Run};
pub use step::{Answer, Fallible, Step, StepDef, StepError, StepFault, StepFuture, WiredFrom};
pub use timer::{Sleep, days, hours, minutes, seconds, sleep};
pub use workflow::{
    Definition, ResultProbe, ResultProbeFallback, Workflow, WorkflowFuture, completed, concluded,
};

pub use state::Wait;

/// A point in time: milliseconds since the Unix epoch, UTC.
pub type Timestamp = i64;
