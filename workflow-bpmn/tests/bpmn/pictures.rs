//! The drawings pass the gates, and the same graph always gives the same bytes.
//! How things are measured is decided in `gates`.

use workflow_bpmn::{Diagram, ShapeKind};
use workflow_graph::Graph;

use crate::{family, gates, samples};

/// How many generated flows are drawn.
const SEEDS: u64 = 300;
/// How many of those with branches, which are larger.
const PARALLEL_SEEDS: u64 = 150;

#[test]
fn no_sample_has_faults_or_crossings() {
    let mut wrong = Vec::new();
    for (name, graph) in samples::all() {
        let diagram = Diagram::of(&graph);
        let report = gates::measure(&diagram);
        let crossings = report.crossings.iter().map(|pair| format!("crossing: {pair}"));
        wrong
            .extend(report.faults().into_iter().chain(crossings).map(|finding| format!("{name}: {finding}")));
        if report.bends_per_edge() > 0.7 {
            wrong.push(format!("{name}: {:.2} bends per edge", report.bends_per_edge()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn generated_flows_have_no_faults_and_hardly_a_crossing() {
    // What crosses are ways that leave a loop from below the line that closes it.
    hold_to_gates((0..SEEDS).map(|seed| (seed, family::graph(seed))));
}

#[test]
fn generated_flows_with_branches_have_no_faults_and_hardly_a_crossing() {
    hold_to_gates((0..PARALLEL_SEEDS).map(|seed| (seed, family::parallel_graph(seed))));
}

/// The gates of the layout: 1 crossing in 20 lines, 0.7 bends for each line. Of a hundred drawings one may have more
/// crossings, and three more bends; none has twice as many crossings, or a third more bends.
fn hold_to_gates(graphs: impl Iterator<Item = (u64, Graph)>) {
    let (mut wrong, mut all) = (Vec::new(), gates::Report::default());
    let (mut drawings, mut planar, mut crossed, mut bent) = (0, 0, 0, 0);
    for (seed, graph) in graphs {
        let report = gates::measure(&Diagram::of(&graph));
        let (crossings, edges, bends) = (report.crossings.len(), report.edges, report.bends);
        wrong.extend(report.faults().into_iter().map(|fault| format!("seed {seed}: {fault}")));
        if crossings * 10 > edges || report.bends_per_edge() > 0.93 {
            wrong.push(format!("seed {seed}: {crossings} crossings and {bends} bends of {edges} edges"));
        }
        drawings += 1;
        planar += usize::from(crossings == 0);
        crossed += usize::from(crossings * 20 > edges);
        bent += usize::from(report.bends_per_edge() > 0.7);
        all.add(report);
    }
    let (crossings, edges) = (all.crossings.len(), all.edges);
    println!(
        "{drawings} drawings with {edges} edges: {crossings} crossings, {} bends; {planar} without crossings, \
         {crossed} with too many, {bent} with too many bends",
        all.bends
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(crossings * 150 <= edges, "{crossings} crossings of {edges} edges");
    assert!(planar * 100 >= drawings * 85, "only {planar} of {drawings} flows have no crossing");
    assert!(all.bends_per_edge() <= 0.6, "{:.2} bends per edge", all.bends_per_edge());
    assert!(crossed * 100 <= drawings, "{crossed} of {drawings} have more than 1 crossing in 20 lines");
    assert!(bent * 100 <= 3 * drawings, "{bent} of {drawings} have more than 0.7 bends per line");
}

#[test]
fn samples_of_usual_length_fit_a_page() {
    for (name, graph) in samples::all().into_iter().filter(|(_, graph)| (8..=25).contains(&graph.nodes.len()))
    {
        let diagram = Diagram::of(&graph);
        assert!(diagram.width <= 6 * diagram.height, "{name} is {} x {}", diagram.width, diagram.height);
    }
}

#[test]
fn the_happy_path_is_one_straight_line() {
    let diagram = Diagram::of(&samples::fulfil_order());
    let path =
        ["started", "reserve_goods", "retrieve_payment", "book_shipment", "confirm_order", "completed"];
    let middles: Vec<_> = path.iter().map(|id| diagram.shape(id).unwrap().bounds.center()).collect();
    assert!(middles.windows(2).all(|pair| pair[0].y == pair[1].y && pair[0].x < pair[1].x));
}

#[test]
fn what_goes_wrong_and_what_is_undone_lies_below() {
    let diagram = Diagram::of(&samples::fulfil_order());
    let line = diagram.shape("started").unwrap().bounds.center().y;
    for shape in &diagram.shapes {
        if shape.kind == ShapeKind::CompensationTask {
            let event = diagram.shape(&format!("{}_compensation", shape.node)).unwrap();
            assert!(shape.bounds.x > event.bounds.right(), "{} stands right of its event", shape.id);
        }
        if matches!(shape.kind, ShapeKind::CompensationTask | ShapeKind::CompensationEndEvent) {
            assert!(shape.bounds.y > line, "{}", shape.id);
        }
    }
}

#[test]
fn every_element_and_every_link_is_drawn_once() {
    for (name, graph) in samples::all() {
        let xml = workflow_bpmn::to_xml(&graph);
        let diagram = Diagram::of(&graph);
        let pages = || std::iter::once(&diagram).chain(diagram.details.iter().map(|detail| &detail.diagram));
        let (shapes, edges) = pages()
            .fold((0, 0), |(shapes, edges), page| (shapes + page.shapes.len(), edges + page.edges.len()));
        assert_eq!(xml.matches("<bpmndi:BPMNShape ").count(), shapes, "{name}");
        assert_eq!(xml.matches("<bpmndi:BPMNEdge ").count(), edges, "{name}");
        let flows = xml.matches("<bpmn:sequenceFlow ").count() + xml.matches("<bpmn:association ").count();
        assert_eq!(flows, edges, "{name}");
        for node in graph.nodes.iter() {
            // What is published at the end stands for the end, too.
            let is_said = xml.contains(&format!("<workflow:end id=\"{}\"/>", node.id));
            assert!(diagram.shape(&node.id).is_some() || is_said, "{name} lacks {}", node.id);
        }
    }
}

#[test]
fn the_same_graph_gives_the_same_bytes() {
    let draw = || {
        let graphs = samples::all().into_iter().map(|(_, graph)| graph).chain((0..50).map(family::graph));
        graphs.map(|graph| workflow_bpmn::to_xml(&graph) + &workflow_bpmn::to_svg(&graph)).collect::<Vec<_>>()
    };
    let elsewhere = std::thread::spawn(draw).join().unwrap();
    assert!(draw() == elsewhere);
}

#[test]
fn every_group_of_the_svg_can_be_found_by_its_node() {
    let svg = workflow_bpmn::to_svg(&samples::fulfil_order());
    assert!(svg.contains(r#"<g id="retrieve_payment_2" class="service-task retrieve_payment_2">"#));
    assert!(svg.contains(r#"<g id="reserve_goods_undo" class="compensation-task undo-tint reserve_goods">"#));
    assert!(
        svg.contains(r#"<g id="flow_started_to_reserve_goods" class="edge flow_started_to_reserve_goods">"#)
    );
}
