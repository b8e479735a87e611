//! The BPMN model of one workflow: elements, links and shared definitions, as the specification names them.
//! It knows neither places nor XML.

mod build;
mod facts;
pub(crate) mod ids;
mod outcomes;

use workflow_graph::NodeIndex;

pub(crate) use build::process;

/// The position of an element in [`Process::elements`].
pub(crate) type ElementIndex = usize;

/// One process with everything that stands in its file.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) documentation: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) elements: Vec<Element>,
    pub(crate) links: Vec<Link>,
    pub(crate) messages: Vec<MessageDefinition>,
    pub(crate) errors: Vec<ErrorDefinition>,
}

/// What a machine should know and no label should say: an extension element with its attributes.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) element: &'static str,
    pub(crate) attributes: Vec<(&'static str, String)>,
}

/// A root `<message>`, shared by all that wait for it.
#[derive(Debug)]
pub(crate) struct MessageDefinition {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A root `<error>`, shared by all boundary events with this code.
#[derive(Debug)]
pub(crate) struct ErrorDefinition {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) code: String,
}

/// A flow node of the process.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The node of the graph that it belongs to; boundary events and handlers belong to their step's.
    pub(crate) node: NodeIndex,
    pub(crate) kind: ElementKind,
    pub(crate) documentation: String,
    pub(crate) facts: Vec<Fact>,
}

/// What a flow node is, with what only this kind has.
#[derive(Debug)]
pub(crate) enum ElementKind {
    StartEvent,
    EndEvent {
        success: bool,
        /// Whether completed steps are undone before the end: a compensation end event.
        compensates: bool,
    },
    ServiceTask,
    /// The task that undoes another; joined to its boundary event by an association.
    CompensationHandler,
    ReceiveTask {
        message: usize,
    },
    MessageCatchEvent {
        message: usize,
    },
    TimerCatchEvent {
        duration: String,
    },
    ExclusiveGateway {
        /// Whether it asks a question; if not, it joins.
        splits: bool,
    },
    Boundary {
        host: ElementIndex,
        trigger: Trigger,
    },
}

/// What makes a boundary event fire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Compensation,
    /// An error with this definition, or any that no other event catches.
    Error {
        definition: Option<usize>,
    },
    Timer {
        duration: String,
    },
}

/// A connection between two elements.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) from: ElementIndex,
    pub(crate) to: ElementIndex,
    pub(crate) kind: LinkKind,
    pub(crate) documentation: String,
}

/// What a connection means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// A sequence flow that is always taken.
    Always,
    /// A sequence flow out of a split, taken when this expression holds.
    When(String),
    /// The one sequence flow of a split that is taken when no other is.
    Default,
    /// From a compensation event to its handler.
    Association,
}

impl Process {
    /// All ids of the model, so that what is added to its file gets others.
    pub(crate) fn ids(&self) -> ids::Ids {
        let elements = self.elements.iter().map(|element| element.id.as_str());
        let links = self.links.iter().map(|link| link.id.as_str());
        let messages = self.messages.iter().map(|message| message.id.as_str());
        let errors = self.errors.iter().map(|error| error.id.as_str());
        let all = elements.chain(links).chain(messages).chain(errors);
        ids::Ids::reserving(all.chain([self.id.as_str()]))
    }

    /// The element on which a link leaves the drawing's point of view: the host, if it is a boundary event.
    pub(crate) fn origin(&self, link: &Link) -> ElementIndex {
        match self.elements[link.from].kind {
            ElementKind::Boundary { host, .. } => host,
            _ => link.from,
        }
    }

    /// The boundary events of an element, in the order of the source text.
    pub(crate) fn boundaries(&self, host: ElementIndex) -> impl Iterator<Item = ElementIndex> {
        (0..self.elements.len()).filter(
            move |&index| matches!(self.elements[index].kind, ElementKind::Boundary { host: h, .. } if h == host),
        )
    }

    /// The sequence flows, by their position in [`Process::links`].
    pub(crate) fn sequence_flows(&self) -> impl Iterator<Item = (usize, &Link)> {
        self.links.iter().enumerate().filter(|(_, link)| link.kind != LinkKind::Association)
    }
}
