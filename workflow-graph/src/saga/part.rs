//! What part each node plays in a saga: whether it can fail after the pivot, is the pivot, or leaves something behind.
//! Of a subflow or a child it says what happens inside; the order of the nodes is no matter here.

use crate::reading::{is_same_graph, text_of};
use crate::{ChildFacts, Effect, Flow, Node, NodeIndex, NodeKind, SubflowFacts};

use super::inside::{self, Wanted};
use super::ways::is_error;
use super::{makes_saga, open};

/// The part of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// It can be undone, or is or contains the pivot.
    pub(super) makes_saga: bool,
    /// It is a pivot, or a subflow that contains one.
    pub(super) has_pivot: bool,
    /// It is, or contains, a step that is neither read-only nor retriable: nothing for after the pivot.
    pub(super) is_unfit: bool,
    /// Once it has succeeded, it leaves an effect that nobody undoes.
    pub(super) keeps: bool,
    /// It can be undone, but not in the midst of itself.
    pub(super) is_atomic: bool,
    /// It is a subflow that never answers with an error.
    pub(super) never_fails: bool,
    /// It is a subflow that nothing of its own makes a saga, and may end with an error after an effect that stays.
    pub(super) leaves: bool,
}

impl Part {
    pub(super) const NOTHING: Part = Part {
        makes_saga: false,
        has_pivot: false,
        is_unfit: false,
        keeps: false,
        is_atomic: false,
        never_fails: false,
        leaves: false,
    };

    const fn of(node: &Node) -> Part {
        match &node.kind {
            NodeKind::Step(step) => Part {
                makes_saga: makes_saga(&node.kind),
                has_pivot: matches!(step.effect, Effect::Pivot),
                is_unfit: !matches!(step.effect, Effect::ReadOnly | Effect::Retriable),
                keeps: matches!(step.effect, Effect::Retriable) && !step.kept,
                is_atomic: step.transactional && step.compensation.is_some() && node.instances.is_none(),
                ..Part::NOTHING
            },
            NodeKind::Subflow(SubflowFacts { graph, .. }) => match graph.known() {
                Some(graph) => Part {
                    makes_saga: inside::is_saga(graph),
                    has_pivot: inside::find(graph, Wanted::Pivot).is_some(),
                    is_unfit: inside::find(graph, Wanted::Unfit).is_some(),
                    keeps: inside::kept(graph).is_some(),
                    ..Part::NOTHING
                },
                None => Part::NOTHING,
            },
            NodeKind::Child(ChildFacts { graph, detached: false, .. }) => match graph.known() {
                Some(graph) => Part { keeps: inside::find(graph, Wanted::Effect).is_some(), ..Part::NOTHING },
                None => Part::NOTHING,
            },
            _ => Part::NOTHING,
        }
    }
}

/// Finds the parts of all nodes; gives whether they make a saga.
pub(super) const fn of_all(nodes: &[Node], parts: &mut [Part]) -> bool {
    let mut is_saga = false;
    let mut node = 0;
    while node < nodes.len() {
        parts[node] = match same_before(nodes, node) {
            Some(other) => parts[other],
            None => Part::of(&nodes[node]),
        };
        is_saga |= parts[node].makes_saga;
        node += 1;
    }
    is_saga
}

/// Whether a node leaves an effect that nobody undoes, once it has succeeded.
pub(super) const fn keeps(node: &Node) -> bool {
    Part::of(node).keeps
}

/// Finds which subflows never fail: what would lead on from their errors leads nowhere.
pub(super) const fn find_unfailing(nodes: &[Node], flows: &[Flow], parts: &mut [Part]) {
    let mut index = 0;
    while index < flows.len() {
        let Flow { from, kind, .. } = &flows[index];
        // Its other errors stand side by side.
        let is_next = index > 0 && flows[index - 1].from == *from && is_error(&flows[index - 1].kind);
        if is_error(kind)
            && !is_next
            && let NodeKind::Subflow(subflow) = &nodes[*from].kind
            && let Some(graph) = subflow.graph.known()
        {
            parts[*from].never_fails = match same_before(nodes, *from) {
                // Where the same subflow has no way for its errors, nobody has asked.
                Some(other) if parts[other].never_fails => true,
                _ => !open::can_fail(graph),
            };
        }
        index += 1;
    }
}

/// Finds which subflows leave an effect although they may still fail, where nobody has looked: they are no sagas.
pub(super) const fn find_leaving(nodes: &[Node], parts: &mut [Part]) {
    let mut node = 0;
    while node < nodes.len() {
        if let NodeKind::Subflow(subflow) = &nodes[node].kind
            && let Some(graph) = subflow.graph.known()
        {
            parts[node].leaves = match same_before(nodes, node) {
                Some(other) => parts[other].leaves,
                None => !parts[node].makes_saga && open::kept(graph).is_some(),
            };
        }
        node += 1;
    }
}

/// An earlier node that is the same subflow: what is in it has been found out.
const fn same_before(nodes: &[Node], node: NodeIndex) -> Option<NodeIndex> {
    let NodeKind::Subflow(subflow) = &nodes[node].kind else { return None };
    let Some(graph) = subflow.graph.known() else { return None };
    let mut other = 0;
    while other < node {
        if let NodeKind::Subflow(subflow) = &nodes[other].kind
            && let Some(known) = subflow.graph.known()
            && is_same_graph(graph, known)
        {
            return Some(other);
        }
        other += 1;
    }
    None
}

/// The name of a step, subflow, child or message; else the id of the node.
pub(super) const fn name_of(node: &Node) -> &str {
    match &node.kind {
        NodeKind::Step(step) => text_of(&step.name),
        NodeKind::Subflow(subflow) => text_of(&subflow.name),
        NodeKind::Child(child) => text_of(&child.workflow),
        NodeKind::Send { message, .. } => text_of(message),
        _ => text_of(&node.id),
    }
}
