//! The diagram interchange part of the file: one shape per element, one edge per link.
//! It copies places out of the drawing and computes none.

use crate::diagram::{Diagram, Edge, EdgeKind, Label, Rect, Shape, ShapeKind};
use crate::markup::Markup;
use crate::model::ids::Ids;
use crate::palette::{HUMAN_FILL, HUMAN_LINE, UNDO_FILL, UNDO_LINE};

/// Writes the picture of the process or collaboration, and one of each collapsed sub-process.
pub(super) fn write(markup: &mut Markup, main: &str, diagram: &Diagram, ids: &mut Ids) {
    write_page(markup, main, diagram, ids);
    for detail in &diagram.details {
        write_page(markup, &detail.id, &detail.diagram, ids);
    }
}

fn write_page(markup: &mut Markup, element: &str, diagram: &Diagram, ids: &mut Ids) {
    let diagram_id = ids.give(&format!("diagram_{element}"));
    markup.open("bpmndi:BPMNDiagram", &[("id", &diagram_id)]);
    let plane = ids.give(&format!("plane_{element}"));
    markup.open("bpmndi:BPMNPlane", &[("id", &plane), ("bpmnElement", element)]);
    for shape in &diagram.shapes {
        write_shape(markup, shape, ids);
    }
    for edge in &diagram.edges {
        write_edge(markup, edge, ids);
    }
    markup.close();
    markup.close();
}

fn write_shape(markup: &mut Markup, shape: &Shape, ids: &mut Ids) {
    let id = ids.give(&format!("shape_{}", shape.id));
    let mut attributes = vec![("id", id.as_str()), ("bpmnElement", &shape.id)];
    if shape.kind == ShapeKind::ExclusiveGateway {
        attributes.push(("isMarkerVisible", "true"));
    }
    match shape.kind {
        ShapeKind::Pool | ShapeKind::BlackBoxPool => attributes.push(("isHorizontal", "true")),
        ShapeKind::SubProcess | ShapeKind::EventSubProcess => attributes.push(("isExpanded", "true")),
        ShapeKind::CollapsedSubProcess => attributes.push(("isExpanded", "false")),
        _ => {}
    }
    if shape.kind.is_undo() {
        attributes.extend([("color:background-color", UNDO_FILL), ("color:border-color", UNDO_LINE)]);
    }
    if shape.kind.is_human() {
        attributes.extend([("color:background-color", HUMAN_FILL), ("color:border-color", HUMAN_LINE)]);
    }
    markup.open("bpmndi:BPMNShape", &attributes);
    write_bounds(markup, shape.bounds);
    // The name inside a box is placed by whoever draws it.
    let is_inside = shape.kind.is_task() || shape.kind.is_frame() || shape.kind.is_pool();
    if let Some(label) = shape.label.as_ref().filter(|_| !is_inside) {
        write_label(markup, label);
    }
    markup.close();
}

fn write_edge(markup: &mut Markup, edge: &Edge, ids: &mut Ids) {
    let id = ids.give(&format!("edge_{}", edge.id));
    let mut attributes = vec![("id", id.as_str()), ("bpmnElement", &edge.id)];
    if edge.kind == EdgeKind::Association {
        attributes.push(("color:border-color", UNDO_LINE));
    }
    markup.open("bpmndi:BPMNEdge", &attributes);
    for point in &edge.points {
        markup.empty("di:waypoint", &[("x", &point.x.to_string()), ("y", &point.y.to_string())]);
    }
    if let Some(label) = &edge.label {
        write_label(markup, label);
    }
    markup.close();
}

fn write_label(markup: &mut Markup, label: &Label) {
    markup.open("bpmndi:BPMNLabel", &[]);
    write_bounds(markup, label.bounds);
    markup.close();
}

fn write_bounds(markup: &mut Markup, bounds: Rect) {
    let (x, y) = (bounds.x.to_string(), bounds.y.to_string());
    let (width, height) = (bounds.width.to_string(), bounds.height.to_string());
    markup.empty("dc:Bounds", &[("x", &x), ("y", &y), ("width", &width), ("height", &height)]);
}
