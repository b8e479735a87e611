//! Errors that are passed on: where the code says `?`, and somebody further out tells the errors apart, an end that
//! throws just some error would lead to the wrong place out there. Each of those errors leaves by an event and an end
//! of its own.
//! It decides which they are; what else leaves an activity is drawn by `flows`.

use std::collections::BTreeSet;

use workflow_graph::{ErrorFacts, Flow, FlowKind, Graph, NodeIndex, Thrown};

use super::build::{Draft, Drafter};
use super::outcomes::failing_end;
use super::thrown::{self, becomes, error_named, errors_of};
use super::{ElementIndex, ElementKind, Ending, LinkKind, facts, names};
use crate::text;

impl Drafter<'_> {
    /// The ways in which the function fails whose flow this is.
    pub(super) fn own_errors(&self) -> &[ErrorFacts] {
        self.subflow.map_or(&self.graph.errors, |subflow| &subflow.errors)
    }

    /// What a failing end throws, where that is known.
    pub(super) fn thrown(&self, end: NodeIndex) -> Option<ErrorFacts> {
        thrown::thrown(self.graph, self.own_errors(), end).cloned()
    }

    /// Whether everything is undone once this block fails with such an error, or with one that nobody knows: then it
    /// undoes what it did itself, since an activity that has failed cannot be undone from outside.
    pub(super) fn gives_up(&self, block: NodeIndex, code: Option<&str>) -> bool {
        self.in_whole(block).is_some_and(|block| gives_up(self.whole, self.own_errors(), block, code))
    }
}

/// See [`Drafter::gives_up`]; before anything was folded.
fn gives_up(graph: &Graph, own: &[ErrorFacts], block: NodeIndex, code: Option<&str>) -> bool {
    let catches = |flow: &&Flow| match &flow.kind {
        FlowKind::Error { variant, .. } => code.is_some_and(|code| code_of(graph, block, variant) == code),
        _ => false,
    };
    let takes_all =
        |flow: &&Flow| matches!(&flow.kind, FlowKind::Error { variant, .. } if variant.is_empty());
    let caught = graph.outgoing(block).find(catches).or_else(|| graph.outgoing(block).find(takes_all));
    let Some(end) = caught.and_then(|flow| failing_end(graph, flow.to)) else { return false };
    let Some(outer) = graph.nodes[end].scope else { return true };
    if graph.nodes[end].thrown == Thrown::Arriving {
        return gives_up(graph, own, outer, code);
    }
    let other = thrown::thrown(graph, own, end).map(|error| text::one_line(&error.code));
    gives_up(graph, own, outer, other.as_deref())
}

impl Draft<'_, '_> {
    /// Beside the event for all other errors of an activity: one for each that is told apart further out.
    pub(super) fn add_errors_passed_on(&mut self, flow: &Flow, host: ElementIndex) {
        let graph = self.of.graph;
        let Some(end) = passed_on_to(graph, flow) else { return };
        if self.of.subflow.is_none() && graph.nodes[end].scope.is_none() {
            return; // Nobody is further out.
        }
        let told_apart = self.told_apart_around(flow.from);
        let handled = thrown::told_apart(graph, flow.from);
        let by_end = self.of.thrown(end).map(|error| text::one_line(&error.code));
        let mut seen = BTreeSet::new();
        for error in errors_of(graph, flow.from) {
            let Some(thrown) = becomes(graph, self.of.own_errors(), flow.from, error) else { continue };
            let thrown = thrown.clone();
            let code = text::one_line(&thrown.code);
            if told_apart.contains(&code)
                && by_end.as_ref() != Some(&code)
                && !handled.contains(error.variant.as_ref())
                && seen.insert(&error.code)
            {
                self.pass_on(flow, host, end, error, &thrown);
            }
        }
    }

    fn pass_on(
        &mut self,
        flow: &Flow,
        host: ElementIndex,
        end: NodeIndex,
        error: &ErrorFacts,
        thrown: &ErrorFacts,
    ) {
        let kind = FlowKind::Error { variant: error.variant.clone(), label: "".into() };
        let event = self.add_error(&Flow { kind, ..flow.clone() }, host);
        let wording = names::wording(Some(thrown), &thrown.variant);
        let id = self.of.file.ids.give(&format!("{}_{}", self.of.id(end), error.variant));
        let undo = self.undoes_before_its_error(end, Some(&thrown.code)).then(|| {
            let id = self.of.file.ids.give(&format!("{id}_undo"));
            self.add_element(id, names::UNDO.into(), end, ElementKind::CompensationThrowEvent)
        });
        let ending = Ending::Error { definition: Some(self.of.file.error(&thrown.code, wording.clone())) };
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
        // What becomes another error here goes the same way, whichever it was.
        let is_wrapped = thrown::is_wrapped(self.of.graph, self.of.own_errors(), node);
        if passes_on(self.of.graph, node) && !is_wrapped {
            codes.extend(self.told_apart_around(node));
        }
        codes
    }
}

/// The codes of the errors of this node that have flows of their own.
fn caught_by_name(graph: &Graph, node: NodeIndex) -> BTreeSet<String> {
    thrown::told_apart(graph, node).into_iter().map(|variant| code_of(graph, node, variant)).collect()
}

/// The code of a variant of this node.
fn code_of(graph: &Graph, node: NodeIndex, variant: &str) -> String {
    text::one_line(error_named(graph, node, variant).map_or(variant, |error| &error.code))
}

/// Whether all other errors of this node lead straight to a failing end.
fn passes_on(graph: &Graph, node: NodeIndex) -> bool {
    graph.outgoing(node).any(|flow| passed_on_to(graph, flow).is_some())
}

/// The end at which all other errors leave, each as what it is.
fn passed_on_to(graph: &Graph, flow: &Flow) -> Option<NodeIndex> {
    let takes_all = matches!(&flow.kind, FlowKind::Error { variant, .. } if variant.is_empty());
    let end = if takes_all { failing_end(graph, flow.to) } else { None };
    end.filter(|&end| graph.nodes[end].thrown == Thrown::Arriving)
}
