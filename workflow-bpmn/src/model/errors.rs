//! Errors that are passed on: where the code says `?`, and somebody further out tells the errors apart, an end that
//! throws just some error would lead to the wrong place out there. Each of those errors leaves by an event and an end
//! of its own.
//! It decides which they are; what else leaves an activity is drawn by `flows`.

use std::collections::BTreeSet;

use workflow_graph::{ErrorFacts, Flow, FlowKind, Graph, NodeIndex};

use super::build::Draft;
use super::business::failing_end;
use super::flows::errors_of;
use super::{ElementIndex, ElementKind, Ending, LinkKind, facts, names};
use crate::text;

impl Draft<'_, '_> {
    /// Beside the event for all other errors of an activity: one for each that is told apart further out.
    pub(super) fn add_errors_passed_on(&mut self, flow: &Flow, host: ElementIndex) {
        let graph = self.of.graph;
        let Some(end) = passed_on_to(graph, flow) else { return };
        if self.of.subflow.is_none() && graph.nodes[end].scope.is_none() {
            return; // Nobody is further out.
        }
        let told_apart = self.told_apart_around(flow.from);
        let handled = caught_by_name(graph, flow.from);
        let mut seen = BTreeSet::new();
        for error in errors_of(graph, flow.from) {
            let code = text::one_line(&error.code);
            if told_apart.contains(&code) && !handled.contains(&code) && seen.insert(code) {
                self.pass_on(flow, host, end, error);
            }
        }
    }

    fn pass_on(&mut self, flow: &Flow, host: ElementIndex, end: NodeIndex, error: &ErrorFacts) {
        let kind = FlowKind::Error { variant: error.variant.clone(), label: "".into() };
        let event = self.add_error(&Flow { kind, ..flow.clone() }, host);
        let wording = names::wording(Some(error), &error.variant);
        let id = self.of.file.ids.give(&format!("{}_{}", self.of.id(end), error.variant));
        let undo = self.undoes_before_its_error(end).then(|| {
            let id = self.of.file.ids.give(&format!("{id}_undo"));
            self.add_element(id, names::UNDO.into(), end, ElementKind::CompensationThrowEvent)
        });
        let ending = Ending::Error { definition: Some(self.of.file.error(&error.code, wording.clone())) };
        let last = self.add_element(id, wording, end, ElementKind::EndEvent { success: false, ending });
        self.scope.elements[last].facts = facts::of_node(self.of.graph, &self.of.graph.nodes[end]);
        let chain: Vec<ElementIndex> = [event].into_iter().chain(undo).chain([last]).collect();
        for pair in chain.windows(2) {
            let (from, to) = (&self.scope.elements[pair[0]].id, &self.scope.elements[pair[1]].id);
            let wanted = format!("flow_{from}_to_{to}");
            let id = self.of.file.ids.give(&wanted);
            self.add_link(id, pair[0], pair[1], LinkKind::Always);
        }
    }

    /// The codes of errors that are told apart by whoever hears of what fails at this node, however far out.
    pub(super) fn told_apart_around(&self, node: NodeIndex) -> BTreeSet<String> {
        let graph = self.of.graph;
        let mut codes = BTreeSet::new();
        let mut scope = graph.nodes[node].scope;
        while let Some(block) = scope {
            codes.extend(caught_by_name(graph, block));
            if !passes_on(graph, block) {
                return codes;
            }
            scope = graph.nodes[block].scope;
        }
        codes.extend(self.of.told_apart.iter().cloned());
        codes
    }

    /// The same for what is inside of this node.
    pub(super) fn told_apart_inside(&self, node: NodeIndex) -> BTreeSet<String> {
        let mut codes = caught_by_name(self.of.graph, node);
        if passes_on(self.of.graph, node) {
            codes.extend(self.told_apart_around(node));
        }
        codes
    }
}

/// The codes of the errors of this node that have flows of their own.
fn caught_by_name(graph: &Graph, node: NodeIndex) -> BTreeSet<String> {
    let errors = errors_of(graph, node);
    let flows = graph.outgoing(node).filter_map(|flow| match &flow.kind {
        FlowKind::Error { variant, .. } if !variant.is_empty() => Some(variant),
        _ => None,
    });
    let code = |variant: &workflow_graph::Text| {
        let known = errors.iter().find(|error| error.variant == *variant);
        text::one_line(known.map_or(variant, |error| &error.code))
    };
    flows.map(code).collect()
}

/// Whether all other errors of this node lead straight to a failing end.
fn passes_on(graph: &Graph, node: NodeIndex) -> bool {
    graph.outgoing(node).any(|flow| passed_on_to(graph, flow).is_some())
}

fn passed_on_to(graph: &Graph, flow: &Flow) -> Option<NodeIndex> {
    let takes_all = matches!(&flow.kind, FlowKind::Error { variant, .. } if variant.is_empty());
    if takes_all { failing_end(graph, flow.to) } else { None }
}
