//! The drawing as data: shapes, edges and labels with their places, in whole pixels.
//! It knows neither how places are found nor how they are written.

/// A drawn workflow: what [`to_xml`](crate::to_xml) writes as diagram interchange and
/// [`to_svg`](crate::to_svg) paints. Use it to draw the same picture elsewhere, or to paint over it.
///
/// ```
/// use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts};
///
/// let graph = Graph {
///     nodes: vec![
///         Node::new("started", NodeKind::Start),
///         Node::new("charge_card", NodeKind::Step(StepFacts::named("charge_card"))),
///         Node::new("completed", NodeKind::End(Outcome::Success)),
///     ]
///     .into(),
///     flows: vec![Flow::new(0, 1, FlowKind::Next), Flow::new(1, 2, FlowKind::Next)].into(),
///     ..Graph::named("pay")
/// };
/// let diagram = workflow_bpmn::Diagram::of(&graph);
/// let task = diagram.shape("charge_card").unwrap();
/// assert_eq!((task.bounds.width, task.bounds.height), (100, 80));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagram {
    /// From the left border to the right one, margins included.
    pub width: i32,
    /// From the top border to the bottom one, margins included.
    pub height: i32,
    /// All shapes, in the order of the model; boundary events follow their host.
    pub shapes: Vec<Shape>,
    /// All edges, in the order of the model.
    pub edges: Vec<Edge>,
}

impl Diagram {
    /// The shape of the element with this id.
    pub fn shape(&self, id: &str) -> Option<&Shape> {
        self.shapes.iter().find(|shape| shape.id == id)
    }

    /// The edge with this id.
    pub fn edge(&self, id: &str) -> Option<&Edge> {
        self.edges.iter().find(|edge| edge.id == id)
    }
}

/// One flow node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shape {
    /// The id of its BPMN element.
    pub id: String,
    /// The id of the node in the graph that it belongs to: its own, or that of the step it is attached to.
    pub node: String,
    /// What it is drawn as.
    pub kind: ShapeKind,
    /// Where it stands.
    pub bounds: Rect,
    /// The whole name; a label may show a shortened one.
    pub name: String,
    /// What is written inside (tasks) or beside it (all others); `None` without a name.
    pub label: Option<Label>,
}

/// The symbols of BPMN that a workflow uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeKind {
    /// A thin circle.
    StartEvent,
    /// A bold circle.
    EndEvent,
    /// A bold circle with a filled rewind sign: completed steps are undone first.
    CompensationEndEvent,
    /// A rounded box with a gear.
    ServiceTask,
    /// A rounded box with a gear and the rewind marker.
    CompensationTask,
    /// A rounded box with an envelope.
    ReceiveTask,
    /// A double circle with an envelope.
    MessageCatchEvent,
    /// A double circle with a clock.
    TimerCatchEvent,
    /// A diamond with an X.
    ExclusiveGateway,
    /// A double circle with a bolt on the border of a task.
    ErrorBoundaryEvent,
    /// A double circle with a clock on the border of a task.
    TimerBoundaryEvent,
    /// A double circle with a rewind sign on the border of a task.
    CompensationBoundaryEvent,
}

impl ShapeKind {
    /// Whether it is a rounded box with its name inside.
    pub fn is_task(self) -> bool {
        matches!(self, ShapeKind::ServiceTask | ShapeKind::CompensationTask | ShapeKind::ReceiveTask)
    }

    /// Whether it sits on the border of a task.
    pub fn is_boundary_event(self) -> bool {
        matches!(
            self,
            ShapeKind::ErrorBoundaryEvent
                | ShapeKind::TimerBoundaryEvent
                | ShapeKind::CompensationBoundaryEvent
        )
    }

    /// Whether it belongs to undoing, and so carries the tint of it.
    pub fn is_undo(self) -> bool {
        matches!(self, ShapeKind::CompensationTask | ShapeKind::CompensationBoundaryEvent)
    }
}

/// One sequence flow or association.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The id of its BPMN element.
    pub id: String,
    /// The id of the shape where it leaves.
    pub from: String,
    /// The id of the shape where it arrives.
    pub to: String,
    /// What it is drawn as.
    pub kind: EdgeKind,
    /// The corners from the border of one shape to the border of the other; at least two, never diagonal.
    pub points: Vec<Point>,
    /// The whole name; a label may show a shortened one.
    pub name: String,
    /// The answer beside it; `None` without a name.
    pub label: Option<Label>,
}

/// The lines of BPMN that a workflow uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EdgeKind {
    /// A line with a filled arrow.
    SequenceFlow,
    /// The same with a slash at its beginning: taken when no other answer holds.
    DefaultFlow,
    /// A dotted line from a compensation event to its handler.
    Association,
}

/// Text with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The box that the lines fill.
    pub bounds: Rect,
    /// The text, wrapped, and cut with an ellipsis where it is too long.
    pub lines: Vec<String>,
}

/// A corner of a line, from the top left of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Pixels from the left border.
    pub x: i32,
    /// Pixels from the top border.
    pub y: i32,
}

/// A box, from the top left of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rect {
    /// Pixels from the left border of the drawing to its own.
    pub x: i32,
    /// Pixels from the top border of the drawing to its own.
    pub y: i32,
    /// Pixels from its left border to the right one.
    pub width: i32,
    /// Pixels from its top border to the bottom one.
    pub height: i32,
}

impl Rect {
    /// The x of its right border.
    pub fn right(&self) -> i32 {
        self.x + self.width
    }

    /// The y of its lower border.
    pub fn bottom(&self) -> i32 {
        self.y + self.height
    }

    /// The point in its middle.
    pub fn center(&self) -> Point {
        Point { x: self.x + self.width / 2, y: self.y + self.height / 2 }
    }
}
