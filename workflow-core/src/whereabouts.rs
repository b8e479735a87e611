//! Where in the source text an operation stands, and what comes before and behind it.
//! Read from the graph; it knows no run.

use std::ptr;

use workflow_graph::{Graph, NodeIndex, NodeKind, Source};

use crate::{Definition, OpId};

impl Definition {
    /// Where in the source text this operation stands; `None` for one that the graph does not know by this id.
    pub fn source_of(&self, op: &OpId) -> Option<Source> {
        let graph = graph_around(self.graph(), op)?;
        Some(place(graph, graph.index_of(op.node())?))
    }

    /// The place in the code behind this operation, told by its neighbours and for people: "after `charge`
    /// (src/pay.rs:10), before `ship` (src/pay.rs:14)"; without an operation, the beginning.
    pub fn whereabouts(&self, after: Option<&OpId>) -> String {
        between(self, after)
    }
}

/// The flow that an operation stands in: the workflow's, or that of a subflow.
pub(crate) fn graph_around(graph: &'static Graph, op: &OpId) -> Option<&'static Graph> {
    let Some(call) = op.scope() else { return Some(graph) };
    let outer = graph_around(graph, &call)?;
    match &outer.node(call.node())?.kind {
        NodeKind::Subflow(subflow) => Some(subflow.graph.get()),
        _ => None,
    }
}

/// The graph and those of the subflows inside of it, each once.
pub(crate) fn all_graphs(graph: &'static Graph) -> Vec<&'static Graph> {
    let mut graphs = vec![graph];
    let mut looked_at = 0;
    while let Some(graph) = graphs.get(looked_at).copied() {
        looked_at += 1;
        for node in graph.nodes.iter() {
            let NodeKind::Subflow(subflow) = &node.kind else { continue };
            // A subflow may contain itself.
            if !graphs.iter().any(|known| ptr::eq(*known, subflow.graph.get())) {
                graphs.push(subflow.graph.get());
            }
        }
    }
    graphs
}

/// The place in the code behind this operation, told by its neighbours; without one, the beginning.
pub(crate) fn between(definition: &Definition, after: Option<&OpId>) -> String {
    let Some(op) = after else {
        let graph = definition.graph();
        let start = graph.nodes.iter().position(|node| matches!(node.kind, NodeKind::Start));
        return format!("before {}", what_follows(graph, start.unwrap_or(0)));
    };
    let graph = graph_around(definition.graph(), op);
    match graph.and_then(|graph| Some((graph, graph.index_of(op.node())?))) {
        Some((graph, node)) => {
            format!("after `{op}` ({}), before {}", place(graph, node), what_follows(graph, node))
        }
        None => format!("after `{op}`"),
    }
}

fn place(graph: &Graph, node: NodeIndex) -> Source {
    Source { file: graph.source.file.clone(), line: graph.nodes[node].line }
}

/// The operations that may come next, in the order of the text; the end of the flow, where there is none.
fn what_follows(graph: &Graph, node: NodeIndex) -> String {
    let mut reached: Vec<NodeIndex> = vec![node];
    let mut next: Vec<NodeIndex> = Vec::new();
    let mut looked_at = 0;
    while let Some(from) = reached.get(looked_at).copied() {
        looked_at += 1;
        for flow in graph.outgoing(from) {
            let known = if graph.nodes[flow.to].is_operation() { &mut next } else { &mut reached };
            if !known.contains(&flow.to) {
                known.push(flow.to);
            }
        }
    }
    next.sort_unstable();
    let next: Vec<String> =
        next.iter().map(|&node| format!("`{}` ({})", graph.nodes[node].id, place(graph, node))).collect();
    if next.is_empty() { format!("the end of `{}`", graph.workflow) } else { next.join(" or ") }
}

#[cfg(test)]
mod tests {
    use workflow_graph::{Flow, FlowKind, Node, Outcome, StepFacts};

    use super::*;

    #[test]
    fn a_place_is_told_by_its_neighbours() {
        let step = |id: &str, line: u32| Node { line, ..Node::new(id, NodeKind::Step(StepFacts::named(id))) };
        let decision = NodeKind::Decision { question: "Paid?".into() };
        let nodes = vec![
            Node::new("started", NodeKind::Start),
            step("charge", 10),
            Node::new("paid", decision),
            step("ship", 14),
            step("refund", 12),
            Node::new("completed", NodeKind::End(Outcome::Success)),
        ];
        let flows = [(0, 1), (1, 2), (2, 3), (2, 4), (3, 5), (4, 5)];
        let flows: Vec<Flow> = flows.map(|(from, to)| Flow::new(from, to, FlowKind::Next)).into();
        let source = Source::at("src/pay.rs", 8);
        let graph = Graph { nodes: nodes.into(), flows: flows.into(), source, ..Graph::named("pay") };
        assert_eq!(what_follows(&graph, 0), "`charge` (src/pay.rs:10)");
        assert_eq!(what_follows(&graph, 1), "`ship` (src/pay.rs:14) or `refund` (src/pay.rs:12)");
        assert_eq!(what_follows(&graph, 3), "the end of `pay`");
    }
}
