//! What becomes of the flows: links, and the boundary events where errors and timeouts leave.
//! It decides how they are named and what they refer to, never where they run.

use workflow_graph::{Flow, FlowKind, Graph, NodeIndex, NodeKind, Span};

use super::build::{AnswerLink, Draft};
use super::thrown::error_named;
use super::{ElementIndex, ElementKind, LinkKind, Time, Trigger, facts, names};
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
                self.add_way_on(flow.from, id, from, to);
                self.add_way_to_deadline(flow.to, from);
            }
            FlowKind::Answer { condition, default, .. } => {
                let answer = self.answer(index, flow);
                let split = self.of.id(flow.from);
                self.add_answer(AnswerLink { id, split, from, to, answer, condition, default: *default });
            }
            FlowKind::Error { .. } => {
                let event = self.add_error(flow, from);
                self.add_link(id, event, to, LinkKind::Always);
                self.add_errors_passed_on(flow, from);
            }
            FlowKind::Timeout if self.of.places.is_caught(flow.from) => {
                let event = self.add_caught_timeout(flow.from);
                let gateway = self.of.graph.incoming(flow.from).map(|flow| self.origins[&flow.from]).next();
                let gateway = gateway.expect("what is caught stands behind its gateway");
                self.add_derived_link(gateway, event);
                self.add_link(id, event, to, LinkKind::Always);
            }
            FlowKind::Timeout => {
                let event = self.add_timeout(flow.from, from);
                self.add_link(id, event, to, LinkKind::Always);
            }
        }
    }

    /// The answer's name; engines tell answers apart by it, so no two of one question may be alike.
    fn answer(&self, index: usize, flow: &Flow) -> String {
        let flows = self.of.graph.flows.iter().enumerate();
        let answers = flows.filter(|(_, other)| other.from == flow.from).filter_map(|(index, other)| {
            let FlowKind::Answer { label, .. } = &other.kind else { return None };
            let answer = Some(text::name(label)).filter(|name| !name.is_empty());
            Some((index, answer.unwrap_or_else(|| "otherwise".to_owned())))
        });
        let (indices, answers): (Vec<usize>, Vec<String>) = answers.unzip();
        let place = indices.iter().position(|&other| other == index);
        names::distinct(&answers).swap_remove(place.expect("the flow is an answer itself"))
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
            let facts = error_named(self.of.graph, flow.from, variant);
            let code = facts.map_or(variant.as_ref(), |error| error.code.as_ref());
            let wording = names::wording(facts, variant);
            (format!("{node}_error_{variant}"), Some(self.of.file.error(code, wording)))
        };
        let id = self.of.file.ids.give(&id);
        let kind = ElementKind::Boundary { host, trigger: Trigger::Error { definition } };
        self.add_element(id, name, flow.from, kind)
    }

    /// The event on the border where a wait gives up.
    pub(super) fn add_timeout(&mut self, node: NodeIndex, host: ElementIndex) -> ElementIndex {
        let deadline = deadline(self.of.graph, node);
        let id = format!("{}_timeout", self.of.id(node));
        let id = self.of.file.ids.give(&id);
        let trigger = Trigger::Timer { duration: self.of.file.amount(deadline, &id) };
        let kind = ElementKind::Boundary { host, trigger };
        self.add_deadline(id, deadline, node, kind)
    }

    fn add_deadline(
        &mut self,
        id: String,
        deadline: &Span,
        node: NodeIndex,
        kind: ElementKind,
    ) -> ElementIndex {
        let event = self.add_element(id, names::of_span(deadline), node, kind);
        self.scope.elements[event].documentation = facts::documentation_of_deadline(deadline);
        event
    }

    /// Behind an event-based gateway the deadline is one more event that can come first.
    pub(super) fn add_caught_timeout(&mut self, node: NodeIndex) -> ElementIndex {
        let deadline = deadline(self.of.graph, node);
        let id = format!("{}_timeout", self.of.id(node));
        let id = self.of.file.ids.give(&id);
        let time = Time::After(self.of.file.amount(deadline, &id));
        self.add_deadline(id, deadline, node, ElementKind::TimerCatchEvent { time })
    }
}

fn deadline(graph: &Graph, node: NodeIndex) -> &Span {
    let NodeKind::Receive { deadline: Some(deadline), .. } = &graph.nodes[node].kind else {
        unreachable!("only receives with a deadline time out in a sound graph")
    };
    deadline
}
