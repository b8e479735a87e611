//! The order of sagas on graphs built by hand, one rule and one shape of control flow at a time.
//! A flow is written `a -> b`; `a !> b` is the way that `a` takes with an error.

use std::borrow::Cow;

use super::*;
use crate::{
    ChildFacts, CompensationFacts, ErrorFacts, FlowKind, Instances, Source, StepFacts, SubflowFacts,
    Subgraph, Thrown, Wire,
};

mod subflows;

const ROOM: usize = 64;

/// A graph of these nodes, each with the block it stands in, and flows between their ids.
fn graph(nodes: Vec<(Node, &str)>, flows: &str) -> Graph {
    let ids: Vec<String> = nodes.iter().map(|(node, _)| node.id.to_string()).collect();
    let place = |id: &str| ids.iter().position(|known| known == id.trim()).unwrap_or_else(|| panic!("{id}"));
    let nodes = nodes.iter().enumerate().map(|(index, (node, block))| Node {
        line: u32::try_from(index).unwrap(),
        scope: (!block.is_empty()).then(|| place(block)),
        ..node.clone()
    });
    let flows = flows.split(',').map(|flow| match flow.split_once("!>") {
        Some((from, to)) => {
            let kind = FlowKind::Error { variant: "".into(), label: "".into() };
            Flow::new(place(from), place(to), kind)
        }
        None => {
            let (from, to) = flow.split_once("->").unwrap_or_else(|| panic!("{flow}"));
            Flow::new(place(from), place(to), FlowKind::Next)
        }
    });
    Graph { nodes: nodes.collect(), flows: flows.collect(), ..Graph::named("trade") }
}

/// A graph without blocks.
fn flat(nodes: Vec<Node>, flows: &str) -> Graph {
    graph(nodes.into_iter().map(|node| (node, "")).collect(), flows)
}

/// What is found, by the ids of the nodes.
fn found(graph: &Graph) -> Vec<(&str, Disorder, &str)> {
    let order = SagaOrder::<ROOM>::of(graph);
    let found = graph.nodes.iter().enumerate().filter_map(|(index, node)| {
        let Finding { disorder, cause } = order.at(index)?;
        Some((&*node.id, disorder, &*graph.nodes[cause].id))
    });
    found.collect()
}

fn said(graph: &Graph, id: &str) -> String {
    let node = graph.index_of(id).unwrap();
    SagaOrder::<ROOM>::of(graph).notice(graph, node).text().to_owned()
}

fn step(id: &str, effect: Effect) -> Node {
    let undo = CompensationFacts {
        step: Cow::Owned(format!("undo_{id}")),
        label: Cow::Borrowed(""),
        wiring: Cow::Borrowed(&[Wire::Output]),
        retriable: true,
        task: crate::Task::Service,
        participant: "".into(),
        facts: None,
        takes: Cow::Borrowed(""),
        was: Cow::Borrowed(&[]),
    };
    let compensation = (effect == Effect::Compensatable).then_some(undo);
    Node::new(id, NodeKind::Step(StepFacts { effect, compensation, ..StepFacts::named(id) }))
}

fn look(id: &str) -> Node {
    step(id, Effect::ReadOnly)
}

fn book(id: &str) -> Node {
    step(id, Effect::Compensatable)
}

fn pay(id: &str) -> Node {
    step(id, Effect::Pivot)
}

fn tell(id: &str) -> Node {
    step(id, Effect::Retriable)
}

fn start() -> Node {
    Node::new("started", NodeKind::Start)
}

fn done() -> Node {
    Node::new("done", NodeKind::End(Outcome::Success))
}

fn failed(id: &str) -> Node {
    Node::new(id, NodeKind::End(Outcome::Failure))
}

fn node(id: &str, kind: NodeKind) -> Node {
    Node::new(id, kind)
}

fn merge(id: &str) -> Node {
    node(id, NodeKind::Merge)
}

fn subflow(id: &str, graph: Subgraph) -> Node {
    let facts =
        SubflowFacts { name: Cow::Owned(id.to_owned()), label: "".into(), errors: vec![].into(), graph };
    node(id, NodeKind::Subflow(facts))
}

fn child(id: &str, graph: Subgraph, detached: bool) -> Node {
    let workflow = Cow::Owned(id.to_owned());
    node(
        id,
        NodeKind::Child(ChildFacts { workflow, label: "".into(), detached, errors: vec![].into(), graph }),
    )
}

/// A graph that lives as long as a constant does.
fn kept(name: &str, graph: Graph) -> Subgraph {
    let graph = Graph { workflow: Cow::Owned(name.to_owned()), ..graph };
    Subgraph::of(Box::leak(Box::new(graph)))
}

/// A subflow that does these things one after the other and may fail at the first of them.
fn sub(name: &str, steps: Vec<Node>) -> Subgraph {
    let mut flows = format!("started -> {}", steps[0].id);
    for pair in steps.windows(2) {
        flows += &format!(", {} -> {}", pair[0].id, pair[1].id);
    }
    flows += &format!(", {} -> done, {} !> failed", steps[steps.len() - 1].id, steps[0].id);
    let nodes = [start()].into_iter().chain(steps).chain([done(), failed("failed")]);
    kept(name, flat(nodes.collect(), &flows))
}

use Disorder::{AfterPivot, BesidePivot, FailsAfterPivot, FailsBesidePivot, KeptEffect};

#[test]
fn a_saga_in_order_has_nothing_to_find() {
    let nodes = vec![
        start(),
        look("look"),
        book("book"),
        pay("pay"),
        look("look_again"),
        tell("tell"),
        done(),
        failed("failed"),
    ];
    let flows = "started -> look, look -> book, book -> pay, pay -> look_again, look_again -> tell, tell -> done, \
                 look !> failed, book !> failed, pay !> failed, look_again !> tell";
    assert_eq!(found(&flat(nodes, flows)), []);
}

#[test]
fn what_can_fail_or_would_have_to_be_undone_comes_before_the_pivot() {
    let nodes = vec![
        start(),
        pay("pay"),
        book("book"),
        pay("pay_twice"),
        step("ask", Effect::Undeclared),
        done(),
        failed("failed"),
    ];
    let flows = "started -> pay, pay -> book, book -> pay_twice, pay_twice -> ask, ask -> done, book !> failed, \
                 pay !> failed";
    let graph = flat(nodes, flows);
    // The error of `book` needs no second word; that of `pay` means that it has not happened.
    let expected =
        [("book", AfterPivot, "pay"), ("pay_twice", AfterPivot, "pay"), ("ask", AfterPivot, "pay_twice")];
    assert_eq!(found(&graph), expected);
    assert_eq!(
        said(&graph, "book"),
        "WF033: `book` comes after the pivot `pay` (line 1), when nothing is undone any more and nothing may fail; \
         call it before the pivot, or mark it `#[step(retriable)]`; see docs/errors/WF033.md"
    );
    assert!(said(&graph, "pay_twice").contains("second point of no return after the pivot `pay` (line 1)"));
}

#[test]
fn the_way_back_of_a_loop_counts() {
    let nodes =
        vec![start(), merge("repeat"), book("book"), pay("pay"), merge("more"), done(), failed("failed")];
    let flows = "started -> repeat, repeat -> book, book -> pay, pay -> more, more -> repeat, more -> done, \
                 book !> failed, pay !> failed";
    let graph = flat(nodes, flows);
    assert_eq!(found(&graph), [("book", AfterPivot, "pay"), ("pay", AfterPivot, "pay")]);
    assert!(said(&graph, "pay").contains("a loop leads back to it"), "{}", said(&graph, "pay"));
}

#[test]
fn what_fails_after_the_pivot_is_handled() {
    let nodes = vec![
        start(),
        pay("pay"),
        look("look"),
        look("look_again"),
        node("compensate", NodeKind::Compensate),
        done(),
        failed("failed"),
        failed("declined"),
    ];
    let flows = "started -> pay, pay !> declined, pay -> look, look !> look_again, look -> look_again, \
                 look_again !> failed, look_again -> compensate, compensate -> done";
    let graph = flat(nodes, flows);
    let expected = [("compensate", FailsAfterPivot, "pay"), ("failed", FailsAfterPivot, "pay")];
    assert_eq!(found(&graph), expected);
    assert_eq!(
        said(&graph, "failed"),
        "WF034: this can fail after the pivot `pay` (line 1), when nothing is undone any more; do what can fail \
         before the pivot, or handle the error here so that the run still succeeds; see docs/errors/WF034.md"
    );
}

#[test]
fn an_error_that_is_looked_at_later_is_one_that_nobody_knows() {
    let error = ErrorFacts {
        variant: "Declined".into(),
        code: "".into(),
        label: "".into(),
        transient: false,
        wraps: &[],
    };
    let NodeKind::Step(facts) = pay("pay").kind else { unreachable!("a pivot is a step") };
    let paying = node("pay", NodeKind::Step(StepFacts { errors: vec![error].into(), ..facts }));
    let nodes = vec![start(), paying, merge("decision"), done(), failed("failed")];
    let graph = flat(nodes, "started -> pay, pay -> decision, decision -> done, decision -> failed");
    assert_eq!(found(&graph), [("failed", FailsAfterPivot, "pay")]);
    assert!(said(&graph, "failed").contains("tell the error of `pay` apart where it is awaited"));
}

fn fork(branches: [Node; 2]) -> Graph {
    let [one, two] = branches;
    let (a, b) = (one.id.clone(), two.id.clone());
    let nodes = vec![
        (start(), ""),
        (node("block", NodeKind::Block), ""),
        (node("inside", NodeKind::Start), "block"),
        (node("fork", NodeKind::Fork), "block"),
        (one, "block"),
        (failed("one_failed"), "block"),
        (two, "block"),
        (failed("two_failed"), "block"),
        (node("join", NodeKind::Join), "block"),
        (node("all_done", NodeKind::End(Outcome::Success)), "block"),
        (done(), ""),
        (failed("failed"), ""),
    ];
    let flows = format!(
        "started -> block, block -> done, block !> failed, inside -> fork, fork -> {a}, fork -> {b}, \
         {a} -> join, {a} !> one_failed, {b} -> join, {b} !> two_failed, join -> all_done"
    );
    graph(nodes, &flows)
}

#[test]
fn a_pivot_in_one_branch_counts_for_its_siblings() {
    let graph = fork([pay("pay"), book("book")]);
    assert_eq!(found(&graph), [("book", BesidePivot, "pay")]);
    assert!(said(&graph, "book").starts_with("WF036: `book` runs beside the pivot `pay` (line 4)"));
    // A read-only step may stand there, but its error must not end the block.
    assert_eq!(found(&fork([look("look"), pay("pay")])), [("one_failed", FailsBesidePivot, "pay")]);
    assert_eq!(found(&fork([pay("pay"), pay("pay_too")])), [("pay_too", BesidePivot, "pay")]);
    // What is said beside a pivot is said too early: the pivot may fail.
    let expected = [("tell", KeptEffect, "tell"), ("two_failed", FailsBesidePivot, "pay")];
    assert_eq!(found(&fork([pay("pay"), tell("tell")])), expected);
    assert_eq!(found(&fork([book("book"), look("look")])), []);
}

#[test]
fn what_stands_inside_a_branch_counts_like_the_branch() {
    let inner = sub("shop", vec![pay("pay")]);
    let graph = fork([subflow("shop", inner), book("book")]);
    assert_eq!(found(&graph), [("book", BesidePivot, "shop")]);
    assert!(said(&graph, "book").contains("the pivot `pay` in `shop` (line 4)"), "{}", said(&graph, "book"));
    let nested = vec![
        start(),
        node("fork", NodeKind::Fork),
        node("fork_2", NodeKind::Fork),
        pay("pay"),
        look("look"),
        node("join", NodeKind::Join),
        book("early"),
        book("late"),
        node("join_2", NodeKind::Join),
        book("behind"),
        done(),
    ];
    let flows = "started -> fork, fork -> fork_2, fork_2 -> pay, fork_2 -> look, pay -> join, look -> join, \
                 join -> late, late -> join_2, fork -> early, early -> join_2, join_2 -> behind, behind -> done";
    let expected =
        [("early", BesidePivot, "pay"), ("late", AfterPivot, "pay"), ("behind", AfterPivot, "pay")];
    assert_eq!(found(&flat(nested, flows)), expected);
}

#[test]
fn a_pivot_for_each_of_many_values_stands_beside_itself() {
    let many = Some(Instances { limit: "".into(), fails_fast: true });
    let nodes = vec![start(), Node { instances: many, ..pay("pay") }, done(), failed("failed")];
    let graph = flat(nodes, "started -> pay, pay -> done, pay !> failed");
    assert_eq!(found(&graph), [("pay", BesidePivot, "pay")]);
    assert!(said(&graph, "pay").contains("for each of many values"));
}

#[test]
fn a_subflow_counts_with_all_that_it_calls() {
    let paying = sub("paying", vec![book("book"), pay("pay")]);
    let outer = sub("outer", vec![look("look"), subflow("paying", paying)]);
    let booking = sub("booking", vec![book("book_room")]);
    let looking = sub("looking", vec![look("look_up")]);
    let nodes = vec![
        start(),
        subflow("outer", outer),
        subflow("looking", looking),
        subflow("booking", booking),
        done(),
        failed("failed"),
    ];
    let flows = "started -> outer, outer !> failed, outer -> looking, looking -> booking, booking -> done";
    let graph = flat(nodes, flows);
    assert_eq!(found(&graph), [("booking", AfterPivot, "outer")]);
    let text = said(&graph, "booking");
    assert!(text.contains("after the pivot `pay` in `outer` (line 1)"), "{text}");
    assert!(text.contains("`book_room` in it is neither read-only nor retriable"), "{text}");
}

/// A constant graph, as the macro writes it.
const fn constant(name: &'static str, nodes: &'static [Node], flows: &'static [Flow]) -> Graph {
    Graph {
        workflow: Cow::Borrowed(name),
        version: 1,
        label: Cow::Borrowed(name),
        documentation: Cow::Borrowed(""),
        owner: Cow::Borrowed(""),
        trigger: crate::Trigger::None,
        deadline_ms: None,
        priority: 0,
        source: Source::UNKNOWN,
        nodes: Cow::Borrowed(nodes),
        flows: Cow::Borrowed(flows),
        messages: Cow::Borrowed(&[]),
        errors: Cow::Borrowed(&[]),
        allowances: Cow::Borrowed(&[]),
        signature: crate::Signature::UNKNOWN,
    }
}

const fn plain(id: &'static str, kind: NodeKind) -> Node {
    Node {
        id: Cow::Borrowed(id),
        kind,
        label: Cow::Borrowed(""),
        line: 0,
        scope: None,
        instances: None,
        guard: 0,
        thrown: Thrown::Arriving,
    }
}

const fn calls(name: &'static str, graph: &'static Graph) -> NodeKind {
    let (name, label) = (Cow::Borrowed(name), Cow::Borrowed(""));
    NodeKind::Subflow(SubflowFacts { name, label, errors: Cow::Borrowed(&[]), graph: Subgraph::of(graph) })
}

static IN_A_ROW: [Flow; 2] = [Flow::new(0, 1, FlowKind::Next), Flow::new(1, 2, FlowKind::Next)];
const END: NodeKind = NodeKind::End(Outcome::Success);
static PING: Graph = constant("ping", &PINGS, &IN_A_ROW);
static PINGS: [Node; 3] =
    [plain("started", NodeKind::Start), plain("pong", calls("pong", &PONG)), plain("done", END)];
static PONG: Graph = constant("pong", &PONGS, &IN_A_ROW);
static PONGS: [Node; 3] =
    [plain("started", NodeKind::Start), plain("ping", calls("ping", &PING)), plain("done", END)];
const ORDER: SagaOrder<3> = SagaOrder::of(&PING);

#[test]
fn subflows_that_call_each_other_are_looked_at_once() {
    assert_eq!(ORDER.at(1), None);
    let nodes = vec![start(), pay("pay"), subflow("ping", Subgraph::of(&PING)), done()];
    assert_eq!(found(&flat(nodes, "started -> pay, pay -> ping, ping -> done")), []);
    let endless = sub("endless", vec![look("look"), subflow("ping", Subgraph::of(&PING)), book("book")]);
    let nodes = vec![start(), pay("pay"), subflow("endless", endless), done()];
    let graph = flat(nodes, "started -> pay, pay -> endless, endless -> done");
    assert_eq!(found(&graph), [("endless", AfterPivot, "pay")]);
}

#[test]
fn an_effect_that_stays_waits_for_the_outcome() {
    let nodes =
        vec![start(), book("book"), tell("tell"), look("look"), tell("sorry"), done(), failed("failed")];
    let flows = "started -> book, book -> tell, tell -> look, look -> done, look !> sorry, sorry -> failed";
    let open = flat(nodes, flows);
    assert_eq!(found(&open), [("tell", KeptEffect, "tell")]);
    assert!(
        said(&open, "tell")
            .starts_with("WF038: `tell` is never undone and stays although this can still fail")
    );
    assert!(SagaOrder::<ROOM>::of(&open).refuses(2, false));
    assert!(!SagaOrder::<ROOM>::of(&open).refuses(2, true));
}

#[test]
fn an_effect_beside_what_can_fail_waits_too() {
    assert_eq!(found(&fork([tell("tell"), book("book")])), [("tell", KeptEffect, "tell")]);
    // Nothing here can be undone, so that it is no saga.
    assert_eq!(found(&fork([tell("tell"), look("look")])), []);
}

#[test]
fn a_child_and_a_subflow_keep_what_happens_inside() {
    let of_child = sub("shipping", vec![book("book_ship")]);
    let of_reader = sub("reading", vec![look("look_up")]);
    let telling = sub("telling", vec![look("see"), tell("tell")]);
    let apology = kept(
        "apology",
        flat(
            vec![start(), look("ask"), tell("sorry"), done(), failed("failed")],
            "started -> ask, ask -> done, ask !> sorry, sorry -> failed",
        ),
    );
    let nodes = vec![
        start(),
        book("book"),
        child("shipping", of_child, false),
        child("detached", of_child, true),
        child("reading", of_reader, false),
        subflow("telling", telling),
        subflow("apology", apology),
        look("look"),
        done(),
        failed("failed"),
    ];
    let flows = "started -> book, book -> shipping, shipping -> detached, detached -> reading, reading -> telling, \
                 telling -> apology, apology -> look, look -> done, look !> failed";
    let graph = flat(nodes, flows);
    let expected = [("shipping", KeptEffect, "shipping"), ("telling", KeptEffect, "telling")];
    assert_eq!(found(&graph), expected);
    assert!(said(&graph, "telling").contains("`telling` stays, with `tell` in it, although"));
}

#[test]
fn what_is_meant_to_stay_may() {
    let stays = StepFacts { effect: Effect::Retriable, ..StepFacts::named("tell") }.without_compensation();
    let nodes = vec![
        start(),
        book("book"),
        node("tell", NodeKind::Step(stays)),
        look("look"),
        done(),
        failed("failed"),
    ];
    let flows = "started -> book, book -> tell, tell -> look, look -> done, look !> failed";
    assert_eq!(found(&flat(nodes, flows)), []);
}

#[test]
fn a_compensation_that_nothing_can_lead_to_is_unused() {
    let write = |id: &str| {
        let NodeKind::Step(facts) = book(id).kind else { unreachable!("a booking is a step") };
        node(id, NodeKind::Step(StepFacts { transactional: true, ..facts }))
    };
    let unused = |graph: &Graph| {
        let order = SagaOrder::<ROOM>::of(graph);
        let unused = (0..graph.nodes.len()).filter(|&node| order.never_undoes(node));
        unused.map(|node| graph.nodes[node].id.to_string()).collect::<Vec<_>>()
    };
    let nodes = vec![start(), write("first"), write("last"), done(), failed("failed")];
    let flows = "started -> first, first -> last, first !> failed, last -> done, last !> failed";
    assert_eq!(unused(&flat(nodes, flows)), ["last"]);
    // A step that is no transaction may be cancelled while it is under way, and is undone then.
    let nodes = vec![start(), book("last"), done()];
    assert_eq!(unused(&flat(nodes, "started -> last, last -> done")), [""; 0]);
    assert_eq!(unused(&fork([write("left"), write("right")])), [""; 0]);
    let nodes =
        vec![start(), node("race", NodeKind::Race), write("this"), write("that"), merge("merge"), done()];
    let flows = "started -> race, race -> this, race -> that, this -> merge, that -> merge, merge -> done";
    assert_eq!(unused(&flat(nodes, flows)), [""; 0]);
    let nodes = vec![start(), merge("repeat"), write("again"), merge("more"), done()];
    let flows = "started -> repeat, repeat -> again, again -> more, more -> repeat, more -> done";
    assert_eq!(unused(&flat(nodes, flows)), [""; 0]);
}

#[test]
fn what_is_too_large_is_not_looked_at() {
    let nodes = vec![start(), pay("pay"), book("book"), done()];
    let graph = flat(nodes, "started -> pay, pay -> book, book -> done");
    assert!(SagaOrder::<4>::of(&graph).at(2).is_some());
    assert!(SagaOrder::<3>::of(&graph).at(2).is_none());
}
