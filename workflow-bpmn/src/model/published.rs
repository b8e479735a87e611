//! News that is the last thing before an end: both are one event, an end that says it.
//! It decides which they are, by the graph alone.

use std::collections::BTreeMap;

use workflow_graph::{FlowKind, Graph, NodeIndex, NodeKind, Outcome};

use super::names;
use super::places::Places;
use crate::text;

/// For each `publish` that an end says: that end, which is not drawn beside it.
pub(super) fn ends(graph: &Graph, places: &Places) -> BTreeMap<NodeIndex, NodeIndex> {
    (0..graph.nodes.len())
        .filter(|&node| places.race_of(node).is_none())
        .filter_map(|node| Some((node, end_of(graph, node)?)))
        .collect()
}

/// The end that only this way leads to, unless people call it something else than the news.
fn end_of(graph: &Graph, publish: NodeIndex) -> Option<NodeIndex> {
    let node = &graph.nodes[publish];
    if !matches!(node.kind, NodeKind::Send { publishes: true, .. }) || node.instances.is_some() {
        return None;
    }
    let mut ways = graph.outgoing(publish);
    let (way, None) = (ways.next()?, ways.next()) else { return None };
    let end = &graph.nodes[way.to];
    let is_only_way = way.kind == FlowKind::Next && graph.incoming(way.to).count() == 1;
    let is_success = end.kind == NodeKind::End(Outcome::Success) && end.scope == node.scope;
    let label = text::name(&end.label);
    let is_called_alike = label.is_empty() || label == names::of_node(graph, publish);
    (is_only_way && is_success && is_called_alike).then_some(way.to)
}
