//! What nearly every file with workflows needs: `use workflow_runtime::prelude::*;`.
//! Names only.

pub use crate::{Engine, RunOutput, Sqlite};
pub use serde::{Deserialize, Serialize};
pub use workflow_core::{Message, StepError};
pub use workflow_core::{
    Resource, StepContext, TimedOut, WorkflowFn, days, hours, minutes, receive, seconds, sleep,
};
pub use workflow_macros::{Message, StepError, step, workflow};
