//! Journals that no graph with branches, races, blocks or repeated calls allows, and some that it does.
//! Graphs and journals are written by hand.

use workflow_core::{Command, Conclusion, Event, OpId, Payload, Record};
use workflow_graph::{ErrorFacts, Flow, FlowKind, Graph, Instances, Node, NodeKind, Outcome, StepFacts};

use crate::oracle::walk::Walker;

/// A graph of these nodes; the flows are pairs of ids.
fn walker(nodes: Vec<Node>, flows: &[(&str, &str)]) -> Walker {
    let graph = Graph { nodes: nodes.into(), ..Graph::named("sketch") };
    assert!(!flows.is_empty());
    let flows: Vec<Flow> = flows
        .iter()
        .map(|(from, to)| {
            let (from, kind) = match from.split_once(' ') {
                Some((from, variant)) => {
                    (from, FlowKind::Error { variant: variant.trim().to_owned().into(), label: "".into() })
                }
                None => (*from, FlowKind::Next),
            };
            Flow::new(graph.index_of(from).unwrap(), graph.index_of(to).unwrap(), kind)
        })
        .collect();
    let graph: &'static Graph = Box::leak(Box::new(Graph { flows: flows.into(), ..graph }));
    assert_eq!(graph.defects(), []);
    Walker::new(graph)
}

fn step(id: &str) -> Node {
    let errors = [ErrorFacts {
        variant: "No".into(),
        code: "No".into(),
        label: "No".into(),
        transient: false,
        wraps: &[],
    }];
    Node::new(id, NodeKind::Step(StepFacts { errors: errors.to_vec().into(), ..StepFacts::named(id) }))
}

fn plain(id: &str, kind: NodeKind) -> Node {
    Node::new(id, kind)
}

fn ends() -> [Node; 2] {
    [plain("started", NodeKind::Start), plain("done", NodeKind::End(Outcome::Success))]
}

/// `done a -> b c`: `a` is done, and the code asks for `b` and `c`. `fails` for an error, `start`, `end`.
fn journal(rows: &[&str]) -> Vec<Record> {
    let rows = rows.iter().map(|row| {
        let (event, asked) = row.split_once(" -> ").unwrap_or((row, ""));
        let (what, op) = event.split_once(' ').unwrap_or((event, ""));
        let op = OpId::from_text(op);
        let event = match what {
            "start" => Event::started(Payload::null()),
            "fails" => Event::StepCompleted { op, output: Payload::null(), error: Some("No".to_owned()) },
            _ => Event::StepCompleted { op, output: Payload::null(), error: None },
        };
        let commands = asked.split_whitespace().map(|op| match op {
            "end" => Command::Finish(Conclusion::Completed(Payload::null())),
            op => Command::StartStep {
                op: OpId::from_text(op),
                step: OpId::from_text(op).node().to_owned().into(),
                args: Payload::null(),
                attempt: 1,
                due_ms: 0,
                timeout_ms: None,
            },
        });
        Record::new(0, event, commands.collect())
    });
    rows.collect()
}

fn says(walker: &Walker, rows: &[&str]) -> String {
    let journal = journal(rows);
    let walked = walker.walk(&journal.iter().collect::<Vec<_>>());
    walked.map_or_else(|violation| violation.to_string(), |_| "fine".to_owned())
}

fn forked() -> Walker {
    let [start, end] = ends();
    let nodes = vec![
        start,
        plain("fork", NodeKind::Fork),
        step("a"),
        step("b"),
        step("c"),
        plain("join", NodeKind::Join),
        step("d"),
        end,
    ];
    let flows = [
        ("started", "fork"),
        ("fork", "a"),
        ("fork", "b"),
        ("a", "join"),
        ("b", "c"),
        ("c", "join"),
        ("join", "d"),
        ("d", "done"),
    ];
    walker(nodes, &flows)
}

#[test]
fn branches_come_in_any_order() {
    let walker = forked();
    let orders: [&[&str]; 3] = [
        &["start -> a b", "done a", "done b -> c", "done c -> d", "done d -> end"],
        &["start -> a b", "done b -> c", "done a", "done c -> d", "done d -> end"],
        &["start -> a b", "done b -> c", "done c", "done a -> d", "done d -> end"],
    ];
    for order in orders {
        assert_eq!(says(&walker, order), "fine");
    }
}

#[test]
fn what_comes_before_all_branches_have_joined_is_named() {
    let walker = forked();
    assert_eq!(
        says(&walker, &["start -> a b", "done b -> c", "done c -> d"]),
        "graph: after `c` the run came to `d`; the graph has no second way beside the open `a`"
    );
    assert_eq!(
        says(&walker, &["start -> a b", "done a -> d"]),
        "graph: after `a` the run came to `d`; the graph has no second way beside the open `b`"
    );
    assert_eq!(
        says(&walker, &["start -> a b", "done a -> end"]),
        "graph: after `a` the run ended with a result; the graph has no second way beside the open `b`"
    );
    assert_eq!(
        says(&walker, &["start -> a c"]),
        "graph: after `a` the run came to `c`; the graph leads from there to `b` only"
    );
}

#[test]
fn only_the_winner_of_a_race_goes_on() {
    let [start, end] = ends();
    let nodes = vec![
        start,
        plain("race", NodeKind::Race),
        step("a"),
        step("after_a"),
        step("b"),
        step("after_b"),
        plain("merge", NodeKind::Merge),
        end,
    ];
    let flows = [
        ("started", "race"),
        ("race", "a"),
        ("race", "b"),
        ("a", "after_a"),
        ("b", "after_b"),
        ("after_a", "merge"),
        ("after_b", "merge"),
        ("merge", "done"),
    ];
    let walker = walker(nodes, &flows);
    assert_eq!(
        says(&walker, &["start -> a b", "done a -> after_a", "done b", "done after_a -> end"]),
        "fine"
    );
    assert_eq!(says(&walker, &["start -> a b", "done b -> after_b", "done after_b -> end"]), "fine");
    let both = says(&walker, &["start -> a b", "done a -> after_a", "done b -> after_b"]);
    assert_eq!(
        both,
        "graph: after `b` the run came to `after_b`; the graph has no second way beside the open `after_a`"
    );
    let nobody = says(&walker, &["start -> a b after_a"]);
    assert_eq!(
        nobody,
        "graph: after `b` the run came to `after_a`; the graph has no second way beside the open `a`, `b`"
    );
}

#[test]
fn a_node_of_many_calls_is_left_when_all_are_done() {
    let many = |fails_fast: bool| {
        let [start, end] = ends();
        let mut call = step("a");
        call.instances = Some(Instances { limit: "2".into(), fails_fast });
        let mut nodes = vec![start, call, step("b"), end];
        let mut flows = vec![("started", "a"), ("a", "b"), ("b", "done")];
        if fails_fast {
            nodes.push(step("sorry"));
            flows.extend([("a  ", "sorry"), ("sorry", "done")]);
        }
        walker(nodes, &flows)
    };
    let all = many(false);
    let rows = ["start -> a[0] a[1]", "fails a[1] -> a[2]", "done a[0]", "done a[2] -> b", "done b -> end"];
    assert_eq!(says(&all, &rows), "fine");
    assert_eq!(says(&all, &["start -> b", "done b -> end"]), "fine", "there may be none at all");
    assert_eq!(
        says(&all, &["start -> a[0] a[1]", "done a[0] -> b"]),
        "graph: after `a[0]` the run came to `b`; the graph has no second way beside the open `a[1]`"
    );
    assert_eq!(
        says(&all, &["start -> a[0]", "done a[0] -> a#2[0]"]),
        "graph: after `a[0]` the run came to `a`; the graph leads from there to `b` only"
    );
    let first = many(true);
    assert_eq!(says(&first, &["start -> a[0] a[1]", "fails a[0]", "done a[1] -> sorry"]), "fine");
    assert_eq!(
        says(&first, &["start -> a[0]", "fails a[0] -> b"]),
        "graph: after `a[0]` -> No the run came to `b`; the graph leads from there to `sorry` only"
    );
}

#[test]
fn a_block_is_left_by_the_first_failure_in_it() {
    let [start, end] = ends();
    let in_block = |mut node: Node| {
        node.scope = Some(1);
        node
    };
    let nodes = vec![
        start,
        plain("block", NodeKind::Block),
        in_block(plain("block_started", NodeKind::Start)),
        in_block(plain("fork", NodeKind::Fork)),
        in_block(step("a")),
        in_block(step("b")),
        in_block(plain("join", NodeKind::Join)),
        in_block(plain("all", NodeKind::End(Outcome::Success))),
        in_block(plain("one_failed", NodeKind::End(Outcome::Failure))),
        step("c"),
        step("sorry"),
        end,
    ];
    let flows = [
        ("started", "block"),
        ("block", "c"),
        ("block  ", "sorry"),
        ("block_started", "fork"),
        ("fork", "a"),
        ("fork", "b"),
        ("a", "join"),
        ("a  ", "one_failed"),
        ("b", "join"),
        ("join", "all"),
        ("c", "done"),
        ("sorry", "done"),
    ];
    let walker = walker(nodes, &flows);
    assert_eq!(says(&walker, &["start -> a b", "done a", "done b -> c", "done c -> end"]), "fine");
    assert_eq!(says(&walker, &["start -> a b", "fails a", "done b -> sorry", "done sorry -> end"]), "fine");
    assert_eq!(
        says(&walker, &["start -> a b", "fails a", "done b -> c"]),
        "graph: after `b` the run came to `c`; the graph leads from there to `sorry` only"
    );
    // Of `b` no error is drawn: in a block it fails the block, or is a value.
    assert_eq!(says(&walker, &["start -> a b", "done a", "fails b -> sorry"]), "fine");
}
