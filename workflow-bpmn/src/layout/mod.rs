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
mod insides;
mod maze;
mod messages;
mod pools;
mod routes;
mod rows;
mod sides;

use workflow_graph::Task;

use insides::{Inside, Insides, Size};

use crate::diagram::{Diagram, Edge, EdgeKind, Label, Page, Rect, Shape, ShapeKind};
use crate::model::{
    Collaboration, Element, ElementIndex, ElementKind, Ending, LinkKind, Process, Scope, Start, Trigger,
};

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
pub(crate) fn diagram(process: &Process, among: Option<&Collaboration>) -> Diagram {
    let drawing = moved_to_origin(draw(&process.scope));
    match among {
        Some(among) => pools::around(process, among, drawing),
        None => drawing,
    }
}

/// Lays out a scope, its happy path at height 0.
fn draw(scope: &Scope) -> Diagram {
    let mut insides = Insides::new();
    let mut details = Vec::new();
    let mut apart = Vec::new();
    for (element, inside) in scope.insides() {
        let mut drawn = draw(inside);
        let further = std::mem::take(&mut drawn.details);
        let Element { id, name, kind, .. } = &scope.elements[element];
        if matches!(kind, ElementKind::EventSubProcess { .. }) {
            apart.push((element, Inside::of(drawn)));
        } else if matches!(kind, ElementKind::SubProcess { expanded: true, .. }) {
            insides.insert(element, Inside::of(drawn));
        } else {
            let (id, name) = (id.clone(), name.clone());
            details.push(Page { id, name, diagram: moved_to_origin(drawn) });
        }
        details.extend(further);
    }
    let mut chains = chains::decompose(scope);
    sides::choose(scope, &mut chains);
    let forms = forms::measure(scope, &chains, &insides);
    let columns = columns::solve(scope, &chains, &forms);
    let rows = rows::stack(scope, &chains, &forms, &columns);
    let routes = routes::draw(scope, &chains, &forms, &columns, &rows);
    let mut diagram = assemble(scope, &chains, &forms, &columns, &rows, routes);
    for (element, inside) in insides {
        let Some((chain, _)) = chains.place[element] else { continue };
        let placed = inside.placed(&scope.elements[element].id, columns.x[element], rows.y[chain]);
        diagram.shapes.extend(placed.shapes);
        diagram.edges.extend(placed.edges);
    }
    for (element, inside) in apart {
        place_apart(&mut diagram, &scope.elements[element], inside);
    }
    diagram.details = details;
    diagram
}

/// A frame that no flow leads to stands below everything else.
fn place_apart(diagram: &mut Diagram, element: &Element, inside: Inside) {
    let boxes = diagram.boxes();
    let left = boxes.iter().map(|b| b.x).min().unwrap_or(0);
    let bottom = boxes.iter().map(Rect::bottom).max().unwrap_or(0);
    let Size { width, top, bottom: below } = Size::around(element, &inside, false);
    let half_width = (width + 1) / 2;
    let (x, y) = (left + half_width, bottom + ROW / 3 + top);
    let area = Area { left: -half_width, right: half_width, top: -top, bottom: below };
    let label = insides::title(&element.name, half_width, top).map(|caption| caption.label(x, y));
    diagram.shapes.push(shape(element, area.moved(x, y), label));
    let placed = inside.placed(&element.id, x, y);
    diagram.shapes.extend(placed.shapes);
    diagram.edges.extend(placed.edges);
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
    scope: &Scope,
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
    let shapes =
        placed.into_iter().map(|(element, area, label)| shape(&scope.elements[element], area, label));
    let edges = routes.into_iter().zip(&scope.links).map(|(route, link)| Edge {
        id: link.id.clone(),
        from: scope.elements[link.from].id.clone(),
        to: scope.elements[link.to].id.clone(),
        kind: match link.kind {
            LinkKind::Always | LinkKind::When { .. } => EdgeKind::SequenceFlow,
            LinkKind::Default => EdgeKind::DefaultFlow,
            LinkKind::Association => EdgeKind::Association,
        },
        points: route.points,
        name: link.name.clone(),
        label: route.caption.map(|caption| caption.label(0, 0)),
    });
    let (shapes, edges) = (shapes.collect(), edges.collect());
    Diagram { width: 0, height: 0, shapes, edges, details: Vec::new() }
}

fn shape(element: &Element, area: Area, label: Option<Label>) -> Shape {
    let Element { id, name, node, kind, instances, .. } = element;
    Shape {
        id: id.clone(),
        node: node.clone(),
        parent: None,
        kind: shape_kind(kind),
        is_multiple: instances.is_some(),
        is_sequential: instances.as_ref().is_some_and(|many| many.in_turn),
        bounds: area.rect(),
        name: name.clone(),
        label,
    }
}

fn shape_kind(kind: &ElementKind) -> ShapeKind {
    match kind {
        ElementKind::StartEvent(Start::Plain) => ShapeKind::StartEvent,
        ElementKind::StartEvent(Start::Message { .. }) => ShapeKind::MessageStartEvent,
        ElementKind::StartEvent(Start::Timer { .. }) => ShapeKind::TimerStartEvent,
        ElementKind::StartEvent(Start::Error) => ShapeKind::ErrorStartEvent,
        ElementKind::EventSubProcess { .. } => ShapeKind::EventSubProcess,
        ElementKind::EndEvent { ending, .. } => match ending {
            Ending::Plain => ShapeKind::EndEvent,
            Ending::Message { .. } => ShapeKind::MessageEndEvent,
            Ending::Compensation => ShapeKind::CompensationEndEvent,
            Ending::Error { .. } => ShapeKind::ErrorEndEvent,
            Ending::Terminate => ShapeKind::TerminateEndEvent,
        },
        ElementKind::Task(Task::Service) => ShapeKind::ServiceTask,
        ElementKind::Task(Task::User) => ShapeKind::UserTask,
        ElementKind::Task(Task::BusinessRule) => ShapeKind::BusinessRuleTask,
        ElementKind::SendTask { .. } => ShapeKind::SendTask,
        ElementKind::CompensationHandler(Task::Service) => ShapeKind::CompensationTask,
        ElementKind::CompensationHandler(Task::User) => ShapeKind::CompensationUserTask,
        ElementKind::CompensationHandler(Task::BusinessRule) => ShapeKind::CompensationRuleTask,
        ElementKind::ReceiveTask { .. } => ShapeKind::ReceiveTask,
        ElementKind::CallActivity { .. } => ShapeKind::CallActivity,
        ElementKind::SubProcess { expanded: true, .. } => ShapeKind::SubProcess,
        ElementKind::SubProcess { expanded: false, .. } => ShapeKind::CollapsedSubProcess,
        ElementKind::MessageCatchEvent { .. } => ShapeKind::MessageCatchEvent,
        ElementKind::MessageThrowEvent { .. } => ShapeKind::MessageThrowEvent,
        ElementKind::TimerCatchEvent { .. } => ShapeKind::TimerCatchEvent,
        ElementKind::CompensationThrowEvent => ShapeKind::CompensationThrowEvent,
        ElementKind::ExclusiveGateway { .. } => ShapeKind::ExclusiveGateway,
        ElementKind::ParallelGateway { .. } => ShapeKind::ParallelGateway,
        ElementKind::EventGateway => ShapeKind::EventGateway,
        ElementKind::Boundary { trigger: Trigger::Compensation, .. } => ShapeKind::CompensationBoundaryEvent,
        ElementKind::Boundary { trigger: Trigger::Error { .. }, .. } => ShapeKind::ErrorBoundaryEvent,
        ElementKind::Boundary { trigger: Trigger::Timer { .. }, .. } => ShapeKind::TimerBoundaryEvent,
    }
}

fn moved_to_origin(mut diagram: Diagram) -> Diagram {
    let boxes = diagram.boxes();
    let dx = MARGIN - boxes.iter().map(|b| b.x).min().unwrap_or(0);
    let dy = MARGIN - boxes.iter().map(|b| b.y).min().unwrap_or(0);
    diagram.width = boxes.iter().map(Rect::right).max().unwrap_or(0) + dx + MARGIN;
    diagram.height = boxes.iter().map(Rect::bottom).max().unwrap_or(0) + dy + MARGIN;
    diagram.shift(dx, dy);
    diagram
}
