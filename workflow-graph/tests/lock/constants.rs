//! The check while constants are evaluated: a workflow of three hundred nodes costs the compiler next to nothing, or
//! the lint `long_running_const_eval` would refuse this file.

use std::borrow::Cow::Borrowed;

use workflow_graph::lock::{Act, Automaton, Found, Move, Names, Size, State, StepAct, check, check_room};
use workflow_graph::{
    Effect, Flow, FlowKind, Graph, Node, NodeKind, RetryPolicy, Signature, Source, StepFacts, Trigger,
};

const COUNT: usize = 300;
const DIGITS: &str = "charge_the_card_of_a_customer_000";
const IDS: [[u8; DIGITS.len()]; COUNT] = {
    let mut ids = [[0; DIGITS.len()]; COUNT];
    let mut id = 0;
    while id < COUNT {
        let mut byte = 0;
        while byte < DIGITS.len() {
            ids[id][byte] = DIGITS.as_bytes()[byte];
            byte += 1;
        }
        ids[id][DIGITS.len() - 3] += (id / 100) as u8;
        ids[id][DIGITS.len() - 2] += (id / 10 % 10) as u8;
        ids[id][DIGITS.len() - 1] += (id % 10) as u8;
        id += 1;
    }
    ids
};

const fn id(index: usize) -> &'static str {
    match std::str::from_utf8(&IDS[index]) {
        Ok(id) => id,
        Err(_) => "",
    }
}

const STEP: NodeKind = NodeKind::Step(StepFacts {
    name: Borrowed("charge"),
    was: Borrowed(&[]),
    label: Borrowed(""),
    documentation: Borrowed(""),
    signature: Signature::of("Order, Card", "Result<Payment>"),
    effect: Effect::ReadOnly,
    retry: RetryPolicy::DEFAULT,
    timeout_ms: None,
    heartbeat_ms: None,
    concurrency: None,
    rate: None,
    transactional: false,
    cancellable: false,
    kept: false,
    task: workflow_graph::Task::Service,
    participant: std::borrow::Cow::Borrowed(""),
    computed: workflow_graph::Computed::NOTHING,
    fallible: false,
    errors: Borrowed(&[]),
    compensation: None,
    source: Source::UNKNOWN,
});

const NODE: Node = Node {
    id: Borrowed(""),
    kind: STEP,
    label: Borrowed(""),
    line: 0,
    scope: None,
    guard: 0,
    instances: None,
    thrown: workflow_graph::Thrown::Arriving,
};

/// Steps in a row.
static NODES: [Node; COUNT] = {
    let mut nodes = [const { NODE }; COUNT];
    let mut node = 0;
    while node < COUNT {
        std::mem::forget(std::mem::replace(&mut nodes[node].id, Borrowed(id(node))));
        node += 1;
    }
    nodes
};

static FLOWS: [Flow; COUNT - 1] = {
    let mut flows = [const { Flow::new(0, 1, FlowKind::Next) }; COUNT - 1];
    let mut flow = 0;
    while flow < COUNT - 1 {
        (flows[flow].from, flows[flow].to) = (flow, flow + 1);
        flow += 1;
    }
    flows
};

static GRAPH: Graph = Graph {
    workflow: Borrowed("sell"),
    version: 1,
    label: Borrowed(""),
    documentation: Borrowed(""),
    owner: Borrowed(""),
    trigger: Trigger::None,
    deadline_ms: None,
    priority: 0,
    signature: Signature::of("", ""),
    source: Source::UNKNOWN,
    nodes: Borrowed(&NODES),
    flows: Borrowed(&FLOWS),
    messages: Borrowed(&[]),
    allowances: Borrowed(&[]),
    errors: Borrowed(&[]),
};

static MOVES: [Move<'static>; COUNT - 1] = {
    let mut moves = [Move::NONE; COUNT - 1];
    let mut index = 0;
    while index < COUNT - 1 {
        moves[index].to = index + 1;
        index += 1;
    }
    moves
};

/// What the lock says: the same, but for the name of one step.
const fn states(other: usize) -> [State<'static>; COUNT] {
    let mut states = [State::NONE; COUNT];
    let mut index = 0;
    while index < COUNT {
        states[index] = State {
            id: id(index),
            act: Act::Step(StepAct {
                name: if index == other { "other" } else { "charge" },
                was: Names::NONE,
                takes: "Order, Card",
                gives: "Result<Payment>",
                errors: Names::NONE,
                is_pivot: false,
                undo: None,
            }),
            node: index,
            first: index,
            count: if index == COUNT - 1 { 0 } else { 1 },
            line: index as u32 + 7,
            ..State::NONE
        };
        index += 1;
    }
    states
}

static SAME: [State<'static>; COUNT] = states(usize::MAX);
static OTHER: [State<'static>; COUNT] = states(COUNT - 1);

const fn locked(states: &'static [State<'static>]) -> Automaton<'static> {
    Automaton { states, moves: &MOVES, takes: "", has_deadline: false }
}

const SIZE: Size = Size::of(&GRAPH);
const ROOM: usize = check_room(locked(&SAME), &GRAPH);
const FITS: Found =
    check::<{ SIZE.states }, { SIZE.moves }, ROOM>(locked(&SAME), &GRAPH, "workflows/sell.lock", None);
const BREAKS: Found =
    check::<{ SIZE.states }, { SIZE.moves }, ROOM>(locked(&OTHER), &GRAPH, "workflows/sell.lock", None);
const WRITING: Found = check::<{ SIZE.states }, { SIZE.moves }, ROOM>(
    locked(&OTHER),
    &GRAPH,
    "workflows/sell.lock",
    Some("write"),
);

#[test]
fn three_hundred_nodes_are_checked_by_constants() {
    assert_eq!((FITS.node, WRITING.node), (usize::MAX, usize::MAX));
    assert_eq!(BREAKS.node, COUNT - 1);
    let text = BREAKS.notice.text();
    assert!(text.contains("workflows/sell.lock:306 says") && text.contains("`other`"), "{text}");
}
