//! The elements of a process: what each one is, what it refers to, and which flows lead from one to the other.
//! What says nothing about the flow is left out: lanes, data, annotations, groups, messages between pools.

use std::collections::BTreeMap;

use roxmltree::Node;
use workflow_graph::conform::{Element, ElementKind, Repeats};

use super::text::{Lines, clean};
use super::{children, local};

/// Most sub-processes in each other.
const DEEPEST: usize = 50;

/// All that is drawn in a process.
pub(super) struct Drawing {
    pub(super) elements: Vec<Drawn>,
    pub(super) flows: Vec<(usize, usize)>,
    /// For each flow: whether it is taken on a condition only.
    pub(super) conditional: Vec<bool>,
}

/// An element, with what only its order needs.
pub(super) struct Drawn {
    pub(super) element: Element,
    /// Whether what is in it may happen in any order.
    pub(super) is_ad_hoc: bool,
    /// Whether its host goes on beside it.
    pub(super) goes_on: bool,
    /// Whether the scope around it fails here.
    pub(super) fails: bool,
}

/// Whether this is the name of something that the flow passes.
pub(super) fn is_flow_node(name: &str) -> bool {
    name == "task"
        || name.ends_with("Task")
        || name.ends_with("Event")
        || name.ends_with("Gateway")
        || matches!(name, "callActivity" | "subProcess" | "adHocSubProcess" | "transaction")
}

struct Reader<'a, 'input: 'a> {
    root: Node<'a, 'input>,
    file: &'a str,
    lines: &'a Lines,
    drawing: Drawing,
    places: BTreeMap<&'a str, usize>,
    /// Boundary events, with what they sit on.
    attached: Vec<(usize, &'a str, u32)>,
    /// Compensation events on a border, with what they sit on.
    undone: BTreeMap<&'a str, &'a str>,
    associations: Vec<(&'a str, &'a str)>,
    sequence: Vec<Node<'a, 'input>>,
    /// Links, by the scope that they stand in and their names: where they lead from and to.
    links: Vec<(Option<usize>, String, usize, bool)>,
}

/// Reads a process.
///
/// # Errors
/// What does not fit together in the file, with its line.
pub(super) fn read<'a, 'input>(
    root: Node<'a, 'input>,
    process: Node<'a, 'input>,
    file: &'a str,
    lines: &'a Lines,
) -> Result<Drawing, String> {
    let mut reader = Reader {
        root,
        file,
        lines,
        drawing: Drawing { elements: Vec::new(), flows: Vec::new(), conditional: Vec::new() },
        places: BTreeMap::new(),
        attached: Vec::new(),
        undone: BTreeMap::new(),
        associations: Vec::new(),
        sequence: Vec::new(),
        links: Vec::new(),
    };
    reader.scope(process, None, 0)?;
    reader.connect()?;
    Ok(reader.drawing)
}

impl<'a, 'input> Reader<'a, 'input> {
    fn scope(&mut self, scope: Node<'a, 'input>, parent: Option<usize>, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            let (file, line) = (self.file, self.lines.of_node(scope));
            return Err(format!("{file}:{line}: sub-processes stand in each other more than {DEEPEST} deep"));
        }
        for (name, node) in children(scope) {
            match name {
                "association" => self.associate(node),
                "sequenceFlow" => self.sequence.push(node),
                name if is_flow_node(name) => self.flow_node(name, node, parent, depth)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn associate(&mut self, node: Node<'a, 'input>) {
        if let (Some(from), Some(to)) = (node.attribute("sourceRef"), node.attribute("targetRef")) {
            self.associations.push((local(from), local(to)));
        }
    }

    fn flow_node(
        &mut self,
        name: &'a str,
        node: Node<'a, 'input>,
        parent: Option<usize>,
        depth: usize,
    ) -> Result<(), String> {
        let line = self.lines.of_node(node);
        let Some(id) = node.attribute("id") else {
            let file = self.file;
            return Err(format!(
                "{file}:{line}: this element has no id; save the file anew with the modeller"
            ));
        };
        let event = Event::of(node, self.root);
        if name == "boundaryEvent" && event.what == "compensate" {
            self.undone.insert(id, local(node.attribute("attachedToRef").unwrap_or_default()));
            return Ok(());
        }
        let is_handler = node.attribute("isForCompensation") == Some("true");
        let kind = if is_handler { ElementKind::Handler } else { kind(name, node, &event) };
        let detail = match kind {
            ElementKind::ReceiveTask | ElementKind::SendTask => {
                referred(self.root, "message", node.attribute("messageRef"), &["name"])
            }
            _ => event.detail.clone(),
        };
        let index = self.drawing.elements.len();
        if self.places.insert(id, index).is_some() {
            return Err(format!("{}:{line}: the id `{id}` is there twice; save the file anew", self.file));
        }
        let element = Element {
            id: id.to_owned().into(),
            name: clean(node.attribute("name").unwrap_or_default()).into(),
            kind,
            line,
            detail: detail.into(),
            parent,
            host: None,
            repeats: repeats(node),
        };
        let drawn = Drawn {
            element,
            is_ad_hoc: name == "adHocSubProcess",
            goes_on: node.attribute("cancelActivity") == Some("false"),
            fails: name == "endEvent" && matches!(event.what, "error" | "cancel"),
        };
        self.drawing.elements.push(drawn);
        if name == "boundaryEvent" {
            let host = local(node.attribute("attachedToRef").unwrap_or_default());
            self.attached.push((index, host, line));
        }
        if event.what == "link" {
            let name = if event.detail.is_empty() {
                node.attribute("name").unwrap_or_default()
            } else {
                &event.detail
            };
            self.links.push((parent, clean(name), index, name_throws(node)));
        }
        if matches!(kind, ElementKind::SubProcess | ElementKind::EventSubProcess) {
            self.scope(node, Some(index), depth + 1)?;
        }
        Ok(())
    }

    /// Joins what was read, once all of it is known.
    fn connect(&mut self) -> Result<(), String> {
        let file = self.file;
        for (event, host, line) in std::mem::take(&mut self.attached) {
            let Some(&host) = self.places.get(host) else {
                return Err(format!("{file}:{line}: this event sits on nothing; attach it to an activity"));
            };
            self.drawing.elements[event].element.host = Some(host);
        }
        for (from, to) in &self.associations {
            for (event, handler) in [(from, to), (to, from)] {
                let host = self.undone.get(event).and_then(|host| self.places.get(host));
                if let (Some(&host), Some(&handler)) = (host, self.places.get(handler)) {
                    self.drawing.elements[handler].element.host = Some(host);
                }
            }
        }
        for node in std::mem::take(&mut self.sequence) {
            let line = self.lines.of_node(node);
            let end = |attribute: &str| {
                let reference = local(node.attribute(attribute).unwrap_or_default());
                self.places.get(reference).copied().ok_or_else(|| {
                    format!("{file}:{line}: this flow is not connected at both ends (`{attribute}`); draw it again")
                })
            };
            let flow = (end("sourceRef")?, end("targetRef")?);
            let is_default = self.is_default(node);
            let has_condition = children(node).any(|(name, _)| name == "conditionExpression");
            self.drawing.flows.push(flow);
            self.drawing.conditional.push(has_condition || is_default);
        }
        for (scope, name, from, throws) in &self.links {
            let targets = self
                .links
                .iter()
                .filter(|(other, called, _, throws)| other == scope && called == name && !*throws);
            for (_, _, to, _) in targets.filter(|_| *throws) {
                self.drawing.flows.push((*from, *to));
                self.drawing.conditional.push(false);
            }
        }
        Ok(())
    }

    fn is_default(&self, flow: Node<'_, '_>) -> bool {
        let id = flow.attribute("id").unwrap_or_default();
        let scope = flow.parent();
        let mut siblings = scope.into_iter().flat_map(|scope| scope.children());
        flow.attribute("sourceRef").is_some_and(|source| {
            siblings.any(|node| {
                node.attribute("id") == Some(local(source))
                    && node.attribute("default").map(local) == Some(id)
            })
        })
    }
}

fn name_throws(node: Node<'_, '_>) -> bool {
    node.tag_name().name() == "intermediateThrowEvent"
}

/// What an event is about.
struct Event {
    /// `message`, `timer`, `link`; empty for a plain event.
    what: &'static str,
    detail: String,
}

const DEFINITIONS: [&str; 10] = [
    "message",
    "timer",
    "error",
    "compensate",
    "link",
    "signal",
    "escalation",
    "conditional",
    "cancel",
    "terminate",
];

impl Event {
    fn of(node: Node<'_, '_>, root: Node<'_, '_>) -> Event {
        let mut events = children(node).filter_map(|(name, definition)| {
            let what = name.strip_suffix("EventDefinition")?;
            Some((*DEFINITIONS.iter().find(|known| **known == what)?, definition))
        });
        let Some((what, definition)) = events.next() else {
            return Event { what: "", detail: String::new() };
        };
        if events.next().is_some() {
            return Event { what: "several", detail: String::new() };
        }
        let reference = |name: &str| definition.attribute(format!("{name}Ref").as_str());
        let detail = match what {
            "message" | "signal" => referred(root, what, reference(what), &["name"]),
            "error" => referred(root, what, reference(what), &["errorCode", "name"]),
            "link" => clean(definition.attribute("name").unwrap_or_default()),
            "timer" => {
                let time = children(definition).find(|(name, _)| name.starts_with("time"));
                clean(time.and_then(|(_, time)| time.text()).unwrap_or_default())
            }
            _ => String::new(),
        };
        Event { what, detail }
    }
}

/// The first of these attributes of what is referred to.
fn referred(root: Node<'_, '_>, tag: &str, reference: Option<&str>, attributes: &[&str]) -> String {
    let Some(reference) = reference.map(local) else { return String::new() };
    let found = children(root).find(|(name, node)| *name == tag && node.attribute("id") == Some(reference));
    let values = found
        .into_iter()
        .flat_map(|(_, node)| attributes.iter().filter_map(move |name| node.attribute(*name)));
    values.map(clean).find(|value| !value.is_empty()).unwrap_or_default()
}

fn kind(name: &str, node: Node<'_, '_>, event: &Event) -> ElementKind {
    match (name, event.what) {
        ("manualTask", _) => ElementKind::ManualTask,
        ("receiveTask", _) => ElementKind::ReceiveTask,
        ("sendTask", _) => ElementKind::SendTask,
        ("callActivity", _) => ElementKind::CallActivity,
        ("subProcess", _) if node.attribute("triggeredByEvent") == Some("true") => {
            ElementKind::EventSubProcess
        }
        ("subProcess" | "adHocSubProcess" | "transaction", _) => ElementKind::SubProcess,
        ("startEvent", _) => ElementKind::Start,
        ("endEvent", "message" | "signal") => ElementKind::MessageEnd,
        ("endEvent", _) => ElementKind::End,
        ("intermediateCatchEvent" | "intermediateThrowEvent", "" | "link") => ElementKind::Milestone,
        ("intermediateCatchEvent", "message" | "signal") => ElementKind::MessageCatch,
        ("intermediateCatchEvent", "timer") => ElementKind::TimerCatch,
        ("intermediateCatchEvent", _) => ElementKind::OtherCatch,
        ("intermediateThrowEvent", "message" | "signal") => ElementKind::MessageThrow,
        ("intermediateThrowEvent", "compensate") => ElementKind::CompensationThrow,
        ("intermediateThrowEvent", _) => ElementKind::OtherThrow,
        ("boundaryEvent", "error") => ElementKind::ErrorBoundary,
        ("boundaryEvent", "timer") => ElementKind::TimerBoundary,
        ("boundaryEvent", "message" | "signal") => ElementKind::MessageBoundary,
        ("boundaryEvent", _) => ElementKind::OtherBoundary,
        ("exclusiveGateway", _) => ElementKind::ExclusiveGateway,
        ("parallelGateway", _) => ElementKind::ParallelGateway,
        ("eventBasedGateway", _) => ElementKind::EventGateway,
        (name, _) if name.ends_with("Gateway") => ElementKind::InclusiveGateway,
        _ => ElementKind::Task,
    }
}

fn repeats(node: Node<'_, '_>) -> Repeats {
    let marker = children(node).find(|(name, _)| name.ends_with("LoopCharacteristics"));
    match marker {
        None => Repeats::Once,
        Some(("multiInstanceLoopCharacteristics", marker))
            if marker.attribute("isSequential") != Some("true") =>
        {
            Repeats::InParallel
        }
        Some(_) => Repeats::InTurn,
    }
}
