//! What people say about incidents: try again, go on with this value, give it up.
//! It asks the run, which alone knows what is stuck, through the store: any engine may hold it, or none.

use serde::Serialize;
use workflow_core::{OpId, Payload};

use super::{Client, text};
use crate::engine::requests::{self, Answered, Asked};
use crate::error::{Error, ErrorKind};
use crate::limits::check_size;

impl Client {
    /// Somebody has looked at the incidents of a run: every stuck step gets another round of attempts, every child that
    /// could not be started is tried again, and a run that could not go on with its journal too. Gives how many
    /// incidents that concerned, not whether it helped. (A child that was cancelled has ended for good: see
    /// [`Client::skip`] and [`Client::fail`].)
    ///
    /// # Errors
    /// When there is nothing to retry, no such run, or no engine with code for it.
    pub async fn retry(&self, run_id: &str) -> Result<usize, Error> {
        match self.ask(run_id, &Asked::Retry).await? {
            Answered::Retried { incidents: 0 } => {
                let text = format!(
                    "the run `{run_id}` has nothing that is stuck: no step whose attempts are exhausted, and no child \
                     that was refused"
                );
                Err(ErrorKind::NothingToRetry(text).into())
            }
            Answered::Retried { incidents } => Ok(incidents),
            other => ruled(other).map(|()| 1),
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
    /// When nothing is stuck there, when the value does not fit, when there is no such run or no engine with code for
    /// it. Nothing has changed then.
    pub async fn skip<T: Serialize + ?Sized>(&self, run_id: &str, op: &str, value: &T) -> Result<(), Error> {
        let value = Payload::of(value)
            .map_err(|error| ErrorKind::Unstorable { what: "the value".to_owned(), error })?;
        check_size("the value", &value, self.parts.payload_limit)?;
        let op = OpId::from_text(op);
        ruled(self.ask(run_id, &Asked::Skip { op, value }).await?)
    }

    /// Somebody has looked at a stuck operation and gives the run up: what was done is undone, and it ends cancelled
    /// with this reason. A stuck compensation is left undone, and the rest is undone as if it had not been there.
    /// When this returns, it is on the disk.
    ///
    /// # Errors
    /// When nothing is stuck there, when there is no such run or no engine with code for it. Nothing has changed then.
    pub async fn fail(&self, run_id: &str, op: &str, reason: impl Into<String>) -> Result<(), Error> {
        let reason = reason.into();
        check_size("the reason", &text(&reason), self.parts.payload_limit)?;
        let op = OpId::from_text(op);
        ruled(self.ask(run_id, &Asked::GiveUp { op, reason }).await?)
    }

    async fn ask(&self, run_id: &str, asked: &Asked) -> Result<Answered, Error> {
        requests::ask(&self.parts, run_id, asked).await?.ok_or_else(|| {
            let text = format!("the run `{run_id}` has just ended: ask for its status");
            ErrorKind::NothingToRetry(text).into()
        })
    }
}

fn ruled(answered: Answered) -> Result<(), Error> {
    match answered {
        Answered::Ruled | Answered::Retried { .. } => Ok(()),
        Answered::NotStuck { text } => Err(ErrorKind::NotStuck(text).into()),
        Answered::Refused { text } => Err(ErrorKind::BadInput(text).into()),
    }
}
