//! Measures a drawing: what overlaps, what crosses, what collides, how much room there is.
//! It sees the finished drawing only, and knows nothing of how it was made, or of where it was read.

use workflow_bpmn::{Diagram, EdgeKind, Point, Rect, ShapeKind};

/// A drawing, with no more of it than is measured: fresh, or read from a file.
#[derive(Debug)]
pub(crate) struct Drawing {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) edges: Vec<Edge>,
    /// The insides of collapsed sub-processes.
    pub(crate) pages: Vec<Drawing>,
}

/// A shape of a drawing.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) id: String,
    /// Of an event on a border and of what it sits on it is the same.
    pub(crate) node: String,
    pub(crate) parent: Option<String>,
    pub(crate) kind: ShapeKind,
    pub(crate) bounds: Rect,
    pub(crate) label: Option<Rect>,
}

/// A line of a drawing.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: EdgeKind,
    pub(crate) points: Vec<Point>,
    pub(crate) label: Option<Rect>,
}

impl Drawing {
    pub(crate) fn shape(&self, id: &str) -> Option<&Shape> {
        self.shapes.iter().find(|shape| shape.id == id)
    }
}

impl From<&Diagram> for Drawing {
    fn from(diagram: &Diagram) -> Drawing {
        let shapes = diagram.shapes.iter().map(|shape| Shape {
            id: shape.id.clone(),
            node: shape.node.clone(),
            parent: shape.parent.clone(),
            kind: shape.kind,
            bounds: shape.bounds,
            label: shape.label.as_ref().map(|label| label.bounds),
        });
        let edges = diagram.edges.iter().map(|edge| Edge {
            id: edge.id.clone(),
            from: edge.from.clone(),
            to: edge.to.clone(),
            kind: edge.kind,
            points: edge.points.clone(),
            label: edge.label.as_ref().map(|label| label.bounds),
        });
        Drawing {
            width: diagram.width,
            height: diagram.height,
            shapes: shapes.collect(),
            edges: edges.collect(),
            pages: diagram.details.iter().map(|page| Drawing::from(&page.diagram)).collect(),
        }
    }
}

/// Least distance between two shapes.
pub(crate) const GAP: i32 = 18;

/// What was measured; the lists name each finding.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) overlaps: Vec<String>,
    pub(crate) narrow_gaps: Vec<String>,
    pub(crate) lines_through_shapes: Vec<String>,
    pub(crate) lines_upon_lines: Vec<String>,
    pub(crate) label_collisions: Vec<String>,
    pub(crate) diagonals: Vec<String>,
    pub(crate) crossings: Vec<String>,
    pub(crate) backward: Vec<String>,
    pub(crate) bends: usize,
    pub(crate) edges: usize,
}

impl Report {
    /// What no drawing may have, crossings aside.
    pub(crate) fn faults(&self) -> Vec<String> {
        let lists = [
            ("overlap", &self.overlaps),
            ("narrow gap", &self.narrow_gaps),
            ("line through shape", &self.lines_through_shapes),
            ("line upon line", &self.lines_upon_lines),
            ("label collision", &self.label_collisions),
            ("diagonal", &self.diagonals),
            ("backward", &self.backward),
        ];
        lists
            .iter()
            .flat_map(|(what, list)| list.iter().map(move |finding| format!("{what}: {finding}")))
            .collect()
    }

    /// What was found on another page, or in another drawing.
    pub(crate) fn add(&mut self, other: Report) {
        self.overlaps.extend(other.overlaps);
        self.narrow_gaps.extend(other.narrow_gaps);
        self.lines_through_shapes.extend(other.lines_through_shapes);
        self.lines_upon_lines.extend(other.lines_upon_lines);
        self.label_collisions.extend(other.label_collisions);
        self.diagonals.extend(other.diagonals);
        self.crossings.extend(other.crossings);
        self.backward.extend(other.backward);
        self.bends += other.bends;
        self.edges += other.edges;
    }

    pub(crate) fn bends_per_edge(&self) -> f64 {
        self.bends as f64 / self.edges.max(1) as f64
    }
}

/// Measures a fresh drawing.
pub(crate) fn measure(diagram: &Diagram) -> Report {
    measured(&Drawing::from(diagram))
}

/// Measures a drawing.
pub(crate) fn measured(diagram: &Drawing) -> Report {
    let mut report = Report { edges: diagram.edges.len(), ..Report::default() };
    for (index, one) in diagram.shapes.iter().enumerate() {
        for other in &diagram.shapes[index + 1..] {
            compare_shapes(&mut report, diagram, one, other);
        }
    }
    for edge in &diagram.edges {
        report.bends += edge.points.len() - 2;
        check_edge(&mut report, diagram, edge);
    }
    for (index, one) in diagram.edges.iter().enumerate() {
        for other in &diagram.edges[index + 1..] {
            compare_edges(&mut report, one, other);
        }
    }
    check_labels(&mut report, diagram);
    for page in &diagram.pages {
        report.add(measured(page));
    }
    report
}

/// Whether `frame` is a sub-process in which the shape with this id stands, at whatever depth.
fn surrounds(diagram: &Drawing, frame: &Shape, id: &str) -> bool {
    if !frame.kind.is_frame() {
        return false;
    }
    let mut inner = diagram.shape(id);
    while let Some(parent) = inner.and_then(|shape| shape.parent.as_deref()) {
        if parent == frame.id {
            return true;
        }
        inner = diagram.shape(parent);
    }
    false
}

fn compare_shapes(report: &mut Report, diagram: &Drawing, one: &Shape, other: &Shape) {
    let pair = format!("{} and {}", one.id, other.id);
    for (frame, inner) in [(one, other), (other, one)] {
        if surrounds(diagram, frame, &inner.id) {
            if !within(inner.bounds, frame.bounds, GAP) {
                report.narrow_gaps.push(format!("{} at the border of {}", inner.id, frame.id));
            }
            return;
        }
    }
    let same_step = one.node == other.node;
    if same_step && (one.kind.is_boundary_event() || other.kind.is_boundary_event()) {
        let both = one.kind.is_boundary_event() && other.kind.is_boundary_event();
        if both && (one.bounds.center().x - other.bounds.center().x).abs() < 45 {
            report.narrow_gaps.push(pair);
        }
        return;
    }
    if touch(one.bounds, other.bounds, 0) {
        report.overlaps.push(pair);
    } else if touch(one.bounds, other.bounds, GAP) {
        report.narrow_gaps.push(pair);
    }
}

fn check_edge(report: &mut Report, diagram: &Drawing, edge: &Edge) {
    let (first, last) = (edge.points[0], edge.points[edge.points.len() - 1]);
    for (from, to) in segments(edge) {
        if from.x != to.x && from.y != to.y {
            report.diagonals.push(edge.id.clone());
        }
        for shape in &diagram.shapes {
            let crosses_borders = edge.kind == EdgeKind::MessageFlow;
            if crosses_borders && surrounds(diagram, shape, &edge.to) {
                continue;
            }
            if surrounds(diagram, shape, &edge.from) {
                if !crosses_borders && !within(boxed(from, to), shape.bounds, 6) {
                    report.lines_through_shapes.push(format!("{} leaves {}", edge.id, shape.id));
                }
                continue;
            }
            let own = shape.id == edge.from || shape.id == edge.to;
            let is_activity = shape.kind.is_task() || shape.kind.is_frame();
            let host = is_activity
                && diagram
                    .shape(&edge.from)
                    .is_some_and(|from| from.kind.is_boundary_event() && from.node == shape.node);
            let clearance = if own || host { -1 } else { 6 };
            if touch(boxed(from, to), shape.bounds, clearance) {
                report.lines_through_shapes.push(format!("{} through {}", edge.id, shape.id));
            }
        }
    }
    let docks =
        |id: &str, point: Point| diagram.shape(id).is_some_and(|shape| on_border(shape.bounds, point));
    if !docks(&edge.from, first) || !docks(&edge.to, last) {
        report.lines_through_shapes.push(format!("{} does not begin and end at its shapes", edge.id));
    }
    let joins = diagram.shape(&edge.to).is_some_and(|to| to.kind == ShapeKind::ExclusiveGateway);
    let entry = segments(edge).last();
    let enters_from_the_right = entry.is_some_and(|(from, to)| from.x > to.x);
    let is_sequence = edge.kind != EdgeKind::MessageFlow;
    if is_sequence && ((first.x > last.x && !joins) || enters_from_the_right) {
        report.backward.push(edge.id.clone());
    }
}

fn compare_edges(report: &mut Report, one: &Edge, other: &Edge) {
    let pair = format!("{} and {}", one.id, other.id);
    // Lines from one corner, or to one corner, may share the way there.
    let shared = one.from == other.from || one.to == other.to;
    for a in segments(one) {
        for b in segments(other) {
            let (a_upright, b_upright) = (a.0.x == a.1.x, b.0.x == b.1.x);
            if !touch(boxed(a.0, a.1), boxed(b.0, b.1), 1) {
                let parallel = a_upright == b_upright && !shared;
                if parallel && touch(boxed(a.0, a.1), boxed(b.0, b.1), 8) {
                    report.lines_upon_lines.push(format!("{pair}, too close"));
                }
            } else if a_upright == b_upright {
                if !shared {
                    report.lines_upon_lines.push(pair.clone());
                }
            } else if !shared {
                report.crossings.push(pair.clone());
            }
        }
    }
}

fn check_labels(report: &mut Report, diagram: &Drawing) {
    let of_shapes = diagram.shapes.iter().filter(|shape| !shape.kind.is_task() && !shape.kind.is_pool());
    let of_shapes = of_shapes.filter_map(|shape| shape.label.map(|label| (&shape.id, &shape.id, label)));
    let of_edges =
        diagram.edges.iter().filter_map(|edge| edge.label.map(|label| (&edge.id, &edge.from, label)));
    let labels: Vec<_> = of_shapes.chain(of_edges).collect();
    for (index, (id, at, label)) in labels.iter().enumerate() {
        for (other_id, _, other) in &labels[index + 1..] {
            if touch(*label, *other, 2) {
                report.label_collisions.push(format!("{id} and the label of {other_id}"));
            }
        }
        for shape in &diagram.shapes {
            let is_own_frame = shape.kind.is_frame() && **at == shape.id && *id == *at;
            if is_own_frame || surrounds(diagram, shape, at) {
                if !within(*label, shape.bounds, 4) {
                    report.label_collisions.push(format!("{id} leaves {}", shape.id));
                }
                continue;
            }
            if touch(*label, shape.bounds, 1) {
                report.label_collisions.push(format!("{id} and {}", shape.id));
            }
        }
        for edge in &diagram.edges {
            if segments(edge).any(|(from, to)| touch(*label, boxed(from, to), 1)) {
                report.label_collisions.push(format!("{id} and the line {}", edge.id));
            }
        }
        let inside = label.x >= 0
            && label.y >= 0
            && label.right() <= diagram.width
            && label.bottom() <= diagram.height;
        if !inside {
            report.label_collisions.push(format!("{id} leaves the page"));
        }
    }
}

fn segments(edge: &Edge) -> impl Iterator<Item = (Point, Point)> + '_ {
    edge.points.windows(2).map(|pair| (pair[0], pair[1]))
}

fn boxed(from: Point, to: Point) -> Rect {
    let (width, height) = ((from.x - to.x).abs(), (from.y - to.y).abs());
    Rect { x: from.x.min(to.x), y: from.y.min(to.y), width, height }
}

/// Whether two boxes come closer to each other than this.
fn touch(one: Rect, other: Rect, gap: i32) -> bool {
    one.x < other.right() + gap
        && other.x < one.right() + gap
        && one.y < other.bottom() + gap
        && other.y < one.bottom() + gap
}

/// Whether one box lies in the other, this far from its border.
fn within(inner: Rect, outer: Rect, gap: i32) -> bool {
    inner.x >= outer.x + gap
        && inner.y >= outer.y + gap
        && inner.right() <= outer.right() - gap
        && inner.bottom() <= outer.bottom() - gap
}

fn on_border(bounds: Rect, point: Point) -> bool {
    let beside =
        (point.x == bounds.x || point.x == bounds.right()) && (bounds.y..=bounds.bottom()).contains(&point.y);
    let over =
        (point.y == bounds.y || point.y == bounds.bottom()) && (bounds.x..=bounds.right()).contains(&point.x);
    beside || over
}
