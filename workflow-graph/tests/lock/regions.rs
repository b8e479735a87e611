//! Changes of what stands side by side or inside: branches, races, blocks, subflows.

use std::sync::OnceLock;

use workflow_graph::{Graph, Subgraph};

use crate::sketch::{breaks, fits, graph, known, with_subflow};

fn joins(branches: &[&str]) -> Graph {
    let ways = branches.join(", ");
    let steps: String = branches.iter().map(|branch| format!("{branch}: join\n")).collect();
    graph(&format!("fork fork: {ways}\n{steps}join join: after\nafter: done\ndone ok:"))
}

#[test]
fn branches_keep_their_number_and_order() {
    fits(&joins(&["a", "b"]), &joins(&["a", "b"]));
    breaks(&joins(&["a", "b"]), &joins(&["b", "a"]), &["`a`", "`b`"]);
    breaks(&joins(&["a", "b"]), &joins(&["a", "b", "c"]), &["2 branches", "now has 3"]);
    breaks(&joins(&["a", "b", "c"]), &joins(&["a", "b"]), &["3 branches"]);
}

#[test]
fn a_branch_is_not_appended_to() {
    let longer =
        graph("fork fork: a, b\na: more\nmore: join\nb: join\njoin join: after\nafter: done\ndone ok:");
    breaks(&joins(&["a", "b"]), &longer, &["come to their end", "`more`"]);
    breaks(&longer, &joins(&["a", "b"]), &["`more`", "come to their end"]);
    let in_line = graph("a: b\nb: after\nafter: done\ndone ok:");
    breaks(&joins(&["a", "b"]), &in_line, &["branches begin here"]);
}

fn races(arms: &[&str], kind: &str, end: &str) -> Graph {
    let ways = arms.join(", ");
    let steps: String = arms.iter().map(|arm| format!("{arm} {kind}: {end}\n")).collect();
    let after = if end == "after" { "after: done\n" } else { "" };
    graph(&format!("race race: {ways}\n{steps}{after}done ok:"))
}

#[test]
fn races_keep_their_number_and_order() {
    let old = races(&["a", "b"], "timer", "after");
    fits(&old, &races(&["a", "b"], "timer", "after"));
    breaks(&old, &races(&["b", "a"], "timer", "after"), &["`a`", "`b`"]);
    breaks(&old, &races(&["a", "b", "c"], "timer", "after"), &["2 branches"]);
}

#[test]
fn at_the_end_a_run_waits_for_what_lost() {
    fits(&races(&["a", "b"], "timer", "done"), &races(&["a", "b"], "timer", "after"));
    breaks(
        &races(&["a", "b"], "step", "done"),
        &races(&["a", "b"], "step", "after"),
        &["it ends here", "`after`"],
    );
}

fn tries(inside: &str, after: &str) -> Graph {
    graph(&format!(
        "block block: {after}, !=failed\nbegin@block start: fork\nfork@block fork: a, b\na@block: join, !=a_failed\n\
         {inside}join@block join: all\nall@block ok:\na_failed@block fail:\ndone ok:\nfailed fail:\nmore: done"
    ))
}

#[test]
fn blocks_are_looked_into() {
    let two = "b@block: join\n";
    // `more` needs a way that leads to it.
    let plain = |inside: &str| {
        graph(&format!(
            "block block: done, !=failed\nbegin@block start: fork\nfork@block fork: a, b\na@block: join, !=a_failed\n\
             {inside}join@block join: all\nall@block ok:\na_failed@block fail:\ndone ok:\nfailed fail:"
        ))
    };
    fits(&plain(two), &plain(two));
    fits(&plain(two), &tries(two, "more"));
    breaks(&plain(two), &plain("b@block: c\nc@block: join\n"), &["come to their end", "`c`"]);
}

/// A flow whose first node calls this subflow.
fn calls(subflow: Subgraph, after: &str) -> Graph {
    with_subflow(graph(&format!("deliver: {after}\n{after}: done\ndone ok:")), "deliver", subflow)
}

fn delivers(text: &str) -> Subgraph {
    known(Graph { workflow: "deliver".into(), ..graph(text) })
}

#[test]
fn subflows_are_looked_into_to_their_very_end() {
    let one = || delivers("ship: done\ndone ok:");
    let two = || delivers("ship: tell\ntell: done\ndone ok:");
    fits(&calls(one(), "thank"), &calls(one(), "thank"));
    breaks(&calls(one(), "thank"), &calls(two(), "thank"), &["it ends here", "`tell`"]);
    breaks(&calls(two(), "thank"), &calls(one(), "thank"), &["`tell`", "it ends here"]);
    let inline = graph("ship: thank\nthank: done\ndone ok:");
    breaks(&calls(one(), "thank"), &inline, &["the subflow `deliver`", "the step `ship`"]);
}

#[test]
fn a_subflow_that_contains_itself_is_looked_into_once() {
    fn tree(step: &str) -> Subgraph {
        static TREES: OnceLock<[Graph; 2]> = OnceLock::new();
        fn place(index: usize) -> &'static Graph {
            &TREES.get().unwrap()[index]
        }
        let _ = place;
        // Built twice: the inner one stands for any depth.
        let text = format!("{step}: deliver\ndeliver: done\ndone ok:");
        let inner = Graph { workflow: "deliver".into(), ..graph(&text) };
        let inner = known(with_subflow(inner, "deliver", known(Graph::named("nothing"))));
        known(Graph { workflow: "deliver".into(), ..with_subflow(graph(&text), "deliver", inner) })
    }
    fits(&calls(tree("ship"), "thank"), &calls(tree("ship"), "thank"));
    breaks(&calls(tree("ship"), "thank"), &calls(tree("bring"), "thank"), &["`ship`", "`bring`"]);
}
