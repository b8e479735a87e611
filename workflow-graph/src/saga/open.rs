//! How a subflow may end: whether it can fail at all, and what effect it leaves behind while that is open.
//! A subflow that is no saga by itself is judged here as if it were one, for the saga that calls it.

use crate::{Graph, Node, NodeKind, Outcome};

use super::inside::Graphs;
use super::part::{self, Part};
use super::siblings::Siblings;
use super::ways::{Leaving, Live, ROOM, Reach};
use crate::reading::{flows_of, is_same_graph, nodes_of};

/// Whether the function of this graph can end with an error. What is too large to look at can.
pub(super) const fn can_fail(graph: &Graph) -> bool {
    if !has_failure(graph) {
        return false;
    }
    let mut graphs = Graphs::from(graph);
    // None can, until a way to an error is found that takes no other error than of those that can.
    let mut fails = [false; Graphs::MOST];
    if reaches_failure(graph, &graphs, &fails) {
        return true;
    }
    if graphs.add_called().is_some() {
        return true;
    }
    let mut is_new = true;
    while is_new && !fails[0] {
        is_new = false;
        let mut index = 0;
        while index < graphs.length {
            if !fails[index]
                && let Some(graph) = graphs.known[index]
                && has_failure(graph)
                && reaches_failure(graph, &graphs, &fails)
            {
                fails[index] = true;
                is_new = true;
            }
            index += 1;
        }
    }
    fails[0]
}

const fn has_failure(graph: &Graph) -> bool {
    let nodes = nodes_of(graph);
    let mut node = 0;
    while node < nodes.len() {
        if is_failure(&nodes[node]) {
            return true;
        }
        node += 1;
    }
    false
}

const fn is_failure(node: &Node) -> bool {
    matches!(node.kind, NodeKind::End(Outcome::Failure)) && node.scope.is_none()
}

/// Whether a way leads to a failure when only these graphs can fail.
const fn reaches_failure(graph: &Graph, graphs: &Graphs<'_>, fails: &[bool; Graphs::MOST]) -> bool {
    let (nodes, flows) = (nodes_of(graph), flows_of(graph));
    if nodes.len() > ROOM {
        return true;
    }
    let mut parts = [Part::NOTHING; ROOM];
    let mut node = 0;
    while node < nodes.len() {
        if let NodeKind::Subflow(subflow) = &nodes[node].kind
            && let Some(called) = subflow.graph.known()
        {
            parts[node].never_fails = !is_one_that_fails(called, graphs, fails);
        }
        node += 1;
    }
    let live = Live::<ROOM>::of(nodes, flows, &Leaving::of(nodes, flows, &parts));
    let mut node = 0;
    while node < nodes.len() {
        if live.at[node] && is_failure(&nodes[node]) {
            return true;
        }
        node += 1;
    }
    false
}

const fn is_one_that_fails(called: &Graph, graphs: &Graphs<'_>, fails: &[bool; Graphs::MOST]) -> bool {
    let mut index = 0;
    while index < graphs.length {
        if let Some(graph) = graphs.known[index]
            && fails[index]
            && is_same_graph(graph, called)
        {
            return true;
        }
        index += 1;
    }
    false
}

/// An effect that stays while its own function may still succeed and may still fail, and that function: in the graph or
/// in a subflow that it calls. One that comes of a step is found before one that comes of all that a subflow does.
pub(super) const fn kept(graph: &Graph) -> Option<(&Graph, &Node)> {
    let mut graphs = Graphs::from(graph);
    // One that is not looked at leaves whatever it may.
    let mut found = graphs.add_called();
    let mut index = 0;
    while index < graphs.length {
        if let Some(graph) = graphs.known[index]
            && let Some(node) = kept_by(graph)
        {
            let is_subflow = matches!(node.kind, NodeKind::Subflow(_));
            if !is_subflow {
                return Some((graph, node));
            }
            found = Some((graph, node));
        }
        index += 1;
    }
    found
}

const fn kept_by(graph: &Graph) -> Option<&Node> {
    let (nodes, flows) = (nodes_of(graph), flows_of(graph));
    if !has_failure(graph) {
        return None;
    }
    if nodes.len() > ROOM {
        let mut node = 0;
        while node < nodes.len() {
            if part::keeps(&nodes[node]) {
                return Some(&nodes[node]);
            }
            node += 1;
        }
        return None;
    }
    let mut parts = [Part::NOTHING; ROOM];
    part::of_all(nodes, &mut parts);
    part::find_unfailing(nodes, flows, &mut parts);
    let leaving = Leaving::<ROOM>::of(nodes, flows, &parts);
    Live::<ROOM>::of(nodes, flows, &leaving).forget_others(&mut parts);
    let mut reach = Reach::<ROOM>::of(nodes, flows, &leaving);
    Siblings::<ROOM>::of(nodes, flows, &leaving, &parts, &mut reach);
    let mut node = 0;
    while node < nodes.len() {
        if parts[node].keeps && reach.is_open_after(node) {
            return Some(&nodes[node]);
        }
        node += 1;
    }
    None
}
