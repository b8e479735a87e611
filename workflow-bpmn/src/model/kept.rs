//! Outcomes that are values: `let taken = take_order(&order).await;`. The scope fails all the same, or the wait for a
//! message is over, and an engine wants to hear where it goes on then: an event on the border, or behind the gateway
//! that waits for the message, too, from which the flow goes on as if nothing had happened.
//! What the code then does with the value is drawn as what it is, a question.

use workflow_graph::{FlowKind, NodeIndex, NodeKind};

use super::build::{Draft, Drafter};
use super::{Element, ElementIndex, ElementKind, Ending, LinkKind, Trigger, names};

impl Drafter<'_> {
    /// Whether the code keeps the outcome of this scope, whatever it is.
    pub(super) fn keeps_error(&self, node: NodeIndex) -> bool {
        let whole = self.in_whole(node);
        let is_scope = matches!(self.graph.nodes[node].kind, NodeKind::Subflow(_) | NodeKind::Block);
        let leaves = |from: NodeIndex| {
            self.whole.outgoing(from).any(|flow| matches!(flow.kind, FlowKind::Error { .. }))
        };
        is_scope && whole.is_some_and(|node| !leaves(node))
    }

    /// Whether the code looks later at what came of this wait, the message or the end of its time.
    fn keeps_timeout(&self, node: NodeIndex) -> bool {
        let has_deadline = matches!(self.graph.nodes[node].kind, NodeKind::Receive { deadline: Some(_), .. });
        has_deadline && !self.graph.outgoing(node).any(|flow| flow.kind == FlowKind::Timeout)
    }
}

impl Draft<'_, '_> {
    /// The event on the border of such a scope, if anything can be thrown in it.
    pub(super) fn keep_error(&mut self, node: NodeIndex, host: ElementIndex) {
        if self.of.keeps_error(node) && throws(&self.scope.elements[host]) {
            let id = self.of.file.ids.give(&format!("{}_error", self.of.id(node)));
            let kind = ElementKind::Boundary { host, trigger: Trigger::Error { definition: None } };
            let event = self.add_element(id, names::KEPT.into(), node, kind);
            self.kept.insert(node, event);
        }
    }

    /// The event where such a wait gives up.
    pub(super) fn keep_timeout(&mut self, node: NodeIndex, host: ElementIndex) {
        if self.of.keeps_timeout(node) {
            let is_caught = self.of.places.is_caught(node);
            let event = if is_caught { self.add_caught_timeout(node) } else { self.add_timeout(node, host) };
            self.kept.insert(node, event);
        }
    }

    /// A gateway that waits for a message waits for the end of its time, too.
    pub(super) fn add_way_to_deadline(&mut self, caught: NodeIndex, gateway: ElementIndex) {
        if self.of.places.is_caught(caught)
            && let Some(&event) = self.kept.get(&caught)
        {
            self.add_derived_link(gateway, event);
        }
    }

    /// The way on from a node. Where its error is a value, it leads there, too: both meet first.
    pub(super) fn add_way_on(&mut self, node: NodeIndex, id: String, from: ElementIndex, to: ElementIndex) {
        let Some(&event) = self.kept.get(&node) else {
            self.add_link(id, from, to, LinkKind::Always);
            return;
        };
        let meets = matches!(self.scope.elements[to].kind, ElementKind::ExclusiveGateway { splits: false });
        let join = if meets { to } else { self.add_join_before(node, to) };
        self.add_link(id, from, join, LinkKind::Always);
        self.add_derived_link(event, join);
    }

    fn add_join_before(&mut self, node: NodeIndex, to: ElementIndex) -> ElementIndex {
        let id = self.of.file.ids.give(&format!("{}_join", self.scope.elements[to].id));
        let join = self.add_element(id, String::new(), node, ElementKind::ExclusiveGateway { splits: false });
        self.add_derived_link(join, to);
        join
    }

    pub(super) fn add_derived_link(&mut self, from: ElementIndex, to: ElementIndex) {
        let wanted = format!("flow_{}_to_{}", self.scope.elements[from].id, self.scope.elements[to].id);
        let id = self.of.file.ids.give(&wanted);
        self.add_link(id, from, to, LinkKind::Always);
    }
}

/// Whether an error leaves this sub-process.
fn throws(element: &Element) -> bool {
    let is_error = |element: &Element| {
        matches!(element.kind, ElementKind::EndEvent { ending: Ending::Error { .. }, .. })
    };
    matches!(&element.kind, ElementKind::SubProcess { inside, .. } if inside.elements.iter().any(is_error))
}
