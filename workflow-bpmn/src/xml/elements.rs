//! What stands in a process or sub-process: flow nodes, sequence flows, associations.
//! It writes what the model says and decides nothing; places are written by `interchange`.

use super::write_notes;
use crate::markup::Markup;
use crate::model::{
    Element, ElementIndex, ElementKind, Ending, Link, LinkKind, Process, Scope, Start, Time, Trigger,
};

/// Text that an engine evaluates.
const EXPRESSION: [(&str, &str); 1] = [("xsi:type", "bpmn:tFormalExpression")];

/// Writes a scope into the element that is open.
pub(super) fn write(markup: &mut Markup, process: &Process, scope: &Scope) {
    let wiring = Wiring::of(scope);
    for (index, element) in scope.elements.iter().enumerate() {
        write_element(markup, process, scope, index, element, &wiring);
    }
    for (_, link) in scope.sequence_flows() {
        write_flow(markup, scope, link);
    }
    // Artifacts come after the flow elements in the schema.
    for link in scope.links.iter().filter(|link| link.kind == LinkKind::Association) {
        let (from, to) = (&scope.elements[link.from].id, &scope.elements[link.to].id);
        let ends = [
            ("id", link.id.as_str()),
            ("associationDirection", "One"),
            ("sourceRef", from),
            ("targetRef", to),
        ];
        markup.empty("bpmn:association", &ends);
    }
}

/// Which sequence flows enter and leave each element.
struct Wiring<'a> {
    incoming: Vec<Vec<&'a Link>>,
    outgoing: Vec<Vec<&'a Link>>,
}

impl<'a> Wiring<'a> {
    fn of(scope: &'a Scope) -> Wiring<'a> {
        let mut wiring = Wiring {
            incoming: vec![Vec::new(); scope.elements.len()],
            outgoing: vec![Vec::new(); scope.elements.len()],
        };
        for (_, link) in scope.sequence_flows() {
            wiring.outgoing[link.from].push(link);
            wiring.incoming[link.to].push(link);
        }
        wiring
    }
}

fn write_element(
    markup: &mut Markup,
    process: &Process,
    scope: &Scope,
    index: ElementIndex,
    element: &Element,
    wiring: &Wiring<'_>,
) {
    let mut attributes = vec![("id", element.id.as_str())];
    if !element.name.is_empty() {
        attributes.push(("name", &element.name));
    }
    attributes.extend(own_attributes(process, scope, element));
    let default = wiring.outgoing[index].iter().find(|link| link.kind == LinkKind::Default);
    attributes.extend(default.map(|link| ("default", link.id.as_str())));
    markup.open(tag(&element.kind), &attributes);
    write_notes(markup, &element.documentation, &element.facts);
    for link in &wiring.incoming[index] {
        markup.text("bpmn:incoming", &[], &link.id);
    }
    for link in &wiring.outgoing[index] {
        markup.text("bpmn:outgoing", &[], &link.id);
    }
    if let Some(instances) = &element.instances {
        markup.open("bpmn:multiInstanceLoopCharacteristics", &[("isSequential", "false")]);
        markup.text("bpmn:loopCardinality", &EXPRESSION, instances);
        markup.close();
    }
    write_event_definition(markup, process, &element.kind);
    if let ElementKind::SubProcess { inside, .. } = &element.kind {
        write(markup, process, inside);
    }
    markup.close();
}

fn tag(kind: &ElementKind) -> &'static str {
    match kind {
        ElementKind::StartEvent(_) => "bpmn:startEvent",
        ElementKind::EndEvent { .. } => "bpmn:endEvent",
        ElementKind::ServiceTask | ElementKind::CompensationHandler => "bpmn:serviceTask",
        ElementKind::SendTask { .. } => "bpmn:sendTask",
        ElementKind::ReceiveTask { .. } => "bpmn:receiveTask",
        ElementKind::CallActivity { .. } => "bpmn:callActivity",
        ElementKind::SubProcess { .. } => "bpmn:subProcess",
        ElementKind::MessageCatchEvent { .. } | ElementKind::TimerCatchEvent { .. } => {
            "bpmn:intermediateCatchEvent"
        }
        ElementKind::MessageThrowEvent { .. } | ElementKind::CompensationThrowEvent => {
            "bpmn:intermediateThrowEvent"
        }
        ElementKind::ExclusiveGateway { .. } => "bpmn:exclusiveGateway",
        ElementKind::ParallelGateway { .. } => "bpmn:parallelGateway",
        ElementKind::EventGateway => "bpmn:eventBasedGateway",
        ElementKind::Boundary { .. } => "bpmn:boundaryEvent",
    }
}

fn own_attributes<'a>(
    process: &'a Process,
    scope: &'a Scope,
    element: &'a Element,
) -> Option<(&'static str, &'a str)> {
    match &element.kind {
        ElementKind::CompensationHandler => Some(("isForCompensation", "true")),
        ElementKind::ReceiveTask { message } | ElementKind::SendTask { message: Some(message) } => {
            Some(("messageRef", &process.messages[*message].id))
        }
        ElementKind::CallActivity { called } => Some(("calledElement", called)),
        ElementKind::ExclusiveGateway { splits } | ElementKind::ParallelGateway { splits } => {
            Some(("gatewayDirection", if *splits { "Diverging" } else { "Converging" }))
        }
        ElementKind::EventGateway => Some(("gatewayDirection", "Diverging")),
        ElementKind::Boundary { host, .. } => Some(("attachedToRef", &scope.elements[*host].id)),
        _ => None,
    }
}

fn write_event_definition(markup: &mut Markup, process: &Process, kind: &ElementKind) {
    match kind {
        ElementKind::EndEvent { ending: Ending::Compensation, .. }
        | ElementKind::CompensationThrowEvent
        | ElementKind::Boundary { trigger: Trigger::Compensation, .. } => {
            markup.empty("bpmn:compensateEventDefinition", &[]);
        }
        ElementKind::EndEvent { ending: Ending::Error { definition }, .. }
        | ElementKind::Boundary { trigger: Trigger::Error { definition }, .. } => {
            let reference = definition.map(|error| ("errorRef", process.errors[error].id.as_str()));
            markup.empty("bpmn:errorEventDefinition", reference.as_slice());
        }
        ElementKind::EndEvent { ending: Ending::Terminate, .. } => {
            markup.empty("bpmn:terminateEventDefinition", &[]);
        }
        ElementKind::TimerCatchEvent { time: Time::After(duration) }
        | ElementKind::Boundary { trigger: Trigger::Timer { duration }, .. } => {
            write_timer(markup, "bpmn:timeDuration", duration);
        }
        ElementKind::TimerCatchEvent { time: Time::At(date) } => {
            write_timer(markup, "bpmn:timeDate", date);
        }
        ElementKind::StartEvent(Start::Timer { cycle }) => {
            write_timer(markup, "bpmn:timeCycle", cycle);
        }
        ElementKind::StartEvent(Start::Message { message })
        | ElementKind::MessageCatchEvent { message }
        | ElementKind::MessageThrowEvent { message } => {
            let message = &process.messages[*message].id;
            markup.empty("bpmn:messageEventDefinition", &[("messageRef", message)]);
        }
        _ => {}
    }
}

fn write_timer(markup: &mut Markup, tag: &'static str, expression: &str) {
    markup.open("bpmn:timerEventDefinition", &[]);
    markup.text(tag, &EXPRESSION, expression);
    markup.close();
}

fn write_flow(markup: &mut Markup, scope: &Scope, link: &Link) {
    let mut attributes = vec![("id", link.id.as_str())];
    if !link.name.is_empty() {
        attributes.push(("name", &link.name));
    }
    attributes.push(("sourceRef", &scope.elements[link.from].id));
    attributes.push(("targetRef", &scope.elements[link.to].id));
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
        markup.text("bpmn:conditionExpression", &EXPRESSION, condition);
    }
    markup.close();
}
