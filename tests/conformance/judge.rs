//! Compares a graph with a `.bpmn` file while a program runs, with the same functions that the compiler calls.
//! The reader is part of the macros, which can hand over nothing but macros; so its source is taken in here.

#[allow(dead_code, unreachable_pub)]
#[path = "../../workflow-macros/src/model/mod.rs"]
mod model;

use workflow_graph::Graph;
use workflow_graph::conform::{Comparison, Level};

/// What the file and the graph disagree about, each with the id of the node where it is told.
pub(crate) fn findings(graph: &'static Graph, file: &[u8], level: Level) -> Vec<String> {
    let names = [&*graph.workflow, &*graph.label];
    let wanted = model::Wanted { file: "model.bpmn", process: None, names: &names };
    let model = model::read(file, &wanted).unwrap_or_else(|why| panic!("{why}"));
    let comparison = Comparison::of(graph, &model, level, &[]);
    let told = comparison.findings().map(|(node, text)| match node {
        Some(node) => format!("{}: {text}", graph.nodes[node].id),
        None => text.to_owned(),
    });
    told.collect()
}

/// What is wrong with a file.
#[allow(dead_code, reason = "not every test reads files that are wrong")]
pub(crate) fn refusal(file: &[u8], process: Option<&str>, names: &[&str]) -> String {
    let wanted = model::Wanted { file: "model.bpmn", process, names };
    model::read(file, &wanted).err().unwrap_or_default()
}

/// The file that we export of a flow is where an analyst begins: it agrees in everything.
#[allow(dead_code, reason = "not every test exports")]
#[track_caller]
pub(crate) fn the_export_conforms(graph: &'static Graph) {
    let file = workflow_bpmn::to_xml(graph);
    let told = findings(graph, file.as_bytes(), Level::Strict);
    assert!(told.is_empty(), "{}: {told:#?}\n{graph}", graph.workflow);
}
