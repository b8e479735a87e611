//! Whether a saga is in order: what can be undone comes first, then at most one pivot, then what cannot fail.
//! Decided for every node at once, by functions that the compiler can evaluate; how a saga runs is the core's affair.

mod inside;
mod open;
mod part;
mod siblings;
#[cfg(test)]
mod tests;
mod ways;
mod words;

use crate::reading::{flows_of, nodes_of};
use crate::{ChildFacts, Effect, Flow, Graph, Node, NodeIndex, NodeKind, Notice, Outcome, defects};

use part::Part;

/// What is wrong at a node of a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disorder {
    /// A step that can fail, or would have to be undone, comes after the pivot (WF033).
    AfterPivot,
    /// The flow may end with an error, or be undone on purpose, after the pivot (WF034).
    FailsAfterPivot,
    /// The same as [`Disorder::AfterPivot`], while the pivot stands in a branch beside it (WF036).
    BesidePivot,
    /// The same as [`Disorder::FailsAfterPivot`], while the pivot stands in a branch beside it (WF036).
    FailsBesidePivot,
    /// An effect that is never undone comes while the flow may still end with an error (WF038).
    KeptEffect,
}

/// What is wrong at a node, and what makes it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub disorder: Disorder,
    /// The pivot, or the subflow with one, that may have happened by then; the node itself where that is no matter.
    pub cause: NodeIndex,
}

/// The order of a saga with up to `N` nodes: what is wrong at each of them.
///
/// A graph is a saga when it, or a subflow that it calls, has a step with a compensation or a pivot. In every other
/// graph nothing is wrong. Subflows and children are looked into as far as
/// [`Subgraph::known`](crate::Subgraph::known) goes.
///
/// ```
/// use workflow_graph::{Disorder, Effect, Flow, FlowKind, Graph, Node, NodeKind, Outcome, SagaOrder, StepFacts};
///
/// let step = |name: &str, effect| Node::new(name, NodeKind::Step(StepFacts { effect, ..StepFacts::named(name) }));
/// let graph = Graph {
///     nodes: vec![
///         Node::new("started", NodeKind::Start),
///         step("pay", Effect::Pivot),
///         step("reserve", Effect::Compensatable),
///         Node::new("completed", NodeKind::End(Outcome::Success)),
///     ]
///     .into(),
///     flows: (0..3).map(|node| Flow::new(node, node + 1, FlowKind::Next)).collect(),
///     ..Graph::named("trade")
/// };
/// let order = SagaOrder::<4>::of(&graph);
/// let finding = order.at(2).unwrap();
/// assert_eq!((finding.disorder, finding.cause), (Disorder::AfterPivot, 1));
/// assert!(finding.notice(&graph, 2).text().starts_with("WF033: `reserve` comes after the pivot `pay`"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SagaOrder<const N: usize> {
    findings: [Option<Finding>; N],
    unused: [bool; N],
}

impl<const N: usize> SagaOrder<N> {
    /// Looks at all of a graph. One that has more than `N` nodes is not looked at.
    pub const fn of(graph: &Graph) -> SagaOrder<N> {
        let (nodes, flows) = (nodes_of(graph), flows_of(graph));
        let mut order = SagaOrder { findings: [None; N], unused: [false; N] };
        if nodes.len() > N {
            return order;
        }
        let mut parts = [Part::NOTHING; N];
        if !part::of_all(nodes, &mut parts) {
            return order;
        }
        part::find_unfailing(nodes, flows, &mut parts);
        part::find_leaving(nodes, &mut parts);
        let leaving = ways::Leaving::<N>::of(nodes, flows, &parts);
        let live = ways::Live::<N>::of(nodes, flows, &leaving);
        // What stands behind an error that never comes is never done.
        live.forget_others(&mut parts);
        let mut reach = ways::Reach::<N>::of(nodes, flows, &leaving);
        let siblings = siblings::Siblings::<N>::of(nodes, flows, &leaving, &parts, &mut reach);
        if siblings.has_pivot {
            let ways = ways::Ways { nodes, flows, leaving: &leaving, parts: &parts, siblings: &siblings };
            let passed = ways::Passed::<N>::of(ways);
            order.find_steps(nodes, &parts, &passed, &siblings);
            if order.may_fail_after(nodes, &passed, &siblings) {
                let passed = ways::Passed::<N>::untold(ways, &order.findings);
                order.find_ends(ways, &passed, &live);
            }
        }
        order.find_kept(nodes, &parts, &reach);
        order.find_unused(nodes, flows, &parts, &reach);
        order
    }

    /// What is wrong at this node.
    pub const fn at(&self, node: NodeIndex) -> Option<Finding> {
        self.findings[node]
    }

    /// Whether anything is wrong at this node but, if a person has allowed that, an effect that stays.
    pub const fn refuses(&self, node: NodeIndex, may_keep: bool) -> bool {
        match self.findings[node] {
            Some(Finding { disorder: Disorder::KeptEffect, .. }) => !may_keep,
            Some(_) => true,
            None => false,
        }
    }

    /// Whether the compensation of this call can never run in a run that ends where the graph does (WF037): the step is
    /// transactional, so that no cancel comes in its midst, and nothing follows that could fail or be cancelled.
    /// What a subflow did may still be undone by those who call it.
    pub const fn never_undoes(&self, node: NodeIndex) -> bool {
        self.unused[node]
    }

    /// What to say about this node.
    pub const fn notice(&self, graph: &Graph, node: NodeIndex) -> Notice {
        match self.findings[node] {
            Some(finding) => finding.notice(graph, node),
            None => Notice::new(""),
        }
    }

    /// Fails the constant that asks, at the place of its text, when anything is wrong at this call of `name`: with its
    /// place in the saga, else with what it declares (WF030). `may_keep` as for [`SagaOrder::refuses`].
    ///
    /// # Panics
    /// With what to say to the user.
    #[doc(hidden)]
    #[track_caller]
    pub const fn check_call(&self, graph: &Graph, node: NodeIndex, may_keep: bool, name: &str) {
        // What is said about its place tells what it has to be.
        if self.refuses(node, true) {
            panic!("{}", self.notice(graph, node).text())
        }
        let undeclared = defects::undeclared_effect(graph, node, name);
        if !undeclared.is_empty() {
            panic!("{}", undeclared.text())
        }
        self.check_end(graph, node, may_keep);
    }

    /// Fails the constant that asks, at the place of its text, when anything is wrong at this node.
    ///
    /// # Panics
    /// With what to say to the user.
    #[doc(hidden)]
    #[track_caller]
    pub const fn check_end(&self, graph: &Graph, node: NodeIndex, may_keep: bool) {
        if self.refuses(node, may_keep) {
            panic!("{}", self.notice(graph, node).text())
        }
    }

    /// WF033, and WF036 at a step.
    const fn find_steps(
        &mut self,
        nodes: &[Node],
        parts: &[Part],
        passed: &ways::Passed<N>,
        siblings: &siblings::Siblings<N>,
    ) {
        let mut node = 0;
        while node < nodes.len() {
            if parts[node].is_unfit {
                let (before, beside) = (passed.before[node], siblings.pivot[node]);
                self.findings[node] = if let Some(cause) = before {
                    Some(Finding { disorder: Disorder::AfterPivot, cause })
                } else if let Some(cause) = beside {
                    // Of two pivots side by side, the second one is told.
                    let is_first = parts[node].has_pivot && cause > node;
                    if is_first { None } else { Some(Finding { disorder: Disorder::BesidePivot, cause }) }
                } else if parts[node].has_pivot && nodes[node].instances.is_some() {
                    Some(Finding { disorder: Disorder::BesidePivot, cause: node })
                } else {
                    None
                };
            }
            node += 1;
        }
    }

    /// Whether any end could be reached after a pivot: in a saga in order none is, and nothing is left to find out.
    const fn may_fail_after(
        &self,
        nodes: &[Node],
        passed: &ways::Passed<N>,
        siblings: &siblings::Siblings<N>,
    ) -> bool {
        let mut node = 0;
        while node < nodes.len() {
            if is_failure(&nodes[node].kind)
                && (passed.before[node].is_some() || siblings.pivot[node].is_some())
            {
                return true;
            }
            node += 1;
        }
        false
    }

    /// WF034, and WF036 at an end. What has been said about a step is not said again about its errors. An end inside
    /// of a block is none when something behind the block looks at the error: only the function is half undone.
    const fn find_ends(&mut self, ways: ways::Ways<'_, N>, passed: &ways::Passed<N>, live: &ways::Live<N>) {
        let ways::Ways { nodes, flows, leaving, siblings, .. } = ways;
        let mut node = 0;
        while node < nodes.len() {
            let is_end = match nodes[node].kind {
                NodeKind::Compensate => true,
                NodeKind::End(Outcome::Failure) => leaving.ends_all(nodes, flows, node),
                _ => false,
            };
            if is_end && live.at[node] {
                if let Some(cause) = passed.before[node] {
                    self.findings[node] = Some(Finding { disorder: Disorder::FailsAfterPivot, cause });
                } else if let Some(cause) = siblings.pivot[node]
                    && self.findings[cause].is_none()
                    && !passed.is_told[node]
                {
                    self.findings[node] = Some(Finding { disorder: Disorder::FailsBesidePivot, cause });
                }
            }
            node += 1;
        }
    }

    /// WF038.
    const fn find_kept(&mut self, nodes: &[Node], parts: &[Part], reach: &ways::Reach<N>) {
        let mut node = 0;
        while node < nodes.len() {
            let stays = parts[node].keeps && reach.is_open_after(node);
            if (stays || parts[node].leaves) && self.findings[node].is_none() {
                self.findings[node] = Some(Finding { disorder: Disorder::KeptEffect, cause: node });
            }
            node += 1;
        }
    }

    /// WF037.
    const fn find_unused(&mut self, nodes: &[Node], flows: &[Flow], parts: &[Part], reach: &ways::Reach<N>) {
        let mut node = 0;
        while node < nodes.len() {
            self.unused[node] =
                parts[node].is_atomic && self.findings[node].is_none() && reach.is_safe_after(node);
            node += 1;
        }
        let mut flow = 0;
        while flow < flows.len() {
            // What loses a race is undone.
            if matches!(nodes[flows[flow].from].kind, NodeKind::Race) {
                self.unused[flows[flow].to] = false;
            }
            flow += 1;
        }
    }
}

/// Warns where a constant is true: an error would be a panic, and for a warning a constant has nothing but the compiler
/// itself, which speaks of what is deprecated. `Unused::<{ order.never_undoes(1) }>::report()`
#[doc(hidden)]
pub struct Unused<const IS_UNUSED: bool>;

impl Unused<true> {
    /// Warns (WF037).
    #[deprecated(
        note = "WF037: the compensation of this call can never run: no cancel comes in the midst of a transactional \
                step, and nothing behind it can fail; write `.without_compensation()`, or take it from the step; see \
                docs/errors/WF037.md"
    )]
    pub const fn report() {}
}

impl Unused<false> {
    /// Says nothing.
    pub const fn report() {}
}

impl Finding {
    /// What to say about the node where this was found: what is wrong, why, and what to write instead.
    pub const fn notice(&self, graph: &Graph, node: NodeIndex) -> Notice {
        words::notice(nodes_of(graph), flows_of(graph), node, *self)
    }
}

/// Whether the graph, or a subflow that it calls, has a step with a compensation or a pivot.
pub(crate) const fn is_saga(graph: &Graph) -> bool {
    inside::is_saga(graph)
}

/// The name of a subflow that is no saga by itself, and of a step in it that does not declare its effect.
pub(crate) const fn undeclared_inside(node: &Node) -> Option<(&str, &str)> {
    let NodeKind::Subflow(subflow) = &node.kind else { return None };
    match subflow.graph.known() {
        Some(graph) if !is_saga(graph) => match inside::find(graph, inside::Wanted::Undeclared) {
            Some(step) => Some((part::name_of(node), part::name_of(step))),
            None => None,
        },
        _ => None,
    }
}

/// The node of another workflow, or of what that calls and starts, which does more than look, and its name.
pub(crate) const fn trace_of_child(node: &Node) -> Option<(&Node, &str)> {
    let NodeKind::Child(ChildFacts { graph, .. }) = &node.kind else { return None };
    match graph.known() {
        Some(graph) => match inside::find(graph, inside::Wanted::Trace) {
            Some(found) => Some((found, part::name_of(found))),
            None => None,
        },
        None => None,
    }
}

/// Whether what was done is undone here.
const fn is_failure(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::End(Outcome::Failure) | NodeKind::Compensate)
}

/// Whether a step can be undone or is a point of no return.
const fn makes_saga(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Step(step) => step.compensation.is_some() || matches!(step.effect, Effect::Pivot),
        _ => false,
    }
}
