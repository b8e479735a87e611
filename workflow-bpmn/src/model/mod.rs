//! The BPMN model of one workflow: elements, links and shared definitions, as the specification names them.
//! It knows neither places nor XML.

mod build;
mod business;
mod errors;
mod facts;
mod flows;
pub(crate) mod ids;
mod kept;
mod names;
mod outcomes;
mod parties;
mod phrases;
mod places;
mod published;
mod races;
mod thrown;
mod undo;

pub(crate) use build::process;
pub(crate) use parties::{Collaboration, collaboration};
use workflow_graph::Task;

/// The position of an element in [`Scope::elements`].
pub(crate) type ElementIndex = usize;

/// One process with everything that stands in its file.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) documentation: String,
    /// Whether it is all that the workflow does; if not, it is there to be looked at.
    pub(crate) is_executable: bool,
    pub(crate) facts: Vec<Fact>,
    pub(crate) scope: Scope,
    pub(crate) messages: Vec<MessageDefinition>,
    pub(crate) errors: Vec<ErrorDefinition>,
}

/// What stands in a process, or in a sub-process: elements, and the links between them.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) elements: Vec<Element>,
    pub(crate) links: Vec<Link>,
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
    /// The field that is its correlation key; empty when that is not known.
    pub(crate) key: String,
    /// The variable of its key, where the field's own name does not say enough.
    pub(crate) variable: String,
    /// The other party that sends or takes it; empty when none is named.
    pub(crate) participant: String,
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
    /// The id of the node of the graph that it belongs to; boundary events and handlers belong to their step's.
    pub(crate) node: String,
    pub(crate) kind: ElementKind,
    /// For each of many values; nothing when it happens once.
    pub(crate) instances: Option<Many>,
    pub(crate) documentation: String,
    pub(crate) facts: Vec<Fact>,
    /// What somebody outside of the engine does for it.
    pub(crate) job: Option<Job>,
}

/// That an activity happens for each of many values.
#[derive(Clone, Debug)]
pub(crate) struct Many {
    /// The variable that says how many.
    pub(crate) variable: String,
    /// Whether one begins when the one before is done; else side by side.
    pub(crate) in_turn: bool,
}

/// Work that an engine hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// By which workers know it.
    pub(crate) name: String,
    /// Nothing where the engine's own habit is right.
    pub(crate) tries: Option<Tries>,
    /// The other party; empty when none is named.
    pub(crate) participant: String,
}

/// How often work is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tries {
    /// `None` for no limit.
    pub(crate) attempts: Option<u32>,
    pub(crate) wait_ms: u64,
}

/// A length of time, or a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// ISO 8601.
    Literal(String),
    /// The variable that holds it: what computes it is Rust, which no engine reads.
    Computed(String),
}

/// What a flow node is, with what only this kind has.
#[derive(Debug)]
pub(crate) enum ElementKind {
    StartEvent(Start),
    EndEvent {
        /// Whether it is what the flow is there for; the happy path leads to such an end.
        success: bool,
        ending: Ending,
    },
    /// Something that is done: by software, by a person, or by rules.
    Task(Task),
    SendTask {
        /// Nothing where what is sent is the order to begin another workflow.
        message: Option<usize>,
    },
    /// The task that undoes another; joined to its boundary event by an association.
    CompensationHandler(Task),
    ReceiveTask {
        message: usize,
    },
    /// Another workflow, by the id of its process: a name may hold what no reference can.
    CallActivity {
        called: String,
    },
    SubProcess {
        inside: Scope,
        /// Whether the inside is drawn in its place; if not, it has a page of its own.
        expanded: bool,
    },
    /// A frame that no flow leads to: it begins when something fails, whatever the flow does then.
    EventSubProcess {
        inside: Scope,
    },
    MessageCatchEvent {
        message: usize,
    },
    MessageThrowEvent {
        message: usize,
    },
    TimerCatchEvent {
        time: Time,
    },
    CompensationThrowEvent,
    ExclusiveGateway {
        /// Whether it asks a question; if not, it joins.
        splits: bool,
    },
    ParallelGateway {
        splits: bool,
    },
    /// What happens first decides.
    EventGateway,
    Boundary {
        host: ElementIndex,
        trigger: Trigger,
    },
}

/// What begins a process.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Plain,
    Message {
        message: usize,
    },
    Timer {
        cycle: String,
    },
    /// Something in the process has failed; only in an event sub-process.
    Error,
}

/// What an end does beside ending.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Plain,
    /// It is news to whoever listens.
    Message {
        message: usize,
    },
    /// Completed steps are undone first.
    Compensation,
    /// The surrounding activity fails, with this definition where it is known.
    Error {
        definition: Option<usize>,
    },
    /// Everything else in the same scope is withdrawn.
    Terminate,
}

/// When a timer fires.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Time {
    After(Amount),
    At(Amount),
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
        duration: Amount,
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
    /// A sequence flow out of a split, taken when this variable holds this answer.
    When { variable: String, answer: String },
    /// The one sequence flow of a split that is taken when no other is.
    Default,
    /// From a compensation event to its handler.
    Association,
}

impl ElementKind {
    /// Whether it is a rounded box that may carry boundary events.
    pub(crate) fn is_activity(&self) -> bool {
        matches!(
            self,
            ElementKind::Task(_)
                | ElementKind::SendTask { .. }
                | ElementKind::CompensationHandler(_)
                | ElementKind::ReceiveTask { .. }
                | ElementKind::CallActivity { .. }
                | ElementKind::SubProcess { .. }
        )
    }

    /// Whether several ways leave it.
    pub(crate) fn splits(&self) -> bool {
        matches!(
            self,
            ElementKind::ExclusiveGateway { splits: true }
                | ElementKind::ParallelGateway { splits: true }
                | ElementKind::EventGateway
        )
    }
}

impl Process {
    /// All ids of the model, so that what is added to its file gets others.
    pub(crate) fn ids(&self) -> ids::Ids {
        let mut all: Vec<&str> = vec![&self.id];
        all.extend(self.messages.iter().map(|message| message.id.as_str()));
        all.extend(self.errors.iter().map(|error| error.id.as_str()));
        self.scope.collect_ids(&mut all);
        ids::Ids::reserving(all.into_iter())
    }
}

impl Process {
    /// Gives every end that fails an error with a code: engines throw none without.
    pub(crate) fn name_all_errors(&mut self) {
        if !self.scope.has_nameless_error() {
            return;
        }
        let id = self.ids().give("error_failed");
        self.errors.push(ErrorDefinition { id, name: "Failed".to_owned(), code: "failed".to_owned() });
        self.scope.name_errors(self.errors.len() - 1);
    }
}

impl Scope {
    fn has_nameless_error(&self) -> bool {
        let is_nameless = |element: &Element| {
            let ending = Ending::Error { definition: None };
            matches!(&element.kind, ElementKind::EndEvent { ending: e, .. } if *e == ending)
        };
        self.elements.iter().any(is_nameless) || self.insides().any(|(_, inside)| inside.has_nameless_error())
    }

    fn name_errors(&mut self, error: usize) {
        for element in &mut self.elements {
            match &mut element.kind {
                ElementKind::EndEvent { ending: Ending::Error { definition }, .. } => {
                    definition.get_or_insert(error);
                }
                ElementKind::SubProcess { inside, .. } | ElementKind::EventSubProcess { inside } => {
                    inside.name_errors(error);
                }
                _ => {}
            }
        }
    }

    fn collect_ids<'a>(&'a self, ids: &mut Vec<&'a str>) {
        ids.extend(self.elements.iter().map(|element| element.id.as_str()));
        ids.extend(self.links.iter().map(|link| link.id.as_str()));
        for (_, inside) in self.insides() {
            inside.collect_ids(ids);
        }
    }

    /// The sub-processes with what stands in them.
    pub(crate) fn insides(&self) -> impl Iterator<Item = (ElementIndex, &Scope)> {
        self.elements.iter().enumerate().filter_map(|(index, element)| match &element.kind {
            ElementKind::SubProcess { inside, .. } | ElementKind::EventSubProcess { inside } => {
                Some((index, inside))
            }
            _ => None,
        })
    }

    /// How many nodes a reader has to take in; what sits on a border or has a page of its own is not counted.
    pub(crate) fn size(&self) -> usize {
        let own = self.elements.iter().map(|element| match &element.kind {
            ElementKind::Boundary { .. } | ElementKind::CompensationHandler(_) => 0,
            ElementKind::SubProcess { inside, expanded: true } => 1 + inside.size(),
            _ => 1,
        });
        own.sum()
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

    /// The sequence flows, by their position in [`Scope::links`].
    pub(crate) fn sequence_flows(&self) -> impl Iterator<Item = (usize, &Link)> {
        self.links.iter().enumerate().filter(|(_, link)| link.kind != LinkKind::Association)
    }
}
