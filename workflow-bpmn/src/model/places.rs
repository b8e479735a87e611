//! Which nodes of a graph are drawn together: the flow itself, the inside of a block, the inside of a race.
//! It knows the graph only, nothing of BPMN.

use std::collections::{BTreeMap, BTreeSet};

use workflow_graph::{Flow, Graph, NodeIndex, NodeKind};

/// One region of a graph that is drawn as a process or sub-process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// What stands in no block.
    Flow,
    /// The inside of this block.
    Block(NodeIndex),
    /// The operations of this race, when it is no mere wait for events.
    Race(NodeIndex),
}

/// The places of a graph.
pub(super) struct Places {
    /// Per operation of a race that is drawn as a sub-process: the race.
    in_race: BTreeMap<NodeIndex, NodeIndex>,
    /// Operations behind an event-based gateway.
    caught: BTreeSet<NodeIndex>,
}

impl Places {
    pub(super) fn of(graph: &Graph) -> Places {
        let mut places = Places { in_race: BTreeMap::new(), caught: BTreeSet::new() };
        for race in (0..graph.nodes.len()).filter(|&node| graph.nodes[node].kind == NodeKind::Race) {
            let operations: Vec<NodeIndex> = graph.outgoing(race).map(|flow| flow.to).collect();
            if operations.iter().all(|&operation| is_event(&graph.nodes[operation].kind)) {
                places.caught.extend(operations);
            } else {
                places.in_race.extend(operations.into_iter().map(|operation| (operation, race)));
            }
        }
        places
    }

    /// Where a node stands.
    pub(super) fn of_node(&self, graph: &Graph, node: NodeIndex) -> Place {
        match self.in_race.get(&node) {
            Some(&race) => Place::Race(race),
            None => graph.nodes[node].scope.map_or(Place::Flow, Place::Block),
        }
    }

    /// Where a flow runs.
    pub(super) fn of_flow(&self, graph: &Graph, flow: &Flow) -> Place {
        match self.in_race.get(&flow.to) {
            Some(&race) if race == flow.from => Place::Race(race),
            _ => self.of_node(graph, self.race_of(flow.from).unwrap_or(flow.from)),
        }
    }

    /// The race whose sub-process this operation stands in.
    pub(super) fn race_of(&self, operation: NodeIndex) -> Option<NodeIndex> {
        self.in_race.get(&operation).copied()
    }

    /// Whether this race is drawn as a sub-process.
    pub(super) fn is_boxed(&self, race: NodeIndex) -> bool {
        self.in_race.values().any(|other| *other == race)
    }

    /// Whether an event-based gateway waits for this operation.
    pub(super) fn is_caught(&self, operation: NodeIndex) -> bool {
        self.caught.contains(&operation)
    }
}

fn is_event(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Timer(_) | NodeKind::TimerAt { .. } | NodeKind::Receive { .. })
}
