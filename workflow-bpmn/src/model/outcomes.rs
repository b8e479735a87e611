//! Which failing ends undo something: the walk from the start that remembers what was completed.
//! It knows the graph only, nothing of BPMN.

use std::collections::{BTreeMap, BTreeSet};

use workflow_graph::{
    Effect, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, SubflowFacts, Subgraph,
};

/// What may have happened on a way through the flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Past {
    /// A step with a compensation has completed.
    can_undo: bool,
    /// The point of no return has been passed: nothing is undone any more.
    passed_pivot: bool,
}

/// All pasts with which some way reaches a place.
pub(super) type Pasts = BTreeSet<Past>;

/// Per node: the pasts with which it is reached.
pub(super) type Arrivals = BTreeMap<NodeIndex, Pasts>;

impl Past {
    fn and(self, other: Past) -> Past {
        Past {
            can_undo: self.can_undo || other.can_undo,
            passed_pivot: self.passed_pivot || other.passed_pivot,
        }
    }

    fn undoable(self) -> Past {
        Past { can_undo: true, ..self }
    }

    /// How a subflow begins: what was done before is not its own to undo, but a pivot counts for all.
    fn of_subflow(self) -> Past {
        Past { can_undo: false, ..self }
    }
}

/// How a run begins.
pub(super) fn at_the_start() -> Pasts {
    BTreeSet::from([Past::default()])
}

/// How a subflow begins that is reached with these pasts.
pub(super) fn of_subflow(reached: &Pasts) -> Pasts {
    reached.iter().map(|past| past.of_subflow()).collect()
}

/// With which pasts each node is reached. `around` names the subflows that this graph stands in.
pub(super) fn arrivals(graph: &Graph, entering: &Pasts, around: &[Subgraph]) -> Arrivals {
    let walk = Walk { graph, around };
    walk.start_of(None).map(|start| walk.from(start, entering, None)).unwrap_or_default()
}

/// The failing ends that some way reaches with something to undo: all that was done before, at the end of a block what
/// was done inside of it.
pub(super) fn compensating_ends(graph: &Graph, arrivals: &Arrivals) -> BTreeSet<NodeIndex> {
    let undoes = |pasts: &Pasts| pasts.iter().any(|past| past.can_undo && !past.passed_pivot);
    let ends = arrivals.iter().filter(|(node, pasts)| {
        let node = &graph.nodes[**node];
        node.kind == NodeKind::End(Outcome::Failure) && undoes(pasts)
    });
    ends.map(|(node, _)| *node).collect()
}

/// The failing end that this leads to without anything in between.
pub(super) fn failing_end(graph: &Graph, mut node: NodeIndex) -> Option<NodeIndex> {
    let mut seen = BTreeSet::new();
    while graph.nodes[node].kind == NodeKind::Merge && seen.insert(node) {
        node = graph.outgoing(node).next()?.to;
    }
    (graph.nodes[node].kind == NodeKind::End(Outcome::Failure)).then_some(node)
}

/// Whether the workflow or subflow gives up where an error leaves on this flow: then all that it did is undone,
/// whatever the error is.
pub(super) fn gives_up(graph: &Graph, flow: &Flow) -> bool {
    let Some(end) = failing_end(graph, flow.to) else { return false };
    let Some(block) = graph.nodes[end].scope else { return true };
    let mut errors =
        graph.outgoing(block).filter(|flow| matches!(flow.kind, FlowKind::Error { .. })).peekable();
    errors.peek().is_some() && errors.all(|flow| gives_up(graph, flow))
}

struct Walk<'a> {
    graph: &'a Graph,
    around: &'a [Subgraph],
}

impl Walk<'_> {
    fn start_of(&self, scope: Option<NodeIndex>) -> Option<NodeIndex> {
        self.graph.nodes.iter().position(|node| node.kind == NodeKind::Start && node.scope == scope)
    }

    /// Everything that is reached from this node, the node included; nothing behind `until`.
    fn from(&self, node: NodeIndex, entering: &Pasts, until: Option<NodeIndex>) -> Arrivals {
        let mut arrivals = Arrivals::new();
        let mut open: Vec<(NodeIndex, Past)> = entering.iter().map(|past| (node, *past)).collect();
        while let Some((node, past)) = open.pop() {
            if !arrivals.entry(node).or_default().insert(past) || Some(node) == until {
                continue;
            }
            if self.graph.nodes[node].kind == NodeKind::Fork {
                let join = self.graph.join_of(node);
                let mut inner = self.branches(node, past, join);
                let joined = join.and_then(|join| Some((join, inner.remove(&join)?)));
                open.extend(
                    joined.into_iter().flat_map(|(join, pasts)| pasts.into_iter().map(move |p| (join, p))),
                );
                add(&mut arrivals, inner);
                continue;
            }
            let (succeeded, failed) = self.results(node, past, &mut arrivals);
            // An activity that has failed cannot be undone from outside: what such a block did, it has undone itself.
            let undone: Pasts = failed.iter().map(|after| after.of_subflow().and(past)).collect();
            for flow in self.graph.outgoing(node) {
                let after = match flow.kind {
                    FlowKind::Error { .. } if self.undoes_itself(node) && gives_up(self.graph, flow) => {
                        &undone
                    }
                    FlowKind::Error { .. } => &failed,
                    _ => &succeeded,
                };
                open.extend(self.withdrawn(node, flow, after).into_iter().map(|past| (flow.to, past)));
            }
        }
        arrivals
    }

    /// With which pasts a node is left, once it has succeeded and once it has failed.
    fn results(&self, node: NodeIndex, past: Past, arrivals: &mut Arrivals) -> (Pasts, Pasts) {
        let this = &self.graph.nodes[node];
        let only = |past: Past| Pasts::from([past]);
        let (mut succeeded, mut failed) = match &this.kind {
            NodeKind::Step(step) => {
                let done = Past {
                    can_undo: step.compensation.is_some(),
                    passed_pivot: step.effect == Effect::Pivot,
                };
                // A step that answered with an error has not completed.
                (only(past.and(done)), only(past))
            }
            NodeKind::Compensate => (only(Past { can_undo: false, ..past }), only(past)),
            NodeKind::Subflow(subflow) => self.subflow(subflow, past),
            NodeKind::Block => {
                let start = self.start_of(Some(node));
                let entering = only(past.of_subflow());
                let inner = start.map(|start| self.from(start, &entering, None)).unwrap_or_default();
                let (succeeded, failed) = ends(self.graph, &inner, Some(node));
                add(arrivals, inner);
                let behind = |ends: Pasts| ends.into_iter().map(|end| end.and(past)).collect();
                (behind(succeeded), behind(failed))
            }
            _ => (only(past), only(past)),
        };
        if this.instances.is_some() {
            // Some have completed when another fails, and an empty list completes nothing.
            failed.extend(succeeded.iter().copied());
            succeeded.insert(past);
        }
        if !self.graph.outgoing(node).any(|flow| is_catch_all(&flow.kind)) && self.can_fail(node) {
            // Then the error is a value that the code looks at later.
            succeeded.extend(failed.iter().copied());
        }
        (succeeded, failed)
    }

    fn undoes_itself(&self, node: NodeIndex) -> bool {
        let node = &self.graph.nodes[node];
        node.kind == NodeKind::Block && node.instances.is_none()
    }

    fn can_fail(&self, node: NodeIndex) -> bool {
        matches!(self.graph.nodes[node].kind, NodeKind::Subflow(_) | NodeKind::Block)
    }

    /// A scope that fails has undone itself; one that ends well hands over what it can undo.
    fn subflow(&self, subflow: &SubflowFacts, past: Past) -> (Pasts, Pasts) {
        let graph = subflow.graph.get();
        if self.around.contains(&subflow.graph) {
            let mut both = Pasts::from([past]);
            both.extend(graph.nodes.iter().any(leaves_something_to_undo).then(|| past.undoable()));
            return (both, Pasts::from([past]));
        }
        let around = [self.around, &[subflow.graph]].concat();
        let inner = arrivals(graph, &Pasts::from([past.of_subflow()]), &around);
        let (succeeded, failed) = ends(graph, &inner, None);
        let succeeded = succeeded.into_iter().map(|end| end.and(past)).collect();
        let failed = failed.into_iter().map(|end| end.of_subflow().and(past)).collect();
        (succeeded, failed)
    }

    /// The ways of a fork beside each other: what one of them reaches, the others may have done anything before.
    fn branches(&self, fork: NodeIndex, past: Past, join: Option<NodeIndex>) -> Arrivals {
        let branches: Vec<Arrivals> =
            self.graph.outgoing(fork).map(|flow| self.from(flow.to, &Pasts::from([past]), join)).collect();
        let mut all = Arrivals::new();
        for (index, branch) in branches.iter().enumerate() {
            let mut beside = Pasts::from([past]);
            for (other, arrivals) in branches.iter().enumerate() {
                if other != index {
                    beside = together(&beside, &arrivals.values().flatten().copied().collect());
                }
            }
            let inner = branch.iter().filter(|(node, _)| Some(**node) != join);
            add(&mut all, inner.map(|(node, pasts)| (*node, together(pasts, &beside))).collect());
        }
        let joined: Option<Vec<&Pasts>> =
            join.and_then(|join| branches.iter().map(|b| b.get(&join)).collect());
        if let (Some(join), Some(joined)) = (join, joined) {
            let pasts = joined.into_iter().fold(Pasts::from([past]), |all, one| together(&all, one));
            all.insert(join, pasts);
        }
        all
    }

    /// An operation that lost a race may have completed before it was withdrawn.
    fn withdrawn(&self, node: NodeIndex, flow: &Flow, pasts: &Pasts) -> Pasts {
        let mut pasts = pasts.clone();
        let mut losers = self.graph.outgoing(node).filter(|other| other.to != flow.to);
        if self.graph.nodes[node].kind == NodeKind::Race
            && losers.any(|other| leaves_something_to_undo(&self.graph.nodes[other.to]))
        {
            let undoable: Vec<Past> = pasts.iter().map(|past| past.undoable()).collect();
            pasts.extend(undoable);
        }
        pasts
    }
}

/// The pasts at the ends of a scope that succeed, and at those that fail.
fn ends(graph: &Graph, arrivals: &Arrivals, scope: Option<NodeIndex>) -> (Pasts, Pasts) {
    let of = |fails: bool| {
        let ends = arrivals.iter().filter(|(node, _)| {
            let node = &graph.nodes[**node];
            let ends = matches!(node.kind, NodeKind::End(outcome) if (outcome == Outcome::Failure) == fails);
            ends && node.scope == scope
        });
        ends.flat_map(|(_, pasts)| pasts.iter().copied()).collect()
    };
    (of(false), of(true))
}

fn leaves_something_to_undo(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Step(step) => step.compensation.is_some(),
        NodeKind::Subflow(subflow) => {
            let is_step = |node: &&Node| matches!(node.kind, NodeKind::Step(_));
            subflow.graph.get().nodes.iter().filter(is_step).any(leaves_something_to_undo)
        }
        _ => false,
    }
}

fn is_catch_all(kind: &FlowKind) -> bool {
    matches!(kind, FlowKind::Error { variant, .. } if variant.is_empty())
}

/// Everything that can have happened when both of two ways were gone.
fn together(one: &Pasts, other: &Pasts) -> Pasts {
    one.iter().flat_map(|a| other.iter().map(|b| a.and(*b))).collect()
}

fn add(arrivals: &mut Arrivals, more: Arrivals) {
    for (node, pasts) in more {
        arrivals.entry(node).or_default().extend(pasts);
    }
}
