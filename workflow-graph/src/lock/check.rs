//! What the macro emits calls of: the code of today held against a locked version, while constants are evaluated.
//! One break is found at a time, with the node of the workflow's own flow at which it is told.

use super::automaton::{Act, Automaton, Move, Size, State, flatten};
use crate::reading::{is_same_text, text_of};

use super::report::notice;
use super::simulation::{first_break, room};
use crate::{Graph, Notice};

/// What a check has found.
#[derive(Clone, Copy)]
pub struct Found {
    /// The node at which it is told; `usize::MAX` when nothing was found.
    pub node: usize,
    /// What is told.
    pub notice: Notice,
}

/// How many words of memory [`check`] needs.
pub const fn check_room(locked: Automaton<'_>, graph: &Graph) -> usize {
    locked.states.len() * Size::of(graph).states / 64 + 1
}

/// Holds the code against its lock. `STATES` and `MOVES` are the [`Size`] of the graph, `ROOM` is [`check_room`].
/// Nothing is found while `mode`, the value of `WORKFLOW_LOCK`, says that locks are being written: otherwise nobody
/// could write one for code that does not fit the old one.
pub const fn check<const STATES: usize, const MOVES: usize, const ROOM: usize>(
    locked: Automaton<'static>,
    graph: &'static Graph,
    file: &str,
    mode: Option<&str>,
) -> Found {
    let nothing = Found { node: usize::MAX, notice: Notice::new("") };
    if let Some(mode) = mode
        && is_same_text(mode, super::files::WRITE)
    {
        return nothing;
    }
    let (mut states, mut moves) = ([State::NONE; STATES], [Move::NONE; MOVES]);
    flatten(graph, &mut states, &mut moves);
    let code = Automaton {
        states: &states,
        moves: &moves,
        takes: text_of(&graph.signature.takes),
        has_deadline: graph.deadline_ms.is_some(),
    };
    debug_room(room(locked, code), ROOM);
    match first_break(locked, code, &mut [0; ROOM], &mut [0; ROOM]) {
        Some(found) => Found { node: node_of(code, found.new), notice: notice(locked, code, found, file) },
        None => nothing,
    }
}

const fn debug_room(needed: usize, given: usize) {
    assert!(needed <= given, "the memory of the check is too small");
}

/// The node of the workflow's own flow that a state belongs to: in a subflow, the call that leads there.
const fn node_of(code: Automaton<'_>, mut state: usize) -> usize {
    let mut left = code.states.len();
    while code.states[state].flow > 0 && left > 0 {
        let flow = code.states[state].flow;
        left -= 1;
        let mut caller = 0;
        while caller < code.states.len() {
            if let (Act::Subflow { .. }, Some(inner)) = (code.states[caller].act, code.states[caller].inner)
                && code.states[inner].flow == flow
                && code.states[caller].flow < flow
            {
                state = caller;
                break;
            }
            caller += 1;
        }
    }
    code.states[state].node
}
