//! The BPMN 2.0 file: root definitions and the process; the picture is added by `interchange`.
//! It writes what the model says and decides nothing.

mod interchange;

use crate::diagram::Diagram;
use crate::markup::Markup;
use crate::model::{Element, ElementIndex, ElementKind, Fact, Link, LinkKind, Process, Trigger};

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
pub(crate) fn document(process: &Process, diagram: &Diagram) -> String {
    let mut markup = Markup::new();
    let mut ids = process.ids();
    let definitions = ids.give(&format!("definitions_{}", process.id));
    let mut attributes = NAMESPACES.to_vec();
    attributes.extend([
        ("id", definitions.as_str()),
        ("targetNamespace", "urn:workflow-rs:flows"),
        ("exporter", env!("CARGO_PKG_NAME")),
        ("exporterVersion", env!("CARGO_PKG_VERSION")),
    ]);
    markup.open("bpmn:definitions", &attributes);
    for message in &process.messages {
        markup.empty("bpmn:message", &[("id", &message.id), ("name", &message.name)]);
    }
    for error in &process.errors {
        let attributes = [("id", error.id.as_str()), ("name", &error.name), ("errorCode", &error.code)];
        markup.empty("bpmn:error", &attributes);
    }
    write_process(&mut markup, process);
    interchange::write(&mut markup, process, diagram, &mut ids);
    markup.finish()
}

fn write_process(markup: &mut Markup, process: &Process) {
    markup.open("bpmn:process", &[("id", &process.id), ("name", &process.name), ("isExecutable", "true")]);
    write_notes(markup, &process.documentation, &process.facts);
    let wiring = Wiring::of(process);
    for (index, element) in process.elements.iter().enumerate() {
        write_element(markup, process, index, element, &wiring);
    }
    for (_, link) in process.sequence_flows() {
        write_flow(markup, process, link);
    }
    // Artifacts come after the flow elements in the schema.
    for link in process.links.iter().filter(|link| link.kind == LinkKind::Association) {
        let (from, to) = (&process.elements[link.from].id, &process.elements[link.to].id);
        let ends = [
            ("id", link.id.as_str()),
            ("associationDirection", "One"),
            ("sourceRef", from),
            ("targetRef", to),
        ];
        markup.empty("bpmn:association", &ends);
    }
    markup.close();
}

/// Which sequence flows enter and leave each element.
struct Wiring<'a> {
    incoming: Vec<Vec<&'a Link>>,
    outgoing: Vec<Vec<&'a Link>>,
}

impl<'a> Wiring<'a> {
    fn of(process: &'a Process) -> Wiring<'a> {
        let mut wiring = Wiring {
            incoming: vec![Vec::new(); process.elements.len()],
            outgoing: vec![Vec::new(); process.elements.len()],
        };
        for (_, link) in process.sequence_flows() {
            wiring.outgoing[link.from].push(link);
            wiring.incoming[link.to].push(link);
        }
        wiring
    }
}

fn write_element(
    markup: &mut Markup,
    process: &Process,
    index: ElementIndex,
    element: &Element,
    wiring: &Wiring<'_>,
) {
    let mut attributes = vec![("id", element.id.as_str())];
    if !element.name.is_empty() {
        attributes.push(("name", &element.name));
    }
    let default = wiring.outgoing[index].iter().find(|link| link.kind == LinkKind::Default);
    let tag = match &element.kind {
        ElementKind::StartEvent => "bpmn:startEvent",
        ElementKind::EndEvent { .. } => "bpmn:endEvent",
        ElementKind::ServiceTask => "bpmn:serviceTask",
        ElementKind::CompensationHandler => {
            attributes.push(("isForCompensation", "true"));
            "bpmn:serviceTask"
        }
        ElementKind::ReceiveTask { message } => {
            attributes.push(("messageRef", &process.messages[*message].id));
            "bpmn:receiveTask"
        }
        ElementKind::MessageCatchEvent { .. } | ElementKind::TimerCatchEvent { .. } => {
            "bpmn:intermediateCatchEvent"
        }
        ElementKind::ExclusiveGateway { splits } => {
            attributes.push(("gatewayDirection", if *splits { "Diverging" } else { "Converging" }));
            attributes.extend(default.map(|link| ("default", link.id.as_str())));
            "bpmn:exclusiveGateway"
        }
        ElementKind::Boundary { host, .. } => {
            attributes.push(("attachedToRef", &process.elements[*host].id));
            "bpmn:boundaryEvent"
        }
    };
    markup.open(tag, &attributes);
    write_notes(markup, &element.documentation, &element.facts);
    for link in &wiring.incoming[index] {
        markup.text("bpmn:incoming", &[], &link.id);
    }
    for link in &wiring.outgoing[index] {
        markup.text("bpmn:outgoing", &[], &link.id);
    }
    write_event_definition(markup, process, &element.kind);
    markup.close();
}

fn write_event_definition(markup: &mut Markup, process: &Process, kind: &ElementKind) {
    match kind {
        ElementKind::EndEvent { compensates: true, .. }
        | ElementKind::Boundary { trigger: Trigger::Compensation, .. } => {
            markup.empty("bpmn:compensateEventDefinition", &[]);
        }
        ElementKind::Boundary { trigger: Trigger::Error { definition: Some(error) }, .. } => {
            markup.empty("bpmn:errorEventDefinition", &[("errorRef", &process.errors[*error].id)]);
        }
        ElementKind::Boundary { trigger: Trigger::Error { definition: None }, .. } => {
            markup.empty("bpmn:errorEventDefinition", &[]);
        }
        ElementKind::TimerCatchEvent { duration }
        | ElementKind::Boundary { trigger: Trigger::Timer { duration }, .. } => {
            markup.open("bpmn:timerEventDefinition", &[]);
            markup.text("bpmn:timeDuration", &[("xsi:type", "bpmn:tFormalExpression")], duration);
            markup.close();
        }
        ElementKind::MessageCatchEvent { message } => {
            let message = &process.messages[*message].id;
            markup.empty("bpmn:messageEventDefinition", &[("messageRef", message)]);
        }
        _ => {}
    }
}

fn write_flow(markup: &mut Markup, process: &Process, link: &Link) {
    let mut attributes = vec![("id", link.id.as_str())];
    if !link.name.is_empty() {
        attributes.push(("name", &link.name));
    }
    attributes.push(("sourceRef", &process.elements[link.from].id));
    attributes.push(("targetRef", &process.elements[link.to].id));
    let condition = match &link.kind {
        LinkKind::When(condition) => Some(condition),
        _ => None,
    };
    if condition.is_none() && link.documentation.is_empty() {
        markup.empty("bpmn:sequenceFlow", &attributes);
        return;
    }
    markup.open("bpmn:sequenceFlow", &attributes);
    write_notes(markup, &link.documentation, &[]);
    if let Some(condition) = condition {
        markup.text("bpmn:conditionExpression", &[("xsi:type", "bpmn:tFormalExpression")], condition);
    }
    markup.close();
}

fn write_notes(markup: &mut Markup, documentation: &str, facts: &[Fact]) {
    if !documentation.is_empty() {
        markup.text("bpmn:documentation", &[], documentation);
    }
    if facts.is_empty() {
        return;
    }
    markup.open("bpmn:extensionElements", &[]);
    for fact in facts {
        let attributes: Vec<(&str, &str)> =
            fact.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let tag = match fact.element {
            "definition" => "workflow:definition",
            "step" => "workflow:step",
            "call" => "workflow:call",
            _ => "workflow:source",
        };
        markup.empty(tag, &attributes);
    }
    markup.close();
}
