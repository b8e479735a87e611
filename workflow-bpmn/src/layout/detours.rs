//! Draws the lines that lead to a chain they do not hang on, around everything that is already there.
//! It knows the finished drawing and moves nothing in it.

use super::chains::{Chains, Reach};
use super::columns::{self, Columns, Exit};
use super::forms::{self, Anchor, Form};
use super::maze::{self, Gate, Heading, Obstacles};
use super::routes::{self, Route};
use super::rows::Rows;
use super::{Area, Caption, EVENT};
use crate::diagram::Point;
use crate::model::{ElementKind, Link, Scope};

/// Draws what [`routes::draw`] left out.
pub(super) fn draw(
    scope: &Scope,
    chains: &Chains,
    forms: &[Form],
    columns: &Columns,
    rows: &Rows,
    routes: &mut [Route],
) {
    let mut still = Vec::new();
    for (node, form) in forms.iter().enumerate() {
        let Some((chain, _)) = chains.place[node] else { continue };
        for part in form.parts(node) {
            let (x, y) = (columns.x[node], rows.y[chain]);
            let caption = part.caption.map(|caption| caption.area.moved(x, y));
            still.push((part.element, part.area.moved(x, y), caption));
        }
    }
    for (index, chain) in chains.list.iter().enumerate() {
        let (Some(link), Reach::Across, true) = (chain.entry, chain.reach, chain.nodes.is_empty()) else {
            continue;
        };
        let exit = columns::exit(scope, chains, forms, index).unwrap_or(Exit::Right);
        routes[link] = detour(scope, &scope.links[link], exit, &still, routes);
    }
}

type Still = (usize, Area, Option<Area>);

fn detour(scope: &Scope, link: &Link, exit: Exit, still: &[Still], routes: &[Route]) -> Route {
    let area = |element| still.iter().find(|(other, ..)| *other == element).map(|(_, area, _)| *area);
    let (Some(origin), Some(target)) = (area(link.from), area(link.to)) else { return Route::default() };
    let obstacles = obstacles(scope, link, still, routes);
    let from = way_out(scope, link, exit, origin);
    let to = ways_in(target);
    // Without a free way, a plain line is better than none.
    let mut points = maze::find(&obstacles, from, &to).unwrap_or_else(|| plain(from.at, to[0].at));
    routes::straighten(&mut points);
    let caption = caption_beside(&link.name, &points, &obstacles);
    Route { points, caption }
}

fn obstacles(scope: &Scope, link: &Link, still: &[Still], routes: &[Route]) -> Obstacles {
    let mut obstacles = Obstacles::default();
    for (element, area, caption) in still {
        obstacles.captions.extend(caption);
        // The line begins and ends on the borders of its own two.
        let own = *element == link.from || *element == link.to;
        let area = if own { shrunk(*area) } else { *area };
        if !matches!(scope.elements[link.from].kind, ElementKind::Boundary { host, .. } if host == *element) {
            obstacles.shapes.push(area);
        }
    }
    for (other, route) in scope.links.iter().zip(routes) {
        obstacles.captions.extend(route.caption.iter().map(|caption| caption.area));
        let pieces = route.points.windows(2).map(|pair| (pair[0], pair[1]));
        if other.from == link.from || other.to == link.to {
            obstacles.companions.extend(pieces);
        } else {
            obstacles.lines.extend(pieces);
        }
    }
    obstacles
}

/// So small that its borders are out of reach of the clearance.
fn shrunk(area: Area) -> Area {
    Area { left: area.left + 8, right: area.right - 8, top: area.top + 8, bottom: area.bottom - 8 }
}

fn way_out(scope: &Scope, link: &Link, exit: Exit, area: Area) -> Gate {
    let (x, y) = ((area.left + area.right) / 2, (area.top + area.bottom) / 2);
    let boundary = matches!(scope.elements[link.from].kind, ElementKind::Boundary { .. });
    debug_assert!(!boundary || area.bottom - area.top == 2 * EVENT);
    match exit {
        Exit::Vertical(_) => Gate { at: Point { x, y: area.bottom }, heading: Heading::Down },
        Exit::Right => Gate { at: Point { x: area.right, y }, heading: Heading::Right },
    }
}

fn ways_in(area: Area) -> [Gate; 3] {
    let (x, y) = ((area.left + area.right) / 2, (area.top + area.bottom) / 2);
    [
        Gate { at: Point { x, y: area.top }, heading: Heading::Down },
        Gate { at: Point { x, y: area.bottom }, heading: Heading::Up },
        Gate { at: Point { x: area.left, y }, heading: Heading::Right },
    ]
}

fn plain(from: Point, to: Point) -> Vec<Point> {
    vec![from, Point { x: from.x, y: to.y - 30 }, Point { x: to.x, y: to.y - 30 }, to]
}

/// The first place along the line where the caption touches nothing.
fn caption_beside(name: &str, points: &[Point], obstacles: &Obstacles) -> Option<Caption> {
    let anchors =
        [Anchor::AboveRight(8, 4), Anchor::Right(8, 4), Anchor::Left(8, 4), Anchor::AboveLeft(8, 4)];
    let placed = |anchor, at: Point| {
        let mut caption = forms::caption(name, anchor)?;
        caption.area = caption.area.moved(at.x, at.y);
        Some(caption)
    };
    let pieces: Vec<(Point, Point)> = points.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let is_free = |caption: &Caption| {
        let lines = obstacles.lines.iter().chain(&obstacles.companions).chain(&pieces);
        obstacles.shapes.iter().chain(&obstacles.captions).all(|area| !maze::touch(caption.area, *area, 3))
            && lines.into_iter().all(|(a, b)| !maze::touch(caption.area, maze::boxed(*a, *b), 2))
    };
    // Beside a piece that it shares with others, nobody would know which line it speaks of.
    let is_own = |at: &Point| {
        let at = maze::boxed(*at, *at);
        !obstacles.companions.iter().any(|(a, b)| maze::touch(at, maze::boxed(*a, *b), 1))
    };
    let middles = pieces.iter().map(|(a, b)| Point { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    let (own, shared): (Vec<Point>, Vec<Point>) = if is_own(&points[0]) {
        points.iter().copied().chain(middles).partition(is_own)
    } else {
        middles.chain(points.iter().copied()).partition(is_own)
    };
    let mut choices = own.into_iter().chain(shared).flat_map(|at| anchors.map(|anchor| placed(anchor, at)));
    choices
        .find(|choice| choice.as_ref().is_none_or(is_free))
        .unwrap_or_else(|| placed(anchors[0], points[0]))
}
