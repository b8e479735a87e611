//! The drawings pass the gates, and the same graph always gives the same bytes.
//! What the marks mean is decided in `gates`.

use workflow_bpmn::Diagram;

use crate::{family, gates, samples};

#[test]
fn no_sample_has_faults() {
    let mut wrong = Vec::new();
    for (name, graph) in samples::all() {
        let diagram = Diagram::of(&graph);
        let report = gates::measure(&diagram);
        wrong.extend(report.faults().into_iter().map(|fault| format!("{name}: {fault}")));
        wrong.extend(report.crossings.iter().map(|pair| format!("{name}: crossing: {pair}")));
        println!("{name}: {}x{} bends {:.2}", diagram.width, diagram.height, report.bends_per_edge());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn generated_flows_have_no_faults() {
    let mut wrong = Vec::new();
    let (mut edges, mut crossings) = (0, 0);
    for seed in 0..300 {
        let report = gates::measure(&Diagram::of(&family::graph(seed)));
        wrong.extend(report.faults().into_iter().map(|fault| format!("seed {seed}: {fault}")));
        wrong.extend(report.crossings.iter().map(|pair| format!("seed {seed}: crossing: {pair}")));
        edges += report.edges;
        crossings += report.crossings.len();
    }
    println!("{edges} edges, {crossings} crossings");
    assert!(wrong.is_empty(), "{} \n{}", wrong.len(), wrong.join("\n"));
}
