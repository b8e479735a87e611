//! The lock: what the code of a workflow looked like when runs began that are in flight, and whether the code of today
//! can go on with them (WF050). It knows graphs and the text of lock files; who reads, writes and reports is elsewhere.
//!
//! Both sides are seen as automata. A change is compatible when the new automaton can follow the old one through every
//! journal that the old code could have written so far: the same operations, under the same ids, in the same order,
//! after the same events. All of it runs while the compiler evaluates constants, and at run time alike.

mod automaton;
mod check;
pub mod files;
mod names;
mod report;
mod simulation;
mod text;

pub use automaton::{Act, Automaton, Many, Move, Size, State, StepAct, UndoAct};
pub use check::{Found, check, check_room};
pub use names::Names;
pub use report::notice;
pub use simulation::{Break, Why, first_break, room};
pub use text::{FORMAT, Line, Lock, Parts, Section, Version, VersionState};

use crate::Graph;

/// Why the new code cannot go on with runs of the old code: the first place where it would do something else than a
/// journal says; `None` when it can.
///
/// ```
/// use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts, lock};
///
/// let flow = |steps: &[&str]| {
///     let mut nodes = vec![Node::new("started", NodeKind::Start)];
///     nodes.extend(steps.iter().map(|step| Node::new(step, NodeKind::Step(StepFacts::named(step)))));
///     nodes.push(Node::new("completed", NodeKind::End(Outcome::Success)));
///     let flows = (1..nodes.len()).map(|to| Flow::new(to - 1, to, FlowKind::Next)).collect::<Vec<_>>();
///     Graph { nodes: nodes.into(), flows: flows.into(), ..Graph::named("sell") }
/// };
/// assert_eq!(lock::incompatibility(&flow(&["charge"]), &flow(&["charge", "ship"])), None);
/// let why = lock::incompatibility(&flow(&["charge", "ship"]), &flow(&["ship", "charge"])).unwrap();
/// assert!(why.contains("`charge`"), "{why}");
/// ```
pub fn incompatibility(old: &Graph, new: &Graph) -> Option<String> {
    let (old, new) = (Owned::of(old), Owned::of(new));
    let (old, new) = (old.automaton(), new.automaton());
    find_break(old, new).map(|found| notice(old, new, found, "").text().to_owned())
}

/// The first place where the new automaton cannot follow the old one; [`first_break`] for run time.
pub fn find_break(old: Automaton<'_>, new: Automaton<'_>) -> Option<Break> {
    let room = room(old, new);
    first_break(old, new, &mut vec![0; room], &mut vec![0; room])
}

/// What cannot be read in a lock file, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockError {
    /// The line, from 1 on; 0 when it is about no line.
    pub line: u32,
    /// What is wrong, and what to do.
    pub text: String,
}

impl std::fmt::Display for LockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.text)
    }
}

impl std::error::Error for LockError {}

/// The automaton of a graph, for use at run time.
pub struct Owned<'a> {
    states: Vec<State<'a>>,
    moves: Vec<Move<'a>>,
    graph: &'a Graph,
}

impl<'a> Owned<'a> {
    /// The automaton of this graph and of all subflows in it.
    pub fn of(graph: &'a Graph) -> Owned<'a> {
        let size = Size::of(graph);
        let (mut states, mut moves) = (vec![State::NONE; size.states], vec![Move::NONE; size.moves]);
        automaton::flatten(graph, &mut states, &mut moves);
        Owned { states, moves, graph }
    }

    /// The automaton.
    pub fn automaton(&self) -> Automaton<'_> {
        Automaton::of(self.graph, &self.states, &self.moves)
    }
}
