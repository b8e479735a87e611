//! The shape of a flow: nodes and the flows between them.
//! It holds what was written in the source; how that is drawn is decided elsewhere.

use std::borrow::Cow;

use crate::{Source, StepFacts, Text, humanise};

/// The position of a node in [`Graph::nodes`].
pub type NodeIndex = usize;

/// A whole workflow: what the diagram shows, the journal names and the tests check.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The name under which runs are stored, by default the name of the function.
    pub workflow: Text,
    /// The version of the code; runs stay on theirs.
    pub version: u32,
    /// First line of the documentation, or the humanised name.
    pub label: Text,
    /// The documentation comment, without its first line; empty when there is none.
    pub documentation: Text,
    /// Who answers for this workflow; empty when not declared.
    pub owner: Text,
    /// Where the function stands.
    pub source: Source,
    /// All nodes, in the order of the source text.
    pub nodes: Cow<'static, [Node]>,
    /// All flows, in the order of the source text.
    pub flows: Cow<'static, [Flow]>,
}

impl Graph {
    /// An empty graph of that name, version 1, to be filled with `..`.
    pub fn named(workflow: &str) -> Graph {
        Graph {
            workflow: Cow::Owned(workflow.to_owned()),
            version: 1,
            label: Cow::Owned(humanise(workflow)),
            documentation: Cow::Borrowed(""),
            owner: Cow::Borrowed(""),
            source: Source::UNKNOWN,
            nodes: Cow::Borrowed(&[]),
            flows: Cow::Borrowed(&[]),
        }
    }

    /// The position of the node with this id.
    pub fn index_of(&self, id: &str) -> Option<NodeIndex> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// The node with this id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.index_of(id).map(|index| &self.nodes[index])
    }

    /// Flows that leave this node, in the order of the source text.
    pub fn outgoing(&self, node: NodeIndex) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(move |flow| flow.from == node)
    }

    /// Flows that reach this node, in the order of the source text.
    pub fn incoming(&self, node: NodeIndex) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(move |flow| flow.to == node)
    }

    /// The id of a flow: `from_to`, numbered where two nodes are joined more than once.
    pub fn flow_id(&self, flow: usize) -> String {
        let Flow { from, to, .. } = self.flows[flow];
        let same = self.flows[..flow].iter().filter(|other| other.from == from && other.to == to).count();
        let number = if same == 0 { String::new() } else { format!("_{}", same + 1) };
        format!("flow_{}_to_{}{number}", self.nodes[from].id, self.nodes[to].id)
    }
}

/// One thing that happens, or one place where the flow splits, joins or ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// A slug, unique in its graph and a valid XML id: `charge_card`, `charge_card_2`.
    pub id: Text,
    /// What happens here.
    pub kind: NodeKind,
    /// What the author wrote above this very statement (`///`); empty when nothing.
    pub label: Text,
    /// Line of the source file, counted from 1; 0 when unknown.
    pub line: u32,
}

impl Node {
    /// A node without a label of its own and without a place in the source.
    pub fn new(id: &str, kind: NodeKind) -> Node {
        Node { id: Cow::Owned(id.to_owned()), kind, label: Cow::Borrowed(""), line: 0 }
    }

    /// What people read: the statement's own label, else what the node itself tells, else its humanised id.
    pub fn title(&self) -> String {
        if !self.label.is_empty() {
            return self.label.to_string();
        }
        match &self.kind {
            NodeKind::Step(step) if !step.label.is_empty() => step.label.to_string(),
            NodeKind::Decision { question } => question.to_string(),
            NodeKind::Timer(span) => span.text.to_string(),
            NodeKind::Receive { message, .. } => {
                let name = humanise(message);
                if name.ends_with(" received") { name } else { format!("{name} received") }
            }
            NodeKind::Merge => String::new(),
            _ => humanise(&self.id),
        }
    }

    /// Whether this node is an operation that the journal records, as opposed to mere control flow.
    pub fn is_operation(&self) -> bool {
        matches!(self.kind, NodeKind::Step(_) | NodeKind::Timer(_) | NodeKind::Receive { .. })
    }
}

/// What happens at a node.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// The run begins. Exactly one per graph.
    Start,
    /// A step touches the world.
    Step(StepFacts),
    /// A durable timer: `sleep(days(3))`.
    Timer(Span),
    /// A wait for a message by its correlation key.
    Receive {
        /// The name of the message.
        message: Text,
        /// How long it waits; `None` for `.forever()`.
        deadline: Option<Span>,
    },
    /// One of several ways is taken. Leaving flows carry answers; exactly one of them is the default.
    Decision {
        /// The question that the answers reply to, ending in a question mark.
        question: Text,
    },
    /// Several ways come together again, or a loop begins. Has one leaving flow.
    Merge,
    /// The run ends here.
    End(Outcome),
}

/// How a run ends at an end node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result; nothing is undone.
    Success,
    /// With an error; what was completed is compensated first.
    Failure,
}

/// A stretch of time as the source text gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// ISO 8601 (`P7D`) when the source is a literal; empty when it is computed at run time.
    pub iso: Text,
    /// For people: `7 days`, or the expression that computes it.
    pub text: Text,
}

impl Span {
    /// A span for use in constants.
    pub const fn literal(iso: &'static str, text: &'static str) -> Span {
        Span { iso: Cow::Borrowed(iso), text: Cow::Borrowed(text) }
    }
}

/// A connection from one node to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Where it leaves.
    pub from: NodeIndex,
    /// Where it arrives.
    pub to: NodeIndex,
    /// When it is taken.
    pub kind: FlowKind,
}

impl Flow {
    /// A flow between two nodes.
    pub const fn new(from: NodeIndex, to: NodeIndex, kind: FlowKind) -> Flow {
        Flow { from, to, kind }
    }
}

/// When a flow is taken.
///
/// A step that ends with an error takes the [`FlowKind::Error`] flow of that variant, else the one for all
/// other errors, else [`FlowKind::Next`]: then the error is an ordinary value that the code looks at later.
#[derive(Clone, Debug, PartialEq)]
pub enum FlowKind {
    /// Always, once the node is done.
    Next,
    /// Out of a decision, when this is the answer.
    Answer {
        /// For people: `yes`, `out of stock`.
        label: Text,
        /// The Rust text of the condition or pattern.
        condition: Text,
        /// Whether this is the way taken when no other answer holds (`else`, `_`).
        default: bool,
    },
    /// Out of a step, when it answers with an error.
    Error {
        /// The variant of the step's error type that this flow is for; empty for all that no other flow takes.
        variant: Text,
        /// What the author wrote above the arm; empty when nothing.
        label: Text,
    },
    /// Out of a receive with a deadline, when no message came in time.
    Timeout,
}
