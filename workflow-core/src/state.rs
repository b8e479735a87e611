//! What a run remembers while its code is in memory: open operations, and what the code asked for.
//! Shared between the run and the operations inside the workflow's future; it decides nothing about the saga.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow_graph::Effect;

use crate::{Command, CoreError, Cx, Definition, Message, OpId, Payload, StepDef, TimedOut, Timestamp};

/// See the module.
pub(crate) struct State {
    pub(crate) definition: Definition,
    /// The run's clock: when the event that is being fed was recorded.
    pub(crate) now_ms: Timestamp,
    /// How often each node has been passed.
    passed: BTreeMap<usize, u32>,
    pub(crate) operations: BTreeMap<OpId, Operation>,
    /// What the code asked for since the event was fed.
    pub(crate) commands: Vec<Command>,
    /// Why the code cannot go on; the run reports it after the poll.
    pub(crate) fault: Option<CoreError>,
    pub(crate) last_started: Option<OpId>,
}

/// An operation that the code has begun and whose value it has not taken yet.
pub(crate) struct Operation {
    /// The latest request for it.
    pub(crate) request: Command,
    pub(crate) value: Option<Value>,
    /// Set for steps.
    pub(crate) step: Option<StepState>,
}

#[derive(Clone, Copy)]
pub(crate) struct StepState {
    pub(crate) def: &'static StepDef,
    /// An earlier attempt may have taken effect though nobody knows.
    pub(crate) is_unknown: bool,
    /// Attempts are exhausted: a person has to look.
    pub(crate) is_stuck: bool,
    /// The code no longer waits for it, but what is under way is waited for.
    pub(crate) is_abandoned: bool,
    /// The code no longer waits for it, and no attempt was under way: there will be none.
    pub(crate) is_withdrawn: bool,
}

/// What an operation came to.
pub(crate) enum Value {
    Recorded(Payload),
    Nothing,
    TimedOut,
}

impl State {
    pub(crate) fn new(definition: Definition) -> State {
        State {
            definition,
            now_ms: Timestamp::MIN,
            passed: BTreeMap::new(),
            operations: BTreeMap::new(),
            commands: Vec::new(),
            fault: None,
            last_started: None,
        }
    }

    fn due_after(&self, duration: Duration) -> Timestamp {
        // Rounded up, so that a timer never fires early.
        let duration_ms = Timestamp::try_from(duration.as_nanos().div_ceil(1_000_000));
        self.now_ms.saturating_add(duration_ms.unwrap_or(Timestamp::MAX))
    }

    fn next_op(&mut self, position: usize) -> OpId {
        let node = self.definition.positions()[position];
        let occurrence = self.passed.entry(node).or_insert(0);
        *occurrence += 1;
        OpId::new(&self.definition.graph().nodes[node].id, *occurrence)
    }

    pub(crate) fn begin(&mut self, op: OpId, request: Command, step: Option<StepState>) {
        self.last_started = Some(op.clone());
        self.commands.push(request.clone());
        self.operations.insert(op, Operation { request, value: None, step });
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
        if let Some(operation) = self.operations.get_mut(op) {
            operation.request = recorded.clone();
        }
    }

    /// The code dropped the operation before it was done.
    fn drop_operation(&mut self, op: &OpId) {
        let now_ms = self.now_ms;
        let Some(operation) = self.operations.get_mut(op) else { return };
        if operation.value.is_none() && operation.is_under_way(now_ms) {
            let step = operation.step.as_mut().expect("only steps are under way");
            step.is_abandoned = true; // Its outcome is waited for, so that it can be undone.
            return;
        }
        let withdraw = operation.value.is_none();
        // A step between two attempts stays known: the run looks at whether it may have taken effect.
        match operation.step.as_mut() {
            Some(step) if withdraw => step.is_withdrawn = true,
            _ => {
                self.operations.remove(op);
            }
        }
        if withdraw {
            self.commands.push(Command::Withdraw { op: op.clone() });
        }
    }
}

impl Operation {
    /// Whether an attempt may be running at this moment.
    pub(crate) fn is_under_way(&self, now_ms: Timestamp) -> bool {
        match (&self.step, &self.request) {
            (Some(step), Command::StartStep { due_ms, .. }) => {
                !step.is_stuck && !step.is_withdrawn && *due_ms <= now_ms
            }
            _ => false,
        }
    }

    /// Whether the code still waits for it, or its outcome is.
    pub(crate) fn is_open(&self) -> bool {
        self.value.is_none() && !self.step.is_some_and(|step| step.is_withdrawn)
    }

    pub(crate) fn is_pivot(&self) -> bool {
        self.step.as_ref().is_some_and(|step| step.def.facts.effect == Effect::Pivot)
    }
}

impl Cx {
    pub(crate) fn start_step<T: DeserializeOwned>(
        &self,
        position: usize,
        def: &'static StepDef,
        args: &impl Serialize,
    ) -> Wait<T> {
        let args = Payload::of(args);
        let mut state = self.state();
        let op = state.next_op(position);
        match args {
            Ok(args) => {
                let request = Command::StartStep {
                    op: op.clone(),
                    step: def.facts.name.to_string(),
                    args,
                    attempt: 1,
                    due_ms: state.now_ms,
                };
                state.begin(op.clone(), request, Some(StepState::new(def)));
            }
            Err(error) => state.fault = Some(CoreError::Unstorable { what: op.to_string(), error }),
        }
        self.wait(op, read_recorded)
    }

    pub(crate) fn start_timer(&self, position: usize, duration: Duration) -> Wait<()> {
        let mut state = self.state();
        let op = state.next_op(position);
        let request = Command::SetTimer { op: op.clone(), due_ms: state.due_after(duration) };
        state.begin(op.clone(), request, None);
        self.wait(op, |_| Ok(()))
    }

    pub(crate) fn start_receive<M: Message, T>(
        &self,
        position: usize,
        key: String,
        within: Option<Duration>,
        read: fn(&Value) -> Result<T, crate::PayloadError>,
    ) -> Wait<T> {
        let mut state = self.state();
        let op = state.next_op(position);
        let due_ms = within.map(|duration| state.due_after(duration));
        let request = Command::AwaitMessage { op: op.clone(), message: M::NAME.to_owned(), key, due_ms };
        state.begin(op.clone(), request, None);
        self.wait(op, read)
    }

    fn wait<T>(&self, op: OpId, read: fn(&Value) -> Result<T, crate::PayloadError>) -> Wait<T> {
        Wait { cx: self.clone(), op, is_over: false, read }
    }
}

impl StepState {
    pub(crate) fn new(def: &'static StepDef) -> StepState {
        StepState { def, is_unknown: false, is_stuck: false, is_abandoned: false, is_withdrawn: false }
    }
}

pub(crate) fn read_recorded<T: DeserializeOwned>(value: &Value) -> Result<T, crate::PayloadError> {
    match value {
        Value::Recorded(payload) => payload.read(),
        Value::Nothing | Value::TimedOut => Payload::null().read(),
    }
}

pub(crate) fn read_message<M: Message>(value: &Value) -> Result<Result<M, TimedOut>, crate::PayloadError> {
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
    read: fn(&Value) -> Result<T, crate::PayloadError>,
}

impl<T> Future for Wait<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let value = {
            let mut state = self.cx.state();
            match state.operations.get(&self.op) {
                Some(Operation { value: Some(_), .. }) => {}
                _ => return Poll::Pending,
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
