//! What nearly every file with workflows needs: `use workflow_runtime::prelude::*;`.
//! Names only.

pub use crate::{Engine, RunOutput, SqlError, Sqlite, Tx};
pub use crate::{join, select, try_join};
pub use serde::{Deserialize, Serialize};
pub use workflow_core::{Message, StepError};
pub use workflow_core::{
    Resource, StepContext, TimedOut, WorkflowFn, compensate, continue_as_new, days, hours, join_all, minutes,
    now, patched, progress, publish, random, receive, seconds, send, sleep, sleep_until, try_join_all, uuid,
};
pub use workflow_graph::RetryPolicy;
pub use workflow_macros::{Message, StepError, step, subflow, workflow};
