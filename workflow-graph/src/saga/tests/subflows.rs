//! What a saga makes of the errors that come out of its subflows and blocks: whether they come at all, what has been
//! left behind by then, and where they lead.

use super::*;

/// Tells something, and may fail afterwards.
fn telling_too_early() -> Subgraph {
    let nodes = vec![start(), tell("tell"), look("look"), done(), failed("failed")];
    kept("early", flat(nodes, "started -> tell, tell -> look, look -> done, look !> failed"))
}

/// Calls that subflow and hands its errors on.
fn calling(name: &str, called: Node) -> Subgraph {
    let flows = format!("started -> {0}, {0} -> done, {0} !> failed", called.id);
    kept(name, flat(vec![start(), called, done(), failed("failed")], &flows))
}

/// A workflow that books, calls that subflow, and has done all that it does.
fn booking(called: Node) -> Graph {
    let flows =
        format!("started -> book, book -> {0}, book !> failed, {0} -> done, {0} !> failed", called.id);
    flat(vec![start(), book("book"), called, done(), failed("failed")], &flows)
}

#[test]
fn a_subflow_that_fails_after_an_effect_is_told_where_a_saga_calls_it() {
    let graph = booking(subflow("early", telling_too_early()));
    assert_eq!(found(&graph), [("early", KeptEffect, "early")]);
    let text = said(&graph, "early");
    assert!(text.starts_with("WF038: `early` may fail when `tell` has happened"), "{text}");
    assert!(text.contains("in `early`, call it once the outcome of that function is decided"), "{text}");
    // Also where its error is handled, and through subflows of any depth.
    let handled = "started -> book, book -> early, early -> done, early !> look, look -> done";
    let nodes = vec![start(), book("book"), subflow("early", telling_too_early()), look("look"), done()];
    assert_eq!(found(&flat(nodes, handled)), [("early", KeptEffect, "early")]);
    let outer = calling("outer", subflow("early", telling_too_early()));
    let graph = booking(subflow("outer", outer));
    assert_eq!(found(&graph), [("outer", KeptEffect, "outer")]);
    assert!(said(&graph, "outer").contains("in `early`, call it once"), "{}", said(&graph, "outer"));
}

#[test]
fn a_subflow_that_is_a_saga_answers_for_itself() {
    let nodes = vec![start(), tell("tell"), book("book_room"), done(), failed("failed")];
    let flows = "started -> tell, tell -> book_room, book_room -> done, book_room !> failed";
    let inner = flat(nodes, flows);
    assert_eq!(found(&inner), [("tell", KeptEffect, "tell")]);
    assert_eq!(found(&booking(subflow("inner", kept("inner", inner)))), []);
    // And where nothing is undone, nothing is half undone.
    let outer = calling("outer", subflow("early", telling_too_early()));
    assert_eq!(found(outer.get()), []);
    assert_eq!(found(&booking(subflow("late", sub("late", vec![look("look"), tell("tell")])))), []);
}

/// A subflow that can fail by its type, and does not.
fn never_failing(name: &str) -> Subgraph {
    kept(name, flat(vec![start(), look("look_up"), done()], "started -> look_up, look_up -> done"))
}

#[test]
fn a_subflow_without_a_way_to_a_failure_has_no_errors() {
    let flows = |called: &str| {
        format!(
            "started -> book, book -> pay, book !> no_room, pay -> {called}, pay !> declined, {called} -> done, \
             {called} !> failed"
        )
    };
    let with = |called: Node| {
        let flows = flows(&called.id);
        let ends = [done(), failed("no_room"), failed("declined"), failed("failed")];
        flat([start(), book("book"), pay("pay"), called].into_iter().chain(ends).collect(), &flows)
    };
    assert_eq!(found(&with(subflow("calm", never_failing("calm")))), []);
    assert_eq!(
        found(&with(subflow("wild", sub("wild", vec![look("look_up")])))),
        [("failed", FailsAfterPivot, "pay")]
    );
    // It counts what its own subflows can do.
    let calm = calling("outer", subflow("calm", never_failing("calm")));
    assert_eq!(found(&with(subflow("outer", calm))), []);
    let wild = calling("outer", subflow("wild", sub("wild", vec![look("look_up")])));
    assert_eq!(found(&with(subflow("outer", wild))), [("failed", FailsAfterPivot, "pay")]);
    // What stands behind an error that never comes is never done.
    let nodes = vec![start(), pay("pay"), subflow("calm", never_failing("calm")), book("book"), done()];
    let dead = "started -> pay, pay -> calm, calm -> done, calm !> book, book -> done";
    assert_eq!(found(&flat(nodes, dead)), []);
    let nodes = vec![start(), pay("pay"), subflow("ping", Subgraph::of(&PING)), done(), failed("failed")];
    let recursive = "started -> pay, pay -> ping, ping -> done, ping !> failed";
    assert_eq!(found(&flat(nodes, recursive)), []);
}

/// A block that calls `look`, behind a pivot; its error leads on as told.
fn block_behind_pivot(error: &str) -> Graph {
    let nodes = vec![
        (start(), ""),
        (pay("pay"), ""),
        (node("block", NodeKind::Block), ""),
        (node("inside", NodeKind::Start), "block"),
        (look("look"), "block"),
        (failed("look_failed"), "block"),
        (node("all_done", NodeKind::End(Outcome::Success)), "block"),
        (tell("sorry"), ""),
        (merge("merge"), ""),
        (done(), ""),
        (failed("failed"), ""),
    ];
    let flows = format!(
        "started -> pay, pay -> block, inside -> look, look -> all_done, look !> look_failed, block -> done, \
         block !> {error}, sorry -> merge, merge -> failed"
    );
    graph(nodes, &flows)
}

#[test]
fn what_ends_a_block_may_be_handled_behind_it() {
    assert_eq!(found(&block_behind_pivot("done")), []);
    // Where nobody looks at it, it is told where it comes from; else at the end of the function.
    assert_eq!(found(&block_behind_pivot("failed")), [("look_failed", FailsAfterPivot, "pay")]);
    assert_eq!(found(&block_behind_pivot("merge")), [("look_failed", FailsAfterPivot, "pay")]);
    assert_eq!(found(&block_behind_pivot("sorry")), [("failed", FailsAfterPivot, "pay")]);
}

#[test]
fn what_ends_a_block_beside_a_pivot_may_have_come_after_it() {
    let beside = |error: &str| {
        let mut graph = fork([pay("pay"), look("look")]);
        let (block, to) = (graph.index_of("block").unwrap(), graph.index_of(error).unwrap());
        let nodes = graph.nodes.to_mut();
        nodes.push(look("look_again"));
        let (again, end) = (nodes.len() - 1, nodes.len() - 2);
        let to = if error == "failed" { again } else { to };
        for flow in graph.flows.to_mut() {
            if flow.from == block && matches!(flow.kind, FlowKind::Error { .. }) {
                flow.to = to;
            }
        }
        graph.flows.to_mut().push(Flow::new(again, end, FlowKind::Next));
        graph
    };
    assert_eq!(found(&beside("done")), []);
    assert_eq!(found(&beside("failed")), [("failed", FailsAfterPivot, "pay")]);
}

#[test]
fn an_error_of_a_block_that_is_kept_as_a_value_goes_on() {
    let nodes = vec![
        (start(), ""),
        (book("book"), ""),
        (node("block", NodeKind::Block), ""),
        (node("inside", NodeKind::Start), "block"),
        (look("look"), "block"),
        (tell("sorry"), "block"),
        (failed("look_failed"), "block"),
        (node("all_done", NodeKind::End(Outcome::Success)), "block"),
        (merge("question"), ""),
        (done(), ""),
        (failed("failed"), ""),
    ];
    let inside = "started -> book, book -> block, inside -> look, look -> all_done, look !> sorry, \
                  sorry -> look_failed, question -> done, question -> failed";
    let kept = graph(nodes.clone(), &format!("{inside}, block -> question"));
    assert_eq!(found(&kept), [("sorry", KeptEffect, "sorry")]);
    let told = graph(nodes, &format!("{inside}, block -> question, block !> failed"));
    assert_eq!(found(&told), []);
}

#[test]
fn what_is_too_far_inside_to_be_looked_at_counts_as_everything() {
    let chain = |length: u32, last: Node| {
        let call = |called: Node, depth: u32| {
            let name = format!("part_{depth}");
            subflow(&name, sub(&name, vec![called]))
        };
        (0..length).fold(last, call)
    };
    for last in [pay("pay"), look("look")] {
        let nodes = vec![start(), chain(300, last), book("book"), done(), failed("failed")];
        let flows = "started -> part_299, part_299 -> book, part_299 !> failed, book -> done, book !> failed";
        let graph = flat(nodes, flows);
        assert!(found(&graph).contains(&("book", AfterPivot, "part_299")), "{:?}", found(&graph));
    }
    // Where all of it can be looked at, what only looks is nothing.
    let nodes = vec![start(), chain(100, look("look")), book("book"), done(), failed("failed")];
    let flows = "started -> part_99, part_99 -> book, part_99 !> failed, book -> done, book !> failed";
    assert_eq!(found(&flat(nodes, flows)), []);
}
