//! The BPMN 2.0 file: root definitions and the process; the picture is added by `interchange`.
//! It writes what the model says and decides nothing.

mod elements;
mod interchange;

use crate::diagram::Diagram;
use crate::flavour::{Extension, Flavour};
use crate::markup::Markup;
use crate::model::{Collaboration, Fact, MessageDefinition, Process};

const NAMESPACES: [(&str, &str); 7] = [
    ("xmlns:bpmn", "http://www.omg.org/spec/BPMN/20100524/MODEL"),
    ("xmlns:bpmndi", "http://www.omg.org/spec/BPMN/20100524/DI"),
    ("xmlns:dc", "http://www.omg.org/spec/DD/20100524/DC"),
    ("xmlns:di", "http://www.omg.org/spec/DD/20100524/DI"),
    ("xmlns:color", "http://www.omg.org/spec/BPMN/non-normative/color/1.0"),
    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("xmlns:workflow", "urn:workflow-rs:facts:1"),
];

/// The file of a process and its picture.
pub(crate) fn document(
    process: &Process,
    among: Option<&Collaboration>,
    diagram: &Diagram,
    flavour: Flavour,
) -> String {
    let mut markup = Markup::new();
    let mut ids = process.ids();
    among.into_iter().for_each(|among| among.reserve(&mut ids));
    let definitions = ids.give(&format!("definitions_{}", process.id));
    let mut attributes = NAMESPACES.to_vec();
    attributes.extend(flavour.of_root());
    attributes.extend([
        ("id", definitions.as_str()),
        ("targetNamespace", "urn:workflow-rs:flows"),
        ("exporter", env!("CARGO_PKG_NAME")),
        ("exporterVersion", env!("CARGO_PKG_VERSION")),
    ]);
    markup.open("bpmn:definitions", &attributes);
    for message in &process.messages {
        let attributes = [("id", message.id.as_str()), ("name", &message.name)];
        let facts: Vec<Fact> = facts_of(message).into_iter().collect();
        let subscription: Vec<Extension> = flavour.subscription(message).into_iter().collect();
        if facts.is_empty() && subscription.is_empty() {
            markup.empty("bpmn:message", &attributes);
            continue;
        }
        markup.open("bpmn:message", &attributes);
        write_notes(&mut markup, "", &facts, &subscription);
        markup.close();
    }
    for error in &process.errors {
        let attributes = [("id", error.id.as_str()), ("name", &error.name), ("errorCode", &error.code)];
        markup.empty("bpmn:error", &attributes);
    }
    if let Some(among) = among {
        write_collaboration(&mut markup, process, among);
    }
    write_process(&mut markup, process, flavour);
    let main = among.map_or(&process.id, |among| &among.id);
    interchange::write(&mut markup, main, diagram, &mut ids);
    markup.finish()
}

/// What is known of a message beside its name.
fn facts_of(message: &MessageDefinition) -> Option<Fact> {
    let known = [("key", &message.key), ("participant", &message.participant)];
    let attributes: Vec<(&str, String)> = known
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.clone()))
        .collect();
    (!attributes.is_empty()).then_some(Fact { element: "message", attributes })
}

fn write_collaboration(markup: &mut Markup, process: &Process, among: &Collaboration) {
    markup.open("bpmn:collaboration", &[("id", &among.id)]);
    let own = [("id", among.pool.as_str()), ("name", &process.name), ("processRef", &process.id)];
    markup.empty("bpmn:participant", &own);
    for party in &among.parties {
        markup.empty("bpmn:participant", &[("id", &party.id), ("name", &party.name)]);
    }
    for flow in &among.flows {
        let (element, party) = (flow.element.as_str(), among.parties[flow.party].id.as_str());
        let (from, to) = if flow.arrives { (party, element) } else { (element, party) };
        let mut attributes = vec![("id", flow.id.as_str()), ("sourceRef", from), ("targetRef", to)];
        attributes.extend(flow.message.map(|message| ("messageRef", process.messages[message].id.as_str())));
        markup.empty("bpmn:messageFlow", &attributes);
    }
    markup.close();
}

fn write_process(markup: &mut Markup, process: &Process, flavour: Flavour) {
    let executable = if process.is_executable { "true" } else { "false" };
    let mut attributes =
        vec![("id", process.id.as_str()), ("name", &process.name), ("isExecutable", executable)];
    attributes.extend(flavour.of_process());
    markup.open("bpmn:process", &attributes);
    write_notes(markup, &process.documentation, &process.facts, &[]);
    elements::write(markup, process, &process.scope, flavour);
    markup.close();
}

fn write_notes(markup: &mut Markup, documentation: &str, facts: &[Fact], extensions: &[Extension]) {
    if !documentation.is_empty() {
        markup.text("bpmn:documentation", &[], documentation);
    }
    if facts.is_empty() && extensions.is_empty() {
        return;
    }
    markup.open("bpmn:extensionElements", &[]);
    for extension in extensions {
        let attributes: Vec<(&str, &str)> =
            extension.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match &extension.text {
            None => markup.empty(extension.tag, &attributes),
            Some(text) => markup.text(extension.tag, &attributes, text),
        }
    }
    for fact in facts {
        let attributes: Vec<(&str, &str)> =
            fact.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let tag = match fact.element {
            "definition" => "workflow:definition",
            "step" => "workflow:step",
            "call" => "workflow:call",
            "schedule" => "workflow:schedule",
            "instances" => "workflow:instances",
            "message" => "workflow:message",
            "end" => "workflow:end",
            _ => "workflow:source",
        };
        markup.empty(tag, &attributes);
    }
    markup.close();
}
