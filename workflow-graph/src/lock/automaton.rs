//! A workflow as an automaton: its own flow and those of its subflows in one list of states, reduced to what a journal
//! depends on. It is made of a graph, or of the text of a lock.

use super::names::Names;
use crate::reading::{is_same_graph, list_of, text_of};
use crate::{ChildFacts, Effect, Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts, Subgraph, Wire};

/// The most flows of subflows that are looked into; what is beyond them is not held against runs in flight.
const MOST_FLOWS: usize = 128;

/// A workflow with its subflows.
#[derive(Clone, Copy, Debug)]
pub struct Automaton<'a> {
    /// All states; the first is where the run begins.
    pub states: &'a [State<'a>],
    /// All moves, those out of one state together.
    pub moves: &'a [Move<'a>],
    /// The types of the arguments.
    pub takes: &'a str,
    /// Whether runs have a deadline: a timer that stands at the beginning of their journals.
    pub has_deadline: bool,
}

/// A node of a flow, as far as a journal depends on it.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// The id of the node.
    pub id: &'a str,
    /// What happens there.
    pub act: Act<'a>,
    /// Which flow it stands in: 0 for the workflow's own, then those of the subflows in the order they are met.
    pub flow: usize,
    /// Its position in that flow.
    pub node: usize,
    /// The block that it stands in.
    pub scope: Option<usize>,
    /// The first of the moves out of it.
    pub first: usize,
    /// How many moves lead out of it.
    pub count: usize,
    /// Where the block or subflow begins that this is.
    pub inner: Option<usize>,
    /// A fingerprint of the text that decides here; 0 when nothing is decided.
    pub guard: u64,
    /// Set when it happens once for each of many values.
    pub many: Option<Many<'a>>,
    /// The line of the source, or of the lock file.
    pub line: u32,
}

/// That an operation happens once for each of many values.
#[derive(Clone, Copy, Debug)]
pub struct Many<'a> {
    /// How many at a time.
    pub limit: &'a str,
    /// Whether the first error ends it.
    pub fails_fast: bool,
}

/// What happens at a state.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Nothing: it begins.
    Start,
    /// Nothing: ways come together.
    Merge,
    /// A step.
    Step(StepAct<'a>),
    /// A timer; how long it runs is recorded.
    Timer,
    /// A wait for a message.
    Receive {
        /// Its name.
        message: &'a str,
        /// Whether it has no deadline.
        is_forever: bool,
    },
    /// A message leaves.
    Send {
        /// Its name.
        message: &'a str,
    },
    /// A child workflow.
    Child {
        /// Its name.
        workflow: &'a str,
        /// Whether only its start is waited for.
        detached: bool,
        /// The type of its result.
        gives: &'a str,
        /// Its errors.
        errors: Names<'a>,
    },
    /// A subflow.
    Subflow {
        /// Its name.
        name: &'a str,
    },
    /// Branches that fail together.
    Block,
    /// Branches begin.
    Fork,
    /// Branches have arrived.
    Join,
    /// The first of several operations wins.
    Race,
    /// A decision.
    Decision,
    /// A version switch.
    Switch {
        /// The id of the change.
        patch: &'a str,
        /// Whether no unfinished run is from before the change.
        is_retired: bool,
    },
    /// What was done is undone on purpose.
    Undo,
    /// The flow ends.
    End(Outcome),
}

/// What a journal depends on at a step.
#[derive(Clone, Copy, Debug)]
pub struct StepAct<'a> {
    /// Its name.
    pub name: &'a str,
    /// The names that it had.
    pub was: Names<'a>,
    /// The types of the arguments that are recorded.
    pub takes: &'a str,
    /// The type of what is recorded as its answer.
    pub gives: &'a str,
    /// Its errors.
    pub errors: Names<'a>,
    /// Whether it is the point of no return.
    pub is_pivot: bool,
    /// How it is undone.
    pub undo: Option<UndoAct<'a>>,
}

/// What a journal depends on when a step is undone.
#[derive(Clone, Copy, Debug)]
pub struct UndoAct<'a> {
    /// The name of the step that undoes.
    pub name: &'a str,
    /// The names that it had.
    pub was: Names<'a>,
    /// The types of its arguments.
    pub takes: &'a str,
    /// Where its arguments come from.
    pub wiring: &'a [Wire],
}

/// A way out of a state.
#[derive(Clone, Copy, Debug)]
pub struct Move<'a> {
    /// The state that it leads to.
    pub to: usize,
    /// When it is taken.
    pub when: &'a FlowKind,
}

impl State<'_> {
    /// A place to be filled.
    pub const NONE: State<'static> = State {
        id: "",
        act: Act::Start,
        flow: 0,
        node: 0,
        scope: None,
        first: 0,
        count: 0,
        inner: None,
        guard: 0,
        many: None,
        line: 0,
    };
}

impl Move<'_> {
    /// A place to be filled.
    pub const NONE: Move<'static> = Move { to: 0, when: &FlowKind::Next };
}

impl State<'_> {
    /// Whether it stands in a subflow or a block: more may come after its end.
    pub const fn is_inside(&self) -> bool {
        self.flow > 0 || self.scope.is_some()
    }
}

impl Act<'_> {
    /// Whether nothing happens there.
    pub const fn is_passed(&self) -> bool {
        matches!(self, Act::Start | Act::Merge)
    }

    /// Whether the journal knows it by its id.
    pub const fn is_operation(&self) -> bool {
        matches!(
            self,
            Act::Step(_)
                | Act::Timer
                | Act::Receive { .. }
                | Act::Send { .. }
                | Act::Child { .. }
                | Act::Subflow { .. }
        )
    }
}

impl<'a> Automaton<'a> {
    /// The automaton of this graph, whose states and moves `flatten` has filled in.
    pub const fn of(graph: &'a Graph, states: &'a [State<'a>], moves: &'a [Move<'a>]) -> Automaton<'a> {
        let takes = text_of(&graph.signature.takes);
        Automaton { states, moves, takes, has_deadline: graph.deadline_ms.is_some() }
    }
}

/// How much room an automaton needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Of states.
    pub states: usize,
    /// Of moves.
    pub moves: usize,
}

impl Size {
    /// The room for the automaton of this graph and of all subflows in it.
    pub const fn of(graph: &Graph) -> Size {
        let flows = Flows::of(graph);
        let (mut states, mut moves, mut index) = (0, 0, 0);
        while index < flows.count {
            if let Some(graph) = flows.graphs[index] {
                states += list_of(&graph.nodes).len();
                moves += list_of(&graph.flows).len();
            }
            index += 1;
        }
        Size { states, moves }
    }
}

/// A graph and all subflows that are met in it, each once.
pub(super) struct Flows<'a> {
    pub(super) graphs: [Option<&'a Graph>; MOST_FLOWS],
    /// Where the states of each begin.
    pub(super) bases: [usize; MOST_FLOWS],
    pub(super) count: usize,
}

impl<'a> Flows<'a> {
    pub(super) const fn of(graph: &'a Graph) -> Flows<'a> {
        let mut flows = Flows { graphs: [None; MOST_FLOWS], bases: [0; MOST_FLOWS], count: 1 };
        flows.graphs[0] = Some(graph);
        let mut room = list_of(&graph.nodes).len();
        let mut flow = 0;
        while flow < flows.count {
            let Some(graph) = flows.graphs[flow] else { break };
            let nodes = list_of(&graph.nodes);
            let mut node = 0;
            while node < nodes.len() {
                if let Some(inner) = subgraph(&nodes[node])
                    && flows.position(inner).is_none()
                    && flows.count < MOST_FLOWS
                {
                    flows.graphs[flows.count] = Some(inner);
                    flows.bases[flows.count] = room;
                    flows.count += 1;
                    room += list_of(&inner.nodes).len();
                }
                node += 1;
            }
            flow += 1;
        }
        flows
    }

    /// Which of them it is: constants cannot compare addresses.
    pub(super) const fn position(&self, graph: &Graph) -> Option<usize> {
        let mut index = 0;
        while index < self.count {
            if let Some(known) = self.graphs[index]
                && list_of(&known.nodes).len() == list_of(&graph.nodes).len()
                && is_same_graph(known, graph)
            {
                return Some(index);
            }
            index += 1;
        }
        None
    }
}

const fn subgraph(node: &Node) -> Option<&'static Graph> {
    match &node.kind {
        NodeKind::Subflow(subflow) => subflow.graph.known(),
        _ => None,
    }
}

/// Fills in the states and moves of this graph and of all subflows in it.
pub(super) const fn flatten<'a>(graph: &'a Graph, states: &mut [State<'a>], moves: &mut [Move<'a>]) {
    let flows = Flows::of(graph);
    let (mut flow, mut filled) = (0, 0);
    while flow < flows.count {
        if let Some(graph) = flows.graphs[flow] {
            filled = flatten_flow(graph, flow, &flows, states, moves, filled);
        }
        flow += 1;
    }
}

const fn flatten_flow<'a>(
    graph: &'a Graph,
    flow: usize,
    all: &Flows<'a>,
    states: &mut [State<'a>],
    moves: &mut [Move<'a>],
    mut filled: usize,
) -> usize {
    let (nodes, flows, base) = (list_of(&graph.nodes), list_of(&graph.flows), all.bases[flow]);
    let is_sorted = is_sorted(flows);
    let (mut node, mut sorted) = (0, 0);
    while node < nodes.len() {
        let first = filled;
        let mut index = if is_sorted { sorted } else { 0 };
        while index < flows.len() && !(is_sorted && flows[index].from != node) {
            if flows[index].from == node {
                moves[filled] = Move { to: base + flows[index].to, when: &flows[index].kind };
                filled += 1;
            }
            index += 1;
        }
        sorted = index;
        let item = &nodes[node];
        let inner = match subgraph(item) {
            Some(inner) => match all.position(inner) {
                Some(position) => start(list_of(&inner.nodes), None, all.bases[position]),
                None => None,
            },
            None if matches!(item.kind, NodeKind::Block) => start(nodes, Some(node), base),
            None => None,
        };
        let many = match &item.instances {
            Some(many) => Some(Many { limit: text_of(&many.limit), fails_fast: many.fails_fast }),
            None => None,
        };
        states[base + node] = State {
            id: text_of(&item.id),
            act: act(item),
            flow,
            node,
            scope: match item.scope {
                Some(scope) => Some(base + scope),
                None => None,
            },
            first,
            count: filled - first,
            inner,
            guard: guard_of(item),
            many,
            line: item.line,
        };
        node += 1;
    }
    filled
}

/// The fingerprint of what decides there. What a call is given counts for a subflow alone: else it is recorded.
const fn guard_of(node: &Node) -> u64 {
    match node.kind {
        NodeKind::Step(_) | NodeKind::Child(_) if node.instances.is_none() => 0,
        _ => node.guard,
    }
}

/// Whether the flows are listed by where they leave, as the macro lists them.
const fn is_sorted(flows: &[Flow]) -> bool {
    let mut index = 1;
    while index < flows.len() {
        if flows[index].from < flows[index - 1].from {
            return false;
        }
        index += 1;
    }
    true
}

/// Where a block, or a flow, begins.
const fn start(nodes: &[Node], scope: Option<usize>, base: usize) -> Option<usize> {
    let mut node = 0;
    while node < nodes.len() {
        let is_there = match (nodes[node].scope, scope) {
            (None, None) => true,
            (Some(this), Some(that)) => this == that,
            _ => false,
        };
        if is_there && matches!(nodes[node].kind, NodeKind::Start) {
            return Some(base + node);
        }
        node += 1;
    }
    None
}

const fn act(node: &Node) -> Act<'_> {
    match &node.kind {
        NodeKind::Start => Act::Start,
        NodeKind::Merge => Act::Merge,
        NodeKind::Step(step) => Act::Step(step_act(step)),
        NodeKind::Timer(_) | NodeKind::TimerAt { .. } => Act::Timer,
        NodeKind::Receive { message, deadline } => {
            Act::Receive { message: text_of(message), is_forever: deadline.is_none() }
        }
        NodeKind::Send { message, .. } => Act::Send { message: text_of(message) },
        NodeKind::Child(child) => Act::Child {
            workflow: text_of(&child.workflow),
            detached: child.detached,
            gives: result_of(child),
            errors: Names::Errors(list_of(&child.errors)),
        },
        NodeKind::Subflow(subflow) => Act::Subflow { name: text_of(&subflow.name) },
        NodeKind::Block => Act::Block,
        NodeKind::Fork => Act::Fork,
        NodeKind::Join => Act::Join,
        NodeKind::Race => Act::Race,
        NodeKind::Decision { .. } => Act::Decision,
        NodeKind::VersionSwitch { patch } => Act::Switch { patch: text_of(patch), is_retired: false },
        NodeKind::Compensate => Act::Undo,
        NodeKind::End(outcome) => Act::End(*outcome),
    }
}

const fn step_act(step: &StepFacts) -> StepAct<'_> {
    let undo = match &step.compensation {
        Some(undo) => Some(UndoAct {
            name: text_of(&undo.step),
            was: Names::Texts(list_of(&undo.was)),
            takes: text_of(&undo.takes),
            wiring: list_of(&undo.wiring),
        }),
        None => None,
    };
    StepAct {
        name: text_of(&step.name),
        was: Names::Texts(list_of(&step.was)),
        takes: text_of(&step.signature.takes),
        gives: text_of(&step.signature.gives),
        errors: match step.effect {
            Effect::Retriable => Names::NONE, // Repeated until it succeeds: no error is its answer.
            _ => Names::Errors(list_of(&step.errors)),
        },
        is_pivot: matches!(step.effect, Effect::Pivot),
        undo,
    }
}

const fn result_of(child: &ChildFacts) -> &str {
    let graph: Subgraph = child.graph;
    match graph.known() {
        Some(graph) => text_of(&graph.signature.gives),
        None => "",
    }
}
