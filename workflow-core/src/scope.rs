//! Scopes: a subflow that ends with an error has undone itself before its caller sees the error.
//! The order of undoing is the saga's; here is only which part of it belongs to which scope.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use workflow_graph::{ErrorFacts, Graph, SubflowFacts, Subgraph};

use crate::saga::Undo;
use crate::settle::unwirable;
use crate::state::{Operation, Overrides, State, StepState};
use crate::workflow::Parts;
use crate::{Command, CoreError, Cx, Durable, Ending, OpId, WorkflowFuture};

/// How deep subflows may call each other. Each level takes a part of the stack.
const DEEPEST: u32 = 100;

/// A function under `#[subflow]`. Implemented by the macro, never by hand.
pub trait Subflow: Sized + 'static {
    /// The name of the function.
    const NAME: &'static str;
    /// What people read.
    const LABEL: &'static str;
    /// The ways in which it can fail; empty when it cannot.
    const ERRORS: &'static [ErrorFacts] = <Self::Ending as Ending<Self::Output>>::ERRORS;
    /// The arguments, in the order of the parameters. They are not recorded.
    type Args: Send + 'static;
    /// What the function returns. It is not recorded.
    type Output: Send + 'static;
    /// Whether that is a value or a result.
    type Ending: Ending<Self::Output>;

    /// Its own flow, for constants. What implements this says either this or [`graph`](Self::graph).
    const GRAPH: Subgraph = Subgraph::computed(Self::graph);

    /// Its own flow.
    fn graph() -> &'static Graph {
        Self::GRAPH.get()
    }

    /// The nodes of the graph that the function's `.await`s stand at, in the order of the text.
    fn positions() -> &'static [usize];

    /// Tells all that the function awaits.
    fn parts(parts: &mut Parts);

    /// The function's body, as a future that asks `cx` for all it does.
    fn run(cx: Cx, args: Self::Args) -> WorkflowFuture<Self::Output>;

    /// Whether this output is an error, so that what was done in the scope is undone.
    fn is_failure(output: &Self::Output) -> bool {
        Self::Ending::is_failure(output)
    }
}

/// A call of a subflow that has not been made yet. It is not a future: it is awaited in a workflow.
#[must_use = "WF003: a subflow does nothing until it is awaited; see docs/errors/WF003.md"]
pub struct SubflowCall<S: Subflow> {
    args: S::Args,
}

impl<S: Subflow> SubflowCall<S> {
    /// A call with these arguments; made by the function that `#[subflow]` leaves behind.
    pub fn new(args: S::Args) -> SubflowCall<S> {
        SubflowCall { args }
    }

    /// What the diagram shows in place of the subflow's own name; only the text matters.
    pub fn label(self, _label: &'static str) -> SubflowCall<S> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S: Subflow> Durable for SubflowCall<S> {
    type Output = S::Output;
    type Running = WorkflowFuture<S::Output>;

    fn start(self, cx: &Cx, position: usize) -> WorkflowFuture<S::Output> {
        let op = cx.next_op(position);
        let inside = cx.at(cx.frame.subflow(&op, S::graph, S::positions));
        Box::pin(async move {
            if inside.frame.depth > DEEPEST {
                inside.state().fault = Some(CoreError::TooDeep { op, deepest: DEEPEST });
                return std::future::pending().await;
            }
            let mut scope = OpenScope { cx: inside.clone(), is_over: false };
            let output = S::run(inside.clone(), self.args).await;
            if S::is_failure(&output) {
                inside.undo(&inside.frame.prefix).await;
            }
            scope.is_over = true;
            output
        })
    }
}

/// The facts about a subflow.
pub(crate) const fn subflow_facts<S: Subflow>() -> SubflowFacts {
    SubflowFacts {
        name: std::borrow::Cow::Borrowed(S::NAME),
        label: std::borrow::Cow::Borrowed(S::LABEL),
        errors: std::borrow::Cow::Borrowed(S::ERRORS),
        graph: S::GRAPH,
    }
}

/// A scope whose code has not come to its end.
struct OpenScope {
    cx: Cx,
    is_over: bool,
}

impl Drop for OpenScope {
    fn drop(&mut self) {
        if !self.is_over {
            self.cx.break_scope(&self.cx.frame.prefix);
        }
    }
}

impl Cx {
    /// Undoes what was done in the scope whose operations begin with `prefix`.
    pub(crate) fn undo(&self, prefix: &Arc<str>) -> Undoing {
        Undoing { cx: self.clone(), prefix: Arc::clone(prefix), has_begun: false, is_over: false }
    }

    /// The code that stands here was dropped before the scope came to an end: whoever dropped it has it undone.
    fn break_scope(&self, prefix: &Arc<str>) {
        self.state().broken_scopes.push((Arc::clone(prefix), self.frame.region.clone()));
    }
}

/// The undoing of a scope: one step after the other, the step completed last first.
pub struct Undoing {
    cx: Cx,
    prefix: Arc<str>,
    has_begun: bool,
    is_over: bool,
}

impl Drop for Undoing {
    fn drop(&mut self) {
        // An undoing that was begun is brought to its end, also when a sibling fails in the meantime.
        if self.has_begun && !self.is_over {
            self.cx.break_scope(&self.prefix);
        }
    }
}

impl Future for Undoing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.has_begun = true;
        let this = &mut *self;
        let mut state = this.cx.state();
        if state.is_undoing(&this.prefix) {
            return Poll::Pending;
        }
        // What is under way is waited for, so that it is undone as well.
        let is_there = |op: &OpId, _: &Operation| op.is_within(&this.prefix);
        if state.is_settling(is_there) {
            return Poll::Pending;
        }
        if let Err(error) = state.forget_withdrawn(is_there) {
            state.fault = Some(error);
            return Poll::Pending;
        }
        match state.begin_next_undo(&this.prefix) {
            None => {}
            Some(Ok(_)) => return Poll::Pending,
            Some(Err(error)) => {
                state.fault = Some(error);
                return Poll::Pending;
            }
        }
        this.is_over = true;
        Poll::Ready(())
    }
}

impl State {
    /// Begins to undo the step that was completed last in the scope; `None` when nothing is left.
    pub(crate) fn begin_next_undo(&mut self, prefix: &str) -> Option<Result<OpId, CoreError>> {
        let undo = self.saga.next_within(prefix)?;
        Some(self.begin_undo(undo))
    }

    /// Begins to undo the next step that took effect after the code had dropped it, such as the loser of a `select!`,
    /// or that was withdrawn and may have; unless something is being undone already.
    pub(crate) fn begin_unwanted_undo(&mut self) -> Result<(), CoreError> {
        if std::mem::take(&mut self.has_just_withdrawn) {
            // The others stay known: an attempt may have begun in the very moment in which it was withdrawn.
            let is_unknown = |operation: &Operation| operation.step.is_some_and(|step| step.is_unknown);
            self.forget_withdrawn(|_, operation| operation.is_stuck || is_unknown(operation))?;
        }
        if self.saga.has_unwanted()
            && !self.is_undoing("")
            && let Some(undo) = self.saga.next_unwanted()
        {
            self.begin_undo(undo)?;
        }
        Ok(())
    }

    /// Whether something in this scope is being undone.
    fn is_undoing(&self, prefix: &str) -> bool {
        self.operations.keys().any(|op| op.undoes().is_some() && op.is_within(prefix))
    }

    fn begin_undo(&mut self, undo: Undo) -> Result<OpId, CoreError> {
        let Undo { forward, compensation, args, .. } = undo;
        let args = args.value().map_err(|error| unwirable(&forward, error))?;
        let op = forward.undo();
        let request = Command::StartStep {
            op: op.clone(),
            step: compensation.facts.name.clone(),
            args,
            attempt: 1,
            due_ms: self.now_ms,
            timeout_ms: None,
        };
        let step = StepState { def: compensation, overrides: Overrides::default(), is_unknown: false };
        self.begin(op.clone(), Operation { step: Some(step), ..Operation::new(request, None) });
        Ok(op)
    }
}

/// Undoes what this scope has done so far, on purpose. Await it in a workflow.
#[must_use = "WF003: nothing is undone until this is awaited; see docs/errors/WF003.md"]
pub struct Compensate(());

/// Undoes what this workflow or subflow has done so far: the completed steps are compensated in reverse order of
/// completion, and the code goes on. After the point of no return nothing is undone.
pub fn compensate() -> Compensate {
    Compensate(())
}

#[diagnostic::do_not_recommend]
impl Durable for Compensate {
    type Output = ();
    type Running = Undoing;

    fn start(self, cx: &Cx, _: usize) -> Undoing {
        cx.undo(&cx.frame.prefix)
    }
}
