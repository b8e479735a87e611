//! Which failing ends undo something: the walk from the start that remembers what was completed.
//! It knows the graph only, nothing of BPMN.

use std::collections::{BTreeMap, BTreeSet};

use workflow_graph::{Effect, FlowKind, Graph, NodeIndex, NodeKind, Outcome};

/// What may have happened on a way through the flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Past {
    /// A step with a compensation has completed.
    can_undo: bool,
    /// The point of no return has been passed: nothing is undone any more.
    passed_pivot: bool,
}

/// The failing ends that some way reaches with something to undo.
pub(crate) fn compensating_ends(graph: &Graph) -> BTreeSet<NodeIndex> {
    let leaving = leaving_flows(graph);
    let mut seen: BTreeSet<(NodeIndex, Past)> = (0..graph.nodes.len())
        .filter(|&node| graph.nodes[node].kind == NodeKind::Start)
        .map(|node| (node, Past::default()))
        .collect();
    let mut open: Vec<_> = seen.iter().copied().collect();
    while let Some((node, past)) = open.pop() {
        for &flow in leaving.get(&node).into_iter().flatten() {
            let flow = &graph.flows[flow];
            let next = (flow.to, after(&graph.nodes[node].kind, &flow.kind, past));
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen.into_iter()
        .filter(|(node, past)| {
            graph.nodes[*node].kind == NodeKind::End(Outcome::Failure) && past.can_undo && !past.passed_pivot
        })
        .map(|(node, _)| node)
        .collect()
}

/// A step that answered with an error has not completed, so only the other exits count.
fn after(node: &NodeKind, flow: &FlowKind, past: Past) -> Past {
    match (node, flow) {
        (_, FlowKind::Error { .. }) => past,
        (NodeKind::Step(step), _) => Past {
            can_undo: past.can_undo || step.compensation.is_some(),
            passed_pivot: past.passed_pivot || step.effect == Effect::Pivot,
        },
        _ => past,
    }
}

fn leaving_flows(graph: &Graph) -> BTreeMap<NodeIndex, Vec<usize>> {
    let mut leaving: BTreeMap<NodeIndex, Vec<usize>> = BTreeMap::new();
    for (index, flow) in graph.flows.iter().enumerate() {
        leaving.entry(flow.from).or_default().push(index);
    }
    leaving
}
