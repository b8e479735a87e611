//! From the flow graph to the BPMN model: which element stands for which node.
//! It decides what is drawn; where, and how it is written, is decided elsewhere.

use std::collections::BTreeSet;

use workflow_graph::{
    CompensationFacts, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, Span, StepFacts, humanise,
};

use super::ids::Ids;
use super::{
    Element, ElementIndex, ElementKind, ErrorDefinition, Link, LinkKind, MessageDefinition, Process, Trigger,
    facts, outcomes,
};
use crate::text::{self, clean, one_line};

/// The BPMN model of a graph without defects.
pub(crate) fn process(graph: &Graph) -> Process {
    let mut ids = Ids::reserving(graph.nodes.iter().map(|node| node.id.as_ref()));
    let mut builder = Builder {
        graph,
        process: Process {
            id: ids.give(&graph.workflow),
            name: text::name(&graph.label),
            documentation: clean(graph.documentation.trim()),
            facts: facts::of_workflow(graph),
            elements: Vec::new(),
            links: Vec::new(),
            messages: Vec::new(),
            errors: Vec::new(),
        },
        ids,
        undoing: outcomes::compensating_ends(graph),
        arrivals: Vec::new(),
        origins: Vec::new(),
    };
    for node in 0..graph.nodes.len() {
        builder.add_node(node);
    }
    for (index, flow) in graph.flows.iter().enumerate() {
        builder.add_flow(index, flow);
    }
    builder.process
}

struct Builder<'a> {
    graph: &'a Graph,
    process: Process,
    ids: Ids,
    undoing: BTreeSet<NodeIndex>,
    /// Per node: the element that flows to it arrive at, which is a join of its own where several meet.
    arrivals: Vec<ElementIndex>,
    /// Per node: the element itself.
    origins: Vec<ElementIndex>,
}

impl Builder<'_> {
    fn add_node(&mut self, index: NodeIndex) {
        let node = &self.graph.nodes[index];
        let meet = node.kind != NodeKind::Merge && self.graph.incoming(index).count() > 1;
        let join = meet.then(|| {
            let id = self.ids.give(&format!("{}_join", node.id));
            self.add_element(id, String::new(), index, ElementKind::ExclusiveGateway { splits: false })
        });
        let kind = self.kind_of(index, node);
        let origin = self.add_element(node.id.to_string(), name_of(node), index, kind);
        self.process.elements[origin].documentation = facts::documentation_of(node);
        self.process.elements[origin].facts = facts::of_node(self.graph, node);
        if let Some(join) = join {
            let id = self.ids.give(&format!("flow_{0}_join_to_{0}", node.id));
            self.add_link(id, join, origin, LinkKind::Always);
        }
        self.origins.push(origin);
        self.arrivals.push(join.unwrap_or(origin));
        if let NodeKind::Step(StepFacts { compensation: Some(compensation), .. }) = &node.kind {
            self.add_compensation(index, origin, compensation);
        }
    }

    fn kind_of(&mut self, index: NodeIndex, node: &Node) -> ElementKind {
        match &node.kind {
            NodeKind::Start => ElementKind::StartEvent,
            NodeKind::Step(_)
            | NodeKind::Send { .. }
            | NodeKind::Child(_)
            | NodeKind::Subflow(_)
            | NodeKind::Block
            | NodeKind::Compensate => ElementKind::ServiceTask,
            NodeKind::TimerAt { .. } => ElementKind::TimerCatchEvent { duration: String::new() },
            NodeKind::Timer(span) => ElementKind::TimerCatchEvent { duration: duration(span) },
            NodeKind::Receive { message, .. } => {
                let message = self.message(message);
                if self.graph.outgoing(index).any(|flow| flow.kind == FlowKind::Timeout) {
                    ElementKind::ReceiveTask { message }
                } else {
                    ElementKind::MessageCatchEvent { message }
                }
            }
            NodeKind::Decision { .. } | NodeKind::VersionSwitch { .. } | NodeKind::Fork | NodeKind::Race => {
                ElementKind::ExclusiveGateway { splits: true }
            }
            NodeKind::Merge | NodeKind::Join => ElementKind::ExclusiveGateway { splits: false },
            NodeKind::End(outcome) => ElementKind::EndEvent {
                success: *outcome == Outcome::Success,
                compensates: self.undoing.contains(&index),
            },
        }
    }

    fn add_compensation(&mut self, index: NodeIndex, host: ElementIndex, compensation: &CompensationFacts) {
        let node = &self.graph.nodes[index].id;
        let event_id = self.ids.give(&format!("{node}_compensation"));
        let trigger = Trigger::Compensation;
        // Lint wants a name on every event, and this one reads the same on all of them.
        let event = self.add_element(event_id, "Undo".into(), index, ElementKind::Boundary { host, trigger });
        let handler_id = self.ids.give(&format!("{node}_undo"));
        let label = if compensation.label.trim().is_empty() {
            humanise(&compensation.step)
        } else {
            compensation.label.to_string()
        };
        let handler =
            self.add_element(handler_id, text::name(&label), index, ElementKind::CompensationHandler);
        self.process.elements[handler].facts =
            vec![super::Fact { element: "step", attributes: vec![("name", one_line(&compensation.step))] }];
        let id = self.ids.give(&format!("association_{node}_undo"));
        self.add_link(id, event, handler, LinkKind::Association);
    }

    fn add_flow(&mut self, index: usize, flow: &Flow) {
        let id = self.ids.give(&self.graph.flow_id(index));
        let (from, to) = (self.origins[flow.from], self.arrivals[flow.to]);
        match &flow.kind {
            FlowKind::Next => {
                self.add_link(id, from, to, LinkKind::Always);
            }
            FlowKind::Answer { label, condition, default } => {
                let answer = self.answer(index, flow, label);
                let kind = if *default {
                    LinkKind::Default
                } else {
                    let variable = format!("decision_{}", self.graph.nodes[flow.from].id);
                    LinkKind::When(format!("{variable} == \"{}\"", escaped(&answer)))
                };
                let link = self.add_link(id, from, to, kind);
                self.process.links[link].name = answer;
                self.process.links[link].documentation = clean(condition.trim());
            }
            FlowKind::Error { variant, label } => {
                let event = self.add_error(flow, variant, label);
                self.add_link(id, event, to, LinkKind::Always);
            }
            FlowKind::Timeout => {
                let event = self.add_timeout(flow);
                self.add_link(id, event, to, LinkKind::Always);
            }
        }
    }

    /// The answer's name; engines tell answers apart by it, so no two of one question may be alike.
    fn answer(&self, index: usize, flow: &Flow, label: &str) -> String {
        let answer = Some(text::name(label)).filter(|name| !name.is_empty());
        let answer = answer.unwrap_or_else(|| "otherwise".to_owned());
        let earlier = self.graph.flows[..index].iter().filter(|other| other.from == flow.from);
        let alike = earlier
            .filter(
                |other| matches!(&other.kind, FlowKind::Answer { label, .. } if text::name(label) == answer),
            )
            .count();
        if alike == 0 { answer } else { format!("{answer} ({})", alike + 1) }
    }

    fn add_error(&mut self, flow: &Flow, variant: &str, label: &str) -> ElementIndex {
        let node = &self.graph.nodes[flow.from];
        let NodeKind::Step(step) = &node.kind else {
            unreachable!("only steps have error flows in a sound graph")
        };
        let facts = step.error(variant);
        let known = facts.map(|error| text::name(&error.label)).filter(|label| !label.is_empty());
        let mut name = text::name(label);
        let (id, definition) = if variant.is_empty() {
            if name.is_empty() {
                let others = self.graph.outgoing(flow.from).any(
                    |other| matches!(&other.kind, FlowKind::Error { variant, .. } if !variant.is_empty()),
                );
                name = if others { "Other failure" } else { "Failed" }.to_owned();
            }
            (format!("{}_error", node.id), None)
        } else {
            let wording = capitalised(&known.unwrap_or_else(|| humanise(variant)));
            if name.is_empty() {
                name.clone_from(&wording);
            }
            let code = facts.map_or(variant, |error| error.code.as_ref());
            (format!("{}_error_{variant}", node.id), Some(self.error(code, wording)))
        };
        let id = self.ids.give(&id);
        let host = self.origins[flow.from];
        let kind = ElementKind::Boundary { host, trigger: Trigger::Error { definition } };
        self.add_element(id, name, flow.from, kind)
    }

    fn add_timeout(&mut self, flow: &Flow) -> ElementIndex {
        let node = &self.graph.nodes[flow.from];
        let NodeKind::Receive { deadline: Some(deadline), .. } = &node.kind else {
            unreachable!("only receives with a deadline have a timeout flow in a sound graph")
        };
        let id = self.ids.give(&format!("{}_timeout", node.id));
        let host = self.origins[flow.from];
        let kind = ElementKind::Boundary { host, trigger: Trigger::Timer { duration: duration(deadline) } };
        self.add_element(id, text::name(&deadline.text), flow.from, kind)
    }

    fn message(&mut self, name: &str) -> usize {
        let name = one_line(name);
        let known = self.process.messages.iter().position(|message| message.name == name);
        known.unwrap_or_else(|| {
            let id = self.ids.give(&format!("message_{name}"));
            self.process.messages.push(MessageDefinition { id, name });
            self.process.messages.len() - 1
        })
    }

    fn error(&mut self, code: &str, name: String) -> usize {
        let code = one_line(code);
        let known = self.process.errors.iter().position(|error| error.code == code);
        known.unwrap_or_else(|| {
            let id = self.ids.give(&format!("error_{code}"));
            self.process.errors.push(ErrorDefinition { id, name, code });
            self.process.errors.len() - 1
        })
    }

    fn add_element(&mut self, id: String, name: String, node: NodeIndex, kind: ElementKind) -> ElementIndex {
        let documentation = String::new();
        self.process.elements.push(Element { id, name, node, kind, documentation, facts: Vec::new() });
        self.process.elements.len() - 1
    }

    fn add_link(&mut self, id: String, from: ElementIndex, to: ElementIndex, kind: LinkKind) -> usize {
        let (name, documentation) = (String::new(), String::new());
        self.process.links.push(Link { id, name, from, to, kind, documentation });
        self.process.links.len() - 1
    }
}

/// The title; where an author's label is blank, the id still says something.
fn name_of(node: &Node) -> String {
    let name = text::name(&node.title());
    if name.is_empty() && node.kind != NodeKind::Merge { humanise(&node.id) } else { name }
}

/// ISO 8601 where the source is a literal, else the expression that computes it.
fn duration(span: &Span) -> String {
    one_line(if span.iso.is_empty() { &span.text } else { &span.iso })
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
