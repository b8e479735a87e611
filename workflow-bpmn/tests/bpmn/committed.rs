//! The files that are committed: examples, gallery and guide. Read back and measured like a fresh drawing.
//! It reads BPMN and SVG as any tool would, and knows nothing of the graphs that they were drawn from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};
use workflow_bpmn::{EdgeKind, Point, Rect, ShapeKind};

use crate::gates::{self, Drawing, Edge, Shape};

/// What an analyst drew is judged by nobody.
const MODEL: &str = "model.bpmn";

fn files(ending: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for folder in ["examples", "docs/gallery", "docs/pictures"] {
        collect(&root.join(folder), ending, &mut found);
    }
    found.retain(|path| !path.ends_with(MODEL));
    found.sort();
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

/// The drawings of a file, one for each of its pages.
fn drawings(document: &Document<'_>) -> Vec<Drawing> {
    let elements: BTreeMap<&str, Node<'_, '_>> = document
        .descendants()
        .filter(|node| node.tag_name().namespace().is_some_and(|space| space.ends_with("/MODEL")))
        .filter_map(|node| Some((node.attribute("id")?, node)))
        .collect();
    let planes =
        document.descendants().filter(|node| node.has_tag_name("BPMNPlane") || is(node, "BPMNPlane"));
    planes.map(|plane| drawing(plane, &elements)).collect()
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn drawing(plane: Node<'_, '_>, elements: &BTreeMap<&str, Node<'_, '_>>) -> Drawing {
    let (mut shapes, mut edges) = (Vec::new(), Vec::new());
    for drawn in plane.children().filter(Node::is_element) {
        let id = drawn.attribute("bpmnElement").unwrap();
        let element = elements[id];
        let label = drawn.children().find(|child| is(child, "BPMNLabel")).and_then(bounds);
        if is(&drawn, "BPMNShape") {
            let node = element.attribute("attachedToRef").unwrap_or(id).to_owned();
            let kind = shape_kind(element, drawn);
            // Of a name in a frame or a task the place is not in the file: every tool writes it where it likes.
            let bounds = bounds(drawn).unwrap();
            shapes.push(Shape { id: id.to_owned(), node, parent: None, kind, bounds, label });
        } else {
            let end = |name: &str| element.attribute(name).unwrap().to_owned();
            let number = |point: Node<'_, '_>, name: &str| point.attribute(name).unwrap().parse().unwrap();
            let corners = drawn.children().filter(|child| is(child, "waypoint"));
            let points = corners.map(|corner| Point { x: number(corner, "x"), y: number(corner, "y") });
            let kind = match element.tag_name().name() {
                "association" => EdgeKind::Association,
                "messageFlow" => EdgeKind::MessageFlow,
                _ => EdgeKind::SequenceFlow,
            };
            let (from, to, points) = (end("sourceRef"), end("targetRef"), points.collect());
            edges.push(Edge { id: id.to_owned(), from, to, kind, points, label });
        }
    }
    let frames: Vec<String> =
        shapes.iter().filter(|shape| shape.kind.is_frame()).map(|shape| shape.id.clone()).collect();
    let pools: BTreeMap<&str, &str> = shapes
        .iter()
        .filter_map(|shape| Some((elements[shape.id.as_str()].attribute("processRef")?, shape.id.as_str())))
        .collect();
    let parents: Vec<Option<String>> = shapes
        .iter()
        .map(|shape| {
            let around = elements[shape.id.as_str()].parent().and_then(|parent| parent.attribute("id"))?;
            let pool = pools.get(around).map(|pool| (*pool).to_owned());
            pool.or_else(|| frames.iter().find(|frame| *frame == around).cloned())
        })
        .collect();
    shapes.iter_mut().zip(parents).for_each(|(shape, parent)| shape.parent = parent);
    let right = shapes.iter().map(|shape| shape.bounds.right()).max().unwrap_or(0);
    let bottom = shapes.iter().map(|shape| shape.bounds.bottom()).max().unwrap_or(0);
    let lines = edges.iter().flat_map(|edge| &edge.points);
    let bottom = lines.map(|point| point.y).fold(bottom, i32::max);
    // Every drawing has that much room around it.
    Drawing { width: right + 100, height: bottom + 100, shapes, edges, pages: Vec::new() }
}

fn bounds(node: Node<'_, '_>) -> Option<Rect> {
    let bounds = node.children().find(|child| is(child, "Bounds"))?;
    let number = |name: &str| bounds.attribute(name).unwrap().parse().unwrap();
    Some(Rect { x: number("x"), y: number("y"), width: number("width"), height: number("height") })
}

fn shape_kind(element: Node<'_, '_>, drawn: Node<'_, '_>) -> ShapeKind {
    let holds = |name: &str| element.children().any(|child| is(&child, name));
    match element.tag_name().name() {
        "participant" if element.attribute("processRef").is_some() => ShapeKind::Pool,
        "participant" => ShapeKind::BlackBoxPool,
        "subProcess" if element.attribute("triggeredByEvent") == Some("true") => ShapeKind::EventSubProcess,
        "subProcess" if drawn.attribute("isExpanded") == Some("true") => ShapeKind::SubProcess,
        "subProcess" => ShapeKind::CollapsedSubProcess,
        "callActivity" => ShapeKind::CallActivity,
        "startEvent" => ShapeKind::StartEvent,
        "endEvent" => ShapeKind::EndEvent,
        "exclusiveGateway" => ShapeKind::ExclusiveGateway,
        "parallelGateway" => ShapeKind::ParallelGateway,
        "eventBasedGateway" => ShapeKind::EventGateway,
        "boundaryEvent" if holds("compensateEventDefinition") => ShapeKind::CompensationBoundaryEvent,
        "boundaryEvent" if holds("timerEventDefinition") => ShapeKind::TimerBoundaryEvent,
        "boundaryEvent" => ShapeKind::ErrorBoundaryEvent,
        "intermediateCatchEvent" => ShapeKind::MessageCatchEvent,
        "intermediateThrowEvent" => ShapeKind::MessageThrowEvent,
        task if task.ends_with("ask") => ShapeKind::ServiceTask,
        other => panic!("{other} is drawn, and this test does not know as what"),
    }
}

#[test]
fn no_committed_file_has_faults_and_hardly_a_crossing() {
    let files = files("bpmn");
    assert!(files.len() >= 7, "{files:?}");
    let mut wrong = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        let document = Document::parse(&text).unwrap();
        for drawing in drawings(&document) {
            assert!(drawing.shapes.len() > 2, "{} draws nothing", path.display());
            let report = gates::measured(&drawing);
            let (name, crossings) = (path.display(), report.crossings.len());
            wrong.extend(report.faults().into_iter().map(|fault| format!("{name}: {fault}")));
            if crossings * 20 > report.edges {
                wrong.push(format!(
                    "{name}: {crossings} crossings of {} edges: {:?}",
                    report.edges, report.crossings
                ));
            }
            if report.bends_per_edge() > 0.7 {
                wrong.push(format!("{name}: {:.2} bends per edge", report.bends_per_edge()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the group of this id stands in the picture where the file says it does.
fn stands_there(svg: &Document<'_>, shape: &Shape) -> bool {
    let group = svg.descendants().find(|node| node.attribute("id") == Some(&shape.id));
    let Some(body) = group.and_then(|group| {
        group.children().find(|child| {
            child.attribute("class").is_some_and(|class| class.split(' ').any(|class| class == "body"))
        })
    }) else {
        return false;
    };
    let number = |name: &str| body.attribute(name).and_then(|text| text.parse::<i32>().ok());
    let Rect { x, y, width, height } = shape.bounds;
    match body.tag_name().name() {
        "rect" => [x, y, width, height].map(Some) == ["x", "y", "width", "height"].map(number),
        "circle" => {
            let center = shape.bounds.center();
            [center.x, center.y, width / 2].map(Some) == ["cx", "cy", "r"].map(number)
        }
        // A diamond begins at its top, a pool at its corner.
        _ => body.attribute("d").is_some_and(|path| {
            path.starts_with(&format!("M{} {y} ", x + width / 2)) || path.starts_with(&format!("M{x} {y} "))
        }),
    }
}

#[test]
fn the_picture_beside_a_file_shows_the_same_shapes_at_the_same_places() {
    let mut count = 0;
    for path in files("bpmn") {
        let (file, picture) = (fs::read_to_string(&path).unwrap(), path.with_extension("svg"));
        let picture =
            fs::read_to_string(&picture).unwrap_or_else(|_| panic!("{} is missing", picture.display()));
        let (file, picture) = (Document::parse(&file).unwrap(), Document::parse(&picture).unwrap());
        for shape in drawings(&file).iter().flat_map(|drawing| &drawing.shapes) {
            assert!(stands_there(&picture, shape), "{} of {} stands elsewhere", shape.id, path.display());
            count += 1;
        }
    }
    assert!(count > 100, "{count} shapes");
}

#[test]
fn all_words_of_a_committed_picture_are_on_its_page() {
    let files = files("svg");
    assert!(files.len() >= 30, "{} pictures", files.len());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let svg = Document::parse(&text).unwrap();
        let number = |node: Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let (width, height) = (number(svg.root_element(), "width"), number(svg.root_element(), "height"));
        for words in svg.descendants().filter(|node| is(node, "text") && node.attribute("x").is_some()) {
            // What stands on another page of the picture, or on a sign, is moved as a whole.
            if words.ancestors().any(|around| around.attribute("transform").is_some()) {
                continue;
            }
            let (x, y) = (number(words, "x"), number(words, "y"));
            let half = words.text().unwrap_or_default().chars().count() as f64 * 3.0;
            let inside = x - half > 0.0 && x + half < width && y > 8.0 && y < height;
            assert!(inside, "{}: {:?} at {x}, {y}", path.display(), words.text());
        }
    }
}
