//! The model as an analyst drew it: its elements, and what it says about their order.
//! Plain data that the macro reads from the file; it knows nothing of XML and nothing of the code.

use std::borrow::Cow;

use crate::Text;

/// Most elements of a model, and most operations of a flow, that are compared.
pub const ROOM: usize = 512;

/// A process of a `.bpmn` file, with all that stands in its sub-processes.
#[derive(Clone, Debug)]
pub struct Model {
    /// The file, as the author of the code names it.
    pub file: Text,
    /// Its flow nodes, each sub-process before what stands in it.
    pub elements: Cow<'static, [Element]>,
    /// Four tables of bits, one behind the other, with a row for each element that is filled up to whole bytes: what
    /// comes after it, what may as well, what can be under way beside it, and what may as well.
    pub order: Cow<'static, [u8]>,
    /// Sequence flows between elements, and from a host to what sits on its border.
    pub flows: Cow<'static, [(usize, usize)]>,
}

/// One flow node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The id in the file.
    pub id: Text,
    /// What people read; empty when it has no name.
    pub name: Text,
    /// What it is.
    pub kind: ElementKind,
    /// Line of the file, counted from 1.
    pub line: u32,
    /// The message's name, the timer's duration, the error's code; empty when the model does not say.
    pub detail: Text,
    /// The sub-process that it stands in.
    pub parent: Option<usize>,
    /// What it sits on, or what it undoes.
    pub host: Option<usize>,
    /// How often it happens.
    pub repeats: Repeats,
}

/// How often an activity happens, by the marker at its foot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Once.
    Once,
    /// For each of many, in parallel.
    InParallel,
    /// Again and again: a loop, or for one of many after the other.
    InTurn,
}

/// What a flow node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// Work of any kind.
    Task,
    /// Work outside of all software.
    ManualTask,
    /// Waits for a message.
    ReceiveTask,
    /// Sends a message.
    SendTask,
    /// Runs another process.
    CallActivity,
    /// Has a flow of its own, which may be empty in the file.
    SubProcess,
    /// A sub-process that an event begins.
    EventSubProcess,
    /// Waits for a message or a signal.
    MessageCatch,
    /// Waits for a time.
    TimerCatch,
    /// Waits for something else.
    OtherCatch,
    /// Sends a message or a signal.
    MessageThrow,
    /// Does something else in passing.
    OtherThrow,
    /// Undoes what was done.
    CompensationThrow,
    /// Says what has been reached, and does nothing; also where a link leads from and to.
    Milestone,
    /// Undoes another activity.
    Handler,
    /// On the border: an error leaves.
    ErrorBoundary,
    /// On the border: a time has come.
    TimerBoundary,
    /// On the border: a message or a signal came.
    MessageBoundary,
    /// On the border: something else.
    OtherBoundary,
    /// The flow begins.
    Start,
    /// The flow ends.
    End,
    /// The flow ends and a message or signal leaves.
    MessageEnd,
    /// One of several ways.
    ExclusiveGateway,
    /// All ways.
    ParallelGateway,
    /// Some of several ways.
    InclusiveGateway,
    /// The way of what happens first.
    EventGateway,
}

impl ElementKind {
    /// Whether the code has to have something for it.
    pub(super) const fn is_required(self) -> bool {
        matches!(
            self,
            ElementKind::Task
                | ElementKind::ReceiveTask
                | ElementKind::SendTask
                | ElementKind::CallActivity
                | ElementKind::SubProcess
                | ElementKind::EventSubProcess
                | ElementKind::MessageCatch
                | ElementKind::TimerCatch
                | ElementKind::OtherCatch
                | ElementKind::MessageThrow
                | ElementKind::OtherThrow
        )
    }

    /// Whether something of the code may be meant by it.
    pub(super) const fn may_match(self) -> bool {
        self.is_required()
            || matches!(
                self,
                ElementKind::ManualTask
                    | ElementKind::MessageEnd
                    | ElementKind::TimerBoundary
                    | ElementKind::MessageBoundary
            )
    }

    /// Whether its detail is a length of time.
    pub(super) const fn is_timer(self) -> bool {
        matches!(self, ElementKind::TimerCatch | ElementKind::TimerBoundary)
    }

    /// Whether it is about a message.
    pub(super) const fn is_message(self) -> bool {
        matches!(
            self,
            ElementKind::ReceiveTask
                | ElementKind::SendTask
                | ElementKind::MessageCatch
                | ElementKind::MessageThrow
                | ElementKind::MessageEnd
                | ElementKind::MessageBoundary
        )
    }

    /// What people call it.
    pub const fn word(self) -> &'static str {
        match self {
            ElementKind::Task => "task",
            ElementKind::ManualTask => "manual task",
            ElementKind::ReceiveTask => "receive task",
            ElementKind::SendTask => "send task",
            ElementKind::CallActivity => "call activity",
            ElementKind::SubProcess => "sub-process",
            ElementKind::EventSubProcess => "event sub-process",
            ElementKind::MessageCatch
            | ElementKind::OtherCatch
            | ElementKind::MessageThrow
            | ElementKind::OtherThrow => "event",
            ElementKind::TimerCatch => "timer event",
            ElementKind::CompensationThrow => "compensation event",
            ElementKind::Milestone => "milestone",
            ElementKind::Handler => "compensation task",
            ElementKind::ErrorBoundary
            | ElementKind::TimerBoundary
            | ElementKind::MessageBoundary
            | ElementKind::OtherBoundary => "boundary event",
            ElementKind::Start => "start event",
            ElementKind::End | ElementKind::MessageEnd => "end event",
            ElementKind::ExclusiveGateway
            | ElementKind::ParallelGateway
            | ElementKind::InclusiveGateway
            | ElementKind::EventGateway => "gateway",
        }
    }
}

impl Model {
    /// The elements, for constants.
    pub(super) const fn list(&self) -> &[Element] {
        match &self.elements {
            Cow::Borrowed(elements) => elements,
            Cow::Owned(elements) => elements.as_slice(),
        }
    }

    /// The flows, for constants.
    pub(super) const fn flow_list(&self) -> &[(usize, usize)] {
        match &self.flows {
            Cow::Borrowed(flows) => flows,
            Cow::Owned(flows) => flows.as_slice(),
        }
    }

    /// The tables, for constants.
    pub(super) const fn bytes(&self) -> &[u8] {
        match &self.order {
            Cow::Borrowed(bytes) => bytes,
            Cow::Owned(bytes) => bytes.as_slice(),
        }
    }

    /// Whether something stands in this element.
    pub(super) const fn has_contents(&self, element: usize) -> bool {
        let elements = self.list();
        let mut inner = element + 1;
        while inner < elements.len() {
            if matches!(elements[inner].parent, Some(parent) if parent == element) {
                return true;
            }
            inner += 1;
        }
        false
    }
}
