//! A drawing among others: the pool around it, the pools of other parties above and below, and the message flows.
//! It knows a finished drawing and does not change it; lines find their way last of all.

use std::collections::BTreeSet;

use super::maze::{Heading, Obstacles};
use super::messages::{Border, Way, area};
use super::{MARGIN, TASK_FONT};
use crate::diagram::{Diagram, Edge, EdgeKind, Label, Point, Rect, Shape, ShapeKind};
use crate::model::{Collaboration, Process};
use crate::text;

/// Width of the band with the name of the workflow's pool.
const BAND: i32 = 30;
/// Height of a pool of which nobody knows the inside.
const HEIGHT: i32 = 60;
/// Between the workflow's pool and the others.
const GAP: i32 = 70;
/// Between two pools side by side.
const ASIDE: i32 = 20;
/// Least width of a pool.
const WIDTH: i32 = 140;

/// The drawing of the process, with pools around it and beside it.
pub(super) fn around(process: &Process, among: &Collaboration, mut drawing: Diagram) -> Diagram {
    let has_pools_above = |sides: &[Heading]| sides.contains(&Heading::Up);
    // As if both sides were free, to see where each party is closer.
    let own = Rect { x: BAND, y: 0, width: drawing.width, height: drawing.height };
    drawing.shift(BAND, 0);
    let sides: Vec<Heading> =
        (0..among.parties.len()).map(|party| side(&drawing, among, own, party)).collect();
    let top = MARGIN + if has_pools_above(&sides) { HEIGHT + GAP } else { 0 };
    drawing.shift(MARGIN, top);
    let pool = Rect { x: MARGIN, y: top, width: own.width + BAND, height: own.height };
    let pools = places(&drawing, among, &sides, pool);
    let edges = lines(&drawing, among, &sides, &pools);
    for shape in drawing.shapes.iter_mut().filter(|shape| shape.parent.is_none()) {
        shape.parent = Some(among.pool.clone());
    }
    let name = &process.name;
    let others = among.parties.iter().zip(&pools).map(|(party, bounds)| {
        let lines = text::wrap(&party.name, TASK_FONT, bounds.width - 12, 2);
        (
            party.id.clone(),
            ShapeKind::BlackBoxPool,
            *bounds,
            party.name.clone(),
            Label { bounds: *bounds, lines },
        )
    });
    let band = Rect { width: BAND, ..pool };
    let lines = text::wrap(name, TASK_FONT, pool.height - 12, 1);
    let own = (among.pool.clone(), ShapeKind::Pool, pool, name.clone(), Label { bounds: band, lines });
    let shapes: Vec<Shape> = std::iter::once(own)
        .chain(others)
        .map(|(id, kind, bounds, name, label)| Shape {
            node: id.clone(),
            id,
            parent: None,
            kind,
            is_multiple: false,
            is_sequential: false,
            bounds,
            label: (!label.lines.is_empty()).then_some(label),
            name,
        })
        .collect();
    drawing.shapes.splice(0..0, shapes);
    drawing.edges.extend(edges);
    let boxes = drawing.boxes();
    drawing.width = boxes.iter().map(Rect::right).max().unwrap_or(0) + MARGIN;
    drawing.height = boxes.iter().map(Rect::bottom).max().unwrap_or(0) + MARGIN;
    drawing
}

/// On which side the message flows of a party are shorter and cross less.
fn side(drawing: &Diagram, among: &Collaboration, own: Rect, party: usize) -> Heading {
    let (nothing, free) = (Obstacles::default(), BTreeSet::new());
    let cost = |heading: Heading| -> i64 {
        let y = if heading == Heading::Up { own.y - GAP } else { own.bottom() + GAP };
        let border = Border { y, left: own.x, right: own.right(), heading };
        let of_party = among.flows.iter().filter(|flow| flow.party == party);
        let ways = of_party.filter_map(|flow| drawing.shape(&flow.element)).map(|shape| {
            let way = Way::new(drawing, &nothing, &free, shape);
            way.plain(border).map_or(1_000_000, |(_, cost)| i64::from(cost))
        });
        ways.sum()
    };
    // What happens on the line is close to the top; a party below has to be better by something.
    if cost(Heading::Down) < cost(Heading::Up) { Heading::Down } else { Heading::Up }
}

/// Side by side, in the order of what they have to do with.
fn places(drawing: &Diagram, among: &Collaboration, sides: &[Heading], pool: Rect) -> Vec<Rect> {
    let middle = |party: usize| {
        let of_party = among.flows.iter().filter(|flow| flow.party == party);
        let xs: Vec<i32> = of_party
            .filter_map(|flow| drawing.shape(&flow.element))
            .map(|shape| shape.bounds.center().x)
            .collect();
        xs.iter().sum::<i32>() / i32::try_from(xs.len().max(1)).unwrap_or(1)
    };
    let mut places = vec![pool; among.parties.len()];
    for heading in [Heading::Up, Heading::Down] {
        let mut here: Vec<usize> = (0..sides.len()).filter(|&party| sides[party] == heading).collect();
        here.sort_by_key(|&party| (middle(party), party));
        let count = i32::try_from(here.len()).unwrap_or(1);
        let y = if heading == Heading::Up { pool.y - GAP - HEIGHT } else { pool.bottom() + GAP };
        let mut left = pool.x;
        for (position, &party) in (0..count).zip(&here) {
            // Room for those that follow; half way to the next one, where nothing else decides.
            let rest = (count - position - 1) * (WIDTH + ASIDE);
            let next =
                here.get(position as usize + 1).map(|&next| (middle(party) + middle(next) - ASIDE) / 2);
            let least = left + WIDTH;
            let right = next.map_or(pool.right(), |next| next.min(pool.right() - rest)).max(least);
            places[party] = Rect { x: left, y, width: right - left, height: HEIGHT };
            left = right + ASIDE;
        }
    }
    places
}

fn lines(drawing: &Diagram, among: &Collaboration, sides: &[Heading], pools: &[Rect]) -> Vec<Edge> {
    let mut taken = Obstacles::default();
    taken.shapes.extend(pools.iter().map(|pool| area(*pool)));
    let mut order: Vec<usize> = (0..among.flows.len()).collect();
    let x = |flow: usize| drawing.shape(&among.flows[flow].element).map(|shape| shape.bounds.center().x);
    order.sort_by_key(|&flow| (x(flow), flow));
    let mut docks: BTreeSet<Point> = BTreeSet::new();
    let mut edges: Vec<(usize, Edge)> = Vec::new();
    for index in order {
        let flow = &among.flows[index];
        let Some(shape) = drawing.shape(&flow.element) else { continue };
        let (heading, pool) = (sides[flow.party], pools[flow.party]);
        let y = if heading == Heading::Up { pool.bottom() } else { pool.y };
        let border = Border { y, left: pool.x + 12, right: pool.right() - 12, heading };
        let mut around =
            Obstacles { shapes: taken.shapes.clone(), lines: taken.lines.clone(), ..Obstacles::default() };
        around.shapes.retain(|shape| *shape != area(pool));
        let way = Way::new(drawing, &around, &docks, shape);
        let mut points = way.plain(border).map_or_else(|| way.any(border), |(points, _)| points);
        docks.extend(points.last());
        taken.lines.extend(points.windows(2).map(|pair| (pair[0], pair[1])));
        let (mut from, mut to) = (flow.element.clone(), among.parties[flow.party].id.clone());
        if flow.arrives {
            points.reverse();
            std::mem::swap(&mut from, &mut to);
        }
        let (id, name) = (flow.id.clone(), String::new());
        edges.push((index, Edge { id, from, to, kind: EdgeKind::MessageFlow, points, name, label: None }));
    }
    edges.sort_by_key(|(index, _)| *index);
    edges.into_iter().map(|(_, edge)| edge).collect()
}
