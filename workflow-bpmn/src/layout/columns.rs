//! How far right everything stands: the longest path over "this stands right of that".
//! It knows chains and forms; rows come later and never move a column.

use std::collections::{BTreeMap, VecDeque};

use super::chains::{ChainIndex, Chains, Landing, LinkIndex, Reach, Side};
use super::forms::{self, Anchor, Form};
use super::{Area, EVENT};
use crate::model::{ElementIndex, ElementKind, Scope};

/// Least distance between the borders of two neighbours on a chain.
const GAP: i32 = 60;
/// Least distance between a line and what it does not belong to.
const CLEAR: i32 = 20;
/// From the line that comes down to the first node beside it.
const BEND: i32 = 40;

/// The middle of every node, and where lines turn.
pub(super) struct Columns {
    pub(super) x: Vec<i32>,
    /// Per chain: where the line that leads there leaves its parent's row.
    pub(super) port: Vec<i32>,
}

/// Finds the columns.
pub(super) fn solve(scope: &Scope, chains: &Chains, forms: &[Form]) -> Columns {
    let mut solver = Solver::new(scope, chains, forms);
    solver.keep_chains_in_order();
    solver.keep_exits_right_of_their_origin();
    for chain in 0..chains.list.len() {
        match chains.list[chain].reach {
            Reach::Forward(landing) if chains.list[chain].side == Side::Below => {
                solver.enclose_before_landing(chain, landing);
            }
            Reach::Joins(sibling) => solver.enclose_between_joins(chain, sibling),
            _ => {}
        }
        solver.enclose_before_return(chain);
    }
    solver.columns()
}

/// How a chain leaves its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Straight down or up, this far from the middle of the node.
    Vertical(i32),
    /// Through the right border, since nothing may leave downwards here.
    Right,
}

/// How the line to this chain leaves; nothing for the happy path.
pub(super) fn exit(scope: &Scope, chains: &Chains, forms: &[Form], chain: ChainIndex) -> Option<Exit> {
    let link = &scope.links[chains.list[chain].entry?];
    Some(match &scope.elements[link.from].kind {
        ElementKind::Boundary { .. } => Exit::Vertical(forms[scope.origin(link)].port(link.from)),
        kind if kind.splits() => Exit::Vertical(0),
        kind if kind.is_activity() && forms[link.from].events.is_empty() => Exit::Vertical(0),
        _ => forms[link.from].way_back.map_or(Exit::Right, Exit::Vertical),
    })
}

/// What has a place of its own from left to right: an element, or behind those, the turn of a chain's first line.
type Column = usize;

struct Solver<'a> {
    scope: &'a Scope,
    chains: &'a Chains,
    forms: &'a [Form],
    /// Per column: the one that it is tied to, and the distance to it.
    anchor: Vec<(Column, i32)>,
    /// Per column: what stands right of it, and how far at least.
    right_of: Vec<BTreeMap<Column, i32>>,
}

impl<'a> Solver<'a> {
    fn new(scope: &'a Scope, chains: &'a Chains, forms: &'a [Form]) -> Solver<'a> {
        // One for each element, and one for the turn of each line that leaves to the right.
        let count = scope.elements.len() + chains.list.len();
        let anchor = (0..count).map(|element| (element, 0)).collect();
        let mut solver = Solver { scope, chains, forms, anchor, right_of: vec![BTreeMap::new(); count] };
        for chain in 0..chains.list.len() {
            if forms::is_glued(scope, chains, chain)
                && let Some((host, dx)) = solver.port(chain)
            {
                solver.anchor[chains.list[chain].nodes[0]] = (host, dx);
            }
        }
        solver
    }

    /// Where the line to a chain turns: below the node it leaves, or on its own right of it.
    fn port(&self, chain: ChainIndex) -> Option<(Column, i32)> {
        match exit(self.scope, self.chains, self.forms, chain)? {
            Exit::Vertical(dx) => Some((self.origin(chain)?, dx)),
            Exit::Right => Some((self.scope.elements.len() + chain, 0)),
        }
    }

    /// The node that a chain leaves.
    fn origin(&self, chain: ChainIndex) -> Option<ElementIndex> {
        let (parent, at) = self.chains.list[chain].parent?;
        Some(self.chains.list[parent].nodes[at])
    }

    /// The furthest right of a node with all that is glued to it.
    fn right(&self, node: ElementIndex) -> i32 {
        self.forms[node].areas(node).iter().map(|area| area.right).max().unwrap_or(0)
    }

    fn keep_chains_in_order(&mut self) {
        for chain in &self.chains.list {
            let outlines: Vec<Vec<Area>> = chain.nodes.iter().map(|&node| self.outline(node)).collect();
            for (position, &node) in chain.nodes.iter().enumerate() {
                for (steps, &later) in chain.nodes[position + 1..].iter().take(4).enumerate() {
                    let mut distance = separation(&outlines[position], &outlines[position + 1 + steps]);
                    if steps == 0 {
                        let borders = self.forms[node].half_width + self.forms[later].half_width;
                        distance = distance.max(borders + GAP.max(self.caption_between(node, later) + 36));
                    }
                    self.require((node, 0), (later, 0), distance);
                }
            }
        }
    }

    fn caption_between(&self, node: ElementIndex, later: ElementIndex) -> i32 {
        let link = self.scope.links.iter().find(|link| link.from == node && link.to == later);
        link.and_then(|link| forms::caption(&link.name, Anchor::Below(0)))
            .map_or(0, |c| c.area.right - c.area.left)
    }

    /// The areas of a node, and the lines that leave or reach it from below.
    fn outline(&self, node: ElementIndex) -> Vec<Area> {
        const DEEP: i32 = 100_000;
        let mut outline = self.forms[node].areas(node);
        let Some((chain, at)) = self.chains.place[node] else { return outline };
        for child in 0..self.chains.list.len() {
            if self.chains.list[child].side == Side::Above {
                continue;
            }
            let mut xs = Vec::new();
            if self.chains.list[child].parent == Some((chain, at)) {
                xs.extend(self.port(child).filter(|(column, _)| *column == node).map(|(_, dx)| dx));
            }
            xs.extend(self.chains.landing(child).filter(|l| (l.chain, l.at) == (chain, at)).map(|_| 0));
            let top = self.forms[node].bottom;
            outline.extend(xs.into_iter().map(|x| Area { left: x, right: x, top, bottom: DEEP }));
        }
        outline
    }

    fn keep_exits_right_of_their_origin(&mut self) {
        for (index, chain) in self.chains.list.iter().enumerate() {
            let (Some(port), Some(origin)) = (self.port(index), self.origin(index)) else { continue };
            if port.0 != origin {
                self.require((origin, 0), port, self.right(origin) + CLEAR);
            }
            let bend = BEND.max(self.caption_of(chain.entry) + 26);
            if let Some(&first) = chain.nodes.first()
                && self.anchor[first].0 == first
            {
                self.require(port, (first, 0), bend + self.forms[first].half_width);
            }
            match chain.reach {
                Reach::Forward(landing) => {
                    let node = self.chains.landing_node(landing);
                    match chain.nodes.last() {
                        Some(&last) => {
                            let run = 34.max(self.caption_of(chain.tail) + 30);
                            self.require((last, 0), (node, 0), self.forms[last].half_width + run);
                        }
                        None => self.require(port, (node, 0), bend),
                    }
                }
                Reach::Joins(sibling) => {
                    let first = self.chains.list[sibling].nodes[0];
                    self.require(port, (first, 0), BEND + self.forms[first].half_width);
                }
                Reach::Across => {
                    if let Some(link) = chain.tail {
                        self.require(port, (self.scope.links[link].to, 0), BEND);
                    }
                }
                Reach::DeadEnd | Reach::Back(_) => {}
            }
        }
    }

    fn caption_of(&self, link: Option<LinkIndex>) -> i32 {
        let name = link.map_or("", |link| &self.scope.links[link].name);
        forms::caption(name, Anchor::Below(0)).map_or(0, |c| c.area.right - c.area.left)
    }

    /// What leaves between the exit of a chain and its landing lies within it, so it must end before.
    fn enclose_before_landing(&mut self, chain: ChainIndex, landing: Landing) {
        let target = (self.chains.landing_node(landing), 0);
        if self.chains.is_branch(self.scope, chain) {
            // The lines of branches further down rise beside all of this one.
            for &node in &self.chains.list[chain].nodes {
                self.require_before(node, target);
            }
        }
        // A block that is complete before its landing leaves the columns behind it to others.
        for &child in &self.chains.children[chain] {
            self.require_family_before(child, target);
        }
        let mut branch = chain;
        while let Some((level, at)) = self.chains.list[branch].parent {
            let here = self.port(branch);
            for &other in &self.chains.children[level] {
                let Some((_, position)) = self.chains.list[other].parent else { continue };
                let right_of_branch = position > at || (position == at && self.port(other) > here);
                let before_landing = level != landing.chain || position < landing.at;
                if other != branch && right_of_branch && before_landing {
                    self.require_family_before(other, target);
                }
            }
            if level == landing.chain {
                return;
            }
            for &node in &self.chains.list[level].nodes[at..] {
                self.require_before(node, target);
            }
            branch = level;
        }
    }

    fn enclose_between_joins(&mut self, chain: ChainIndex, sibling: ChainIndex) {
        let (Some((parent, at)), Some((_, from))) =
            (self.chains.list[chain].parent, self.chains.list[sibling].parent)
        else {
            return;
        };
        let Some(port) = self.port(chain) else { return };
        for &other in &self.chains.children[parent] {
            let within = self.chains.list[other].parent.is_some_and(|(_, p)| from <= p && p < at);
            if within && other != sibling && self.chains.list[other].reach != Reach::Joins(sibling) {
                self.require_family_before(other, port);
            }
        }
    }

    /// What leaves within a loop must end before the line that goes back.
    fn enclose_before_return(&mut self, chain: ChainIndex) {
        let Some((parent, at)) = self.chains.list[chain].parent else { return };
        if self.chains.list[chain].side == Side::Above {
            return;
        }
        let family = self.chains.family(chain);
        let returns = family.iter().filter_map(|&member| match self.chains.list[member].reach {
            Reach::Back(landing) if landing.chain == parent => Some(landing.at),
            Reach::Back(landing) if !family.contains(&landing.chain) => Some(0),
            _ => None,
        });
        let (Some(first), Some(port)) = (returns.min(), self.port(chain)) else { return };
        for &other in &self.chains.children[parent] {
            let Some((_, position)) = self.chains.list[other].parent else { continue };
            let left_of_port = position < at || (position == at && self.port(other) < Some(port));
            if other != chain && first <= position && left_of_port {
                self.require_family_before(other, port);
            }
        }
    }

    fn require_family_before(&mut self, chain: ChainIndex, target: (Column, i32)) {
        for member in self.chains.family(chain) {
            for &node in &self.chains.list[member].nodes {
                self.require_before(node, target);
            }
            if let Some((turn, 0)) =
                self.port(member).filter(|(column, _)| *column >= self.scope.elements.len())
            {
                self.require((turn, 0), target, CLEAR);
            }
        }
    }

    fn require_before(&mut self, node: ElementIndex, target: (Column, i32)) {
        let distance = self.right(node) + CLEAR;
        self.require((node, 0), target, distance);
    }

    /// `right` stands at least this far right of `left`; ignored where that would turn in a circle, which only
    /// flows do whose lines have to cross anyway.
    fn require(&mut self, left: (Column, i32), right: (Column, i32), distance: i32) {
        let (from, from_dx) = self.anchored(left);
        let (to, to_dx) = self.anchored(right);
        let distance = distance + from_dx - to_dx;
        if let Some(known) = self.right_of[from].get_mut(&to) {
            *known = distance.max(*known);
        } else if from != to && !self.is_right_of(from, to) {
            self.right_of[from].insert(to, distance);
        }
    }

    fn anchored(&self, (column, dx): (Column, i32)) -> (Column, i32) {
        let (anchor, distance) = self.anchor[column];
        (anchor, distance + dx)
    }

    fn is_right_of(&self, column: Column, of: Column) -> bool {
        let mut seen = vec![false; self.right_of.len()];
        let mut open = vec![of];
        while let Some(next) = open.pop() {
            if next == column {
                return true;
            }
            if !std::mem::replace(&mut seen[next], true) {
                open.extend(self.right_of[next].keys());
            }
        }
        false
    }

    fn columns(self) -> Columns {
        let mut x = vec![0; self.right_of.len()];
        let mut waiting = vec![0; self.right_of.len()];
        self.right_of.iter().flat_map(BTreeMap::keys).for_each(|to| waiting[*to] += 1);
        let mut ready: VecDeque<Column> = (0..x.len()).filter(|&element| waiting[element] == 0).collect();
        while let Some(element) = ready.pop_front() {
            for (&to, &distance) in &self.right_of[element] {
                x[to] = x[to].max(x[element] + distance);
                waiting[to] -= 1;
                if waiting[to] == 0 {
                    ready.push_back(to);
                }
            }
        }
        for element in 0..x.len() {
            let (anchor, dx) = self.anchor[element];
            x[element] = x[anchor] + dx;
        }
        let ports = (0..self.chains.list.len()).map(|chain| self.port(chain));
        let port = ports.map(|port| port.map_or(-EVENT, |(node, dx)| x[node] + dx)).collect();
        Columns { x, port }
    }
}

/// How far apart two nodes of one row must stand so that nothing glued to them touches.
fn separation(node: &[Area], later: &[Area]) -> i32 {
    let mut distance = 0;
    for left in node {
        for right in later {
            if left.top < right.bottom + 8 && right.top < left.bottom + 8 {
                distance = distance.max(left.right - right.left + CLEAR);
            }
        }
    }
    distance
}
