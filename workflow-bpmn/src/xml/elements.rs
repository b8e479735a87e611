//! What stands in a process or sub-process: flow nodes, sequence flows, associations.
//! It writes what the model says and decides nothing; places are written by `interchange`.

use workflow_graph::Task;

use super::write_notes;
use crate::flavour::Flavour;
use crate::markup::Markup;
use crate::model::{
    Amount, Element, ElementIndex, ElementKind, Ending, Link, LinkKind, Many, Process, Scope, Start, Time,
    Trigger,
};

/// Text that an engine evaluates.
const EXPRESSION: [(&str, &str); 1] = [("xsi:type", "bpmn:tFormalExpression")];

/// Writes a scope into the element that is open.
pub(super) fn write(markup: &mut Markup, process: &Process, scope: &Scope, flavour: Flavour) {
    let wiring = Wiring::of(scope);
    for index in 0..scope.elements.len() {
        write_element(markup, process, scope, index, &wiring, flavour);
    }
    for (_, link) in scope.sequence_flows() {
        write_flow(markup, scope, link, flavour);
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
    wiring: &Wiring<'_>,
    flavour: Flavour,
) {
    let element = &scope.elements[index];
    let mut attributes = vec![("id", element.id.as_str())];
    if !element.name.is_empty() {
        attributes.push(("name", &element.name));
    }
    attributes.extend(own_attributes(process, scope, element, flavour));
    let engine = flavour.attributes(element);
    attributes.extend(engine.iter().map(|(name, value)| (*name, value.as_str())));
    let default = wiring.outgoing[index].iter().find(|link| link.kind == LinkKind::Default);
    attributes.extend(default.map(|link| ("default", link.id.as_str())));
    markup.open(tag(&element.kind), &attributes);
    write_notes(markup, &element.documentation, &element.facts, &flavour.extensions(element));
    for link in &wiring.incoming[index] {
        markup.text("bpmn:incoming", &[], &link.id);
    }
    for link in &wiring.outgoing[index] {
        markup.text("bpmn:outgoing", &[], &link.id);
    }
    if let Some(Many { variable, in_turn }) = &element.instances {
        let in_turn = if *in_turn { "true" } else { "false" };
        markup.open("bpmn:multiInstanceLoopCharacteristics", &[("isSequential", in_turn)]);
        match flavour.collection(variable) {
            Some(collection) => write_notes(markup, "", &[], &[collection]),
            None => markup.text("bpmn:loopCardinality", &EXPRESSION, &flavour.variable(variable)),
        }
        markup.close();
    }
    write_event_definition(markup, process, element, flavour);
    if let ElementKind::SubProcess { inside, .. } | ElementKind::EventSubProcess { inside } = &element.kind {
        write(markup, process, inside, flavour);
    }
    markup.close();
}

fn tag(kind: &ElementKind) -> &'static str {
    match kind {
        ElementKind::StartEvent(_) => "bpmn:startEvent",
        ElementKind::EndEvent { .. } => "bpmn:endEvent",
        ElementKind::Task(task) | ElementKind::CompensationHandler(task) => match task {
            Task::Service => "bpmn:serviceTask",
            Task::User => "bpmn:userTask",
            Task::BusinessRule => "bpmn:businessRuleTask",
        },
        ElementKind::SendTask { .. } => "bpmn:sendTask",
        ElementKind::ReceiveTask { .. } => "bpmn:receiveTask",
        ElementKind::CallActivity { .. } => "bpmn:callActivity",
        ElementKind::SubProcess { .. } | ElementKind::EventSubProcess { .. } => "bpmn:subProcess",
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
    flavour: Flavour,
) -> Option<(&'static str, &'a str)> {
    match &element.kind {
        ElementKind::CompensationHandler(_) => Some(("isForCompensation", "true")),
        ElementKind::ReceiveTask { message } | ElementKind::SendTask { message: Some(message) } => {
            Some(("messageRef", &process.messages[*message].id))
        }
        ElementKind::CallActivity { called } if !flavour.calls_by_extension() => {
            Some(("calledElement", called))
        }
        ElementKind::ExclusiveGateway { splits } | ElementKind::ParallelGateway { splits } => {
            Some(("gatewayDirection", if *splits { "Diverging" } else { "Converging" }))
        }
        ElementKind::EventGateway => Some(("gatewayDirection", "Diverging")),
        ElementKind::EventSubProcess { .. } => Some(("triggeredByEvent", "true")),
        ElementKind::Boundary { host, .. } => Some(("attachedToRef", &scope.elements[*host].id)),
        _ => None,
    }
}

fn write_event_definition(markup: &mut Markup, process: &Process, element: &Element, flavour: Flavour) {
    let amount = |amount: &Amount| flavour.amount(amount);
    match &element.kind {
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
        ElementKind::StartEvent(Start::Error) => markup.empty("bpmn:errorEventDefinition", &[]),
        ElementKind::EndEvent { ending: Ending::Terminate, .. } => {
            markup.empty("bpmn:terminateEventDefinition", &[]);
        }
        ElementKind::TimerCatchEvent { time: Time::After(duration) }
        | ElementKind::Boundary { trigger: Trigger::Timer { duration }, .. } => {
            write_timer(markup, "bpmn:timeDuration", &amount(duration));
        }
        ElementKind::TimerCatchEvent { time: Time::At(date) } => {
            write_timer(markup, "bpmn:timeDate", &amount(date));
        }
        ElementKind::StartEvent(Start::Timer { cycle }) => {
            write_timer(markup, "bpmn:timeCycle", &flavour.cycle(cycle));
        }
        ElementKind::StartEvent(Start::Message { message })
        | ElementKind::MessageCatchEvent { message }
        | ElementKind::MessageThrowEvent { message }
        | ElementKind::EndEvent { ending: Ending::Message { message }, .. } => {
            let message = &process.messages[*message].id;
            let engine = flavour.definition_attributes(element);
            let mut attributes = vec![("messageRef", message.as_str())];
            attributes.extend(engine.iter().map(|(name, value)| (*name, value.as_str())));
            markup.empty("bpmn:messageEventDefinition", &attributes);
        }
        _ => {}
    }
}

fn write_timer(markup: &mut Markup, tag: &'static str, expression: &str) {
    markup.open("bpmn:timerEventDefinition", &[]);
    markup.text(tag, &EXPRESSION, expression);
    markup.close();
}

fn write_flow(markup: &mut Markup, scope: &Scope, link: &Link, flavour: Flavour) {
    let mut attributes = vec![("id", link.id.as_str())];
    if !link.name.is_empty() {
        attributes.push(("name", &link.name));
    }
    attributes.push(("sourceRef", &scope.elements[link.from].id));
    attributes.push(("targetRef", &scope.elements[link.to].id));
    let condition = match &link.kind {
        LinkKind::When { variable, answer } => Some(flavour.condition(variable, answer)),
        _ => None,
    };
    if condition.is_none() && link.documentation.is_empty() {
        markup.empty("bpmn:sequenceFlow", &attributes);
        return;
    }
    markup.open("bpmn:sequenceFlow", &attributes);
    write_notes(markup, &link.documentation, &[], &[]);
    if let Some(condition) = condition {
        markup.text("bpmn:conditionExpression", &EXPRESSION, &condition);
    }
    markup.close();
}
