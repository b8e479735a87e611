//! What a call in a workflow may be of: a step, a subflow or another workflow.
//! The macro sees only a name; what is behind it is read here, from the function itself.

use workflow_graph::NodeKind;

use crate::scope::subflow_facts;
use crate::workflow::Parts;
use crate::{Step, StepCall, Subflow, SubflowCall, Workflow, WorkflowCall, child_facts};

/// A call that a workflow may await.
pub trait Call {
    /// What it is in the graph.
    const KIND: NodeKind;

    /// Adds it to what its workflow awaits.
    fn parts(parts: &mut Parts);
}

impl<S: Step> Call for StepCall<S> {
    const KIND: NodeKind = NodeKind::Step(S::FACTS);

    fn parts(parts: &mut Parts) {
        parts.add_step(S::DEF);
    }
}

impl<S: Subflow> Call for SubflowCall<S> {
    const KIND: NodeKind = NodeKind::Subflow(subflow_facts::<S>());

    fn parts(parts: &mut Parts) {
        parts.add_subflow::<S>();
    }
}

impl<W: Workflow> Call for WorkflowCall<W> {
    const KIND: NodeKind = NodeKind::Child(child_facts::<W>(false));

    fn parts(parts: &mut Parts) {
        parts.add_child::<W>();
    }
}

/// A plain async function has been refused where it is awaited (WF001); to say so here as well helps nobody.
#[diagnostic::do_not_recommend]
impl<F: Future> Call for F {
    const KIND: NodeKind = NodeKind::Merge;

    fn parts(_parts: &mut Parts) {}
}

/// A function that a workflow may call, as a value.
#[diagnostic::on_unimplemented(
    message = "WF001: `{Self}` is not a `#[step]`",
    label = "a function under `#[step]` (or `#[subflow]`, `#[workflow]`) is needed here",
    note = "put `#[step]` on the function; if it touches nothing outside, make it a plain `fn` and drop the `.await`",
    note = "see docs/errors/WF001.md"
)]
pub trait CallFn<Args> {
    /// What it gives.
    type Call: Call;
}

macro_rules! functions_of {
    ($(($($argument:ident)*))*) => {$(
        #[diagnostic::do_not_recommend]
        impl<F, C: Call, $($argument),*> CallFn<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> C,
        {
            type Call = C;
        }
    )*};
}

functions_of! {
    () (A) (A B) (A B D) (A B D E) (A B D E G) (A B D E G H) (A B D E G H I) (A B D E G H I J)
    (A B D E G H I J K) (A B D E G H I J K L) (A B D E G H I J K L M) (A B D E G H I J K L M N)
}

/// What a call of this function is in the graph.
pub const fn kind_of<A, F: CallFn<A> + Copy>(_function: F) -> NodeKind {
    <F::Call as Call>::KIND
}

/// What a call of this function is in the graph, when it says `.detached()`.
pub const fn detached_kind_of<A, F>(_function: F) -> NodeKind
where
    F: crate::WorkflowFn<A> + Copy,
{
    NodeKind::Child(child_facts::<F::Workflow>(true))
}
