//! How far down everything stands: chains are stacked below the one they leave, like bricks.
//! It knows columns and never changes them.

use super::chains::{ChainIndex, Chains, Reach, Side};
use super::columns::Columns;
use super::forms::{self, Anchor, Form};
use super::{Area, ROW};
use crate::model::{ElementKind, Scope};

/// Least distance between two things one above the other.
const CLEAR: i32 = 20;

/// Rows stand at multiples of this below their parent, so that neighbours line up.
const STEP: i32 = 20;

/// The middle line of every chain.
pub(super) struct Rows {
    pub(super) y: Vec<i32>,
}

/// Finds the rows.
pub(super) fn stack(scope: &Scope, chains: &Chains, forms: &[Form], columns: &Columns) -> Rows {
    let mut stacker = Stacker { scope, chains, forms, columns, dy: vec![0; chains.list.len()] };
    stacker.block(0);
    let mut y = vec![0; chains.list.len()];
    // A parent stands before its children in the list.
    for (index, chain) in chains.list.iter().enumerate() {
        y[index] = stacker.dy[index] + chain.parent.map_or(0, |(parent, _)| y[parent]);
    }
    Rows { y }
}

struct Stacker<'a> {
    scope: &'a Scope,
    chains: &'a Chains,
    forms: &'a [Form],
    columns: &'a Columns,
    /// Per chain: how far below its parent.
    dy: Vec<i32>,
}

/// A chain with all that hangs on it, relative to its middle line.
struct Block {
    areas: Vec<Area>,
    /// Lines that leave it upwards beyond its own parent: where, from which height, to which chain.
    rises: Vec<(i32, i32, ChainIndex)>,
}

impl Stacker<'_> {
    fn block(&mut self, chain: ChainIndex) -> Block {
        let mut block = Block { areas: self.own_areas(chain), rises: Vec::new() };
        let mut children: Vec<(Block, ChainIndex)> = Vec::new();
        for &child in &self.chains.children[chain] {
            if self.takes_room(child) {
                children.push((self.block(child), child));
            }
        }
        children.sort_by_key(|(block, child)| self.nearness(block, *child));
        self.right_border_first(&mut children);
        for (child_block, child) in children {
            let dy = self.depth(&block, &child_block, chain, child);
            self.dy[child] = dy;
            self.hang(&mut block, chain, child_block, child, dy);
        }
        block
    }

    /// What leaves further right hangs closer. Of several ways from one point, those that come back go first, so
    /// that what ends below them has all the room it wants.
    fn nearness(&self, block: &Block, child: ChainIndex) -> (i32, bool, i32, ChainIndex) {
        let landing = self.chains.landing(child).filter(|_| self.chains.list[child].tail.is_some());
        let landing = landing.map(|landing| self.columns.x[self.chains.landing_node(landing)]);
        let returns: Vec<i32> = block.rises.iter().map(|(x, ..)| *x).chain(landing).collect();
        let port = self.columns.port[child];
        let left = returns.iter().copied().min().unwrap_or(port).min(port);
        // Branches keep the order of the source.
        let right = if self.chains.is_branch(self.scope, child) {
            0
        } else {
            block.areas.iter().map(|area| area.right).max().unwrap_or(0)
        };
        (-left, returns.is_empty(), right, child)
    }

    /// Of ways back that leave one border, the right one hangs closer, whatever their width: the line of the other
    /// would run through it.
    fn right_border_first(&self, children: &mut [(Block, ChainIndex)]) {
        let border = |(block, child): &(Block, ChainIndex)| {
            let entry = self.chains.list[*child].entry.map(|entry| &self.scope.links[entry])?;
            let event = matches!(self.scope.elements[entry.from].kind, ElementKind::Boundary { .. });
            let (left, ends, ..) = self.nearness(block, *child);
            (event && !ends).then(|| (self.scope.origin(entry), left))
        };
        for index in 0..children.len() {
            let Some(here) = border(&children[index]) else { continue };
            let same = (index..children.len()).filter(|&other| border(&children[other]) == Some(here));
            let first = same.max_by_key(|&other| self.columns.port[children[other].1]);
            children.swap(index, first.unwrap_or(index));
        }
    }

    /// Lines that join a neighbour run in its row; those that go across find their way last of all.
    fn takes_room(&self, chain: ChainIndex) -> bool {
        let this = &self.chains.list[chain];
        !matches!(this.reach, Reach::Joins(_)) && (this.reach != Reach::Across || !this.nodes.is_empty())
    }

    /// Where a row below a chain may begin: under the handlers, if it has any.
    fn floor(&self, chain: ChainIndex, child: ChainIndex) -> i32 {
        let has_handler = |&node: &usize| self.forms[node].handler.is_some();
        let handlers = self.chains.list[chain].nodes.iter().any(has_handler);
        match (self.chains.list[child].nodes.is_empty(), handlers) {
            (true, _) => ROW / 2,
            (false, false) => ROW,
            (false, true) if forms::is_glued(self.scope, self.chains, child) => ROW + 80,
            (false, true) => 2 * ROW,
        }
    }

    fn own_areas(&self, chain: ChainIndex) -> Vec<Area> {
        let this = &self.chains.list[chain];
        let x = |node: usize| self.columns.x[node];
        let mut areas = Vec::new();
        for &node in &this.nodes {
            areas.extend(self.forms[node].areas(node).into_iter().map(|area| area.moved(x(node), 0)));
        }
        for pair in this.nodes.windows(2) {
            areas.push(line(x(pair[0]), x(pair[1]), 0));
        }
        let landing = match this.reach {
            Reach::Forward(landing) | Reach::Back(landing) => Some(x(self.chains.landing_node(landing))),
            _ => None,
        };
        if this.entry.is_some() {
            let port = self.columns.port[chain];
            let first = this.nodes.first().map(|&node| x(node));
            areas.extend(first.or(landing).map(|to| line(port, to, 0)));
            areas.extend(self.entry_caption(chain));
        }
        if let (Some(&last), Some(landing), Some(_)) = (this.nodes.last(), landing, this.tail) {
            areas.push(line(x(last), landing, 0));
        }
        for (other, joining) in self.chains.list.iter().enumerate() {
            if joining.reach == Reach::Joins(chain) {
                areas.push(line(self.columns.port[other], x(this.nodes[0]), 0));
            }
        }
        areas
    }

    /// The answer beside the line that leads to a chain, relative to the middle line of that chain.
    pub(super) fn entry_caption(&self, chain: ChainIndex) -> Option<Area> {
        super::routes::entry_caption(self.scope, self.chains, self.columns, chain).map(|caption| caption.area)
    }

    fn depth(&self, block: &Block, child_block: &Block, chain: ChainIndex, child: ChainIndex) -> i32 {
        let above = self.chains.list[child].side == Side::Above;
        let bare = self.chains.list[child].nodes.is_empty();
        let mut dy = match (above, bare) {
            (true, true) => -ROW / 2,
            (true, false) => -ROW,
            (false, _) => self.floor(chain, child),
        };
        for theirs in &block.areas {
            for own in &child_block.areas {
                if !own.shares_columns(*theirs, CLEAR) {
                    continue;
                }
                dy = if above {
                    dy.min(theirs.top - CLEAR - own.bottom)
                } else {
                    dy.max(theirs.bottom + CLEAR - own.top)
                };
            }
        }
        let step = if bare { 1 } else { STEP };
        if above { dy.div_euclid(step) * step } else { (dy + step - 1).div_euclid(step) * step }
    }

    fn hang(&self, block: &mut Block, chain: ChainIndex, child_block: Block, child: ChainIndex, dy: i32) {
        block.areas.extend(child_block.areas.into_iter().map(|area| area.moved(0, dy)));
        let mut verticals = vec![(self.columns.port[child], dy)];
        for (other, joining) in self.chains.list.iter().enumerate() {
            if joining.reach == Reach::Joins(child) {
                verticals.push((self.columns.port[other], dy));
            }
        }
        let mut rises: Vec<_> = child_block.rises.into_iter().map(|(x, y, to)| (x, y + dy, to)).collect();
        if let Some(landing) = self.chains.landing(child)
            && self.chains.list[child].tail.is_some()
        {
            rises.push((self.columns.x[self.chains.landing_node(landing)], dy, landing.chain));
        }
        for (x, y, to) in rises {
            if to == chain {
                verticals.push((x, y));
            } else {
                block.rises.push((x, y, to));
            }
        }
        for (x, y) in verticals {
            block.areas.push(Area { left: x - 2, right: x + 2, top: y.min(0), bottom: y.max(0) });
        }
    }
}

fn line(from: i32, to: i32, y: i32) -> Area {
    Area { left: from.min(to), right: from.max(to), top: y - 2, bottom: y + 2 }
}

/// The caption of a line that leaves a node straight down or up, beside its first piece.
pub(super) fn anchor_of_entry(scope: &Scope, chains: &Chains, chain: ChainIndex) -> Anchor {
    let this = &chains.list[chain];
    if forms::is_glued(scope, chains, chain) {
        return Anchor::AboveRight(8, 40);
    }
    match this.reach {
        Reach::Back(_) if this.nodes.is_empty() => Anchor::AboveLeft(8, 4),
        _ => Anchor::AboveRight(8, 4),
    }
}
