//! What a run remembers while its code is in memory: open operations, what was done, what the code asked for.
//! Shared between the run and the operations inside the workflow's future.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow_graph::{Effect, RetryPolicy};

use crate::frame::Region;
use crate::renames::Renames;
use crate::saga::Saga;
use crate::waker;
use crate::{
    Command, Conclusion, CoreError, Cx, Definition, Message, OpId, Payload, PayloadError, StepDef, TimedOut,
    Timestamp,
};

/// See the module.
pub(crate) struct State {
    pub(crate) definition: Definition,
    pub(crate) run_id: Arc<str>,
    /// How often the run has begun.
    pub(crate) generation: u32,
    /// The run's clock: when the event that is being fed was recorded.
    pub(crate) now_ms: Timestamp,
    /// When the run began.
    pub(crate) started_ms: Timestamp,
    /// The ids of nodes that had another one when the run began.
    pub(crate) renames: Renames,
    /// How often each node has been passed, per scope. The node comes first: numbers are quicker to compare.
    passed: BTreeMap<(usize, Arc<str>), u32>,
    /// How often a value was derived from the run, per scope and kind of value.
    derived: BTreeMap<(Arc<str>, &'static str), u32>,
    /// Each on its own: they are large, and a map moves what it keeps.
    pub(crate) operations: BTreeMap<OpId, Box<Operation>>,
    /// What was done and can be undone.
    pub(crate) saga: Saga,
    /// Scopes whose code was dropped before it came to an end, by the prefix of their operations; and where it stood.
    pub(crate) broken_scopes: Vec<(Arc<str>, Option<Arc<Region>>)>,
    /// Whether an operation was withdrawn that is still known.
    pub(crate) has_withdrawn: bool,
    /// Whether one was since the code was polled last.
    pub(crate) has_just_withdrawn: bool,
    /// Which way the run goes at each change of the code that it has come to.
    pub(crate) patches: BTreeMap<String, bool>,
    /// In a replay: the changes that the recorded turn passed with the changed code.
    pub(crate) recorded_patches: Option<BTreeSet<String>>,
    /// The operation of the event that is being fed.
    pub(crate) touched: Option<OpId>,
    /// What the code asked for since the event was fed.
    pub(crate) commands: Vec<Command>,
    /// How the run goes on under its own id, once the code has asked for that.
    pub(crate) continued: Option<Command>,
    /// Why the code cannot go on; the run reports it after the poll.
    pub(crate) fault: Option<CoreError>,
    /// The operation that the code has begun last.
    pub(crate) last_started: Option<OpId>,
}

/// An operation that the code has begun and whose value it has not taken yet.
pub(crate) struct Operation {
    /// The latest request for it.
    pub(crate) request: Command,
    pub(crate) value: Option<Value>,
    /// Set for steps.
    pub(crate) step: Option<StepState>,
    /// The parallel region that it began in.
    pub(crate) region: Option<Arc<Region>>,
    /// Whether a value fits what the code expects; set for all that gives a value, but for compensations.
    pub(crate) fits: Option<Fits>,
    /// It cannot go on by itself: a person has to look.
    pub(crate) is_stuck: bool,
    /// The code no longer waits for it, but what is under way is waited for.
    pub(crate) is_abandoned: bool,
    /// The code no longer waits for it, and no attempt was under way: there will be none.
    pub(crate) is_withdrawn: bool,
}

/// Tells why a value does not fit, if it does not.
pub(crate) type Fits = fn(&Payload) -> Result<(), PayloadError>;

#[derive(Clone, Copy)]
pub(crate) struct StepState {
    pub(crate) def: &'static StepDef,
    pub(crate) overrides: Overrides,
    /// An earlier attempt may have taken effect though nobody knows.
    pub(crate) is_unknown: bool,
}

/// What a call says otherwise than its step.
#[derive(Clone, Copy, Default)]
pub(crate) struct Overrides {
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) without_compensation: bool,
}

/// What an operation came to.
pub(crate) enum Value {
    Recorded(Payload),
    Nothing,
    TimedOut,
    Concluded(Conclusion),
}

impl State {
    pub(crate) fn new(definition: Definition, run_id: Arc<str>) -> State {
        State {
            definition,
            run_id,
            generation: 1,
            now_ms: Timestamp::MIN,
            started_ms: 0,
            renames: Renames::default(),
            passed: BTreeMap::new(),
            derived: BTreeMap::new(),
            operations: BTreeMap::new(),
            saga: Saga::default(),
            broken_scopes: Vec::new(),
            has_withdrawn: false,
            has_just_withdrawn: false,
            patches: BTreeMap::new(),
            recorded_patches: None,
            touched: None,
            commands: Vec::new(),
            continued: None,
            fault: None,
            last_started: None,
        }
    }

    pub(crate) fn due_after(&self, duration: Duration) -> Timestamp {
        // Rounded up, so that a timer never fires early.
        let duration_ms = Timestamp::try_from(duration.as_nanos().div_ceil(1_000_000));
        self.now_ms.saturating_add(duration_ms.unwrap_or(Timestamp::MAX))
    }

    /// Counts that a scope passes a node.
    pub(crate) fn pass(&mut self, prefix: &Arc<str>, node: usize) -> u32 {
        let occurrence = self.passed.entry((node, Arc::clone(prefix))).or_insert(0);
        *occurrence += 1;
        *occurrence
    }

    /// Counts that a scope derives a value of this kind.
    pub(crate) fn derive(&mut self, prefix: &Arc<str>, kind: &'static str) -> u32 {
        let occurrence = self.derived.entry((Arc::clone(prefix), kind)).or_insert(0);
        *occurrence += 1;
        *occurrence
    }

    pub(crate) fn begin(&mut self, op: OpId, operation: Operation) {
        self.note_started(&op);
        self.commands.push(operation.request.clone());
        self.operations.insert(op, Box::new(operation));
    }

    /// Notes where the code is; once a foreign future has been polled in this turn, that place is the one to tell.
    pub(crate) fn note_started(&mut self, op: &OpId) {
        if !waker::is_touched() {
            self.last_started = Some(op.clone());
        }
    }

    /// Records a new request for an operation that is open already.
    pub(crate) fn renew(&mut self, op: &OpId, request: Command) {
        if let Some(operation) = self.operations.get_mut(op) {
            operation.request = request.clone();
        }
        self.commands.push(request);
    }

    /// Takes the recorded request for an open operation in place of what the code computes today.
    pub(crate) fn adopt(&mut self, op: &OpId, recorded: &Command) {
        if let Some(operation) = self.operations.get_mut(op)
            && operation.request != *recorded
        {
            operation.request = recorded.clone();
        }
    }

    /// The code dropped the operation before it was done.
    pub(crate) fn drop_operation(&mut self, op: &OpId) {
        let now_ms = self.now_ms;
        let Some(operation) = self.operations.get_mut(op) else { return };
        if operation.value.is_none() && operation.is_pivot_in_doubt() && !operation.is_under_way(now_ms) {
            operation.is_abandoned = true; // It is asked again: whether to undo the rest is not for guessing.
            return;
        }
        if operation.value.is_none() && operation.is_under_way(now_ms) {
            operation.is_abandoned = true; // Its outcome is waited for, so that it can be undone.
            match &operation.request {
                Command::StartStep { .. } => self.commands.push(Command::CancelStep { op: op.clone() }),
                Command::StartChild { detached: false, .. } => {
                    self.commands.push(Command::CancelChild { op: op.clone() })
                }
                _ => {}
            }
            return;
        }
        let withdraw = operation.value.is_none();
        // A step between two attempts stays known: the run looks at whether it may have taken effect.
        if withdraw && (operation.step.is_some() || operation.is_stuck) {
            operation.is_withdrawn = true;
            self.has_withdrawn = true;
            self.has_just_withdrawn = true;
        } else {
            self.operations.remove(op);
        }
        if withdraw {
            self.commands.push(Command::Withdraw { op: op.clone() });
        }
    }

    /// Whether something that the code no longer waits for is still under way there.
    pub(crate) fn is_settling(&self, is_there: impl Fn(&OpId, &Operation) -> bool) -> bool {
        self.operations.iter().any(|(op, operation)| operation.is_abandoned && is_there(op, operation))
    }
}

impl Operation {
    pub(crate) fn new(request: Command, region: Option<Arc<Region>>) -> Operation {
        Operation {
            request,
            value: None,
            step: None,
            region,
            fits: None,
            is_stuck: false,
            is_abandoned: false,
            is_withdrawn: false,
        }
    }

    /// Whether an attempt or a child may be running at this moment.
    pub(crate) fn is_under_way(&self, now_ms: Timestamp) -> bool {
        let may_run = match (&self.step, &self.request) {
            (Some(_), Command::StartStep { due_ms, .. }) => *due_ms <= now_ms,
            (_, Command::StartChild { .. }) => true,
            _ => false,
        };
        may_run && !self.is_stuck && !self.is_withdrawn
    }

    /// Whether the code still waits for it, or its outcome is.
    pub(crate) fn is_open(&self) -> bool {
        self.value.is_none() && !self.is_withdrawn
    }

    pub(crate) fn is_pivot(&self) -> bool {
        self.step.as_ref().is_some_and(|step| step.def.facts.effect == Effect::Pivot)
    }

    /// A pivot of which an attempt may have taken effect though nobody knows.
    pub(crate) fn is_pivot_in_doubt(&self) -> bool {
        self.is_pivot() && self.step.is_some_and(|step| step.is_unknown)
    }

    pub(crate) fn is_in(&self, region: &Arc<Region>) -> bool {
        self.region.as_ref().is_some_and(|inner| inner.is_within(region))
    }
}

impl Cx {
    pub(crate) fn start_step<T: DeserializeOwned>(
        &self,
        position: usize,
        def: &'static StepDef,
        args: &impl Serialize,
        overrides: Overrides,
    ) -> Wait<T> {
        let args = Payload::of(args);
        let mut state = self.state();
        let op = self.next_op_in(&mut state, position);
        match args {
            Ok(args) => {
                let request = Command::StartStep {
                    op: op.clone(),
                    step: def.facts.name.clone(),
                    args,
                    attempt: 1,
                    due_ms: state.now_ms,
                    timeout_ms: overrides.timeout_ms,
                };
                let step = Some(StepState { def, overrides, is_unknown: false });
                let operation = Operation { step, fits: Some(fits::<T>), ..self.operation(request) };
                state.begin(op.clone(), operation);
            }
            Err(error) => state.fault = Some(CoreError::Unstorable { what: op.to_string(), error }),
        }
        self.wait(op, read_recorded)
    }

    pub(crate) fn start_timer(&self, position: usize, due: impl FnOnce(&State) -> Timestamp) -> Wait<()> {
        let mut state = self.state();
        let op = self.next_op_in(&mut state, position);
        let request = Command::SetTimer { op: op.clone(), due_ms: due(&state) };
        state.begin(op.clone(), self.operation(request));
        self.wait(op, |_| Ok(()))
    }

    pub(crate) fn start_receive<M: Message, T>(
        &self,
        position: usize,
        key: String,
        within: Option<Duration>,
        read: fn(&Value) -> Result<T, PayloadError>,
    ) -> Wait<T> {
        let mut state = self.state();
        let op = self.next_op_in(&mut state, position);
        let due_ms = within.map(|duration| state.due_after(duration));
        let request = Command::AwaitMessage { op: op.clone(), message: M::NAME.to_owned(), key, due_ms };
        let operation = Operation { fits: Some(fits::<M>), ..self.operation(request) };
        state.begin(op.clone(), operation);
        self.wait(op, read)
    }

    pub(crate) fn operation(&self, request: Command) -> Operation {
        Operation::new(request, self.frame.region.clone())
    }

    pub(crate) fn wait<T>(&self, op: OpId, read: fn(&Value) -> Result<T, PayloadError>) -> Wait<T> {
        Wait { cx: self.clone(), op, is_over: false, read }
    }
}

/// Whether a value can be read as this type.
pub(crate) fn fits<T: DeserializeOwned>(payload: &Payload) -> Result<(), PayloadError> {
    payload.read::<T>().map(drop)
}

pub(crate) fn read_recorded<T: DeserializeOwned>(value: &Value) -> Result<T, PayloadError> {
    match value {
        Value::Recorded(payload) => payload.read(),
        Value::Nothing | Value::TimedOut | Value::Concluded(_) => Payload::null().read(),
    }
}

pub(crate) fn read_message<M: Message>(value: &Value) -> Result<Result<M, TimedOut>, PayloadError> {
    match value {
        Value::TimedOut => Ok(Err(TimedOut)),
        value => read_recorded(value).map(Ok),
    }
}

/// An operation under way: ready once its event has been fed. It looks at the run only, never at the waker.
pub struct Wait<T> {
    cx: Cx,
    op: OpId,
    is_over: bool,
    read: fn(&Value) -> Result<T, PayloadError>,
}

impl<T> Future for Wait<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let value = {
            let mut state = self.cx.state();
            if state.operations.get(&self.op).is_none_or(|operation| operation.value.is_none()) {
                return Poll::Pending;
            }
            state.operations.remove(&self.op).and_then(|operation| operation.value)
        };
        // Reading runs the user's deserializer: not while the state is locked.
        match value.as_ref().map(self.read) {
            Some(Ok(value)) => {
                self.is_over = true;
                Poll::Ready(value)
            }
            Some(Err(error)) => {
                let what = self.op.to_string();
                self.cx.state().fault = Some(CoreError::Unreadable { what, error });
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for Wait<T> {
    fn drop(&mut self) {
        if !self.is_over {
            self.cx.state().drop_operation(&self.op);
        }
    }
}
