//! One run, driven in turns: feed one event, poll the code once, return what it asks for.
//! Live execution and recovery are the same function; it never looks at a clock and never waits.

mod leaving;
mod replaying;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use workflow_graph::RetryPolicy;

use crate::judge::{self, AttemptOutcome};
use crate::renames::Renames;
use crate::settle::{NobodyWaits, Settled};
use crate::state::{Operation, State};
use crate::values::patches_of;
use crate::waker;
use crate::workflow::Body;
use crate::{
    AttemptControl, Command, Conclusion, CoreError, Cx, Definition, Event, ForeignFuture, OpId, Payload,
    PayloadError, Record, StepContext, StepDef, Timestamp,
};

/// A run in memory. Built from nothing or by replaying its journal; dropped at any time without loss.
pub struct Run {
    run_id: Arc<str>,
    definition: Definition,
    pub(crate) cx: Cx,
    phase: Phase,
    /// Why it was asked to cancel last.
    cancel_reason: Option<String>,
    /// A cancel that waits for the outcome of the pivot under way.
    postponed_cancel: Option<String>,
    /// What the code asks for in answer to an event on which it broke off before; not recorded yet.
    owed: Option<Vec<Command>>,
    rows: usize,
    broken: Option<CoreError>,
}

enum Phase {
    Fresh,
    Live(Body),
    /// The code is done; steps that it no longer waits for are still under way.
    Leaving(Exit),
    Undoing {
        conclusion: Conclusion,
        current: Option<OpId>,
    },
    Ended(Exit),
}

/// How a run leaves its code.
#[derive(Clone)]
enum Exit {
    End(Conclusion),
    Continue { version: u32, input: Payload },
}

/// An operation that a run has asked for and that has not been settled.
#[derive(Clone, Debug)]
pub struct OpenOperation {
    /// The latest request for it.
    pub request: Command,
    /// What to run, if it is a step.
    pub step: Option<&'static StepDef>,
    /// Whether it cannot go on by itself and a person has to look.
    pub is_stuck: bool,
    /// Whether the code no longer waits for it, and only its outcome is waited for.
    pub is_abandoned: bool,
}

impl OpenOperation {
    fn is(&self, operation: &Operation) -> bool {
        let Operation { request, step, is_stuck, is_abandoned, .. } = operation;
        let is_step = match (self.step, step) {
            (Some(own), Some(step)) => own.is(step.def),
            (own, step) => own.is_none() && step.is_none(),
        };
        is_step
            && self.request == *request
            && (self.is_stuck, self.is_abandoned) == (*is_stuck, *is_abandoned)
    }
}

impl Run {
    /// A run of this workflow to which nothing has happened yet.
    pub fn new(definition: Definition, run_id: &str) -> Run {
        let run_id: Arc<str> = run_id.into();
        Run {
            cx: Cx::new(State::new(definition, Arc::clone(&run_id)), definition.frame()),
            run_id,
            definition,
            phase: Phase::Fresh,
            cancel_reason: None,
            postponed_cancel: None,
            owed: None,
            rows: 0,
            broken: None,
        }
    }

    /// Rebuilds a run from its journal.
    ///
    /// # Errors
    /// When the code does not ask for what the journal says it asked for, or cannot read what was recorded.
    pub fn replay<'a>(
        definition: Definition,
        run_id: &str,
        journal: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Run, CoreError> {
        let mut run = Run::new(definition, run_id);
        let journal: Vec<&Record> = journal.into_iter().collect();
        run.cx.state().renames = Renames::of(definition.graph(), &journal);
        let mut journal = journal.into_iter().peekable();
        while let Some(record) = journal.next() {
            let answer = if record.broke_off { journal.peek().copied() } else { Some(record) };
            run.cx.state().recorded_patches = answer.map(patches_of);
            let commands = run.feed(record.at_ms, &record.event)?;
            if record.broke_off {
                run.owed = Some(commands);
            } else {
                run.compare(&record.commands, &commands)?;
            }
            run.adopt(&record.commands);
        }
        run.cx.state().recorded_patches = None;
        Ok(run)
    }

    /// One turn: takes one event, recorded at `at_ms`, and returns what the code asks for in answer.
    ///
    /// # Errors
    /// When the code cannot go on with this journal. The run is of no further use then; the journal is.
    pub fn feed(&mut self, at_ms: Timestamp, event: &Event) -> Result<Vec<Command>, CoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        self.rows += 1;
        let turn = self.turn(at_ms, event);
        if let Err(error) = &turn {
            self.broken = Some(error.clone());
        }
        turn
    }

    /// Whether the code has been mended after it broke off on an event: feed [`Event::Resumed`] next.
    pub fn owes_commands(&self) -> bool {
        self.owed.is_some()
    }

    /// The id of the run.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// How the run ended, if it has.
    pub fn conclusion(&self) -> Option<&Conclusion> {
        match &self.phase {
            Phase::Ended(Exit::End(conclusion)) => Some(conclusion),
            _ => None,
        }
    }

    /// The version and the arguments with which the run goes on under its id, if this journal has come to its end.
    pub fn continuation(&self) -> Option<(u32, &Payload)> {
        match &self.phase {
            Phase::Ended(Exit::Continue { version, input }) => Some((*version, input)),
            _ => None,
        }
    }

    /// What the run has asked for and still waits for, in the order of the operation ids.
    pub fn open_operations(&self) -> Vec<OpenOperation> {
        let state = self.cx.state();
        let open = state.operations.values().filter(|operation| operation.is_open());
        open.map(|operation| OpenOperation {
            request: operation.request.clone(),
            step: operation.step.map(|step| step.def),
            is_stuck: operation.is_stuck,
            is_abandoned: operation.is_abandoned,
        })
        .collect()
    }

    /// Whether exactly these operations are open, in the same state: then a driver goes on in the same way.
    pub fn has_open(&self, operations: &[OpenOperation]) -> bool {
        let state = self.cx.state();
        let mut open = state.operations.values().filter(|operation| operation.is_open());
        operations.iter().all(|known| open.next().is_some_and(|found| known.is(found)))
            && open.next().is_none()
    }

    /// The step behind an open operation.
    pub fn step(&self, op: &OpId) -> Option<&'static StepDef> {
        self.cx.state().operations.get(op).and_then(|operation| operation.step).map(|step| step.def)
    }

    /// How attempts of this operation are repeated: as its call says, else as its step does; `None` for what is no step
    /// or not open.
    pub fn retry(&self, op: &OpId) -> Option<RetryPolicy> {
        let state = self.cx.state();
        let step = state.operations.get(op)?.step.as_ref()?;
        Some(step.overrides.retry.unwrap_or(step.def.facts.retry))
    }

    /// What an attempt of this operation knows about itself, and the end of it that its driver keeps.
    pub fn attempt(&self, op: &OpId, attempt: u32) -> (StepContext, AttemptControl) {
        let cx = StepContext::of(Arc::clone(&self.run_id), op.clone(), self.generation(), attempt);
        let control = cx.control();
        (cx, control)
    }

    /// Turns the outcome of the attempt under way into the event to record; `None` when no attempt of this
    /// operation is asked for.
    ///
    /// - An error that is not transient is the step's answer.
    /// - A transient error is retried by policy, then it is the step's answer; except for a pivot of which an
    ///   earlier attempt may have taken effect: then a person has to look.
    /// - A timeout, a panic, and any error of a step that must succeed (retriable, or a compensation) are retried
    ///   by policy; when that ends, a person has to look.
    /// - What could not be called or stored goes to a person at once: repeating it changes nothing.
    /// - A transactional step that times out or panics did not take effect.
    pub fn judge(&self, op: &OpId, outcome: AttemptOutcome, now_ms: Timestamp) -> Option<Event> {
        let (step, number) = self.cx.state().attempt_of(op)?;
        let retry = step.overrides.retry.unwrap_or(step.def.facts.retry);
        let attempt = judge::Attempt { op, def: step.def, retry, number, is_unknown: step.is_unknown };
        Some(judge::judge(&attempt, outcome, now_ms))
    }

    /// The completed steps that a failure would undo now, in order of completion.
    pub fn undoable(&self) -> Vec<OpId> {
        self.cx.state().saga.undoable().cloned().collect()
    }

    /// The step that brought the run past the point of no return.
    pub fn pivot(&self) -> Option<OpId> {
        self.cx.state().saga.pivot().cloned()
    }

    /// How often the run has begun: more than once when it continued as new.
    pub fn generation(&self) -> u32 {
        self.cx.state().generation
    }

    /// Whether the code could read this as the value of this operation: a message, the answer of a step, what a child
    /// came to. What is not known to take a value takes any.
    ///
    /// # Errors
    /// What serde says, when it could not.
    pub fn fits(&self, op: &OpId, value: &Payload) -> Result<(), PayloadError> {
        let fits = self.cx.state().operations.get(op).and_then(|operation| operation.fits);
        fits.map_or(Ok(()), |fits| fits(value))
    }

    fn turn(&mut self, at_ms: Timestamp, event: &Event) -> Result<Vec<Command>, CoreError> {
        if self.settle(at_ms, event)?.is_err() {
            return Err(self.nobody_waits(event));
        }
        if matches!(event, Event::Resumed) {
            return Ok(self.owed.take().unwrap_or_default());
        }
        self.poll()?;
        self.go_on()
    }

    /// What the event does to the operations, before the code sees it.
    fn settle(&mut self, at_ms: Timestamp, event: &Event) -> Settled {
        let is_first = matches!(self.phase, Phase::Fresh);
        let resumes = matches!(event, Event::Resumed);
        if is_first != matches!(event, Event::Started { .. }) || resumes != self.owed.is_some() {
            return Ok(Err(NobodyWaits));
        }
        let settled = self.cx.state().take(at_ms, event)?;
        let settled = match event {
            Event::Started { input, generation, .. } => {
                self.note_beginning(*generation);
                let unreadable = |error| CoreError::Unreadable { what: "the input".to_owned(), error };
                let (definition, cx) = (self.definition, self.cx.clone());
                let body = unless_it_panics(|| definition.body(cx, input))?.map_err(unreadable)?;
                self.phase = Phase::Live(body);
                return Ok(Ok(()));
            }
            Event::TimerFired { op } if op.is_deadline() => self.pass_deadline()?,
            Event::GivenUp { op, reason } => self.give_up(op, reason)?,
            Event::Resumed => return Ok(Ok(())),
            Event::CancelRequested { reason } => {
                self.cancel_reason = Some(reason.clone());
                self.cancel(reason.clone())?;
                Ok(())
            }
            _ => settled,
        };
        if settled.is_ok() {
            if let Some(reason) = self.postponed_cancel.take() {
                self.cancel(reason)?;
            }
            if let Phase::Undoing { current, .. } = &mut self.phase {
                *current = current.take().filter(|op| self.cx.state().operations.contains_key(op));
            }
        }
        Ok(settled)
    }

    fn note_beginning(&mut self, generation: u32) {
        let mut state = self.cx.state();
        state.generation = generation;
        state.started_ms = state.now_ms;
        if let Some(deadline_ms) = self.definition.graph().deadline_ms {
            let (op, due_ms) = (OpId::deadline(), state.due_after(Duration::from_millis(deadline_ms)));
            let request = Command::SetTimer { op: op.clone(), due_ms };
            state.begin(op, Operation::new(request, None));
        }
    }

    /// Lets the code go on with what it now knows.
    fn poll(&mut self) -> Result<(), CoreError> {
        let Phase::Live(body) = &mut self.phase else { return Ok(()) };
        let (polled, touched) = waker::watch(|context| unless_it_panics(|| body.as_mut().poll(context)));
        let polled = polled?;
        let (fault, continued) = {
            let mut state = self.cx.state();
            (state.fault.take(), state.continued.take())
        };
        if let Some(fault) = fault {
            return Err(fault);
        }
        // Also when it was ready in the end: next time it may not be.
        if let Some(stack) = touched {
            let after = self.cx.state().last_started.clone();
            let found = ForeignFuture::found(&self.definition, after.as_ref(), &stack);
            return Err(CoreError::ForeignFuture(found));
        }
        if let Some(Command::Continue { version, input }) = continued {
            let continued = Exit::Continue { version, input };
            let code = std::mem::replace(&mut self.phase, Phase::Leaving(continued));
            return unless_it_panics(|| drop(code));
        }
        match polled {
            Poll::Ready(ending) => {
                let unstorable = |error| CoreError::Unstorable { what: "the result".to_owned(), error };
                self.phase = Phase::Leaving(Exit::End(ending.map_err(unstorable)?));
            }
            Poll::Pending => {}
        }
        Ok(())
    }
}

/// Runs code of the user: its body, or what reads and drops its values.
fn unless_it_panics<T>(code: impl FnOnce() -> T) -> Result<T, CoreError> {
    catch_unwind(AssertUnwindSafe(code))
        .map_err(|panic| CoreError::Panicked { message: panic_text(panic.as_ref()) })
}

/// The text of a panic, whatever it was raised with.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
}
