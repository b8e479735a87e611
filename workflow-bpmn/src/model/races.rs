//! How a race is drawn whose operations are more than waits: a sub-process that the first one ends, and a question.
//! BPMN has no symbol for it; an event-based gateway may wait for events only.

use workflow_graph::{Flow, FlowKind, NodeIndex};

use super::build::{AnswerLink, Draft};
use super::{ElementIndex, ElementKind, Ending, LinkKind, Start, names};

impl Draft<'_, '_> {
    /// In the sub-process: a start, and the gateway behind which all operations begin. Flows of the race leave there.
    pub(super) fn begin_race(&mut self, race: NodeIndex) {
        let id = self.of.id(race);
        let start_id = self.of.file.ids.give(&format!("{id}_start"));
        let kind = ElementKind::StartEvent(Start::Plain);
        let start = self.add_element(start_id.clone(), names::ALL_STARTED.into(), race, kind);
        let fork_id = self.of.file.ids.give(&format!("{id}_fork"));
        let kind = ElementKind::ParallelGateway { splits: true };
        let fork = self.add_element(fork_id.clone(), String::new(), race, kind);
        let link = self.of.file.ids.give(&format!("flow_{start_id}_to_{fork_id}"));
        self.add_link(link, start, fork, LinkKind::Always);
        self.origins.insert(race, fork);
    }

    /// In the sub-process: every way out of an operation ends the race.
    pub(super) fn end_race(&mut self, race: NodeIndex) {
        let graph = self.of.graph;
        for flow in graph.flows.iter() {
            if self.of.places.race_of(flow.from) != Some(race) {
                continue;
            }
            let host = self.origins[&flow.from];
            let from = match flow.kind {
                FlowKind::Error { .. } => self.add_error(flow, host),
                FlowKind::Timeout => self.add_timeout(flow.from, host),
                _ => host,
            };
            let end_id = self.of.file.ids.give(&format!("{}_first", self.scope.elements[from].id));
            let name = names::winner(graph, flow);
            let kind = ElementKind::EndEvent { success: true, ending: Ending::Terminate };
            let end = self.add_element(end_id.clone(), name, flow.from, kind);
            let wanted = format!("flow_{}_to_{end_id}", self.scope.elements[from].id);
            let link = self.of.file.ids.give(&wanted);
            match flow.kind {
                FlowKind::Next => self.add_way_on(flow.from, link, from, end),
                _ => {
                    self.add_link(link, from, end, LinkKind::Always);
                }
            }
        }
    }

    /// Behind the sub-process: the gateway where the ways part again.
    pub(super) fn add_question_after_race(&mut self, race: NodeIndex, inside: ElementIndex) {
        let id = self.of.id(race);
        let question_id = self.of.file.ids.give(&format!("{id}_first"));
        let kind = ElementKind::ExclusiveGateway { splits: true };
        let question = self.add_element(question_id.clone(), names::WHAT_CAME_FIRST.into(), race, kind);
        let link = self.of.file.ids.give(&format!("flow_{id}_to_{question_id}"));
        self.add_link(link, inside, question, LinkKind::Always);
        self.origins.insert(race, question);
    }

    /// The way on from one of the operations: an answer of that question. The last one is the default.
    pub(super) fn add_answer_of_race(&mut self, index: usize, flow: &Flow) {
        let graph = self.of.graph;
        let race = self.of.places.race_of(flow.from).expect("callers hand over flows out of a race only");
        let of_race = |other: &&Flow| self.of.places.race_of(other.from) == Some(race);
        let default = !graph.flows[index + 1..].iter().any(|other| of_race(&other));
        let winners: Vec<String> =
            graph.flows.iter().filter(of_race).map(|other| names::winner(graph, other)).collect();
        let place = graph.flows[..index].iter().filter(of_race).count();
        let answer = names::distinct(&winners).swap_remove(place);
        let id = self.of.flow_id(index);
        let (from, to) = (self.origins[&race], self.arrivals[&flow.to]);
        let split = self.scope.elements[from].id.clone();
        self.add_answer(AnswerLink { id, split, from, to, answer, condition: "", default });
    }
}
