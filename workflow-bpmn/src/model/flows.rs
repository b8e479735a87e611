//! What becomes of the flows: links, and the boundary events where errors and timeouts leave.
//! It decides how they are named and what they refer to, never where they run.

use std::collections::BTreeSet;

use workflow_graph::{ErrorFacts, Flow, FlowKind, Graph, NodeIndex, NodeKind, humanise};

use super::build::{AnswerLink, Draft};
use super::{Amount, ElementIndex, ElementKind, LinkKind, Time, Trigger, facts, names};
use crate::text;

impl Draft<'_, '_> {
    pub(super) fn add_flow(&mut self, index: usize, flow: &Flow) {
        if self.of.places.race_of(flow.from).is_some() {
            return self.add_answer_of_race(index, flow);
        }
        let id = self.of.flow_id(index);
        let to = self.arrivals[&flow.to];
        let from = self.origins.get(&flow.from).copied();
        let from = from.expect("a flow runs within one place, except into the sub-process of a race");
        match &flow.kind {
            FlowKind::Next => {
                self.add_link(id, from, to, LinkKind::Always);
            }
            FlowKind::Answer { label, condition, default } => {
                let answer = self.answer(index, flow, label);
                let split = self.of.id(flow.from);
                self.add_answer(AnswerLink { id, split, from, to, answer, condition, default: *default });
            }
            FlowKind::Error { .. } => {
                let event = self.add_error(flow, from);
                self.add_link(id, event, to, LinkKind::Always);
                self.add_errors_passed_on(flow, from);
            }
            FlowKind::Timeout if self.of.places.is_caught(flow.from) => {
                self.add_caught_timeout(id, flow, to);
            }
            FlowKind::Timeout => {
                let event = self.add_timeout(flow, from);
                self.add_link(id, event, to, LinkKind::Always);
            }
        }
    }

    /// The answer's name; engines tell answers apart by it, so no two of one question may be alike.
    fn answer(&self, index: usize, flow: &Flow, label: &str) -> String {
        let answer = Some(text::name(label)).filter(|name| !name.is_empty());
        let answer = answer.unwrap_or_else(|| "otherwise".to_owned());
        let earlier = self.of.graph.flows[..index].iter().filter(|other| other.from == flow.from);
        let alike = earlier
            .filter(
                |other| matches!(&other.kind, FlowKind::Answer { label, .. } if text::name(label) == answer),
            )
            .count();
        if alike == 0 { answer } else { format!("{answer} ({})", alike + 1) }
    }

    /// The event on the border where an error leaves.
    pub(super) fn add_error(&mut self, flow: &Flow, host: ElementIndex) -> ElementIndex {
        let FlowKind::Error { variant, .. } = &flow.kind else {
            unreachable!("callers hand over error flows only")
        };
        let name = names::of_error(self.of.graph, flow);
        let node = self.of.id(flow.from);
        let (id, definition) = if variant.is_empty() {
            (format!("{node}_error"), None)
        } else {
            let facts =
                errors_of(self.of.graph, flow.from).into_iter().find(|error| error.variant == *variant);
            let code = facts.map_or(variant.as_ref(), |error| error.code.as_ref());
            let wording = names::wording(facts, variant);
            (format!("{node}_error_{variant}"), Some(self.of.file.error(code, wording)))
        };
        let id = self.of.file.ids.give(&id);
        let kind = ElementKind::Boundary { host, trigger: Trigger::Error { definition } };
        self.add_element(id, name, flow.from, kind)
    }

    /// The event on the border where a wait gives up.
    pub(super) fn add_timeout(&mut self, flow: &Flow, host: ElementIndex) -> ElementIndex {
        let (duration, name) = deadline(self.of.graph, flow.from);
        let id = format!("{}_timeout", self.of.id(flow.from));
        let id = self.of.file.ids.give(&id);
        let kind = ElementKind::Boundary { host, trigger: Trigger::Timer { duration } };
        self.add_element(id, name, flow.from, kind)
    }

    /// Behind an event-based gateway the deadline is one more event that can come first.
    fn add_caught_timeout(&mut self, id: String, flow: &Flow, to: ElementIndex) {
        let (duration, name) = deadline(self.of.graph, flow.from);
        let event_id = format!("{}_timeout", self.of.id(flow.from));
        let event_id = self.of.file.ids.give(&event_id);
        let kind = ElementKind::TimerCatchEvent { time: Time::After(duration) };
        let event = self.add_element(event_id.clone(), name, flow.from, kind);
        let gateway = self.of.graph.incoming(flow.from).map(|flow| self.origins[&flow.from]).next();
        let gateway = gateway.expect("what is caught stands behind its gateway");
        let wanted = format!("flow_{}_to_{event_id}", self.scope.elements[gateway].id);
        let link = self.of.file.ids.give(&wanted);
        self.add_link(link, gateway, event, LinkKind::Always);
        self.add_link(id, event, to, LinkKind::Always);
    }

    /// The error that a failing end stands for: what leads there, if that is one variant alone, else the variant
    /// that its name says.
    pub(super) fn error_of_end(&mut self, end: NodeIndex) -> Option<usize> {
        let graph = self.of.graph;
        let known: Option<ErrorFacts> = single_error(graph, end).or_else(|| {
            let title = graph.nodes[end].title().to_lowercase();
            let says = |error: &&ErrorFacts| {
                [&error.label, &error.variant].iter().any(|name| humanise(name).to_lowercase() == title)
            };
            self.subflow_errors().iter().find(says).cloned()
        });
        let error = known?;
        Some(self.of.file.error(&error.code, names::wording(Some(&error), &error.variant)))
    }
}

fn deadline(graph: &Graph, node: NodeIndex) -> (Amount, String) {
    let NodeKind::Receive { deadline: Some(deadline), .. } = &graph.nodes[node].kind else {
        unreachable!("only receives with a deadline have a timeout flow in a sound graph")
    };
    (facts::duration(deadline), text::name(&deadline.text))
}

/// The ways in which a node can fail; of a block, those of everything in it.
pub(super) fn errors_of(graph: &Graph, node: NodeIndex) -> Vec<&ErrorFacts> {
    if graph.nodes[node].kind != NodeKind::Block {
        return graph.nodes[node].kind.errors().iter().collect();
    }
    let inside = (0..graph.nodes.len()).filter(|&inner| graph.nodes[inner].scope == Some(node));
    inside.flat_map(|inner| errors_of(graph, inner)).collect()
}

/// The one variant with which this end is reached, if there is no other way to it.
fn single_error(graph: &Graph, end: NodeIndex) -> Option<ErrorFacts> {
    let mut found: Option<&ErrorFacts> = None;
    let mut seen = BTreeSet::new();
    let mut open = vec![end];
    while let Some(node) = open.pop() {
        for flow in graph.incoming(node) {
            match &flow.kind {
                FlowKind::Error { variant, .. } => {
                    let error = errors_of(graph, flow.from).into_iter().find(|e| e.variant == *variant)?;
                    if found.replace(error).is_some_and(|other| other.code != error.code) {
                        return None;
                    }
                }
                FlowKind::Next if graph.nodes[flow.from].kind == NodeKind::Merge => {
                    if seen.insert(flow.from) {
                        open.push(flow.from);
                    }
                }
                _ => return None,
            }
        }
    }
    found.cloned()
}
