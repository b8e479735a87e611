//! From the flow graph to the BPMN model: which element stands for which node.
//! It decides what is drawn; where, and how it is written, is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use workflow_graph::Trigger as Begins;
use workflow_graph::{
    ErrorFacts, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, Span, StepFacts, SubflowFacts,
    Subgraph,
};

use super::business::{self, Folded};
use super::ids::{self, Ids, Variables};
use super::outcomes::{self, Arrivals, Pasts};
use super::places::{Place, Places};
use super::{
    Amount, Element, ElementIndex, ElementKind, Ending, ErrorDefinition, Link, LinkKind, Many,
    MessageDefinition, Process, Scope, Start, Time, facts, names, published,
};
use crate::Detail;
use crate::text::{self, clean, one_line};

/// Most nodes of a subflow that is drawn in its place; a larger one gets a page of its own.
const EXPANDED_NODES: usize = 8;

/// The BPMN model of a graph without defects.
pub(crate) fn process(graph: &Graph, detail: Detail) -> Process {
    let mut reserved = Vec::new();
    collect_ids(graph, "", &mut Vec::new(), &mut reserved);
    let mut ids = Ids::reserving(reserved.iter().map(String::as_str));
    let variables = Variables::reserving(reserved.iter().map(String::as_str));
    let id = ids.give(&graph.workflow);
    let (messages, errors, around) = (Vec::new(), Vec::new(), Vec::new());
    let mut file = File { ids, variables, messages, errors, around, detail, undoes_folded: false };
    let start = outcomes::at_the_start();
    let folded = (detail == Detail::Business).then(|| business::fold(graph, &start, &[], false));
    let drawn = folded.as_ref().map_or(graph, |folded| &folded.graph);
    let mut scope = Drafter::new(drawn, graph, &mut file, &start).draw(Place::Flow);
    if let Some(folded) = folded.filter(|folded| !folded.outcomes.is_empty()) {
        scope.elements.push(on_failure(&mut file, &folded));
    }
    Process {
        id,
        name: text::name(&graph.label),
        documentation: facts::documentation_of_workflow(graph),
        is_executable: detail == Detail::Full,
        facts: facts::of_workflow(graph),
        scope,
        messages: file.messages,
        errors: file.errors,
    }
}

/// The frame for everything that fails and ends there.
fn on_failure(file: &mut File, folded: &Folded) -> Element {
    let id = file.ids.give("on_failure");
    let element = |id: String, name: &str, kind: ElementKind| Element {
        node: id.clone(),
        id,
        name: text::name(name),
        kind,
        instances: None,
        documentation: String::new(),
        facts: Vec::new(),
        job: None,
    };
    let undoes = folded.undoes || file.undoes_folded;
    let ending = if undoes { Ending::Compensation } else { Ending::Plain };
    let name = match &folded.outcomes[..] {
        [only] => only,
        _ => names::FAILED,
    };
    let start_id = file.ids.give(&format!("{id}_start"));
    let end_id = file.ids.give(&format!("{id}_end"));
    let link = file.ids.give(&format!("flow_{start_id}_to_{end_id}"));
    let start = element(start_id, names::SOMETHING_FAILED, ElementKind::StartEvent(Start::Error));
    // For the inside it is the end that the flow is there for.
    let mut end = element(end_id, name, ElementKind::EndEvent { success: true, ending });
    end.documentation = folded.outcomes.join("\n");
    let (name, documentation) = (String::new(), String::new());
    let link = Link { id: link, name, from: 0, to: 1, kind: LinkKind::Always, documentation };
    let inside = Scope { elements: vec![start, end], links: vec![link] };
    element(id, names::ON_FAILURE, ElementKind::EventSubProcess { inside })
}

/// The ids of all nodes, those in subflows behind the id of the subflow.
fn collect_ids(graph: &Graph, prefix: &str, around: &mut Vec<Subgraph>, ids: &mut Vec<String>) {
    for node in graph.nodes.iter() {
        let id = format!("{prefix}{}", node.id);
        if let NodeKind::Subflow(subflow) = &node.kind
            && !around.contains(&subflow.graph)
        {
            around.push(subflow.graph);
            collect_ids(subflow.graph.get(), &format!("{id}."), around, ids);
            around.pop();
        }
        ids.push(id);
    }
}

/// What all scopes of one file share.
pub(super) struct File {
    pub(super) ids: Ids,
    variables: Variables,
    messages: Vec<MessageDefinition>,
    errors: Vec<ErrorDefinition>,
    /// The subflows around the graph that is being drawn.
    around: Vec<Subgraph>,
    pub(super) detail: Detail,
    /// Whether a subflow that was drawn undoes something before it fails, and that is folded.
    undoes_folded: bool,
}

impl File {
    /// The definition of a message that this graph, the workflow's own or that of a subflow, knows.
    pub(super) fn message(&mut self, graph: &Graph, name: &str) -> usize {
        let facts = graph.messages.iter().find(|message| message.name == name);
        let name = one_line(name);
        let known = self.messages.iter().position(|message| message.name == name);
        known.unwrap_or_else(|| {
            let id = self.ids.give(&format!("message_{name}"));
            let key = facts.map(|message| one_line(&message.key)).unwrap_or_default();
            let participant = facts.map(|message| one_line(&message.participant)).unwrap_or_default();
            let variable = self.variables.about("key", &name);
            self.messages.push(MessageDefinition { id, name, key, variable, participant });
            self.messages.len() - 1
        })
    }

    /// ISO 8601 where the source is a literal, else a variable about the element with this id.
    pub(super) fn amount(&mut self, span: &Span, id: &str) -> Amount {
        if span.iso.is_empty() { self.computed(id) } else { Amount::Literal(one_line(&span.iso)) }
    }

    fn computed(&mut self, id: &str) -> Amount {
        Amount::Computed(self.variables.about("timer", id))
    }

    pub(super) fn error(&mut self, code: &str, name: String) -> usize {
        let code = one_line(code);
        let known = self.errors.iter().position(|error| error.code == code);
        known.unwrap_or_else(|| {
            let id = self.ids.give(&format!("error_{code}"));
            self.errors.push(ErrorDefinition { id, name, code });
            self.errors.len() - 1
        })
    }
}

/// Draws one graph, the workflow's own or that of a subflow, place by place.
pub(super) struct Drafter<'a> {
    pub(super) graph: &'a Graph,
    /// The same graph before anything was folded.
    pub(super) whole: &'a Graph,
    pub(super) file: &'a mut File,
    pub(super) places: Places,
    /// What stands before the ids of the nodes: empty, or the id of the subflow and a dot.
    prefix: String,
    /// Set when it is the graph of a subflow.
    pub(super) subflow: Option<&'a SubflowFacts>,
    /// Whether it is one of many calls of a subflow whose errors are values: each ends, and none ends the others.
    is_value: bool,
    /// Whether somebody does something about the failure of the subflow, and the run goes on.
    is_handled: bool,
    /// The codes of errors of the subflow that are told apart around it.
    pub(super) told_apart: BTreeSet<String>,
    arrivals: Arrivals,
    undoing: BTreeSet<NodeIndex>,
    /// For each `publish` that an end says: that end.
    published: BTreeMap<NodeIndex, NodeIndex>,
}

impl<'a> Drafter<'a> {
    fn new(graph: &'a Graph, whole: &'a Graph, file: &'a mut File, entering: &Pasts) -> Drafter<'a> {
        let arrivals = outcomes::arrivals(graph, entering, &file.around);
        let undoing = outcomes::compensating_ends(graph, &arrivals);
        let places = Places::of(graph);
        let published = published::ends(graph, &places);
        Drafter {
            graph,
            whole,
            file,
            places,
            prefix: String::new(),
            subflow: None,
            is_value: false,
            is_handled: false,
            told_apart: BTreeSet::new(),
            arrivals,
            undoing,
            published,
        }
    }

    /// The id of a node in the file.
    pub(super) fn id(&self, node: NodeIndex) -> String {
        format!("{}{}", self.prefix, self.graph.nodes[node].id)
    }

    pub(super) fn flow_id(&mut self, flow: usize) -> String {
        let wanted = format!("{}{}", self.prefix, self.graph.flow_id(flow));
        self.file.ids.give(&wanted)
    }

    /// The same node before anything was folded.
    pub(super) fn in_whole(&self, node: NodeIndex) -> Option<NodeIndex> {
        self.whole.index_of(&self.graph.nodes[node].id)
    }

    /// Whether the run ends where this subflow fails, whatever the error is.
    fn is_given_up(&self, subflow: NodeIndex) -> bool {
        let Some(node) = self.in_whole(subflow) else { return false };
        let is_error = |flow: &&Flow| matches!(flow.kind, FlowKind::Error { .. });
        let mut errors = self.whole.outgoing(node).filter(is_error).peekable();
        !self.is_handled && errors.peek().is_some() && errors.all(|flow| outcomes::gives_up(self.whole, flow))
    }

    /// Whether this end is drawn as what is published in front of it.
    fn is_said(&self, end: NodeIndex) -> bool {
        self.published.values().any(|said| *said == end)
    }

    pub(super) fn draw(&mut self, place: Place) -> Scope {
        let mut draft = Draft {
            of: self,
            scope: Scope::default(),
            origins: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            kept: BTreeMap::new(),
        };
        if let Place::Race(race) = place {
            draft.begin_race(race);
        }
        for node in 0..draft.of.graph.nodes.len() {
            if draft.of.places.of_node(draft.of.graph, node) == place && !draft.of.is_said(node) {
                draft.add_node(node);
            }
        }
        for (index, flow) in draft.of.graph.flows.iter().enumerate() {
            if draft.of.places.of_flow(draft.of.graph, flow) == place && !draft.of.is_said(flow.to) {
                draft.add_flow(index, flow);
            }
        }
        if let Place::Race(race) = place {
            draft.end_race(race);
        }
        draft.scope
    }
}

/// A scope that is being filled.
pub(super) struct Draft<'d, 'a> {
    pub(super) of: &'d mut Drafter<'a>,
    pub(super) scope: Scope,
    /// Per node: the element that flows from it leave.
    pub(super) origins: BTreeMap<NodeIndex, ElementIndex>,
    /// Per node: the element that flows to it arrive at, which is a join of its own where several meet.
    pub(super) arrivals: BTreeMap<NodeIndex, ElementIndex>,
    /// Per scope whose error is a value, and per wait whose timeout is one: the event where it leaves.
    pub(super) kept: BTreeMap<NodeIndex, ElementIndex>,
}

impl Draft<'_, '_> {
    fn add_node(&mut self, index: NodeIndex) {
        let graph = self.of.graph;
        let node = &graph.nodes[index];
        let id = self.of.id(index);
        let joins = matches!(node.kind, NodeKind::Merge | NodeKind::Join);
        let meet = !joins && graph.incoming(index).count() > 1;
        let join = meet.then(|| {
            let id = self.of.file.ids.give(&format!("{id}_join"));
            self.add_element(id, String::new(), index, ElementKind::ExclusiveGateway { splits: false })
        });
        let code = self.of.thrown(index).map(|error| one_line(&error.code));
        let undo = self.undoes_before_its_error(index, code.as_deref()).then(|| {
            let id = self.of.file.ids.give(&format!("{id}_undo"));
            self.add_element(id, names::UNDO.into(), index, ElementKind::CompensationThrowEvent)
        });
        let kind = self.kind_of(index, node);
        let detail = self.of.file.detail;
        let name = match kind {
            ElementKind::ReceiveTask { .. } => names::of_receiving(graph, index),
            _ => names::of_node(graph, index),
        };
        let instances = node.instances.as_ref().map(|many| Many {
            variable: self.of.file.variables.about("instances", &id),
            in_turn: many.is_in_turn(),
        });
        let said = self.of.published.get(&index).map(|end| facts::of_end(&self.of.id(*end)));
        let origin = self.add_element(id, name, index, kind);
        let element = &mut self.scope.elements[origin];
        element.documentation = facts::documentation_of(node, detail);
        element.facts = facts::of_node(graph, node);
        element.facts.extend(said);
        element.instances = instances;
        element.job = facts::job_of(node);
        let chain: Vec<ElementIndex> = join.into_iter().chain(undo).chain([origin]).collect();
        for pair in chain.windows(2) {
            let (from, to) = (&self.scope.elements[pair[0]].id, &self.scope.elements[pair[1]].id);
            let wanted = format!("flow_{from}_to_{to}");
            let id = self.of.file.ids.give(&wanted);
            self.add_link(id, pair[0], pair[1], LinkKind::Always);
        }
        self.arrivals.insert(index, chain[0]);
        self.origins.insert(index, origin);
        if let NodeKind::Step(StepFacts { compensation: Some(compensation), .. }) = &node.kind {
            self.add_compensation(index, origin, compensation);
        }
        self.keep_error(index, origin);
        self.keep_timeout(index, origin);
        if node.kind == NodeKind::Race && self.of.places.is_boxed(index) {
            self.add_question_after_race(index, origin);
        }
    }

    /// A subflow that fails undoes itself before its caller hears of the error, and so does a block, unless whoever
    /// catches this error goes on.
    pub(super) fn undoes_before_its_error(&self, index: NodeIndex, code: Option<&str>) -> bool {
        self.of.undoing.contains(&index)
            && match self.of.graph.nodes[index].scope {
                Some(block) => self.of.gives_up(block, code),
                None => self.of.subflow.is_some(),
            }
    }

    fn kind_of(&mut self, index: NodeIndex, node: &Node) -> ElementKind {
        match &node.kind {
            NodeKind::Start => ElementKind::StartEvent(self.start(node)),
            NodeKind::Step(step) => ElementKind::Task(step.task),
            NodeKind::Send { message, publishes } => {
                let message = self.of.file.message(self.of.graph, message);
                if self.of.published.contains_key(&index) {
                    ElementKind::EndEvent { success: true, ending: Ending::Message { message } }
                } else if *publishes {
                    ElementKind::MessageThrowEvent { message }
                } else {
                    ElementKind::SendTask { message: Some(message) }
                }
            }
            NodeKind::Child(child) if child.detached => ElementKind::SendTask { message: None },
            NodeKind::Child(child) => ElementKind::CallActivity { called: ids::slug(&child.workflow) },
            NodeKind::Subflow(subflow) => self.subflow(index, subflow),
            NodeKind::Block => {
                ElementKind::SubProcess { inside: self.of.draw(Place::Block(index)), expanded: true }
            }
            NodeKind::Race if self.of.places.is_boxed(index) => {
                ElementKind::SubProcess { inside: self.of.draw(Place::Race(index)), expanded: true }
            }
            NodeKind::Race => ElementKind::EventGateway,
            NodeKind::Compensate => ElementKind::CompensationThrowEvent,
            NodeKind::TimerAt { .. } => {
                let id = self.of.id(index);
                ElementKind::TimerCatchEvent { time: Time::At(self.of.file.computed(&id)) }
            }
            NodeKind::Timer(span) => {
                let id = self.of.id(index);
                ElementKind::TimerCatchEvent { time: Time::After(self.of.file.amount(span, &id)) }
            }
            NodeKind::Receive { message, deadline } => {
                let message = self.of.file.message(self.of.graph, message);
                // Only an activity can have a boundary event, or instances.
                if node.instances.is_some() || deadline.is_some() && !self.of.places.is_caught(index) {
                    ElementKind::ReceiveTask { message }
                } else {
                    ElementKind::MessageCatchEvent { message }
                }
            }
            NodeKind::Decision { .. } | NodeKind::VersionSwitch { .. } => {
                ElementKind::ExclusiveGateway { splits: true }
            }
            NodeKind::Merge => ElementKind::ExclusiveGateway { splits: false },
            NodeKind::Fork => ElementKind::ParallelGateway { splits: true },
            NodeKind::Join => ElementKind::ParallelGateway { splits: false },
            NodeKind::End(outcome) => ElementKind::EndEvent {
                success: *outcome != Outcome::Failure,
                ending: self.ending(index, node, *outcome),
            },
        }
    }

    fn start(&mut self, node: &Node) -> Start {
        match &self.of.graph.trigger {
            Begins::Message(message) if node.scope.is_none() => {
                Start::Message { message: self.of.file.message(self.of.graph, message) }
            }
            Begins::Schedule { cron, .. } if node.scope.is_none() => Start::Timer { cycle: one_line(cron) },
            _ => Start::Plain,
        }
    }

    fn ending(&mut self, index: NodeIndex, node: &Node, outcome: Outcome) -> Ending {
        let is_value = self.of.is_value && node.scope.is_none();
        if outcome != Outcome::Failure || is_value {
            Ending::Plain
        } else if self.of.subflow.is_some() || node.scope.is_some() {
            let error = self.of.thrown(index);
            let wording = |error: &ErrorFacts| names::wording(Some(error), &error.variant);
            Ending::Error { definition: error.map(|error| self.of.file.error(&error.code, wording(&error))) }
        } else if self.of.undoing.contains(&index) {
            Ending::Compensation
        } else {
            Ending::Plain
        }
    }

    /// A subflow inside of itself is not drawn again: it is called by its name.
    fn subflow(&mut self, index: NodeIndex, subflow: &SubflowFacts) -> ElementKind {
        if self.of.file.around.contains(&subflow.graph) {
            return ElementKind::CallActivity { called: ids::slug(&subflow.name) };
        }
        let entering = self.of.arrivals.get(&index).map(outcomes::of_subflow).unwrap_or_default();
        let prefix = format!("{}.", self.of.id(index));
        let told_apart = self.told_apart_inside(index);
        let instances = self.of.graph.nodes[index].instances.as_ref();
        let is_value = self.of.keeps_error(index) && instances.is_some_and(|many| !many.fails_fast);
        self.of.file.around.push(subflow.graph);
        let is_handled = !self.of.is_given_up(index);
        let folded = (self.of.file.detail == Detail::Business)
            .then(|| business::fold(subflow.graph.get(), &entering, &self.of.file.around, is_handled));
        self.of.file.undoes_folded |= folded.as_ref().is_some_and(|folded| folded.undoes);
        let graph = folded.as_ref().map_or_else(|| subflow.graph.get(), |folded| &folded.graph);
        let mut inner = Drafter::new(graph, subflow.graph.get(), self.of.file, &entering);
        inner.prefix = prefix;
        inner.is_handled = is_handled;
        inner.subflow = Some(subflow);
        inner.told_apart = told_apart;
        inner.is_value = is_value;
        let inside = inner.draw(Place::Flow);
        self.of.file.around.pop();
        let expanded = inside.size() <= EXPANDED_NODES;
        ElementKind::SubProcess { inside, expanded }
    }

    pub(super) fn add_element(
        &mut self,
        id: String,
        name: String,
        node: NodeIndex,
        kind: ElementKind,
    ) -> ElementIndex {
        let node = self.of.id(node);
        let (documentation, facts) = (String::new(), Vec::new());
        let element = Element { id, name, node, kind, instances: None, documentation, facts, job: None };
        self.scope.elements.push(element);
        self.scope.elements.len() - 1
    }

    pub(super) fn add_link(
        &mut self,
        id: String,
        from: ElementIndex,
        to: ElementIndex,
        kind: LinkKind,
    ) -> usize {
        let (name, documentation) = (String::new(), String::new());
        self.scope.links.push(Link { id, name, from, to, kind, documentation });
        self.scope.links.len() - 1
    }

    /// A sequence flow out of a split that asks a question.
    pub(super) fn add_answer(&mut self, link: AnswerLink<'_>) {
        let kind = if link.default {
            LinkKind::Default
        } else {
            let variable = self.of.file.variables.about("decision", &link.split);
            LinkKind::When { variable, answer: link.answer.clone() }
        };
        let index = self.add_link(link.id, link.from, link.to, kind);
        self.scope.links[index].name = link.answer;
        self.scope.links[index].documentation = clean(link.condition.trim());
    }
}

/// One answer of a question.
pub(super) struct AnswerLink<'a> {
    pub(super) id: String,
    /// The id of the split, by which engines are told the answer.
    pub(super) split: String,
    pub(super) from: ElementIndex,
    pub(super) to: ElementIndex,
    pub(super) answer: String,
    pub(super) condition: &'a str,
    pub(super) default: bool,
}
