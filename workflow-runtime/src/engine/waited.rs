//! Starting a run and waiting for it for a while: for services that answer at once when they can.
//! It starts like every start; what becomes of the run when nobody waits any more is not its affair.

use std::convert::Infallible;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use workflow_core::{Conclusion, Workflow};

use super::Start;
use crate::error::{ErrorKind, RunError};
use crate::handle::RunHandle;

/// A run to be started and waited for: await it.
#[must_use = "nothing is started until this is awaited"]
pub struct StartAndWait<W: Workflow> {
    start: Start<W>,
    patience: Duration,
}

/// What became of a run within the time that somebody waited for it.
#[derive(Debug)]
pub enum Waited<O> {
    /// It has ended: this is what the workflow returned.
    Ready(O),
    /// It goes on; its id and its result come with the handle.
    Running(RunHandle<O>),
}

impl<W: Workflow> StartAndWait<W> {
    pub(super) fn new(start: Start<W>, patience: Duration) -> StartAndWait<W> {
        StartAndWait { start, patience }
    }

    /// Gives the run an id, as [`Start::id`] does.
    pub fn id(self, id: impl Into<String>) -> StartAndWait<W> {
        StartAndWait { start: self.start.id(id), ..self }
    }

    async fn wait(self) -> Result<Waited<W::Output>, RunError<Infallible>> {
        let run = self.start.await.map_err(RunError::Unavailable)?;
        let Ok(ended) = tokio::time::timeout(self.patience, run.conclusion()).await else {
            return Ok(Waited::Running(run));
        };
        match ended.map_err(RunError::Unavailable)? {
            Conclusion::Cancelled { reason } => Err(RunError::Cancelled { reason }),
            conclusion => W::read(&conclusion).map(Waited::Ready).map_err(|error| {
                let what = format!("the end of the run `{}`", run.id());
                RunError::Unavailable(ErrorKind::Unreadable { what, error }.into())
            }),
        }
    }
}

impl<W: Workflow> IntoFuture for StartAndWait<W> {
    type Output = Result<Waited<W::Output>, RunError<Infallible>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}
