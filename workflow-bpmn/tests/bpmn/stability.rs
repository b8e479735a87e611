//! A change of one step moves as little of the drawing as possible: reviewers of a picture see what has changed.
//! It changes each sample at each of its steps; what is drawn at all is tested elsewhere.

use std::collections::BTreeMap;

use workflow_bpmn::{Diagram, Point, Rect};
use workflow_graph::{Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, StepFacts};

use crate::samples;

/// Where everything stands, pages of sub-processes included.
fn places(diagram: &Diagram, page: &str, found: &mut BTreeMap<String, Rect>) {
    for shape in &diagram.shapes {
        found.insert(format!("{page}/{}", shape.id), shape.bounds);
    }
    for detail in &diagram.details {
        places(&detail.diagram, &detail.id, found);
    }
}

fn places_of(graph: &Graph) -> BTreeMap<String, Rect> {
    let mut found = BTreeMap::new();
    places(&Diagram::of(graph), "", &mut found);
    found
}

/// Of what is drawn in both: how many there are, and how many of them have not stayed, once as they stand and once
/// beside what was most often the way that all of them have gone together.
#[derive(Debug, Default)]
struct Moved {
    shapes: usize,
    at_all: usize,
    to_other_rows: usize,
}

fn moved(before: &Graph, after: &Graph) -> Moved {
    let (before, after) = (places_of(before), places_of(after));
    let mut moved = Moved::default();
    for (id, old) in &before {
        let Some(new) = after.get(id) else { continue };
        let by = |from: Point, to: Point| (to.x - from.x, to.y - from.y);
        let (dx, dy) = by(old.center(), new.center());
        moved.shapes += 1;
        moved.at_all += usize::from((dx, dy) != (0, 0));
        moved.to_other_rows += usize::from(dy != 0);
    }
    moved
}

fn is_plain_step(graph: &Graph, node: NodeIndex) -> bool {
    let ways = graph.outgoing(node).collect::<Vec<_>>();
    let is_next = |flow: &&Flow| flow.kind == FlowKind::Next;
    let NodeKind::Step(step) = &graph.nodes[node].kind else { return false };
    let is_raced = graph.incoming(node).any(|flow| graph.nodes[flow.from].kind == NodeKind::Race);
    ways.len() == 1 && ways.iter().all(is_next) && step.compensation.is_none() && !is_raced
}

fn renamed(graph: &Graph, node: NodeIndex) -> Graph {
    let mut nodes = graph.nodes.to_vec();
    nodes[node].label = "Do something else".into();
    Graph { nodes: nodes.into(), ..graph.clone() }
}

/// One step more, behind this one.
fn with_one_more(graph: &Graph, node: NodeIndex) -> Graph {
    let (mut nodes, mut flows) = (graph.nodes.to_vec(), graph.flows.to_vec());
    let new = nodes.len();
    let kind = NodeKind::Step(StepFacts::named("one_more"));
    nodes.push(Node { scope: nodes[node].scope, ..Node::new("one_more", kind) });
    let way = flows.iter().position(|flow| flow.from == node).unwrap();
    let to = std::mem::replace(&mut flows[way].to, new);
    flows.insert(way + 1, Flow::new(new, to, FlowKind::Next));
    Graph { nodes: nodes.into(), flows: flows.into(), ..graph.clone() }
}

fn without(graph: &Graph, node: NodeIndex) -> Option<Graph> {
    let next = graph.outgoing(node).next()?.to;
    // Two answers would lead to one place.
    if graph.incoming(node).count() != 1 || graph.incoming(next).count() != 1 {
        return None;
    }
    let later = |index: NodeIndex| if index > node { index - 1 } else { index };
    let (mut nodes, mut flows) = (graph.nodes.to_vec(), graph.flows.to_vec());
    flows.retain(|flow| flow.from != node);
    for flow in &mut flows {
        let to = if flow.to == node { next } else { flow.to };
        (flow.from, flow.to) = (later(flow.from), later(to));
    }
    nodes.remove(node);
    nodes.iter_mut().for_each(|node| node.scope = node.scope.map(later));
    let graph = Graph { nodes: nodes.into(), flows: flows.into(), ..graph.clone() };
    graph.defects().is_empty().then_some(graph)
}

fn steps(graph: &Graph) -> impl Iterator<Item = NodeIndex> {
    (0..graph.nodes.len()).filter(|&node| is_plain_step(graph, node))
}

#[test]
fn a_step_that_is_renamed_moves_nothing() {
    let mut count = 0;
    // A name that is too long for a box makes a larger one.
    for (name, graph) in samples::all().into_iter().filter(|(name, _)| *name != "hostile_names") {
        for node in steps(&graph) {
            let moved = moved(&graph, &renamed(&graph, node));
            assert_eq!(moved.at_all, 0, "{name}: {} was renamed", graph.nodes[node].id);
            count += 1;
        }
    }
    assert!(count > 100, "{count} steps");
}

#[test]
fn a_step_more_or_less_moves_what_follows_to_the_side_and_leaves_the_rows() {
    let (mut shapes, mut rows, mut count) = (0, 0, 0);
    let mut worst = Vec::new();
    for (name, graph) in samples::all() {
        for node in steps(&graph) {
            let changed = [Some(with_one_more(&graph, node)), without(&graph, node)];
            for (what, changed) in ["more", "less"].iter().zip(changed) {
                let Some(changed) = changed else { continue };
                let moved = moved(&graph, &changed);
                (shapes, rows, count) = (shapes + moved.shapes, rows + moved.to_other_rows, count + 1);
                worst.push((
                    moved.to_other_rows * 100 / moved.shapes.max(1),
                    *what,
                    name,
                    graph.nodes[node].id.clone(),
                ));
            }
        }
    }
    worst.sort();
    println!(
        "{count} changes, {rows} of {shapes} shapes in other rows; worst {:?}",
        &worst[worst.len() - 12..]
    );
    assert!(count > 150, "{count} changes");
    assert!(rows * 20 <= shapes, "{rows} of {shapes} shapes are in other rows");
}

#[test]
fn what_stands_before_a_step_stays_where_it_is() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, graph) in samples::all() {
        let before = places_of(&graph);
        for node in steps(&graph) {
            let after = places_of(&with_one_more(&graph, node));
            let at = before[&format!("/{}", graph.nodes[node].id)];
            for (id, old) in before.iter().filter(|(_, old)| old.right() < at.x) {
                let new = after[id];
                count += 1;
                if new.x != old.x {
                    wrong.push(format!(
                        "{name}: {id} moves by {} behind {}",
                        new.x - old.x,
                        graph.nodes[node].id
                    ));
                }
            }
        }
    }
    // Events on one border change places when what lies behind one of them gets longer than what lies behind another.
    assert!(count > 1_000 && wrong.len() * 500 <= count, "of {count} shapes:\n{}", wrong.join("\n"));
}
