//! What an event does to the operations of a run, before the code sees it.
//! Only the bookkeeping of steps, timers and waits; whether the code goes on is up to the run.

use crate::saga::Saga;
use crate::state::{Operation, State, StepState, Value};
use crate::{Command, CoreError, Failure, OpId, Payload, PayloadError, StepDef, Timestamp};

/// Nobody waits for what the event brings.
pub(crate) struct NobodyWaits;

pub(crate) type Settled = Result<Result<(), NobodyWaits>, CoreError>;

impl State {
    /// A step gave its answer.
    pub(crate) fn settle_step(
        &mut self,
        saga: &mut Saga,
        op: &OpId,
        output: &Payload,
        is_error: bool,
    ) -> Settled {
        let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        let (def, is_unknown) = (step.def, step.is_unknown);
        let is_abandoned = step.is_abandoned || step.is_withdrawn || op.undoes().is_some();
        let noted = match (op.undoes(), is_error) {
            (Some(_), _) => Ok(()),
            (None, false) => saga.note_done(op, def, &args, output),
            (None, true) if is_unknown => saga.note_unknown(op, def, &args),
            (None, true) => Ok(()),
        };
        noted.map_err(|error| unwirable(op, error))?;
        if is_abandoned {
            self.operations.remove(op);
        } else if let Some(operation) = self.operations.get_mut(op) {
            operation.value = Some(Value::Recorded(output.clone()));
        }
        Ok(Ok(()))
    }

    /// An attempt failed: another one, or an incident.
    pub(crate) fn settle_failure(
        &mut self,
        saga: &mut Saga,
        op: &OpId,
        failed: u32,
        failure: &Failure,
        retry_at_ms: Option<Timestamp>,
    ) -> Settled {
        let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        let (attempt, name) = match &self.operations[op].request {
            Command::StartStep { attempt, step, .. } => (*attempt, step.clone()),
            _ => return Ok(Err(NobodyWaits)),
        };
        if attempt != failed {
            return Ok(Err(NobodyWaits));
        }
        let step = StepState { is_unknown: step.is_unknown || failure.kind.is_unknown_outcome(), ..step };
        if step.is_abandoned || step.is_withdrawn {
            // Nobody wants it any more; what is left to know is whether it may have taken effect.
            self.operations.remove(op);
            if step.is_unknown {
                saga.note_unknown(op, step.def, &args).map_err(|error| unwirable(op, error))?;
            }
            return Ok(Ok(()));
        }
        let request = match retry_at_ms {
            Some(due_ms) => {
                Command::StartStep { op: op.clone(), step: name, args, attempt: attempt + 1, due_ms }
            }
            None => {
                let cause = format!("`{name}` failed for good after attempt {attempt}: {}", failure.message);
                Command::OpenIncident { op: Some(op.clone()), cause }
            }
        };
        let is_stuck = retry_at_ms.is_none();
        if let Some(operation) = self.operations.get_mut(op) {
            operation.step = Some(StepState { is_stuck, ..step });
        }
        if is_stuck {
            self.commands.push(request)
        } else {
            self.renew(op, request)
        }
        Ok(Ok(()))
    }

    /// Somebody asked for another round of attempts.
    pub(crate) fn settle_retry(&mut self, op: &OpId) -> Settled {
        let now_ms = self.now_ms;
        let Some(operation) = self.operations.get_mut(op) else { return Ok(Err(NobodyWaits)) };
        let Operation { request: Command::StartStep { step, args, .. }, step: Some(state), .. } = operation
        else {
            return Ok(Err(NobodyWaits));
        };
        if !state.is_stuck || state.is_withdrawn {
            return Ok(Err(NobodyWaits));
        }
        state.is_stuck = false;
        let (step, args) = (step.clone(), args.clone());
        self.commands.push(Command::CloseIncident { op: op.clone() });
        self.renew(op, Command::StartStep { op: op.clone(), step, args, attempt: 1, due_ms: now_ms });
        Ok(Ok(()))
    }

    /// A timer fired, or a deadline passed.
    pub(crate) fn settle_timer(&mut self, op: &OpId) -> Settled {
        let value = match self.open(op).map(|operation| &operation.request) {
            Some(Command::SetTimer { .. }) => Value::Nothing,
            Some(Command::AwaitMessage { due_ms: Some(_), .. }) => Value::TimedOut,
            _ => return Ok(Err(NobodyWaits)),
        };
        self.set_value(op, value)
    }

    /// A message arrived.
    pub(crate) fn settle_message(&mut self, op: &OpId, payload: &Payload) -> Settled {
        match self.open(op).map(|operation| &operation.request) {
            Some(Command::AwaitMessage { .. }) => self.set_value(op, Value::Recorded(payload.clone())),
            _ => Ok(Err(NobodyWaits)),
        }
    }

    fn set_value(&mut self, op: &OpId, value: Value) -> Settled {
        if let Some(operation) = self.operations.get_mut(op) {
            operation.value = Some(value);
        }
        Ok(Ok(()))
    }

    /// Forgets the steps that were withdrawn, after noting what they may have done.
    pub(crate) fn forget_withdrawn(&mut self, saga: &mut Saga) -> Result<(), CoreError> {
        let is_idle = |operation: &Operation| operation.step.is_some_and(|step| step.is_withdrawn);
        let idle: Vec<OpId> =
            self.operations.iter().filter(|(_, o)| is_idle(o)).map(|(op, _)| op.clone()).collect();
        for op in idle {
            let Some(Operation { request: Command::StartStep { args, .. }, step: Some(step), .. }) =
                self.operations.remove(&op)
            else {
                continue;
            };
            if step.is_stuck {
                self.commands.push(Command::CloseIncident { op: op.clone() });
            }
            if step.is_unknown {
                saga.note_unknown(&op, step.def, &args).map_err(|error| unwirable(&op, error))?;
            }
        }
        Ok(())
    }

    /// The step, the number of its attempt that is asked for, and whether an earlier one may have taken effect.
    pub(crate) fn attempt_of(&self, op: &OpId) -> Option<(&'static StepDef, u32, bool)> {
        let (step, _) = self.open_step(op)?;
        match &self.operations.get(op)?.request {
            Command::StartStep { attempt, .. } => Some((step.def, *attempt, step.is_unknown)),
            _ => None,
        }
    }

    fn open(&self, op: &OpId) -> Option<&Operation> {
        self.operations.get(op).filter(|operation| operation.value.is_none())
    }

    fn open_step(&self, op: &OpId) -> Option<(StepState, Payload)> {
        match self.open(op)? {
            Operation { request: Command::StartStep { args, .. }, step: Some(step), .. }
                if !step.is_stuck =>
            {
                Some((*step, args.clone()))
            }
            _ => None,
        }
    }
}

fn unwirable(op: &OpId, error: PayloadError) -> CoreError {
    CoreError::Unreadable { what: op.to_string(), error }
}
