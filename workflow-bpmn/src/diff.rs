//! What two versions of a workflow draw differently: added, removed and changed elements.
//! It compares what the model says of each id; where things stand is no difference.

use std::collections::BTreeMap;

use workflow_graph::Graph;

use crate::diagram::{Diagram, Page};
use crate::highlight::{Highlights, Mark};
use crate::model::{self, ElementKind, Ending, Process, Scope, Trigger};
use crate::{Detail, layout, sound, svg};

/// The differences of two versions of a workflow, by the ids of elements and flows. What has another id is another
/// element, so a renamed step is one that was removed and one that was added.
///
/// ```
/// use workflow_bpmn::Diff;
/// # use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts};
/// # let version = |steps: &[&str]| {
/// #     let mut nodes = vec![Node::new("started", NodeKind::Start)];
/// #     nodes.extend(steps.iter().map(|step| Node::new(step, NodeKind::Step(StepFacts::named(step)))));
/// #     nodes.push(Node::new("completed", NodeKind::End(Outcome::Success)));
/// #     let flows: Vec<Flow> = (1..nodes.len()).map(|to| Flow::new(to - 1, to, FlowKind::Next)).collect();
/// #     Graph { nodes: nodes.into(), flows: flows.into(), ..Graph::named("sell") }
/// # };
/// let (old, new) = (version(&["charge_card"]), version(&["check_stock", "charge_card"]));
/// let diff = Diff::between(&old, &new);
/// assert_eq!(diff.added[0], "check_stock");
/// assert_eq!(diff.removed, ["flow_started_to_charge_card"]);
/// assert!(diff.svg().contains(">Before<"));
/// assert!(Diff::between(&new, &new).is_empty());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diff {
    /// What only the new version has, in the order of its flow.
    pub added: Vec<String>,
    /// What only the old version has, in the order of its flow.
    pub removed: Vec<String>,
    /// What both have, and what is not the same in them: kind, name, answer, wait, documentation.
    pub changed: Vec<String>,
    title: String,
    before: Diagram,
    after: Diagram,
}

impl Diff {
    /// Compares two versions.
    ///
    /// # Panics
    ///
    /// If a graph, or that of a subflow, has [defects](Graph::defects), naming all of them.
    pub fn between(old: &Graph, new: &Graph) -> Diff {
        let (old, new) = (model::process(sound(old), Detail::Full), model::process(sound(new), Detail::Full));
        let (before, after) = (Said::of(&old), Said::of(&new));
        let only = |one: &Said, other: &Said| {
            one.order.iter().filter(|id| !other.what.contains_key(*id)).cloned().collect()
        };
        let differs = |id: &&String| before.what.get(*id).is_some_and(|what| *what != after.what[*id]);
        Diff {
            added: only(&after, &before),
            removed: only(&before, &after),
            changed: after.order.iter().filter(differs).cloned().collect(),
            title: new.name.clone(),
            before: layout::diagram(&old, None),
            after: layout::diagram(&new, None),
        }
    }

    /// Whether both say the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// The new version, and the old one below it, with a sign on each element that is not in both, or not the same.
    pub fn svg(&self) -> String {
        let mut marks = Highlights::new();
        for (ids, mark) in [(&self.added, Mark::Added), (&self.changed, Mark::Changed)] {
            marks = ids.iter().fold(marks, |marks, id| marks.mark(id, mark));
        }
        for (ids, mark) in [(&self.removed, Mark::Removed), (&self.changed, Mark::Changed)] {
            marks = ids.iter().fold(marks, |marks, id| marks.mark(earlier(id), mark));
        }
        let mut drawing = self.after.clone();
        let mut before = self.before.clone();
        let pages = std::mem::take(&mut before.details);
        drawing.details.push(Page {
            id: "before".to_owned(),
            name: "Before".to_owned(),
            diagram: renamed(before),
        });
        drawing.details.extend(pages.into_iter().map(|page| Page {
            id: earlier(&page.id),
            name: format!("Before: {}", page.name),
            diagram: renamed(page.diagram),
        }));
        svg::document(&self.title, &drawing, &marks)
    }
}

/// The id of an element of the old version in a picture of both.
fn earlier(id: &str) -> String {
    format!("before.{id}")
}

fn renamed(mut diagram: Diagram) -> Diagram {
    for shape in &mut diagram.shapes {
        shape.id = earlier(&shape.id);
    }
    for edge in &mut diagram.edges {
        (edge.id, edge.from, edge.to) = (earlier(&edge.id), earlier(&edge.from), earlier(&edge.to));
    }
    diagram
}

/// What a model says of each id.
#[derive(Default)]
struct Said {
    order: Vec<String>,
    what: BTreeMap<String, String>,
}

impl Said {
    fn of(process: &Process) -> Said {
        let mut said = Said::default();
        said.scope(process, &process.scope);
        said
    }

    fn say(&mut self, id: &str, what: String) {
        self.order.push(id.to_owned());
        self.what.insert(id.to_owned(), what);
    }

    fn scope(&mut self, process: &Process, scope: &Scope) {
        for element in &scope.elements {
            let kind = kind(process, &element.kind);
            let (name, documentation) = (&element.name, &element.documentation);
            self.say(
                &element.id,
                format!("{kind}\n{name}\n{:?}\n{:?}\n{documentation}", element.instances, element.job),
            );
        }
        for link in &scope.links {
            let (kind, name, documentation) = (&link.kind, &link.name, &link.documentation);
            self.say(&link.id, format!("{kind:?}\n{name}\n{documentation}"));
        }
        for (_, inside) in scope.insides() {
            self.scope(process, inside);
        }
    }
}

/// A kind in words that do not depend on what else stands in the file.
fn kind(process: &Process, kind: &ElementKind) -> String {
    let error = |definition: &Option<usize>| definition.map(|error| process.errors[error].code.clone());
    match kind {
        ElementKind::SubProcess { expanded, .. } => format!("sub-process, {expanded}"),
        ElementKind::EventSubProcess { .. } => "event sub-process".to_owned(),
        ElementKind::Boundary { trigger: Trigger::Error { definition }, .. } => {
            format!("on error {:?}", error(definition))
        }
        ElementKind::Boundary { trigger, .. } => format!("on {trigger:?}"),
        ElementKind::EndEvent { ending: Ending::Error { definition }, .. } => {
            format!("end with error {:?}", error(definition))
        }
        ElementKind::ReceiveTask { message } => format!("receive task {}", process.messages[*message].name),
        ElementKind::MessageCatchEvent { message } => format!("catch {}", process.messages[*message].name),
        ElementKind::MessageThrowEvent { message } => format!("throw {}", process.messages[*message].name),
        ElementKind::SendTask { message } => {
            format!("send {:?}", message.map(|message| &process.messages[message].name))
        }
        ElementKind::StartEvent(model::Start::Message { message }) => {
            format!("start {}", process.messages[*message].name)
        }
        other => format!("{other:?}"),
    }
}
