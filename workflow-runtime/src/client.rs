//! What may be asked of runs from outside: cancels, retries, and what they are at; messages are a file beside it.
//! It reads the store and asks the engine; it drives nothing.

mod export;
mod inbox;
mod incidents;
mod outbox;
mod watch;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use workflow_core::{Conclusion, Payload, Record, Workflow, WorkflowFn};

pub use self::inbox::{Deliver, Redeliver};

use crate::engine::parts::{Parts, Phase};
use crate::error::{Error, ErrorKind, RunError, RunFailure};
use crate::handle::{self, RunHandle};
use crate::limits::check_size;
use crate::schedule::ScheduleStatus;
use crate::store::{RunFilter, RunState, RunStatus, RunSummary, StoreError};

/// Talks to the runs of one engine. Cheap to clone; does not keep the engine running.
#[derive(Clone)]
pub struct Client {
    parts: Arc<Parts>,
}

impl Client {
    pub(crate) fn new(parts: Arc<Parts>) -> Client {
        Client { parts }
    }

    /// Asks for a run to be cancelled: what was done is undone, then the run ends. A run past its point of no
    /// return goes on and gets an incident instead; a run whose code cannot go on with its journal hears of it once
    /// the code is mended. When this returns, the wish is on the disk.
    ///
    /// # Errors
    /// When there is no such run, or the engine has stopped.
    pub async fn cancel(&self, run_id: &str, reason: impl Into<String>) -> Result<Cancel, Error> {
        let run_id: Arc<str> = run_id.into();
        let reason = reason.into();
        check_size("the reason", &text(&reason), self.parts.payload_limit)?;
        match self.parts.request_cancel(Arc::clone(&run_id), reason).await? {
            Some(RunState::Running) => Ok(Cancel::Requested),
            Some(RunState::Ended(_)) => Ok(Cancel::AlreadyEnded),
            None => Err(ErrorKind::UnknownRun(run_id).into()),
        }
    }

    /// What a run is at.
    ///
    /// # Errors
    /// When there is no such run, or the store fails.
    pub async fn status(&self, run_id: &str) -> Result<RunStatus, Error> {
        let status = self.read(self.parts.store.run(run_id).await)?;
        status.ok_or_else(|| ErrorKind::UnknownRun(run_id.into()).into())
    }

    /// Lists runs, in the order of their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, Error> {
        self.read(self.parts.store.runs(filter).await)
    }

    /// The journal of a run, from the first row on.
    ///
    /// # Errors
    /// When there is no such run, when a row cannot be read, or when the store fails.
    pub async fn journal(&self, run_id: &str) -> Result<Vec<Record>, Error> {
        let journal = self.read(self.parts.store.journal(run_id).await)?;
        if journal.is_empty() { Err(ErrorKind::UnknownRun(run_id.into()).into()) } else { Ok(journal) }
    }

    /// What a run last told with [`progress`](crate::progress) about how far it is; `None` when it told nothing yet. It
    /// stays when the run has ended.
    ///
    /// # Errors
    /// When there is no such run, when the value does not fit the type, or when the store fails.
    pub async fn progress<T: DeserializeOwned>(&self, run_id: &str) -> Result<Option<T>, Error> {
        let status = self.status(run_id).await?;
        status.progress.map(|progress| handle::read(run_id, "the progress", &progress)).transpose()
    }

    /// Waits until a run has ended and reads its result as `T`. Without the workflow at hand its error has no
    /// type; see [`Client::run`] for one that does.
    ///
    /// # Errors
    /// The workflow's own error, that the run was cancelled, or why nobody knows yet.
    pub async fn result<T: DeserializeOwned>(&self, run_id: &str) -> Result<T, RunError<RunFailure>> {
        let run_id: Arc<str> = run_id.into();
        let ended = handle::conclusion(&self.parts, &run_id, None).await;
        match ended.map_err(RunError::Unavailable)? {
            Conclusion::Completed(value) => {
                handle::read(&run_id, "the result", &value).map_err(RunError::Unavailable)
            }
            Conclusion::Failed { error, code, message } => {
                Err(RunError::Failed(RunFailure { code, message, error }))
            }
            Conclusion::Cancelled { reason } => Err(RunError::Cancelled { reason }),
        }
    }

    /// A typed handle to a run of this workflow: `client.run(fulfil_order, "order-42").await?`.
    ///
    /// # Errors
    /// When there is no such run, when it is of another workflow, or when the store fails.
    pub async fn run<A, F: WorkflowFn<A>>(
        &self,
        _workflow: F,
        run_id: &str,
    ) -> Result<RunHandle<<F::Workflow as Workflow>::Output>, Error> {
        let status = self.status(run_id).await?;
        let expected = <F::Workflow as Workflow>::NAME;
        if status.workflow != expected {
            let actual = status.workflow;
            let text = format!("`{run_id}` is a run of the workflow `{actual}`, not of `{expected}`");
            return Err(ErrorKind::Taken(text).into());
        }
        Ok(RunHandle::of(Arc::clone(&self.parts), run_id.into()))
    }

    /// The schedules that this engine keeps, in the order of the workflows.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// ```
    /// # async fn f(engine: workflow_runtime::Engine) -> Result<(), workflow_runtime::Error> {
    /// for schedule in engine.client().schedules().await? {
    ///     println!("{}: {} {}", schedule.workflow, schedule.cron, schedule.timezone);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn schedules(&self) -> Result<Vec<ScheduleStatus>, Error> {
        let kept = self.read(self.parts.store.schedules().await)?;
        let now_ms = self.parts.clock.now_ms();
        let schedules = self.parts.registry.schedules().iter();
        Ok(schedules.map(|scheduled| scheduled.status(&kept, now_ms)).collect())
    }

    /// What the store said. A store that the engine has closed fails in words that help nobody.
    fn read<T>(&self, answer: Result<T, StoreError>) -> Result<T, Error> {
        match answer {
            Err(_) if self.parts.phase() == Phase::Stopped => Err(ErrorKind::Stopped.into()),
            answer => Ok(answer?),
        }
    }
}

fn text(text: &str) -> Payload {
    Payload::of(text).expect("text is JSON")
}

/// What became of the wish to cancel a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// It is recorded; the run hears of it, unless it ends before.
    Requested,
    /// The run had ended before.
    AlreadyEnded,
}
