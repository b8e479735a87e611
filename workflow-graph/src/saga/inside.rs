//! What happens inside a subflow or a child, and in the subflows that it calls in turn, whoever calls whom.
//! Each graph is looked at once, so that recursion ends.

use crate::reading::{is_same_graph, nodes_of};
use crate::{ChildFacts, Effect, Graph, Node, NodeKind, SubflowFacts};

use super::makes_saga;
use super::ways::OnTheWay;

/// How many graphs are looked at, at the most. A call of one more counts as whatever is looked for: better a refusal
/// without need than an effect that nobody has seen.
const GRAPHS: usize = 256;

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// A step that can be undone, or a pivot.
    Saga,
    /// A pivot.
    Pivot,
    /// A step that is neither read-only nor retriable.
    Unfit,
    /// A step that does not say what it does.
    Undeclared,
    /// A step of any effect, in children as well.
    Effect,
    /// The same, or a message that leaves; in workflows that nobody waits for as well.
    Trace,
}

impl Wanted {
    const fn looks_into_child(self, detached: bool) -> bool {
        match self {
            Wanted::Trace => true,
            Wanted::Effect => !detached,
            _ => false,
        }
    }

    const fn is(self, node: &Node) -> bool {
        let NodeKind::Step(step) = &node.kind else {
            return matches!(self, Wanted::Trace) && matches!(node.kind, NodeKind::Send { .. });
        };
        match self {
            Wanted::Saga => makes_saga(&node.kind),
            Wanted::Pivot => matches!(step.effect, Effect::Pivot),
            Wanted::Unfit => !matches!(step.effect, Effect::ReadOnly | Effect::Retriable),
            Wanted::Undeclared => matches!(step.effect, Effect::Undeclared),
            Wanted::Effect | Wanted::Trace => !matches!(step.effect, Effect::ReadOnly),
        }
    }
}

/// The graphs that are to be looked at, each of them once.
pub(super) struct Graphs<'g> {
    pub(super) known: [Option<&'g Graph>; GRAPHS],
    pub(super) length: usize,
}

impl<'g> Graphs<'g> {
    pub(super) const MOST: usize = GRAPHS;

    pub(super) const fn from(graph: &'g Graph) -> Graphs<'g> {
        let mut graphs = Graphs { known: [None; GRAPHS], length: 1 };
        graphs.known[0] = Some(graph);
        graphs
    }

    /// Adds all subflows that are called in them, and in those in turn; gives a call for which there is no room.
    pub(super) const fn add_called(&mut self) -> Option<(&'g Graph, &'g Node)> {
        let mut index = 0;
        while index < self.length {
            let Some(graph) = self.known[index] else { return None };
            let nodes = nodes_of(graph);
            let mut node = 0;
            while node < nodes.len() {
                if let NodeKind::Subflow(subflow) = &nodes[node].kind
                    && !self.add(subflow.graph.known())
                {
                    return Some((graph, &nodes[node]));
                }
                node += 1;
            }
            index += 1;
        }
        None
    }

    /// Adds a graph; gives whether it will be looked at, which one too many is not.
    const fn add(&mut self, graph: Option<&'static Graph>) -> bool {
        let Some(graph) = graph else { return true };
        let mut index = 0;
        while index < self.length {
            if let Some(known) = self.known[index]
                && is_same_graph(known, graph)
            {
                return true;
            }
            index += 1;
        }
        let has_room = self.length < GRAPHS;
        if has_room {
            self.known[self.length] = Some(graph);
            self.length += 1;
        }
        has_room
    }
}

/// Whether the graph, or a subflow that it calls, has a step that can be undone or a pivot.
pub(super) const fn is_saga(graph: &Graph) -> bool {
    find(graph, Wanted::Saga).is_some()
}

/// The first node of this sort in the graph, or in a subflow that it calls; or a call of what there is no room for.
pub(super) const fn find(graph: &Graph, wanted: Wanted) -> Option<&Node> {
    let mut graphs = Graphs::from(graph);
    let mut index = 0;
    while index < graphs.length {
        let Some(graph) = graphs.known[index] else { return None };
        let nodes = nodes_of(graph);
        let mut node = 0;
        while node < nodes.len() {
            match &nodes[node].kind {
                NodeKind::Subflow(SubflowFacts { graph, .. }) if !graphs.add(graph.known()) => {
                    return Some(&nodes[node]);
                }
                NodeKind::Child(ChildFacts { graph, detached, .. })
                    if wanted.looks_into_child(*detached) && !graphs.add(graph.known()) =>
                {
                    return Some(&nodes[node]);
                }
                _ if wanted.is(&nodes[node]) => return Some(&nodes[node]),
                _ => {}
            }
            node += 1;
        }
        index += 1;
    }
    None
}

/// The first retriable step, or child with an effect, that the graph or a subflow of it passes on its way to success.
pub(super) const fn kept(graph: &Graph) -> Option<&Node> {
    let mut graphs = Graphs::from(graph);
    let mut index = 0;
    while index < graphs.length {
        let Some(graph) = graphs.known[index] else { return None };
        let nodes = nodes_of(graph);
        let mut way = None;
        let mut node = 0;
        while node < nodes.len() {
            let matters = match &nodes[node].kind {
                NodeKind::Step(step) => matches!(step.effect, Effect::Retriable) && !step.kept,
                NodeKind::Child(child) => !child.detached,
                NodeKind::Subflow(_) => true,
                _ => false,
            };
            if matters {
                // Found out once per graph, and only for a graph where it matters.
                let known = match way {
                    Some(known) => known,
                    None => OnTheWay::of(graph),
                };
                way = Some(known);
                match &nodes[node].kind {
                    _ if !known.leads_to_success(node) => {}
                    NodeKind::Step(_) => return Some(&nodes[node]),
                    NodeKind::Subflow(SubflowFacts { graph, .. }) if !graphs.add(graph.known()) => {
                        return Some(&nodes[node]);
                    }
                    NodeKind::Child(ChildFacts { graph, .. }) => {
                        if let Some(child) = graph.known()
                            && find(child, Wanted::Effect).is_some()
                        {
                            return Some(&nodes[node]);
                        }
                    }
                    _ => {}
                }
            }
            node += 1;
        }
        index += 1;
    }
    None
}
