//! What people say about incidents: try again, go on with this value, give it up.
//! It asks the driver of the run, which alone knows what is stuck.

use serde::Serialize;
use tokio::sync::oneshot;
use workflow_core::{OpId, Payload};

use super::{Client, text};
use crate::engine::{Input, Ruling, Verdict};
use crate::error::{Error, ErrorKind};
use crate::limits::check_size;
use crate::store::RunState;

impl Client {
    /// Somebody has looked at the incidents of a run: every stuck step gets another round of attempts, every child that
    /// could not be started is tried again, and a run that could not go on with its journal too. Gives how many
    /// incidents that concerned, not whether it helped. (A child that was cancelled has ended for good: see
    /// [`Client::skip`] and [`Client::fail`].)
    ///
    /// # Errors
    /// When there is nothing to retry, no such run, or no code for it here.
    pub async fn retry(&self, run_id: &str) -> Result<usize, Error> {
        match self.ask_driver(run_id, Input::Retry).await? {
            Some(0) => {
                let text = format!(
                    "the run `{run_id}` has nothing that is stuck: no step whose attempts are exhausted, and no child \
                     that was refused"
                );
                Err(ErrorKind::NothingToRetry(text).into())
            }
            Some(incidents) => Ok(incidents),
            None => {
                let text = format!("the run `{run_id}` has just ended or broken off: ask for its status");
                Err(ErrorKind::NothingToRetry(text).into())
            }
        }
    }

    /// Somebody has looked at a stuck operation, has perhaps done by hand what it should have done, and says what it
    /// came to: the code goes on with this value. It counts as completed, so it is undone like any other if the run
    /// fails.
    ///
    /// The value is what the call gives when it succeeds: of a call that gives a `Result`, the good half. A stuck
    /// compensation gives nothing: `client.skip("order-42", "charge/undo", &())`. The operation is the one that the
    /// incident names. When this returns, it is on the disk.
    ///
    /// # Errors
    /// When nothing is stuck there, when the value does not fit, when there is no such run or no code for it here.
    /// Nothing has changed then.
    pub async fn skip<T: Serialize + ?Sized>(&self, run_id: &str, op: &str, value: &T) -> Result<(), Error> {
        let value = Payload::of(value)
            .map_err(|error| ErrorKind::Unstorable { what: "the value".to_owned(), error })?;
        check_size("the value", &value, self.parts.payload_limit)?;
        self.rule(run_id, op, Verdict::Skip(value)).await
    }

    /// Somebody has looked at a stuck operation and gives the run up: what was done is undone, and it ends cancelled
    /// with this reason. A stuck compensation is left undone, and the rest is undone as if it had not been there.
    /// When this returns, it is on the disk.
    ///
    /// # Errors
    /// When nothing is stuck there, when there is no such run or no code for it here. Nothing has changed then.
    pub async fn fail(&self, run_id: &str, op: &str, reason: impl Into<String>) -> Result<(), Error> {
        let reason = reason.into();
        check_size("the reason", &text(&reason), self.parts.payload_limit)?;
        self.rule(run_id, op, Verdict::GiveUp(reason)).await
    }

    async fn rule(&self, run_id: &str, op: &str, verdict: Verdict) -> Result<(), Error> {
        let op = OpId::from_text(op);
        let ruled = self.ask_driver(run_id, |reply| Input::Rule(Ruling { op, verdict, reply })).await?;
        ruled.unwrap_or_else(|| {
            let text = format!("the run `{run_id}` has just ended or broken off: ask for its status");
            Err(ErrorKind::NotStuck(text).into())
        })
    }

    /// Asks the driver of a run; `None` when it went away before it answered.
    async fn ask_driver<T>(
        &self,
        run_id: &str,
        input: impl FnOnce(oneshot::Sender<T>) -> Input,
    ) -> Result<Option<T>, Error> {
        self.parts.refuse_when_leaving()?;
        let Some(seat) = self.parts.live.get(run_id) else {
            let status = self.status(run_id).await?;
            let text = match status.state {
                RunState::Ended(_) => format!("the run `{run_id}` has ended"),
                RunState::Running => format!(
                    "the run `{run_id}` is not driven by this engine: is `{}`, version {}, registered?",
                    status.workflow, status.version
                ),
            };
            return Err(ErrorKind::NothingToRetry(text).into());
        };
        let (reply, answer) = oneshot::channel();
        let _ = seat.inbox.send(input(reply));
        match answer.await {
            Ok(answer) => Ok(Some(answer)),
            Err(_) => self.parts.refuse_when_leaving().map(|()| None),
        }
    }
}
