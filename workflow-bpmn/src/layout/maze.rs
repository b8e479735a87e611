//! Finds a way for the few lines that fit no pattern, through what is already drawn.
//! It knows boxes and lines only, not what they stand for.
//!
//! The way is the cheapest on a grid of lines beside the obstacles: short, with few bends, and with hardly any
//! crossings. It never runs through a shape, a caption or along another line.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::Area;
use crate::diagram::Point;

/// Distance of the grid's lines from shapes.
const BESIDE: i32 = 10;
/// What a bend costs, in pixels of length.
const BEND: i32 = 60;
/// What a crossing costs.
const CROSSING: i32 = 900;

/// Everything a line must keep away from.
#[derive(Debug, Default)]
pub(super) struct Obstacles {
    pub(super) shapes: Vec<Area>,
    pub(super) captions: Vec<Area>,
    /// Pieces of lines with other ends.
    pub(super) lines: Vec<(Point, Point)>,
    /// Pieces of lines that begin or end where this one does; it may run along them.
    pub(super) companions: Vec<(Point, Point)>,
}

/// A point on a border, and the direction in which a line leaves or enters there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub(super) at: Point,
    pub(super) heading: Heading,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heading {
    Up,
    Down,
    Left,
    Right,
}

impl Heading {
    const ALL: [Heading; 4] = [Heading::Up, Heading::Down, Heading::Left, Heading::Right];

    fn opposite(self) -> Heading {
        match self {
            Heading::Up => Heading::Down,
            Heading::Down => Heading::Up,
            Heading::Left => Heading::Right,
            Heading::Right => Heading::Left,
        }
    }
}

/// The corners of the cheapest way from one gate to any of the others; nothing when there is none.
pub(super) fn find(obstacles: &Obstacles, from: Gate, to: &[Gate]) -> Option<Vec<Point>> {
    let grid = Grid::beside(obstacles, from, to);
    let start = (grid.node(from.at)?, from.heading);
    // What is still to go at least, so that the search begins with what looks best.
    let ahead = |at: Point| {
        let distances = to.iter().map(|gate| (gate.at.x - at.x).abs() + (gate.at.y - at.y).abs());
        distances.min().unwrap_or(0)
    };
    let mut pieces: BTreeMap<(GridNode, GridNode), Option<i32>> = BTreeMap::new();
    let mut cheapest: BTreeMap<State, i32> = BTreeMap::from([(start, 0)]);
    let mut came_from: BTreeMap<State, State> = BTreeMap::new();
    let mut open = BinaryHeap::from([Reverse((ahead(from.at), 0, start))]);
    while let Some(Reverse((_, cost, state))) = open.pop() {
        if cheapest.get(&state).is_some_and(|&known| known < cost) {
            continue;
        }
        let (node, heading) = state;
        let here = grid.point(node);
        if to.iter().any(|gate| gate.at == here && gate.heading == heading) {
            return Some(corners(&grid, &came_from, state));
        }
        for turn in Heading::ALL {
            // The first step follows the gate; nothing turns on its heel.
            if turn == heading.opposite() || (state == start && turn != heading) {
                continue;
            }
            let Some(next) = grid.step(node, turn) else { continue };
            let there = grid.point(next);
            let ends = (node.min(next), node.max(next));
            let piece = *pieces.entry(ends).or_insert_with(|| cost_of_piece(obstacles, here, there));
            let Some(piece) = piece else { continue };
            let next_cost = cost + piece + if turn == heading { 0 } else { BEND };
            let next = (next, turn);
            if cheapest.get(&next).is_none_or(|&known| next_cost < known) {
                cheapest.insert(next, next_cost);
                came_from.insert(next, state);
                open.push(Reverse((next_cost + ahead(there), next_cost, next)));
            }
        }
    }
    None
}

type GridNode = (usize, usize);
type State = (GridNode, Heading);

struct Grid {
    xs: Vec<i32>,
    ys: Vec<i32>,
}

impl Grid {
    fn beside(obstacles: &Obstacles, from: Gate, to: &[Gate]) -> Grid {
        let (mut xs, mut ys) = (vec![from.at.x], vec![from.at.y]);
        for gate in to {
            xs.push(gate.at.x);
            ys.push(gate.at.y);
        }
        for area in obstacles.shapes.iter().chain(&obstacles.captions) {
            xs.extend([area.left - BESIDE, area.right + BESIDE]);
            ys.extend([area.top - BESIDE, area.bottom + BESIDE]);
        }
        for (a, b) in obstacles.lines.iter().chain(&obstacles.companions) {
            xs.extend([a.x - BESIDE, a.x + BESIDE, b.x - BESIDE, b.x + BESIDE]);
            ys.extend([a.y - BESIDE, a.y + BESIDE, b.y - BESIDE, b.y + BESIDE]);
        }
        for positions in [&mut xs, &mut ys] {
            positions.sort_unstable();
            positions.dedup();
        }
        Grid { xs, ys }
    }

    fn node(&self, point: Point) -> Option<GridNode> {
        Some((self.xs.binary_search(&point.x).ok()?, self.ys.binary_search(&point.y).ok()?))
    }

    fn point(&self, (x, y): GridNode) -> Point {
        Point { x: self.xs[x], y: self.ys[y] }
    }

    fn step(&self, (x, y): GridNode, heading: Heading) -> Option<GridNode> {
        match heading {
            Heading::Up => Some((x, y.checked_sub(1)?)),
            Heading::Left => Some((x.checked_sub(1)?, y)),
            Heading::Down => (y + 1 < self.ys.len()).then_some((x, y + 1)),
            Heading::Right => (x + 1 < self.xs.len()).then_some((x + 1, y)),
        }
    }
}

/// What the piece between two neighbours on the grid costs; nothing when it is blocked.
fn cost_of_piece(obstacles: &Obstacles, from: Point, to: Point) -> Option<i32> {
    let piece = boxed(from, to);
    let upright = from.x == to.x;
    if obstacles.shapes.iter().any(|area| touch(piece, *area, 7)) {
        return None;
    }
    if obstacles.captions.iter().any(|area| touch(piece, *area, 2)) {
        return None;
    }
    let mut cost = piece.right - piece.left + piece.bottom - piece.top;
    for (a, b) in &obstacles.lines {
        let line = boxed(*a, *b);
        if (a.x == b.x) == upright {
            if touch(piece, line, 8) {
                return None;
            }
        } else if touch(piece, line, 1) {
            cost += CROSSING;
        }
    }
    Some(cost)
}

fn corners(grid: &Grid, came_from: &BTreeMap<State, State>, goal: State) -> Vec<Point> {
    let mut points = vec![grid.point(goal.0)];
    let mut state = goal;
    while let Some(&before) = came_from.get(&state) {
        points.push(grid.point(before.0));
        state = before;
    }
    points.reverse();
    points
}

pub(super) fn boxed(a: Point, b: Point) -> Area {
    Area { left: a.x.min(b.x), right: a.x.max(b.x), top: a.y.min(b.y), bottom: a.y.max(b.y) }
}

pub(super) fn touch(a: Area, b: Area, gap: i32) -> bool {
    a.left < b.right + gap && b.left < a.right + gap && a.top < b.bottom + gap && b.top < a.bottom + gap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_around_what_stands_in_its_way() {
        let shapes = vec![Area { left: -50, right: 50, top: 100, bottom: 180 }];
        let obstacles = Obstacles { shapes, ..Obstacles::default() };
        let from = Gate { at: Point { x: 0, y: 0 }, heading: Heading::Down };
        let to = Gate { at: Point { x: 0, y: 300 }, heading: Heading::Down };
        let points = find(&obstacles, from, &[to]).unwrap();
        assert_eq!((points[0], points[points.len() - 1]), (from.at, to.at));
        assert!(points.windows(2).all(|pair| !touch(boxed(pair[0], pair[1]), obstacles.shapes[0], 7)));
    }

    #[test]
    fn there_is_no_way_out_of_a_closed_box() {
        let wall = |left, right, top, bottom| Area { left, right, top, bottom };
        let shapes = vec![
            wall(-60, 60, -60, -50),
            wall(-60, 60, 50, 60),
            wall(-60, -50, -60, 60),
            wall(50, 60, -60, 60),
        ];
        let obstacles = Obstacles { shapes, ..Obstacles::default() };
        let from = Gate { at: Point { x: 0, y: 0 }, heading: Heading::Down };
        let to = Gate { at: Point { x: 300, y: 0 }, heading: Heading::Down };
        assert_eq!(find(&obstacles, from, &[to]), None);
    }
}
