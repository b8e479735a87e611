//! Calls of steps and workflows: inert descriptions with owned arguments.
//! A call is not a future. It does nothing until a workflow awaits it, or an engine starts it.

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use workflow_graph::{CompensationFacts, Effect, Graph, Notice, RetryPolicy, StepFacts, Text, Wire};

use crate::state::{Overrides, Wait};
use crate::{Cx, Definition, Durable, Step, StepDef, WiredFrom, Workflow};

/// A call of a step that has not been made yet. It is not a future: to await it outside of a workflow does not compile
/// (WF002, docs/errors/WF002.md), and the compiler names this type when it says so.
#[must_use = "WF003: a step does nothing until it is awaited; see docs/errors/WF003.md"]
pub struct StepCall<S: Step> {
    args: S::Args,
    overrides: Overrides,
}

impl<S: Step> StepCall<S> {
    /// A call with these arguments; made by the function that `#[step]` leaves behind.
    pub fn new(args: S::Args) -> StepCall<S> {
        StepCall { args, overrides: Overrides::default() }
    }

    /// How long an attempt of this call may take, in place of what the step says.
    pub fn timeout(mut self, timeout: Duration) -> StepCall<S> {
        let timeout_ms = timeout.as_nanos().div_ceil(1_000_000);
        self.overrides.timeout_ms = Some(u64::try_from(timeout_ms).unwrap_or(u64::MAX));
        self
    }

    /// How failed attempts of this call are repeated, in place of what the step says:
    /// `.retry(RetryPolicy::attempts(3))`.
    pub fn retry(mut self, retry: RetryPolicy) -> StepCall<S> {
        self.overrides.retry = Some(retry);
        self
    }

    /// What the diagram shows in place of the step's own name; only the text matters.
    pub fn label(self, _label: &'static str) -> StepCall<S> {
        self
    }

    /// This call is not undone, though the step says how: for what is meant to stay.
    pub fn without_compensation(mut self) -> StepCall<S> {
        self.overrides.without_compensation = true;
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S: Step> Durable for StepCall<S> {
    type Output = S::Output;
    type Running = Wait<S::Output>;

    fn start(self, cx: &Cx, position: usize) -> Wait<S::Output> {
        cx.start_step(position, S::DEF, &self.args, self.overrides)
    }
}

/// A function under `#[step]`, as a value: names the step wherever one is needed.
#[diagnostic::on_unimplemented(
    message = "WF001: `{Self}` is not a `#[step]`",
    label = "a function under `#[step]` is needed here",
    note = "put `#[step]` on the function; if it touches nothing outside, make it a plain `fn` and drop the `.await`",
    note = "see docs/errors/WF001.md"
)]
pub trait StepFn<Args> {
    /// The step behind the function.
    type Step: Step;
}

/// A function under `#[workflow]`, as a value: names the workflow wherever one is needed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `#[workflow]`",
    label = "name a function that carries `#[workflow]`"
)]
pub trait WorkflowFn<Args> {
    /// The workflow behind the function.
    type Workflow: Workflow;

    /// The flow graph: `workflow_bpmn::to_xml(fulfil_order.graph())`.
    fn graph(&self) -> &'static Graph {
        <Self::Workflow as Workflow>::graph()
    }

    /// What engines and test kits run.
    fn definition(&self) -> Definition {
        Definition::of::<Self::Workflow>()
    }
}

macro_rules! functions_of {
    ($(($($argument:ident)*))*) => {$(
        #[diagnostic::do_not_recommend]
        impl<F, S: Step, $($argument),*> StepFn<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> StepCall<S>,
        {
            type Step = S;
        }

        #[diagnostic::do_not_recommend]
        impl<F, W: Workflow, $($argument),*> WorkflowFn<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> WorkflowCall<W>,
        {
            type Workflow = W;
        }
    )*};
}

functions_of! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E G) (A B C D E G H) (A B C D E G H I)
    (A B C D E G H I J) (A B C D E G H I J K) (A B C D E G H I J K L) (A B C D E G H I J K L M)
}

/// The facts about a step, read from the function itself.
pub const fn facts_of<A, F: StepFn<A> + Copy>(_function: F) -> StepFacts {
    <F::Step as Step>::FACTS
}

/// A step that undoes another one.
#[diagnostic::on_unimplemented(
    message = "WF031: `{Self}` is not a `#[step]`, so it cannot undo one",
    label = "the compensation is a step itself",
    note = "put `#[step(retriable)]` on that function",
    note = "see docs/errors/WF031.md"
)]
pub trait UndoFn<Args> {
    /// The step behind the function.
    type Undo: Step;
}

#[diagnostic::do_not_recommend]
impl<A, F: StepFn<A>> UndoFn<A> for F {
    type Undo = F::Step;
}

/// The facts about how a step is undone, read from the function that undoes it. Fails to compile unless that is
/// a step which takes exactly `Passed`.
pub const fn compensation_of<Passed, A, F>(_undo: F, wiring: &'static [Wire]) -> CompensationFacts
where
    F: UndoFn<A> + Copy,
    <F::Undo as Step>::Args: WiredFrom<Passed>,
{
    let facts = &<F::Undo as Step>::DEF.facts;
    CompensationFacts {
        step: Cow::Borrowed(<F::Undo as Step>::NAME),
        was: Cow::Borrowed(<F::Undo as Step>::WAS),
        takes: Cow::Borrowed(<F::Undo as Step>::TAKES),
        label: Cow::Borrowed(<F::Undo as Step>::LABEL),
        wiring: Cow::Borrowed(wiring),
        retriable: matches!(facts.effect, Effect::Retriable),
        task: facts.task,
        participant: participant_of(facts),
        facts: Some(facts),
    }
}

const fn participant_of(facts: &'static StepFacts) -> Text {
    Cow::Borrowed(match &facts.participant {
        Cow::Borrowed(participant) => participant,
        Cow::Owned(_) => "",
    })
}

/// Whether the compensation of this step, if it has one, is repeated until it succeeds.
const fn is_undone_for_sure<S: Step>() -> bool {
    let facts = S::FACTS;
    let is_sure = match &facts.compensation {
        Some(compensation) => compensation.retriable,
        None => true,
    };
    std::mem::forget(facts); // A constant cannot drop it.
    is_sure
}

/// Fails the constant that asks, at the place of its text, when `undo`, which undoes this step, may give up (WF032).
///
/// # Panics
/// With what to say to the user.
#[track_caller]
pub const fn check_undoing<S: Step>(undo: &str) {
    if is_undone_for_sure::<S>() {
        return;
    }
    let notice = Notice::new("WF032: `").with(undo).with(
        "` undoes this step, so that it has to be repeated until it succeeds; put `#[step(retriable)]` on it; see \
         docs/errors/WF032.md",
    );
    panic!("{}", notice.text())
}

/// The definition of a step that undoes another one, found from the function itself.
pub const fn undo_def_of<A, F: UndoFn<A> + Copy>(_undo: F) -> &'static StepDef {
    <F::Undo as Step>::DEF
}

/// The definition of a step, found from the function itself.
pub const fn def_of<A, F: StepFn<A> + Copy>(_function: F) -> &'static StepDef {
    <F::Step as Step>::DEF
}

/// A call of a workflow that has not been started yet.
#[must_use = "a workflow does nothing until an engine starts it: `engine.start(call).id(..).await`"]
pub struct WorkflowCall<W: Workflow> {
    pub(crate) args: W::Args,
    pub(crate) id: Option<String>,
}

impl<W: Workflow> WorkflowCall<W> {
    /// A call with these arguments; made by the function that `#[workflow]` leaves behind.
    pub fn new(args: W::Args) -> WorkflowCall<W> {
        WorkflowCall { args, id: None }
    }

    /// The arguments, and the id if it has one of its own; for the engine that starts the run.
    pub fn into_parts(self) -> (W::Args, Option<String>) {
        (self.args, self.id)
    }

    /// The arguments, for those who run it without a name.
    pub fn into_args(self) -> W::Args {
        self.args
    }
}

/// The future of an awaited call is `Send`, whatever it waits for.
const _: fn() = || {
    fn is_send<T: Future + Send>() {}
    let _ = is_send::<Wait<u32>>;
};
