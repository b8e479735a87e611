//! How a message flow gets from a shape to a pool: straight where it can, else with one step aside.
//! It knows what is in the way; on which side the pool stands, and where, is decided elsewhere.

use std::collections::BTreeSet;

use super::Area;
use super::maze::{self, Gate, Heading, Obstacles};
use crate::diagram::{Diagram, Point, Rect, Shape};

/// What a crossing costs, in pixels of length.
const CROSSING: i32 = 900;
/// What a bend costs.
const BEND: i32 = 60;
/// Distance from shapes.
const BESIDE: i32 = 10;
/// Between the places that are tried.
const PITCH: i32 = 8;
/// Between two message flows that arrive side by side.
const DOCKS: i32 = 10;

/// Where a message flow may arrive: on a border, between two places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Border {
    pub(super) y: i32,
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) heading: Heading,
}

/// What is in the way of the message flows of one shape.
pub(super) struct Way<'a> {
    shape: &'a Shape,
    obstacles: Obstacles,
    taken: &'a BTreeSet<Point>,
}

impl<'a> Way<'a> {
    /// `more` are lines and pools beside the drawing, `taken` the places where something arrives already.
    pub(super) fn new(
        drawing: &Diagram,
        more: &Obstacles,
        taken: &'a BTreeSet<Point>,
        shape: &'a Shape,
    ) -> Way<'a> {
        let frames = frames(drawing, shape);
        let mut obstacles =
            Obstacles { shapes: more.shapes.clone(), lines: more.lines.clone(), ..Obstacles::default() };
        for other in &drawing.shapes {
            let is_around = frames.contains(other.id.as_str());
            if other.id == shape.id || frames_hold(drawing, other, &shape.id) {
                continue;
            }
            if !is_around {
                obstacles.shapes.push(area(other.bounds));
            }
            let beside = is_around || !(other.kind.is_task() || other.kind.is_frame());
            obstacles
                .captions
                .extend(other.label.as_ref().filter(|_| beside).map(|label| area(label.bounds)));
        }
        // Its own name is in the way where it stands beside the shape.
        if !shape.kind.is_task() && !shape.kind.is_frame() {
            obstacles.captions.extend(shape.label.as_ref().map(|label| area(label.bounds)));
        }
        for edge in &drawing.edges {
            obstacles.captions.extend(edge.label.as_ref().map(|label| area(label.bounds)));
            obstacles.lines.extend(edge.points.windows(2).map(|pair| (pair[0], pair[1])));
        }
        Way { shape, obstacles, taken }
    }

    /// The cheapest straight way or step aside, and what it costs.
    pub(super) fn plain(&self, border: Border) -> Option<(Vec<Point>, i32)> {
        let start = docking(self.shape, border.heading);
        let mut best: Option<(Vec<Point>, i32)> = None;
        let mut offer = |points: Vec<Point>, aside: i32| {
            let cost = self.cost(&points) + aside;
            if best.as_ref().is_none_or(|(_, least)| cost < *least) {
                best = Some((points, cost));
            }
        };
        let count = (border.right - border.left) / PITCH;
        let grid: Vec<i32> = (0..=count).map(|step| border.left + step * PITCH).collect();
        for x in ports(self.shape) {
            let aside = (x - self.shape.bounds.center().x).abs();
            let from = Point { x, y: start };
            if (border.left..=border.right).contains(&x) {
                let to = Point { x, y: border.y };
                if self.is_free(from, to) && self.is_open(to) {
                    offer(vec![from, to], aside);
                    continue;
                }
            }
            for &other in grid.iter().filter(|&&other| (other - x).abs() >= PITCH) {
                let to = Point { x: other, y: border.y };
                if !self.is_open(to) {
                    continue;
                }
                for y in self.turns(start, x, other, border) {
                    let (first, second) = (Point { x, y }, Point { x: other, y });
                    if self.is_free(from, first) && self.is_free(second, to) && self.is_free(first, second) {
                        offer(vec![from, first, second, to], aside);
                        break;
                    }
                }
            }
        }
        best
    }

    /// Some way, whatever bends it takes; straight through everything where there is none at all.
    pub(super) fn any(&self, border: Border) -> Vec<Point> {
        let (x, y) = (self.shape.bounds.center().x, docking(self.shape, border.heading));
        let wide = ((border.right - border.left) / 24).max(PITCH);
        let places = (0..=24).map(|step| border.left + step * wide).filter(|x| *x <= border.right);
        let gates: Vec<Gate> = places
            .map(|x| Point { x, y: border.y })
            .filter(|at| self.is_open(*at))
            .map(|at| Gate { at, heading: border.heading })
            .collect();
        let from = Gate { at: Point { x, y }, heading: border.heading };
        let found = maze::find(&self.obstacles, from, &gates).map(straightened);
        found.unwrap_or_else(|| vec![from.at, Point { x, y: border.y }])
    }

    /// Heights at which a step aside may run, the ones close to the pool first.
    fn turns(&self, start: i32, x: i32, other: i32, border: Border) -> Vec<i32> {
        let up = border.heading == Heading::Up;
        let (top, bottom) =
            if up { (border.y + BESIDE, start - BESIDE) } else { (start + BESIDE, border.y - BESIDE) };
        let all = self.obstacles.shapes.iter().chain(&self.obstacles.captions);
        let near = all
            .filter(|area| [x, other].iter().any(|x| (area.left - BESIDE..=area.right + BESIDE).contains(x)));
        let mut turns: Vec<i32> = near.flat_map(|area| [area.top - BESIDE, area.bottom + BESIDE]).collect();
        turns.extend(
            (0..5).map(|lane| if up { border.y + BESIDE + lane * 10 } else { border.y - BESIDE - lane * 10 }),
        );
        turns.push(if up { start - BESIDE } else { start + BESIDE });
        turns.retain(|y| (top..=bottom).contains(y));
        turns.sort_by_key(|y| if up { *y } else { -*y });
        turns.dedup();
        turns
    }

    fn is_open(&self, at: Point) -> bool {
        self.taken.iter().all(|dock| dock.y != at.y || (dock.x - at.x).abs() >= DOCKS)
    }

    /// Whether a piece runs through nothing and along nothing.
    fn is_free(&self, from: Point, to: Point) -> bool {
        let (piece, upright) = (maze::boxed(from, to), from.x == to.x);
        // The shapes that it begins and ends at are not among them.
        let hits = |areas: &[Area], gap: i32| areas.iter().any(|area| maze::touch(piece, *area, gap));
        if hits(&self.obstacles.shapes, 7) || hits(&self.obstacles.captions, 3) {
            return false;
        }
        !self
            .obstacles
            .lines
            .iter()
            .any(|(a, b)| (a.x == b.x) == upright && a != b && maze::touch(piece, maze::boxed(*a, *b), 8))
    }

    fn cost(&self, points: &[Point]) -> i32 {
        let mut cost = BEND * (i32::try_from(points.len()).unwrap_or(2) - 2);
        for pair in points.windows(2) {
            let piece = maze::boxed(pair[0], pair[1]);
            cost += piece.right - piece.left + piece.bottom - piece.top;
            let crossed =
                self.obstacles.lines.iter().filter(|(a, b)| maze::touch(piece, maze::boxed(*a, *b), 1));
            cost += CROSSING * i32::try_from(crossed.count()).unwrap_or(1);
        }
        cost
    }
}

/// The frames that a shape stands in.
fn frames<'d>(drawing: &'d Diagram, shape: &'d Shape) -> BTreeSet<&'d str> {
    let mut frames = BTreeSet::new();
    let mut inner = Some(shape);
    while let Some(parent) = inner.and_then(|shape| shape.parent.as_deref()) {
        frames.insert(parent);
        inner = drawing.shape(parent);
    }
    frames
}

/// Whether a shape stands in the frame with this id.
fn frames_hold(drawing: &Diagram, shape: &Shape, frame: &str) -> bool {
    frames(drawing, shape).contains(frame)
}

/// Without corners at which nothing turns.
fn straightened(points: Vec<Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let is_straight = match (kept.last(), points.get(index + 1)) {
            (Some(a), Some(b)) => (a.x == point.x && point.x == b.x) || (a.y == point.y && point.y == b.y),
            _ => false,
        };
        if !is_straight {
            kept.push(*point);
        }
    }
    kept
}

/// Where a message flow may leave or arrive, the middle first: a circle has one place on each side.
fn ports(shape: &Shape) -> Vec<i32> {
    let center = shape.bounds.center().x;
    if shape.kind.is_task() || shape.kind.is_frame() {
        vec![center, center - 16, center + 16, center - 32, center + 32]
    } else {
        vec![center]
    }
}

fn docking(shape: &Shape, heading: Heading) -> i32 {
    if heading == Heading::Up { shape.bounds.y } else { shape.bounds.bottom() }
}

pub(super) fn area(rect: Rect) -> Area {
    Area { left: rect.x, right: rect.right(), top: rect.y, bottom: rect.bottom() }
}
