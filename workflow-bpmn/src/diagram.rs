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
    /// All shapes, in the order of the model; what stands in a sub-process comes after it.
    pub shapes: Vec<Shape>,
    /// All edges, in the order of the model.
    pub edges: Vec<Edge>,
    /// The insides of collapsed sub-processes, at whatever depth they stand.
    pub details: Vec<Page>,
}

/// The inside of a collapsed sub-process, on a page of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The id of the collapsed sub-process.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its inside; this one has no details, they all stand in the diagram of the workflow.
    pub diagram: Diagram,
}

impl Diagram {
    /// The shape of the element with this id; not those in [`details`](Diagram::details).
    pub fn shape(&self, id: &str) -> Option<&Shape> {
        self.shapes.iter().find(|shape| shape.id == id)
    }

    /// Everything that takes up room.
    pub(crate) fn boxes(&self) -> Vec<Rect> {
        let shapes = self.shapes.iter().map(|shape| shape.bounds);
        let labels = self.shapes.iter().filter_map(|shape| shape.label.as_ref());
        let labels = labels.chain(self.edges.iter().filter_map(|edge| edge.label.as_ref()));
        let corners = self.edges.iter().flat_map(|edge| &edge.points);
        shapes
            .chain(labels.map(|label| label.bounds))
            .chain(corners.map(|point| Rect { x: point.x, y: point.y, width: 0, height: 0 }))
            .collect()
    }

    pub(crate) fn shift(&mut self, dx: i32, dy: i32) {
        let moved = |rect: &mut Rect| {
            rect.x += dx;
            rect.y += dy;
        };
        for shape in &mut self.shapes {
            moved(&mut shape.bounds);
            shape.label.iter_mut().for_each(|label| moved(&mut label.bounds));
        }
        for edge in &mut self.edges {
            edge.label.iter_mut().for_each(|label| moved(&mut label.bounds));
            for point in &mut edge.points {
                *point = Point { x: point.x + dx, y: point.y + dy };
            }
        }
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
    /// The id of the node in the graph that it belongs to: its own, or that of the step it is attached to. Nodes of
    /// a subflow stand behind its id and a dot: `deliver.book_carrier`.
    pub node: String,
    /// The id of the sub-process in whose frame it stands; `None` on the page itself.
    pub parent: Option<String>,
    /// What it is drawn as.
    pub kind: ShapeKind,
    /// Whether it happens for each of many values: three bars at the bottom.
    pub is_multiple: bool,
    /// Whether it does so one after the other: the bars lie. Side by side they stand.
    pub is_sequential: bool,
    /// Where it stands.
    pub bounds: Rect,
    /// The whole name; a label may show a shortened one.
    pub name: String,
    /// What is written inside (tasks, frames) or beside it (all others); `None` without a name.
    pub label: Option<Label>,
}

/// The symbols of BPMN that a workflow uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeKind {
    /// A thin circle.
    StartEvent,
    /// A thin circle with an envelope.
    MessageStartEvent,
    /// A thin circle with a clock.
    TimerStartEvent,
    /// A thin circle with a bolt: begins what happens when something fails.
    ErrorStartEvent,
    /// A bold circle.
    EndEvent,
    /// A bold circle with a filled envelope: the last thing is news to whoever listens.
    MessageEndEvent,
    /// A bold circle with a filled rewind sign: completed steps are undone first.
    CompensationEndEvent,
    /// A bold circle with a filled bolt: the sub-process around it fails.
    ErrorEndEvent,
    /// A bold circle around a filled one: all else in the sub-process around it is withdrawn.
    TerminateEndEvent,
    /// A rounded box with a gear.
    ServiceTask,
    /// A rounded box with a person: somebody does it.
    UserTask,
    /// A rounded box with a table: rules decide it.
    BusinessRuleTask,
    /// A rounded box with a filled envelope.
    SendTask,
    /// A rounded box with a gear and the rewind marker.
    CompensationTask,
    /// A rounded box with a person and the rewind marker.
    CompensationUserTask,
    /// A rounded box with a table and the rewind marker.
    CompensationRuleTask,
    /// A rounded box with an envelope.
    ReceiveTask,
    /// A rounded box with a bold border and a plus: another workflow, or a subflow that is drawn elsewhere.
    CallActivity,
    /// A frame with its title at the top and its own flow inside.
    SubProcess,
    /// A dotted frame that no line leads to: it begins by its own start event.
    EventSubProcess,
    /// A frame around the whole flow, with its name at the left: one party of a collaboration.
    Pool,
    /// A box with the name of another party, of which nobody here knows the inside.
    BlackBoxPool,
    /// A rounded box with a plus at the bottom: its flow has a page of its own.
    CollapsedSubProcess,
    /// A double circle with an envelope.
    MessageCatchEvent,
    /// A double circle with a filled envelope.
    MessageThrowEvent,
    /// A double circle with a clock.
    TimerCatchEvent,
    /// A double circle with a filled rewind sign: what was completed is undone, and the flow goes on.
    CompensationThrowEvent,
    /// A diamond with an X.
    ExclusiveGateway,
    /// A diamond with a plus: all ways are taken, or have arrived.
    ParallelGateway,
    /// A diamond with a pentagon in a double circle: the event that comes first decides.
    EventGateway,
    /// A double circle with a bolt on the border of a task.
    ErrorBoundaryEvent,
    /// A double circle with a clock on the border of a task.
    TimerBoundaryEvent,
    /// A double circle with a rewind sign on the border of a task.
    CompensationBoundaryEvent,
}

impl ShapeKind {
    /// Whether it is a rounded box with its name in the middle.
    pub fn is_task(self) -> bool {
        matches!(
            self,
            ShapeKind::ServiceTask
                | ShapeKind::UserTask
                | ShapeKind::BusinessRuleTask
                | ShapeKind::SendTask
                | ShapeKind::CompensationTask
                | ShapeKind::CompensationUserTask
                | ShapeKind::CompensationRuleTask
                | ShapeKind::ReceiveTask
                | ShapeKind::CallActivity
                | ShapeKind::CollapsedSubProcess
        )
    }

    /// Whether it is a frame with other shapes inside.
    pub fn is_frame(self) -> bool {
        matches!(self, ShapeKind::SubProcess | ShapeKind::EventSubProcess | ShapeKind::Pool)
    }

    /// Whether it is a party of a collaboration.
    pub fn is_pool(self) -> bool {
        matches!(self, ShapeKind::Pool | ShapeKind::BlackBoxPool)
    }

    /// Whether it is a diamond.
    pub fn is_gateway(self) -> bool {
        matches!(self, ShapeKind::ExclusiveGateway | ShapeKind::ParallelGateway | ShapeKind::EventGateway)
    }

    /// Whether it sits on the border of a task or sub-process.
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
        matches!(
            self,
            ShapeKind::CompensationTask
                | ShapeKind::CompensationUserTask
                | ShapeKind::CompensationRuleTask
                | ShapeKind::CompensationBoundaryEvent
        )
    }

    /// Whether a person does it, and so it carries the tint of that.
    pub fn is_human(self) -> bool {
        self == ShapeKind::UserTask
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
    /// A dashed line between an element and another party.
    MessageFlow,
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
