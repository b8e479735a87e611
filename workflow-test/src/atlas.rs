//! The graphs of a workflow: its own, and those of the subflows inside of it.
//! Each once, also where a subflow calls itself.

use workflow_graph::{Graph, NodeKind};

/// The workflow's own graph first, then those of its subflows in the order in which they are come to.
pub(crate) fn graphs_of(root: &'static Graph) -> Vec<&'static Graph> {
    let mut graphs = vec![root];
    let mut looked_at = 0;
    while let Some(graph) = graphs.get(looked_at).copied() {
        looked_at += 1;
        for node in graph.nodes.iter() {
            if let NodeKind::Subflow(subflow) = &node.kind {
                let inner = subflow.graph.get();
                if !graphs.iter().any(|other| std::ptr::eq(*other, inner)) {
                    graphs.push(inner);
                }
            }
        }
    }
    graphs
}
