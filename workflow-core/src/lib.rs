//! The pure heart of the workflow system: operations, journal, replay and the order of a saga.
//! It knows no executor, no database, no clock and no randomness: time and events come in as values.
//!
//! A run is driven in turns. [`Run::feed`] takes one recorded [`Event`], polls the workflow's future once and
//! returns the [`Command`]s the code asks for. Live execution and recovery are this same function; the engine
//! and the test kit differ only in where the events come from.

#[doc(hidden)]
pub mod attempt;
mod call;
mod callable;
mod catalog;
mod child;
mod command;
mod context;
mod continued;
mod control;
mod dropped;
mod durable;
#[cfg(rust_analyzer)]
#[doc(hidden)]
pub mod editor;
mod ending;
mod error;
mod event;
mod foreign;
mod frame;
mod inbox;
mod iteration;
mod judge;
mod many;
mod message;
mod op;
mod outside;
mod parallel;
mod payload;
mod renames;
mod resource;
mod run;
mod saga;
mod scope;
mod send;
mod settle;
mod state;
mod statics;
mod step;
mod timer;
mod trace;
mod values;
mod waker;
mod whereabouts;
mod workflow;
mod wrapped;

pub use call::{
    StepCall, StepFn, UndoFn, WorkflowCall, WorkflowFn, check_undoing, compensation_of, def_of, facts_of,
    undo_def_of,
};
pub use callable::{Call, CallFn, detached_kind_of, kind_of};
pub use catalog::{clashes, explain_unknown_message, with_children};
pub(crate) use child::child_facts;
pub use child::{DetachedCall, read_completed, read_concluded, reason_to_cancel_child};
pub use command::{Command, Conclusion};
pub use context::StepContext;
pub use continued::{ContinueAsNew, continue_as_new};
pub use control::AttemptControl;
pub use dropped::{Described, Dropped, DroppedOnPurpose, Happening};
pub use durable::{AwaitExt, Cx, Durable};
pub use ending::{Ending, EndsWithResult, EndsWithValue, RecordedEnding, completed, concluded};
pub use error::{CoreError, Mismatch};
pub use event::{Event, Failure, FailureKind, Parent, Record};
pub use foreign::ForeignFuture;
pub use inbox::{Letter, TIME_TO_LIVE, offered, place_in_line};
pub use iteration::{InOrder, IterationExt, ReplayedInOrder, RetainsByHash, RetainsInOrder};
pub use judge::AttemptOutcome;
pub use many::{JoinAll, TryJoinAll, join_all, try_join_all};
pub use message::{
    BeginsWith, HasDeadline, Message, Receive, ReceiveForever, ReceiveWithin, TimedOut, begins_with, receive,
};
pub use op::OpId;
pub use outside::{AnsweringAlike, Asked, Outside, Repeatable};
pub use parallel::{
    Branches, Raced1, Raced2, Raced3, Raced4, Raced5, Raced6, Raced7, Raced8, Racers, TryBranches,
};
pub use payload::{Lendable, Lent, Payload, PayloadError, Storable, Stored};
pub use resource::{Resource, ResourceNeed, Resources};
pub use run::{OpenOperation, Run};
pub use scope::{Compensate, Subflow, SubflowCall, compensate};
pub use send::{SendMessage, publish, send};
pub use statics::{Named, ReplayedAlike, Unchanging};
pub use step::{
    Answer, Fallible, Step, StepBody, StepDef, StepError, StepFault, StepFuture, StepId, TransactionHandle,
    TransactionalBody, TransactionalFuture, WiredFrom,
};
pub use timer::{Sleep, SleepUntil, days, hours, minutes, seconds, sleep, sleep_until};
pub use trace::TraceContext;
pub use values::{NewUuid, Now, Patched, Progress, Random, now, patched, progress, random, uuid};
pub use workflow::{Definition, Parts, ResultProbe, ResultProbeFallback, Workflow, WorkflowFuture};
pub use wrapped::{Wrapped, WrapsNoStepError};

pub use state::Wait;

/// A point in time: milliseconds since the Unix epoch, UTC.
pub type Timestamp = i64;
