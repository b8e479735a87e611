//! Where everything stands: chains, then columns, then rows, then lines.
//! It knows the model and plain geometry, never XML or colours.
//!
//! The flow is cut into **chains**, each a straight horizontal line of nodes: first the happy path, then every
//! way that leaves a chain, down to where it ends or comes back to a chain that is already there. A chain hangs
//! below the one it leaves. Columns are the longest path over "stands right of"; rows come from stacking the
//! chains like bricks, the one that leaves last closest, so that no line has to cross another.

mod chains;
mod columns;
mod detours;
mod forms;
mod maze;
mod routes;
mod rows;
mod sides;

use crate::diagram::{Diagram, Edge, EdgeKind, Label, Point, Rect, Shape, ShapeKind};
use crate::model::{ElementIndex, ElementKind, LinkKind, Process, Trigger};

/// Distance between the middles of a task and its handler, and usually of two rows.
const ROW: i32 = 140;
/// Free space around the whole drawing.
const MARGIN: i32 = 30;
/// Half the side of a boundary or other event.
const EVENT: i32 = 18;
/// Font size of what is written beside shapes.
pub(crate) const LABEL_FONT: i32 = 11;
/// Font size of what is written inside tasks.
pub(crate) const TASK_FONT: i32 = 12;
/// From one line of text to the next.
pub(crate) const LINE_HEIGHT: i32 = 14;

/// Lays out a process.
pub(crate) fn diagram(process: &Process) -> Diagram {
    let mut chains = chains::decompose(process);
    sides::choose(process, &mut chains);
    let forms = forms::measure(process, &chains);
    let columns = columns::solve(process, &chains, &forms);
    let rows = rows::stack(process, &chains, &forms, &columns);
    let routes = routes::draw(process, &chains, &forms, &columns, &rows);
    assemble(process, &chains, &forms, &columns, &rows, routes)
}

/// A box relative to something else, by its borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
}

impl Area {
    pub(super) fn around(x: i32, y: i32, half_width: i32, half_height: i32) -> Area {
        Area { left: x - half_width, right: x + half_width, top: y - half_height, bottom: y + half_height }
    }

    pub(super) fn moved(self, dx: i32, dy: i32) -> Area {
        Area { left: self.left + dx, right: self.right + dx, top: self.top + dy, bottom: self.bottom + dy }
    }

    pub(super) fn shares_columns(self, other: Area, gap: i32) -> bool {
        self.left < other.right + gap && other.left < self.right + gap
    }

    fn rect(self) -> Rect {
        Rect { x: self.left, y: self.top, width: self.right - self.left, height: self.bottom - self.top }
    }
}

/// Wrapped text and the box it fills, relative to something else.
#[derive(Clone, Debug)]
pub(super) struct Caption {
    pub(super) lines: Vec<String>,
    pub(super) area: Area,
}

impl Caption {
    fn label(&self, dx: i32, dy: i32) -> Label {
        Label { bounds: self.area.moved(dx, dy).rect(), lines: self.lines.clone() }
    }
}

fn assemble(
    process: &Process,
    chains: &chains::Chains,
    forms: &[forms::Form],
    columns: &columns::Columns,
    rows: &rows::Rows,
    routes: Vec<routes::Route>,
) -> Diagram {
    let mut placed: Vec<(ElementIndex, Area, Option<Label>)> = Vec::new();
    for (node, form) in forms.iter().enumerate() {
        let Some((chain, _)) = chains.place[node] else { continue };
        let (x, y) = (columns.x[node], rows.y[chain]);
        for part in form.parts(node) {
            let label = part.caption.map(|caption| caption.label(x, y));
            placed.push((part.element, part.area.moved(x, y), label));
        }
    }
    placed.sort_by_key(|(element, ..)| *element);
    let shapes = placed.into_iter().map(|(element, area, label)| {
        let of = &process.elements[element];
        let node = node_id(process, element);
        let (id, name, kind) = (of.id.clone(), of.name.clone(), shape_kind(&of.kind));
        Shape { id, node, kind, bounds: area.rect(), name, label }
    });
    let edges = routes.into_iter().zip(&process.links).map(|(route, link)| Edge {
        id: link.id.clone(),
        from: process.elements[link.from].id.clone(),
        to: process.elements[link.to].id.clone(),
        kind: match link.kind {
            LinkKind::Always | LinkKind::When(_) => EdgeKind::SequenceFlow,
            LinkKind::Default => EdgeKind::DefaultFlow,
            LinkKind::Association => EdgeKind::Association,
        },
        points: route.points,
        name: link.name.clone(),
        label: route.caption.map(|caption| caption.label(0, 0)),
    });
    let (shapes, edges) = (shapes.collect(), edges.collect());
    moved_to_origin(Diagram { width: 0, height: 0, shapes, edges })
}

/// The id of the graph's node: the main element of a node is the last one added before its boundary events
/// that is no join, and carries the node's own id.
fn node_id(process: &Process, element: ElementIndex) -> String {
    let node = process.elements[element].node;
    let is_main =
        |kind: &ElementKind| !matches!(kind, ElementKind::Boundary { .. } | ElementKind::CompensationHandler);
    let mut own = process.elements.iter().filter(|other| other.node == node && is_main(&other.kind));
    own.next_back().map(|main| main.id.clone()).unwrap_or_default()
}

fn shape_kind(kind: &ElementKind) -> ShapeKind {
    match kind {
        ElementKind::StartEvent => ShapeKind::StartEvent,
        ElementKind::EndEvent { compensates: true, .. } => ShapeKind::CompensationEndEvent,
        ElementKind::EndEvent { compensates: false, .. } => ShapeKind::EndEvent,
        ElementKind::ServiceTask => ShapeKind::ServiceTask,
        ElementKind::CompensationHandler => ShapeKind::CompensationTask,
        ElementKind::ReceiveTask { .. } => ShapeKind::ReceiveTask,
        ElementKind::MessageCatchEvent { .. } => ShapeKind::MessageCatchEvent,
        ElementKind::TimerCatchEvent { .. } => ShapeKind::TimerCatchEvent,
        ElementKind::ExclusiveGateway { .. } => ShapeKind::ExclusiveGateway,
        ElementKind::Boundary { trigger: Trigger::Compensation, .. } => ShapeKind::CompensationBoundaryEvent,
        ElementKind::Boundary { trigger: Trigger::Error { .. }, .. } => ShapeKind::ErrorBoundaryEvent,
        ElementKind::Boundary { trigger: Trigger::Timer { .. }, .. } => ShapeKind::TimerBoundaryEvent,
    }
}

fn moved_to_origin(mut diagram: Diagram) -> Diagram {
    let shapes = diagram.shapes.iter().map(|shape| shape.bounds);
    let labels = diagram.shapes.iter().filter_map(|shape| shape.label.as_ref());
    let labels = labels.chain(diagram.edges.iter().filter_map(|edge| edge.label.as_ref()));
    let corners = diagram.edges.iter().flat_map(|edge| &edge.points);
    let boxes: Vec<Rect> = shapes
        .chain(labels.map(|label| label.bounds))
        .chain(corners.map(|point| Rect { x: point.x, y: point.y, width: 0, height: 0 }))
        .collect();
    let dx = MARGIN - boxes.iter().map(|b| b.x).min().unwrap_or(0);
    let dy = MARGIN - boxes.iter().map(|b| b.y).min().unwrap_or(0);
    diagram.width = boxes.iter().map(Rect::right).max().unwrap_or(0) + dx + MARGIN;
    diagram.height = boxes.iter().map(Rect::bottom).max().unwrap_or(0) + dy + MARGIN;
    let moved = |rect: &mut Rect| {
        rect.x += dx;
        rect.y += dy;
    };
    diagram.shapes.iter_mut().for_each(|shape| moved(&mut shape.bounds));
    diagram
        .shapes
        .iter_mut()
        .filter_map(|shape| shape.label.as_mut())
        .for_each(|label| moved(&mut label.bounds));
    diagram
        .edges
        .iter_mut()
        .filter_map(|edge| edge.label.as_mut())
        .for_each(|label| moved(&mut label.bounds));
    let corners = diagram.edges.iter_mut().flat_map(|edge| &mut edge.points);
    corners.for_each(|point| *point = Point { x: point.x + dx, y: point.y + dy });
    diagram
}
