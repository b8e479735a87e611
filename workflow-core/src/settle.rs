//! What an event does to the operations of a run, before the code sees it.
//! Only the bookkeeping of steps, timers, waits and children; whether the code goes on is up to the run.

use serde::de::IgnoredAny;
use workflow_graph::Effect;

use crate::state::{Operation, State, StepState, Value};
use crate::{Command, Conclusion, CoreError, Event, Failure, OpId, Payload, PayloadError, Timestamp};

/// Nobody waits for what the event brings.
pub(crate) struct NobodyWaits;

pub(crate) type Settled = Result<Result<(), NobodyWaits>, CoreError>;

impl State {
    /// Takes what happened. What concerns the run as a whole is left to the run.
    pub(crate) fn take(&mut self, at_ms: Timestamp, event: &Event) -> Settled {
        self.now_ms = self.now_ms.max(at_ms);
        self.touched = event.op().cloned();
        match event {
            Event::StepCompleted { op, output, error } => self.settle_step(op, output, error.is_some()),
            Event::AttemptFailed { op, attempt, failure, retry_at_ms } => {
                self.settle_failure(op, *attempt, failure, *retry_at_ms)
            }
            Event::TimerFired { op } if !op.is_deadline() => self.settle_timer(op),
            Event::ChildStarted { op } => self.settle_child_started(op),
            Event::ChildEnded { op, conclusion } => self.settle_child(op, conclusion),
            Event::ChildRefused { op, reason } => self.settle_child_refused(op, reason),
            Event::Skipped { op, output } => self.settle_skip(op, output),
            Event::MessageReceived { op, payload, .. } => self.settle_message(op, payload),
            Event::RetryRequested { op } => self.settle_retry(op),
            Event::Started { .. }
            | Event::TimerFired { .. }
            | Event::GivenUp { .. }
            | Event::CancelRequested { .. }
            | Event::Resumed => Ok(Ok(())),
        }
    }

    /// A step gave its answer.
    pub(crate) fn settle_step(&mut self, op: &OpId, output: &Payload, is_error: bool) -> Settled {
        let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        self.note(op, step, &args, (!is_error).then_some(output), self.is_unwanted(op))?;
        self.finish(op, Value::Recorded(output.clone()));
        Ok(Ok(()))
    }

    /// Notes for the undoing what a step did, or may have done.
    fn note(
        &mut self,
        op: &OpId,
        step: StepState,
        args: &Payload,
        output: Option<&Payload>,
        is_unwanted: bool,
    ) -> Result<(), CoreError> {
        if op.undoes().is_some() {
            return Ok(());
        }
        let is_undone = !step.overrides.without_compensation;
        let noted = match output {
            Some(output) if is_undone || step.def.facts.effect == Effect::Pivot => {
                self.saga.note_done(op, step.def, args, output, is_unwanted)
            }
            None if step.is_unknown && is_undone => self.saga.note_unknown(op, step.def, args, is_unwanted),
            _ => Ok(()),
        };
        noted.map_err(|error| unwirable(op, error))
    }

    /// The operation is done; who still waits for it gets the value.
    fn finish(&mut self, op: &OpId, value: Value) {
        let Some(operation) = self.operations.get_mut(op) else { return };
        if operation.is_abandoned || operation.is_withdrawn || op.undoes().is_some() {
            self.operations.remove(op);
        } else {
            operation.value = Some(value);
        }
    }

    /// An attempt failed: another one, or an incident.
    pub(crate) fn settle_failure(
        &mut self,
        op: &OpId,
        failed: u32,
        failure: &Failure,
        retry_at_ms: Option<Timestamp>,
    ) -> Settled {
        let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        let (attempt, name, timeout_ms) = match &self.operations[op].request {
            Command::StartStep { attempt, step, timeout_ms, .. } => (*attempt, step.clone(), *timeout_ms),
            _ => return Ok(Err(NobodyWaits)),
        };
        if attempt != failed {
            return Ok(Err(NobodyWaits));
        }
        let step = StepState { is_unknown: step.is_unknown || failure.kind.is_unknown_outcome(), ..step };
        let Some(operation) = self.operations.get_mut(op) else { return Ok(Err(NobodyWaits)) };
        operation.step = Some(step);
        if (operation.is_abandoned || operation.is_withdrawn) && !operation.is_pivot_in_doubt() {
            // Nobody wants it any more; what is left to know is whether it may have taken effect.
            self.operations.remove(op);
            self.note(op, step, &args, None, true)?;
            return Ok(Ok(()));
        }
        match retry_at_ms {
            Some(due_ms) => {
                let (failed, op, attempt) = (op.clone(), op.clone(), attempt + 1);
                let request = Command::StartStep { op, step: name, args, attempt, due_ms, timeout_ms };
                self.renew(&failed, request);
            }
            None => {
                let cause = format!("`{name}` failed for good after attempt {attempt}: {}", failure.message);
                self.open_incident(op, cause);
            }
        }
        Ok(Ok(()))
    }

    fn open_incident(&mut self, op: &OpId, cause: String) {
        if let Some(operation) = self.operations.get_mut(op) {
            operation.is_stuck = true;
        }
        self.commands.push(Command::OpenIncident { op: Some(op.clone()), cause });
    }

    /// The stuck operation of an incident that somebody looked at, no longer stuck.
    fn unstick(&mut self, op: &OpId) -> Option<&mut Operation> {
        let operation = self.operations.get_mut(op).filter(|o| o.is_stuck && !o.is_withdrawn)?;
        operation.is_stuck = false;
        self.commands.push(Command::CloseIncident { op: op.clone() });
        Some(operation)
    }

    /// Somebody asked for another round of attempts.
    pub(crate) fn settle_retry(&mut self, op: &OpId) -> Settled {
        let now_ms = self.now_ms;
        let Some(operation) = self.unstick(op) else { return Ok(Err(NobodyWaits)) };
        let mut request = operation.request.clone();
        if let Command::StartStep { attempt, due_ms, .. } = &mut request {
            (*attempt, *due_ms) = (1, now_ms);
        }
        self.renew(op, request);
        Ok(Ok(()))
    }

    /// Somebody says what a stuck operation came to.
    pub(crate) fn settle_skip(&mut self, op: &OpId, output: &Payload) -> Settled {
        if self.unstick(op).is_none() {
            return Ok(Err(NobodyWaits));
        }
        if let Some((step, args)) = self.open_step(op) {
            // An error is an answer like any other: then the step did not take effect.
            let is_error = step.def.returns_result
                && matches!(output.read::<Result<IgnoredAny, IgnoredAny>>(), Ok(Err(_)));
            self.note(op, step, &args, (!is_error).then_some(output), self.is_unwanted(op))?;
        }
        self.finish(op, Value::Recorded(output.clone()));
        Ok(Ok(()))
    }

    /// Somebody gives a stuck operation up.
    pub(crate) fn settle_given_up(&mut self, op: &OpId) -> Settled {
        if self.unstick(op).is_none() {
            return Ok(Err(NobodyWaits));
        }
        if let Some((step, args)) = self.open_step(op) {
            self.note(op, step, &args, None, self.is_unwanted(op))?;
        }
        self.operations.remove(op);
        Ok(Ok(()))
    }

    /// A child was started, and only that was waited for.
    pub(crate) fn settle_child_started(&mut self, op: &OpId) -> Settled {
        match self.open(op).map(|operation| &operation.request) {
            Some(Command::StartChild { detached: true, run_id, .. }) => {
                let id = Payload::of(run_id).expect("text is JSON");
                self.finish(op, Value::Recorded(id));
                Ok(Ok(()))
            }
            _ => Ok(Err(NobodyWaits)),
        }
    }

    /// A child has ended.
    pub(crate) fn settle_child(&mut self, op: &OpId, conclusion: &Conclusion) -> Settled {
        let Some(operation) = self.open(op) else { return Ok(Err(NobodyWaits)) };
        let Command::StartChild { run_id, detached: false, .. } = &operation.request else {
            return Ok(Err(NobodyWaits));
        };
        let wanted = !operation.is_abandoned && !operation.is_withdrawn;
        match conclusion {
            Conclusion::Cancelled { reason } if wanted => {
                let cause = format!("the child `{run_id}` was cancelled: {reason}");
                self.open_incident(op, cause);
            }
            conclusion => self.finish(op, Value::Concluded(conclusion.clone())),
        }
        Ok(Ok(()))
    }

    /// A child could not be started.
    pub(crate) fn settle_child_refused(&mut self, op: &OpId, reason: &str) -> Settled {
        match self.open(op) {
            Some(operation) if matches!(operation.request, Command::StartChild { .. }) => {
                if operation.is_abandoned || operation.is_withdrawn {
                    self.operations.remove(op);
                } else {
                    self.open_incident(op, reason.to_owned());
                }
                Ok(Ok(()))
            }
            _ => Ok(Err(NobodyWaits)),
        }
    }

    /// A timer fired, or a deadline passed.
    pub(crate) fn settle_timer(&mut self, op: &OpId) -> Settled {
        let value = match self.open(op).map(|operation| &operation.request) {
            Some(Command::SetTimer { .. }) => Value::Nothing,
            Some(Command::AwaitMessage { due_ms: Some(_), .. }) => Value::TimedOut,
            _ => return Ok(Err(NobodyWaits)),
        };
        self.finish(op, value);
        Ok(Ok(()))
    }

    /// A message arrived.
    pub(crate) fn settle_message(&mut self, op: &OpId, payload: &Payload) -> Settled {
        match self.open(op).map(|operation| &operation.request) {
            Some(Command::AwaitMessage { .. }) => {
                self.finish(op, Value::Recorded(payload.clone()));
                Ok(Ok(()))
            }
            _ => Ok(Err(NobodyWaits)),
        }
    }

    /// Forgets the operations there that were withdrawn, after noting what they may have done.
    pub(crate) fn forget_withdrawn(
        &mut self,
        is_there: impl Fn(&OpId, &Operation) -> bool,
    ) -> Result<(), CoreError> {
        if !self.has_withdrawn {
            return Ok(()); // An event must not cost a look at each of thousands of operations.
        }
        let withdrawn = self.operations.iter().filter(|(op, o)| o.is_withdrawn && is_there(op, o));
        let withdrawn: Vec<OpId> = withdrawn.map(|(op, _)| op.clone()).collect();
        for op in withdrawn {
            let Some(operation) = self.operations.remove(&op) else { continue };
            if operation.is_stuck {
                self.commands.push(Command::CloseIncident { op: op.clone() });
            }
            if let (Command::StartStep { args, .. }, Some(step)) = (&operation.request, operation.step) {
                self.note(&op, step, args, None, true)?;
            }
        }
        self.has_withdrawn = self.operations.values().any(|operation| operation.is_withdrawn);
        Ok(())
    }

    /// Whether the code has dropped the operation.
    fn is_unwanted(&self, op: &OpId) -> bool {
        self.operations.get(op).is_some_and(|operation| operation.is_abandoned || operation.is_withdrawn)
    }

    /// The step, the number of its attempt that is asked for.
    pub(crate) fn attempt_of(&self, op: &OpId) -> Option<(StepState, u32)> {
        let operation = self.open(op).filter(|operation| !operation.is_stuck)?;
        match (&operation.request, operation.step) {
            (Command::StartStep { attempt, .. }, Some(step)) => Some((step, *attempt)),
            _ => None,
        }
    }

    fn open(&self, op: &OpId) -> Option<&Operation> {
        self.operations.get(op).map(AsRef::as_ref).filter(|operation: &&Operation| operation.value.is_none())
    }

    fn open_step(&self, op: &OpId) -> Option<(StepState, Payload)> {
        match self.open(op)? {
            Operation {
                request: Command::StartStep { args, .. }, step: Some(step), is_stuck: false, ..
            } => Some((*step, args.clone())),
            _ => None,
        }
    }
}

pub(crate) fn unwirable(op: &OpId, error: PayloadError) -> CoreError {
    CoreError::Unreadable { what: op.to_string(), error }
}
