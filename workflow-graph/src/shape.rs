//! The shape of a flow: nodes and the flows between them.
//! It holds what was written in the source; how that is drawn is decided elsewhere.

use std::borrow::Cow;

use crate::reading::text_of;
use crate::{ErrorFacts, MessageFacts, NodeKind, Signature, Source, Text, Trigger, humanise};

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
    /// What starts a run by itself.
    pub trigger: Trigger,
    /// How long a run may take, in milliseconds; `None` for no limit. What was done by then is undone.
    pub deadline_ms: Option<u64>,
    /// Whose attempts go first where steps wait for each other: the higher, from -100 to 100; 0 when not declared.
    pub priority: i8,
    /// The types that the journal records of it.
    pub signature: Signature,
    /// Where the function stands.
    pub source: Source,
    /// All nodes, in the order of the source text.
    pub nodes: Cow<'static, [Node]>,
    /// All flows, in the order of the source text.
    pub flows: Cow<'static, [Flow]>,
    /// The messages that the flow begins with, waits for and sends, each once; those of subflows are in their graphs.
    pub messages: Cow<'static, [MessageFacts]>,
    /// The ways in which the function fails, where branches that fail together (`try_join!`) stand in it: a node has no
    /// error type of its own for them. Empty elsewhere.
    pub errors: Cow<'static, [ErrorFacts]>,
    /// The checks that the author has switched off, each for one statement, in the order of the source text.
    pub allowances: Cow<'static, [Allowance]>,
}

/// A check that is switched off for one statement: `#[allow_workflow(hash_iteration, reason = "..")]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The name of the check.
    pub rule: Text,
    /// Why a person knows better.
    pub reason: Text,
    /// Line of the source file, counted from 1.
    pub line: u32,
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
            trigger: Trigger::None,
            deadline_ms: None,
            priority: 0,
            signature: Signature::UNKNOWN,
            source: Source::UNKNOWN,
            nodes: Cow::Borrowed(&[]),
            flows: Cow::Borrowed(&[]),
            messages: Cow::Borrowed(&[]),
            errors: Cow::Borrowed(&[]),
            allowances: Cow::Borrowed(&[]),
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
    /// The [`NodeKind::Block`] that this node stands in; `None` for the flow itself.
    pub scope: Option<NodeIndex>,
    /// A fingerprint of the text that decides how the flow goes on here, and of the local code that this depends on;
    /// of a repeated operation, of the values that it is repeated over; of a call, of what it is given, which counts
    /// where it is a subflow; of the start of a subflow, of what it comes to. 0 when nothing is decided.
    pub guard: u64,
    /// Set when this step, subflow or child happens once for each of many values, in parallel.
    pub instances: Option<Instances>,
    /// Of an end that fails: which error leaves there.
    pub thrown: Thrown,
}

/// Which error leaves at an end that fails, as far as the source text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Thrown {
    /// The one that leads there, as `?` hands it on: inside of a variant of the function's own error, or as it is.
    /// Also at every node that is no end, or one of success.
    #[default]
    Arriving,
    /// This variant: `return Err(Trouble::Refused)`, `.map_err(|_| Trouble::Refused)?`. One of another error than the
    /// function's own stands behind the name of its type, `PaymentError::Refused`: what becomes of it, only types tell.
    Variant(Text),
    /// The text does not tell: `.map_err(translated)?`, `return Err(why(&order))`.
    Unknown,
}

/// That an operation happens once for each of many values, in parallel: `join_all(..)`, `try_join_all(..)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instances {
    /// How many at a time, as the source text says; empty for all at once.
    pub limit: Text,
    /// Whether the first error ends it (`try_join_all`): nothing new is begun, what is under way is waited for.
    pub fails_fast: bool,
}

impl Instances {
    /// Whether one begins when the one before is done: `.limit(1)`.
    pub const fn is_in_turn(&self) -> bool {
        matches!(text_of(&self.limit).as_bytes(), b"1")
    }
}

impl Node {
    /// A node without a label of its own and without a place in the source.
    pub fn new(id: &str, kind: NodeKind) -> Node {
        Node {
            id: Cow::Owned(id.to_owned()),
            kind,
            label: Cow::Borrowed(""),
            line: 0,
            scope: None,
            guard: 0,
            instances: None,
            thrown: Thrown::Arriving,
        }
    }

    /// What people read: the statement's own label, else what the node itself tells, else its humanised id.
    pub fn title(&self) -> String {
        if !self.label.is_empty() {
            return self.label.to_string();
        }
        match &self.kind {
            NodeKind::Step(step) if !step.label.is_empty() => step.label.to_string(),
            NodeKind::Subflow(subflow) if !subflow.label.is_empty() => subflow.label.to_string(),
            NodeKind::Child(child) if !child.label.is_empty() => child.label.to_string(),
            NodeKind::Decision { question } => question.to_string(),
            NodeKind::VersionSwitch { patch } => format!("Changed by {}?", humanise(patch).to_lowercase()),
            NodeKind::Timer(span) => span.text.to_string(),
            NodeKind::TimerAt { text } => text.to_string(),
            NodeKind::Send { message, .. } => humanise(message),
            NodeKind::Receive { message, .. } => {
                let name = humanise(message);
                if name.ends_with(" received") { name } else { format!("{name} received") }
            }
            NodeKind::Merge | NodeKind::Fork | NodeKind::Join | NodeKind::Race => String::new(),
            _ => humanise(&self.id),
        }
    }

    /// Whether the journal knows this node by its id, as opposed to mere control flow.
    pub fn is_operation(&self) -> bool {
        self.kind.is_operation()
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
/// A step, child, subflow or block that ends with an error takes the [`FlowKind::Error`] flow of that variant, else the
/// one for all other errors, else [`FlowKind::Next`]: then the error is an ordinary value that the code looks at later.
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
    /// Out of a step, child, subflow or block, when it ends with an error.
    Error {
        /// The variant of the step's error type that this flow is for; empty for all that no other flow takes.
        variant: Text,
        /// What the author wrote above the arm; empty when nothing.
        label: Text,
    },
    /// Out of a receive with a deadline, when no message came in time.
    Timeout,
}
