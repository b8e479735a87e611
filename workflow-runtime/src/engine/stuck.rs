//! Stuck operations: what a person says about one of them, held against what the run knows.
//! It makes the events to record; that the run takes them is up to the caller.

use workflow_core::{Event, OpId, OpenOperation, Payload};

use super::live_run::LiveRun;
use super::requests::{Answered, Asked, asked};
use crate::error::{Error, ErrorKind};
use crate::store::Request;

impl LiveRun {
    /// The operations that cannot go on by themselves.
    pub(crate) fn stuck(&self) -> Vec<OpId> {
        let open = self.run.open_operations();
        let stuck = open.iter().filter(|open| open.is_stuck).filter_map(|open| open.request.op());
        stuck.cloned().collect()
    }

    /// The events that a request comes to, and its answer.
    pub(crate) fn heed(&mut self, request: &Request) -> (Vec<Event>, Answered) {
        let ruled = match asked(request) {
            Ok(Asked::Retry) => {
                let stuck = self.stuck();
                let incidents = stuck.len() + usize::from(std::mem::take(&mut self.was_mended));
                let events = stuck.into_iter().map(|op| Event::RetryRequested { op });
                return (events.collect(), Answered::Retried { incidents });
            }
            Ok(Asked::Skip { op, value }) => self.skipped(op, value),
            Ok(Asked::GiveUp { op, reason }) => {
                self.stuck_at(&op).map(|_| Event::GivenUp { op: op.clone(), reason })
            }
            Err(refused) => return (Vec::new(), refused),
        };
        match ruled {
            Ok(event) => (vec![event], Answered::Ruled),
            Err(error) => (Vec::new(), Answered::refusal(&error)),
        }
    }

    /// # Errors
    /// When nothing is stuck there, or the value is not one that the operation could have given.
    fn skipped(&self, op: OpId, value: Payload) -> Result<Event, Error> {
        let output = self.as_output(&self.stuck_at(&op)?, &op, value)?;
        Ok(Event::Skipped { op, output })
    }

    fn stuck_at(&self, op: &OpId) -> Result<OpenOperation, Error> {
        let open = self.run.open_operations().into_iter();
        let mut stuck = open.filter(|open| open.is_stuck && open.request.op() == Some(op));
        stuck.next().ok_or_else(|| self.nothing_stuck(op))
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
            match form
                .map_err(|error| error.to_string())
                .and_then(|form| self.reads(op, &form).map(|()| form))
            {
                Ok(form) => return Ok(form),
                Err(error) => misfits.push(error),
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
