//! The flow as people outside of the team look at it: what fails and ends there is folded into one place, what is
//! merely tried again is left out. It takes a graph and gives a smaller one; how that is drawn is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use workflow_graph::{Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Subgraph};

use super::outcomes::{Pasts, failing_end};
use super::{names, outcomes};

/// A graph without its technical parts.
pub(super) struct Folded {
    pub(super) graph: Graph,
    /// What the failing ends that are no longer drawn were called, in the order of the source.
    pub(super) outcomes: Vec<String>,
    /// Whether one of them undid something.
    pub(super) undoes: bool,
}

/// Leaves out error flows that lead to nothing but the end of the run, and those that only wait and try again. In a
/// subflow whose failure somebody does something about (`is_handled`), all that can fail stays, and so in such a block:
/// what it undoes before is a part of what is done.
pub(super) fn fold(graph: &Graph, entering: &Pasts, around: &[Subgraph], is_handled: bool) -> Folded {
    let is_folded = |flow: &&Flow| {
        matches!(flow.kind, FlowKind::Error { .. })
            && !is_raced(graph, flow.from)
            && (!is_handled && outcomes::gives_up(graph, flow) || tries_again(graph, flow))
    };
    let kept: Vec<&Flow> = graph.flows.iter().filter(|flow| !is_folded(flow)).collect();
    let reached = reached(graph, &kept);
    let arrivals = outcomes::arrivals(graph, entering, around);
    let undoing = outcomes::compensating_ends(graph, &arrivals);
    let gone: BTreeSet<NodeIndex> =
        graph.flows.iter().filter(is_folded).filter_map(|flow| failing_end(graph, flow.to)).collect();
    let mut outcomes: Vec<String> = Vec::new();
    for &end in gone.iter().filter(|&&end| graph.nodes[end].scope.is_none()) {
        let name = names::of_node(graph, end);
        if !outcomes.contains(&name) {
            outcomes.push(name);
        }
    }
    // What stands in a block is undone there, before it fails.
    let undoes = undoing.iter().any(|end| gone.contains(end));
    Folded { graph: rebuilt(graph, &kept, &reached), outcomes, undoes }
}

/// Whether the operation stands in a race: there, an error is one of the ways in which it can be decided.
fn is_raced(graph: &Graph, node: NodeIndex) -> bool {
    graph.incoming(node).any(|flow| graph.nodes[flow.from].kind == NodeKind::Race)
}

/// Whether an error leads back to the very same step, with nothing but waits in between.
fn tries_again(graph: &Graph, error: &Flow) -> bool {
    let mut node = error.to;
    let mut seen = BTreeSet::new();
    while node != error.from {
        let waits =
            matches!(graph.nodes[node].kind, NodeKind::Merge | NodeKind::Timer(_) | NodeKind::TimerAt { .. });
        if !waits || !seen.insert(node) {
            return false;
        }
        let Some(next) = graph.outgoing(node).next() else { return false };
        node = next.to;
    }
    true
}

/// What can still be reached; the inside of a block belongs to it.
fn reached(graph: &Graph, kept: &[&Flow]) -> BTreeSet<NodeIndex> {
    let mut reached = BTreeSet::new();
    let starts = |scope: Option<NodeIndex>| {
        (0..graph.nodes.len()).filter(move |&node| {
            graph.nodes[node].kind == NodeKind::Start && graph.nodes[node].scope == scope
        })
    };
    let mut open: Vec<NodeIndex> = starts(None).collect();
    while let Some(node) = open.pop() {
        if reached.insert(node) {
            open.extend(kept.iter().filter(|flow| flow.from == node).map(|flow| flow.to));
            open.extend(starts(Some(node)));
        }
    }
    reached
}

/// The graph of what is reached. A merge that only one way leads to any more is left out, too.
fn rebuilt(graph: &Graph, kept: &[&Flow], reached: &BTreeSet<NodeIndex>) -> Graph {
    let mut flows: Vec<Flow> =
        kept.iter().filter(|flow| reached.contains(&flow.from)).copied().cloned().collect();
    let mut nodes: BTreeSet<NodeIndex> = reached.clone();
    for &merge in reached.iter().filter(|&&node| graph.nodes[node].kind == NodeKind::Merge) {
        let ways: Vec<usize> = (0..flows.len()).filter(|&flow| flows[flow].to == merge).collect();
        let on = flows.iter().position(|flow| flow.from == merge);
        if let (&[way], Some(on)) = (&ways[..], on) {
            flows[way].to = flows[on].to;
            flows.remove(on);
            nodes.remove(&merge);
        }
    }
    let new: BTreeMap<NodeIndex, NodeIndex> =
        nodes.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    let at = |old: NodeIndex| new[&old];
    let nodes: Vec<Node> = nodes
        .iter()
        .map(|&old| {
            let node = graph.nodes[old].clone();
            Node { scope: node.scope.map(at), ..node }
        })
        .collect();
    for flow in &mut flows {
        (flow.from, flow.to) = (at(flow.from), at(flow.to));
    }
    Graph { nodes: nodes.into(), flows: flows.into(), ..graph.clone() }
}
