//! A handle to one run: its id, and its result once there is one.
//! It does not hold the run: dropping a handle changes nothing.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::watch;
use workflow_core::{Conclusion, Payload, PayloadError};

use crate::engine::parts::{Parts, Phase};
use crate::error::{Error, ErrorKind, RunError};
use crate::store::RunState;

/// The waits before the store is asked for the end of a run that another engine may hold; twice as long each time.
const FIRST_POLL: Duration = Duration::from_millis(50);
const LONGEST_POLL: Duration = Duration::from_secs(2);

/// How often it is asked when this engine is alone, and hears of every end by itself.
const LOOK_ANYWAY: Duration = Duration::from_secs(60);

/// A run. `O` is what its workflow returns.
///
/// Use [`RunHandle::result`] when that is a `Result`, else [`RunOutput::result`], which the prelude brings in;
/// both are written `run.result().await?`.
pub struct RunHandle<O> {
    parts: Arc<Parts>,
    run_id: Arc<str>,
    ending: Option<watch::Receiver<Option<Conclusion>>>,
    _output: PhantomData<fn() -> O>,
}

impl<O> RunHandle<O> {
    pub(crate) fn live(
        parts: Arc<Parts>,
        run_id: Arc<str>,
        ending: watch::Receiver<Option<Conclusion>>,
    ) -> RunHandle<O> {
        RunHandle { parts, run_id, ending: Some(ending), _output: PhantomData }
    }

    pub(crate) fn of(parts: Arc<Parts>, run_id: Arc<str>) -> RunHandle<O> {
        RunHandle { parts, run_id, ending: None, _output: PhantomData }
    }

    /// The id of the run.
    pub fn id(&self) -> &str {
        &self.run_id
    }

    pub(crate) async fn conclusion(&self) -> Result<Conclusion, Error> {
        conclusion(&self.parts, &self.run_id, self.ending.clone()).await
    }

    fn read<T: DeserializeOwned>(&self, what: &str, payload: &Payload) -> Result<T, Error> {
        read(&self.run_id, what, payload)
    }
}

impl<T: DeserializeOwned, E: DeserializeOwned> RunHandle<Result<T, E>> {
    /// Waits until the run has ended, however long that takes, and gives what the workflow returned. An
    /// incident does not end a run: it goes on when somebody has dealt with it.
    ///
    /// # Errors
    /// The workflow's own error, that the run was cancelled, or why nobody knows yet.
    pub async fn result(&self) -> Result<T, RunError<E>> {
        match self.conclusion().await.map_err(RunError::Unavailable)? {
            Conclusion::Completed(value) => self.read("the result", &value).map_err(RunError::Unavailable),
            Conclusion::Failed { error, .. } => {
                Err(self.read("the error", &error).map_or_else(RunError::Unavailable, RunError::Failed))
            }
            Conclusion::Cancelled { reason } => Err(RunError::Cancelled { reason }),
        }
    }
}

/// The result of a workflow that cannot fail; the counterpart of [`RunHandle::result`].
pub trait RunOutput {
    /// What the workflow returns.
    type Output;

    /// Waits until the run has ended, however long that takes, and gives what the workflow returned.
    ///
    /// # Errors
    /// That the run was cancelled, or why nobody knows yet.
    fn result(&self) -> impl Future<Output = Result<Self::Output, RunError<Infallible>>> + Send;
}

impl<O: DeserializeOwned> RunOutput for RunHandle<O> {
    type Output = O;

    async fn result(&self) -> Result<O, RunError<Infallible>> {
        match self.conclusion().await.map_err(RunError::Unavailable)? {
            Conclusion::Completed(value) => self.read("the result", &value).map_err(RunError::Unavailable),
            Conclusion::Failed { message, .. } => {
                // Only when the run was written by other code than this handle's type says.
                let what = format!("the end of the run `{}`", self.run_id);
                let error = PayloadError(format!("it ended with an error: {message}"));
                Err(RunError::Unavailable(ErrorKind::Unreadable { what, error }.into()))
            }
            Conclusion::Cancelled { reason } => Err(RunError::Cancelled { reason }),
        }
    }
}

impl<O> Clone for RunHandle<O> {
    fn clone(&self) -> RunHandle<O> {
        RunHandle {
            parts: Arc::clone(&self.parts),
            run_id: Arc::clone(&self.run_id),
            ending: self.ending.clone(),
            _output: PhantomData,
        }
    }
}

impl<O> fmt::Debug for RunHandle<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunHandle").field("run_id", &self.run_id).finish_non_exhaustive()
    }
}

/// Waits until a run has ended.
pub(crate) async fn conclusion(
    parts: &Parts,
    run_id: &Arc<str>,
    mut ending: Option<watch::Receiver<Option<Conclusion>>>,
) -> Result<Conclusion, Error> {
    let mut poll = if parts.membership.is_shared() { FIRST_POLL } else { LOOK_ANYWAY };
    let mut waiting = None;
    loop {
        let known = ending.take().or_else(|| parts.live.get(run_id).map(|seat| seat.ending));
        if let Some(mut ending) = known
            && let Ok(ended) = ending.wait_for(Option::is_some).await
            && let Some(conclusion) = &*ended
        {
            return Ok(conclusion.clone());
        }
        // Not in memory: ended before, or parked, or held elsewhere. Waited for before the store is asked, so that an
        // end in between is not missed.
        let waiting = waiting.get_or_insert_with(|| parts.endings.wait_for(run_id));
        let status = parts.store.run(run_id).await;
        match status {
            Ok(Some(status)) => {
                if let RunState::Ended(conclusion) = status.state {
                    return Ok(conclusion);
                }
            }
            Ok(None) => return Err(ErrorKind::UnknownRun(Arc::clone(run_id)).into()),
            Err(_) if parts.phase() == Phase::Stopped => return Err(ErrorKind::Stopped.into()),
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "the end of a run cannot be read; trying again");
            }
            Err(error) => return Err(error.into()),
        }
        if parts.phase() != Phase::Running {
            return Err(ErrorKind::Stopped.into());
        }
        tokio::select! {
            biased;
            () = parts.leaving() => {}
            conclusion = waiting.ended() => return Ok(conclusion),
            () = tokio::time::sleep(poll) => poll = (poll * 2).min(LONGEST_POLL.max(poll)),
        }
    }
}

pub(crate) fn read<T: DeserializeOwned>(run_id: &str, what: &str, payload: &Payload) -> Result<T, Error> {
    payload.read().map_err(|error| {
        ErrorKind::Unreadable { what: format!("{what} of the run `{run_id}`"), error }.into()
    })
}
