//! The corners of every line, and the captions beside them.
//! It knows columns and rows and moves neither.

use super::chains::{ChainIndex, Chains, LinkIndex, Reach, Side};
use super::columns::{self, Columns, Exit};
use super::forms::{self, Anchor, Form};
use super::rows::{self, Rows};
use super::{Area, Caption, EVENT, ROW, detours};
use crate::diagram::Point;
use crate::model::{ElementIndex, ElementKind, LinkKind, Scope};

/// A line with its caption.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    pub(super) points: Vec<Point>,
    pub(super) caption: Option<Caption>,
}

/// Draws all links, in their order.
pub(super) fn draw(
    scope: &Scope,
    chains: &Chains,
    forms: &[Form],
    columns: &Columns,
    rows: &Rows,
) -> Vec<Route> {
    let mut pen =
        Pen { scope, chains, forms, columns, rows, routes: vec![Route::default(); scope.links.len()] };
    for chain in 0..chains.list.len() {
        pen.draw_inner_links(chain);
        pen.draw_entry(chain);
        pen.draw_tail(chain);
    }
    pen.draw_associations();
    let mut routes = pen.routes;
    for route in &mut routes {
        straighten(&mut route.points);
    }
    detours::draw(scope, chains, forms, columns, rows, &mut routes);
    routes
}

/// The caption of the line that leads to a chain, relative to the corner of that line at the chain's height.
pub(super) fn entry_caption(
    scope: &Scope,
    chains: &Chains,
    columns: &Columns,
    chain: ChainIndex,
) -> Option<Caption> {
    let entry = chains.list[chain].entry?;
    let anchor = rows::anchor_of_entry(scope, chains, chain);
    let mut caption = forms::caption(&scope.links[entry].name, anchor)?;
    caption.area = caption.area.moved(columns.port[chain], 0);
    Some(caption)
}

struct Pen<'a> {
    scope: &'a Scope,
    chains: &'a Chains,
    forms: &'a [Form],
    columns: &'a Columns,
    rows: &'a Rows,
    routes: Vec<Route>,
}

impl Pen<'_> {
    /// The height at which lines arrive at a node of a chain.
    fn line(&self, node: ElementIndex) -> i32 {
        self.chains.place[node].map_or(0, |(chain, _)| self.rows.y[chain])
    }

    /// The box of a node of a chain.
    fn area(&self, node: ElementIndex) -> Area {
        let y = self.line(node);
        self.forms[node].area().moved(self.columns.x[node], y)
    }

    fn draw_inner_links(&mut self, chain: ChainIndex) {
        let y = self.rows.y[chain];
        for pair in self.chains.list[chain].nodes.windows(2) {
            let (left, right) = (self.area(pair[0]), self.area(pair[1]));
            let links = self.scope.links.iter().position(|link| {
                link.from == pair[0] && link.to == pair[1] && link.kind != LinkKind::Association
            });
            let Some(link) = links else { continue };
            let mut caption = forms::caption(&self.scope.links[link].name, Anchor::AboveRight(16, 4));
            if let Some(caption) = &mut caption {
                caption.area = caption.area.moved(left.right, y);
            }
            let points = vec![Point { x: left.right, y }, Point { x: right.left, y }];
            self.routes[link] = Route { points, caption };
        }
    }

    fn draw_entry(&mut self, chain: ChainIndex) {
        let this = &self.chains.list[chain];
        let Some(link) = this.entry else { return };
        if this.nodes.is_empty() && this.reach == Reach::Across {
            return; // Drawn last, around everything else.
        }
        let y = self.rows.y[chain];
        let mut points = self.way_out(chain, link);
        let turn = self.columns.port[chain];
        if let Some(&first) = this.nodes.first() {
            let area = self.area(first);
            if self.columns.x[first] == turn {
                points.push(Point { x: turn, y: area.top });
            } else {
                points.extend([Point { x: turn, y }, Point { x: area.left, y }]);
            }
        } else if let Reach::Joins(sibling) = this.reach {
            let y = self.rows.y[sibling];
            let area = self.area(self.chains.list[sibling].nodes[0]);
            points.extend([Point { x: turn, y }, Point { x: area.left, y }]);
        } else {
            points.push(Point { x: turn, y });
            points.extend(self.way_in(self.scope.links[link].to, y));
        }
        let mut caption = entry_caption(self.scope, self.chains, self.columns, chain);
        if let Some(caption) = &mut caption {
            caption.area = caption.area.moved(0, y);
        }
        self.routes[link] = Route { points, caption };
    }

    fn draw_tail(&mut self, chain: ChainIndex) {
        let this = &self.chains.list[chain];
        let (Some(link), Some(&last)) = (this.tail, this.nodes.last()) else { return };
        let y = self.rows.y[chain];
        let mut points = vec![Point { x: self.area(last).right, y }];
        points.extend(self.way_in(self.scope.links[link].to, y));
        let mut caption = forms::caption(&self.scope.links[link].name, Anchor::AboveRight(16, 4));
        if let Some(caption) = &mut caption {
            caption.area = caption.area.moved(self.area(last).right, y);
        }
        self.routes[link] = Route { points, caption };
    }

    /// From the border of the node up to where the line turns towards its chain's height.
    fn way_out(&self, chain: ChainIndex, link: LinkIndex) -> Vec<Point> {
        let link = &self.scope.links[link];
        let origin = self.scope.origin(link);
        let area = self.area(origin);
        let turn = self.columns.port[chain];
        let boundary = matches!(self.scope.elements[link.from].kind, ElementKind::Boundary { .. });
        match columns::exit(self.scope, self.chains, self.forms, chain) {
            Some(Exit::Right) | None => {
                let y = self.line(origin);
                vec![Point { x: area.right, y }, Point { x: turn, y }]
            }
            Some(Exit::Vertical(_)) if boundary => vec![Point { x: turn, y: area.bottom + EVENT }],
            Some(Exit::Vertical(_)) if self.chains.list[chain].side == Side::Above => {
                vec![Point { x: turn, y: area.top }]
            }
            Some(Exit::Vertical(_)) => vec![Point { x: turn, y: area.bottom }],
        }
    }

    /// From a line at this height to the border of the node where it lands.
    fn way_in(&self, target: ElementIndex, y: i32) -> [Point; 2] {
        let area = self.area(target);
        let x = self.columns.x[target];
        [Point { x, y }, Point { x, y: if y < area.top { area.top } else { area.bottom } }]
    }

    fn draw_associations(&mut self) {
        for (index, link) in self.scope.links.iter().enumerate() {
            if link.kind != LinkKind::Association {
                continue;
            }
            let host = self.scope.origin(link);
            let area = self.area(host);
            let Some(handler) = self.forms[host].handler else { continue };
            let (x, y) = (self.columns.x[host], self.line(host));
            let down = x + self.forms[host].port(link.from);
            self.routes[index].points = vec![
                Point { x: down, y: area.bottom + EVENT },
                Point { x: down, y: y + ROW },
                Point { x: x + handler.left(), y: y + ROW },
            ];
        }
    }
}

/// Drops corners where the line does not turn.
pub(super) fn straighten(points: &mut Vec<Point>) {
    points.dedup();
    let mut index = 1;
    while index + 1 < points.len() {
        let (before, here, after) = (points[index - 1], points[index], points[index + 1]);
        let straight = (before.x == here.x && here.x == after.x) || (before.y == here.y && here.y == after.y);
        if straight {
            points.remove(index);
        } else {
            index += 1;
        }
    }
}
