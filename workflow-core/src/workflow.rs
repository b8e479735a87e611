//! Workflows: what the `#[workflow]` macro makes of a function, and how drivers get hold of it.
//! It describes code to run; it runs nothing.

use std::any::TypeId;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use workflow_graph::{ErrorFacts, Graph, Subgraph};

use crate::frame::Frame;
use crate::{
    Call, CallFn, Conclusion, Cx, Ending, Payload, PayloadError, RecordedEnding, StepDef, Storable, Subflow,
};

/// A function under `#[workflow]`. Implemented by the macro, never by hand.
pub trait Workflow: Sized + 'static {
    /// The name under which runs are stored.
    const NAME: &'static str;
    /// The version of the code.
    const VERSION: u32;
    /// What people read.
    const LABEL: &'static str;
    /// The ways in which it can fail; empty when it cannot.
    const ERRORS: &'static [ErrorFacts] = <Self::Ending as Ending<Self::Output>>::ERRORS;
    /// The arguments, in the order of the parameters.
    type Args: Storable;
    /// What the function returns.
    type Output: Storable;
    /// Whether that is a value or a result.
    type Ending: RecordedEnding<Self::Output>;

    /// The flow graph, for constants. What implements this says either this or [`graph`](Self::graph).
    const GRAPH: Subgraph = Subgraph::computed(Self::graph);

    /// The flow graph.
    fn graph() -> &'static Graph {
        Self::GRAPH.get()
    }

    /// The nodes of the graph that the function's `.await`s stand at, in the order of the text.
    fn positions() -> &'static [usize];

    /// Tells all that the function awaits.
    fn parts(parts: &mut Parts);

    /// The function's body, as a future that asks `cx` for all it does.
    fn run(cx: Cx, args: Self::Args) -> WorkflowFuture<Self::Output>;

    /// How this output ends the run.
    ///
    /// # Errors
    /// When the output cannot be stored.
    fn ending(output: Self::Output) -> Result<Conclusion, PayloadError> {
        Self::Ending::conclude(&output)
    }

    /// What a parent gets from a run that ended like this.
    ///
    /// # Errors
    /// When the recorded value does not fit the type.
    fn read(conclusion: &Conclusion) -> Result<Self::Output, PayloadError> {
        Self::Ending::read(conclusion)
    }
}

/// What a workflow awaits, also inside of its subflows: gathered by [`Workflow::parts`].
#[derive(Default)]
pub struct Parts {
    steps: Vec<&'static StepDef>,
    children: Vec<Definition>,
    subflows: Vec<TypeId>,
}

impl Parts {
    /// Whatever this function is.
    pub fn call<A, F: CallFn<A> + Copy>(&mut self, _function: F) {
        <F::Call as Call>::parts(self);
    }

    pub(crate) fn add_step(&mut self, step: &'static StepDef) {
        self.steps.push(step);
    }

    pub(crate) fn add_subflow<S: Subflow>(&mut self) {
        // A subflow may call itself.
        if !self.subflows.contains(&TypeId::of::<S>()) {
            self.subflows.push(TypeId::of::<S>());
            S::parts(self);
        }
    }

    pub(crate) fn add_child<W: Workflow>(&mut self) {
        self.children.push(Definition::of::<W>());
    }
}

/// The body of a workflow, under way.
pub type WorkflowFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(crate) type Body = Pin<Box<dyn Future<Output = Result<Conclusion, PayloadError>> + Send>>;

/// A workflow as engines and test kits see it, its types forgotten.
#[derive(Clone, Copy)]
pub struct Definition {
    /// The name under which runs are stored.
    pub name: &'static str,
    /// The version of the code.
    pub version: u32,
    graph: fn() -> &'static Graph,
    positions: fn() -> &'static [usize],
    parts: fn(&mut Parts),
    accepts: fn(&Payload) -> bool,
    body: fn(Cx, &Payload) -> Result<Body, PayloadError>,
}

impl Definition {
    /// The definition of a workflow.
    pub fn of<W: Workflow>() -> Definition {
        fn body<W: Workflow>(cx: Cx, input: &Payload) -> Result<Body, PayloadError> {
            let running = W::run(cx, input.read()?);
            Ok(Box::pin(async move { W::ending(running.await) }))
        }
        Definition {
            name: W::NAME,
            version: W::VERSION,
            graph: W::graph,
            positions: W::positions,
            parts: W::parts,
            accepts: |input| input.read::<W::Args>().is_ok(),
            body: body::<W>,
        }
    }

    /// The flow graph.
    pub fn graph(&self) -> &'static Graph {
        (self.graph)()
    }

    /// All steps that runs of this workflow can come to, those of subflows and compensations included; each once, by
    /// name.
    pub fn steps(&self) -> Vec<&'static StepDef> {
        let mut steps = self.gather().steps;
        let compensations: Vec<_> = steps.iter().filter_map(|step| step.compensation).collect();
        steps.extend(compensations.into_iter().map(|compensation| compensation()));
        // Different steps may have one name: those that are the same lie together all the same.
        steps.sort_by_key(|step| (&*step.facts.name, step.id));
        steps.dedup_by_key(|step| step.id);
        steps
    }

    /// Whether a run can begin with this input: it reads as the arguments of the function.
    pub fn accepts(&self, input: &Payload) -> bool {
        (self.accepts)(input)
    }

    /// The workflows that runs of this one start as children; each once, by name and version.
    pub fn children(&self) -> Vec<Definition> {
        let mut children = self.gather().children;
        children.sort_by_key(|child| (child.name, child.version));
        children.dedup_by_key(|child| (child.name, child.version));
        children
    }

    fn gather(&self) -> Parts {
        let mut parts = Parts::default();
        (self.parts)(&mut parts);
        parts
    }

    pub(crate) fn frame(&self) -> Frame {
        Frame::of_run(self.graph, self.positions)
    }

    pub(crate) fn body(&self, cx: Cx, input: &Payload) -> Result<Body, PayloadError> {
        (self.body)(cx, input)
    }
}

/// Tells whether a type is a `Result`, also behind an alias: the inherent constant wins over the trait's.
/// The macro uses it to refuse an alias that would hide a failing workflow from it.
pub struct ResultProbe<T>(PhantomData<T>);

impl<T, E> ResultProbe<Result<T, E>> {
    /// It is.
    pub const IS_RESULT: bool = true;
}

/// See [`ResultProbe`].
pub trait ResultProbeFallback {
    /// It is not.
    const IS_RESULT: bool = false;
}

impl<T> ResultProbeFallback for ResultProbe<T> {}
