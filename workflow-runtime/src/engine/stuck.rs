//! Stuck operations: what a person says about one of them, held against what the run knows.
//! It makes the event to record; that the run takes it is up to the caller.

use tokio::sync::oneshot;
use workflow_core::{Event, OpId, OpenOperation, Payload};

use super::live_run::LiveRun;
use crate::error::{Error, ErrorKind};

/// What somebody says about a stuck operation.
pub(crate) struct Ruling {
    pub(crate) op: OpId,
    pub(crate) verdict: Verdict,
    /// Answered when it is on the disk, or refused.
    pub(crate) reply: oneshot::Sender<Result<(), Error>>,
}

pub(crate) enum Verdict {
    /// The code sees this value, as if the operation had given it.
    Skip(Payload),
    /// The run is given up, for this reason.
    GiveUp(String),
}

/// Who waits for a turn to be written, and with which answer.
pub(crate) enum Answer {
    Retried(oneshot::Sender<usize>, usize),
    Ruled(oneshot::Sender<Result<(), Error>>, Result<(), Error>),
}

impl Answer {
    pub(crate) fn send(self) {
        // Who no longer waits has lost interest.
        match self {
            Answer::Retried(reply, retried) => drop(reply.send(retried)),
            Answer::Ruled(reply, ruled) => drop(reply.send(ruled)),
        }
    }
}

impl LiveRun {
    /// The operations that cannot go on by themselves.
    pub(crate) fn stuck(&self) -> Vec<OpId> {
        let open = self.run.open_operations();
        let stuck = open.iter().filter(|open| open.is_stuck).filter_map(|open| open.request.op());
        stuck.cloned().collect()
    }

    /// The event that this verdict comes to.
    ///
    /// # Errors
    /// When nothing is stuck there, or the value is not one that the operation could have given.
    pub(crate) fn rule(&self, op: &OpId, verdict: Verdict) -> Result<Event, Error> {
        let open = self.run.open_operations();
        let Some(stuck) = open.iter().find(|open| open.is_stuck && open.request.op() == Some(op)) else {
            return Err(self.nothing_stuck(op));
        };
        match verdict {
            Verdict::Skip(value) => {
                Ok(Event::Skipped { op: op.clone(), output: self.as_output(stuck, op, value)? })
            }
            Verdict::GiveUp(reason) => Ok(Event::GivenUp { op: op.clone(), reason }),
        }
    }

    /// The value in the form in which the operation would have given it.
    fn as_output(&self, stuck: &OpenOperation, op: &OpId, value: Payload) -> Result<Payload, Error> {
        if op.undoes().is_some() {
            if value == Payload::null() {
                return Ok(value);
            }
            let text = format!("`{op}` is a compensation, which gives nothing: skip it with `&()`");
            return Err(ErrorKind::BadInput(text).into());
        }
        let good_half = || Payload::from_json(format!("{{\"Ok\":{value}}}"));
        let forms = match stuck.step {
            Some(step) if step.returns_result => vec![good_half()],
            Some(_) => vec![Ok(value.clone())],
            // Whether a child can fail is only known to its type.
            None => vec![Ok(value.clone()), good_half()],
        };
        let mut misfits = Vec::new();
        for form in forms {
            match form.and_then(|form| self.run.fits(op, &form).map(|()| form)) {
                Ok(form) => return Ok(form),
                Err(error) => misfits.push(error.to_string()),
            }
        }
        let misfits = misfits.join("; nor as the good half of a result: ");
        let text = format!("the value does not fit what `{op}` gives, nothing was changed: {misfits}");
        Err(ErrorKind::BadInput(text).into())
    }

    fn nothing_stuck(&self, op: &OpId) -> Error {
        let run_id = self.run.run_id();
        let stuck: Vec<String> = self.stuck().iter().map(|op| format!("`{op}`")).collect();
        let text = if stuck.is_empty() {
            format!("nothing is stuck at `{op}` of the run `{run_id}`, nor anywhere else in it")
        } else {
            format!("nothing is stuck at `{op}` of the run `{run_id}`; stuck is {}", stuck.join(", "))
        };
        ErrorKind::NotStuck(text).into()
    }
}
