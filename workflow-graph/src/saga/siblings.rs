//! What stands beside a node: in the other branches of a `join!` or `try_join!`, which run at the same time.
//! A pivot there may have happened at any time, and an error there ends the branch of the node as well.

use crate::{Flow, Node, NodeIndex, NodeKind};

use super::part::Part;
use super::ways::{Leaving, Reach};

/// The pivots beside each node.
pub(super) struct Siblings<const N: usize> {
    /// A pivot in another branch.
    pub(super) pivot: [Option<NodeIndex>; N],
    /// Whether the graph has any pivot at all.
    pub(super) has_pivot: bool,
}

impl<const N: usize> Siblings<N> {
    /// Finds the pivots, and adds to what can be reached what the other branches lead to.
    pub(super) const fn of(
        nodes: &[Node],
        flows: &[Flow],
        leaving: &Leaving<N>,
        parts: &[Part; N],
        reach: &mut Reach<N>,
    ) -> Siblings<N> {
        let mut siblings = Siblings { pivot: [None; N], has_pivot: false };
        let mut looks_on = false;
        let mut node = 0;
        while node < nodes.len() {
            siblings.has_pivot |= parts[node].has_pivot;
            looks_on |= parts[node].keeps || parts[node].is_atomic;
            if parts[node].keeps && nodes[node].instances.is_some() {
                reach.add_after(node, reach.after_error(node));
            }
            node += 1;
        }
        if !siblings.has_pivot && !looks_on {
            return siblings;
        }
        let mut fork = 0;
        while fork < nodes.len() {
            if matches!(nodes[fork].kind, NodeKind::Fork) {
                let branches = Branches::<N>::of(nodes, flows, leaving, fork);
                siblings.note_pivots(nodes, parts, &branches);
                if looks_on {
                    branches.note_ends(nodes, flows, leaving, parts, fork, reach);
                }
            }
            fork += 1;
        }
        siblings
    }

    const fn note_pivots(&mut self, nodes: &[Node], parts: &[Part; N], branches: &Branches<N>) {
        let Some(first) = branches.pivot_beside(nodes, parts, 0) else { return };
        let other = branches.pivot_beside(nodes, parts, branches.number[first]);
        let mut node = 0;
        while node < nodes.len() {
            let number = branches.number[node];
            if number != 0 && self.pivot[node].is_none() {
                self.pivot[node] = if number != branches.number[first] { Some(first) } else { other };
            }
            node += 1;
        }
    }
}

/// Which branch of one fork each node stands in.
struct Branches<const N: usize> {
    /// Counted from 1; 0 for what stands in none.
    number: [usize; N],
    /// In how many forks from this one on.
    depth: [usize; N],
}

impl<const N: usize> Branches<N> {
    const fn of(nodes: &[Node], flows: &[Flow], leaving: &Leaving<N>, fork: NodeIndex) -> Branches<N> {
        let mut branches = Branches { number: [0; N], depth: [0; N] };
        let mut count = 0;
        let mut index = leaving.first[fork];
        while index < leaving.end[fork] {
            if flows[index].from == fork && !matches!(nodes[flows[index].to].kind, NodeKind::Join) {
                count += 1;
                branches.number[flows[index].to] = count;
                branches.depth[flows[index].to] = 1;
            }
            index += 1;
        }
        while branches.go_on(nodes, flows, leaving, fork) {}
        branches
    }

    /// One round along the branches; gives whether another one may find more.
    const fn go_on(&mut self, nodes: &[Node], flows: &[Flow], leaving: &Leaving<N>, fork: NodeIndex) -> bool {
        let mut is_new = false;
        let mut node = 0;
        while node < nodes.len() {
            if self.number[node] == 0
                && let Some(block) = nodes[node].scope
            {
                (self.number[node], self.depth[node]) = (self.number[block], 1);
            }
            let depth = match nodes[node].kind {
                NodeKind::Fork => self.depth[node] + 1,
                NodeKind::Join if self.depth[node] > 0 => self.depth[node] - 1,
                _ => self.depth[node],
            };
            let mut index = if self.number[node] == 0 { leaving.end[node] } else { leaving.first[node] };
            while index < leaving.end[node] {
                let Flow { from, to, .. } = flows[index];
                // Where the branches of this very fork meet, they end.
                let is_inside = depth > 1 || !matches!(nodes[to].kind, NodeKind::Join);
                if from == node && is_inside && self.number[to] == 0 && to != fork {
                    (self.number[to], self.depth[to]) = (self.number[node], depth);
                    is_new |= to <= node;
                }
                index += 1;
            }
            node += 1;
        }
        is_new
    }

    /// The first pivot in any branch but this one.
    const fn pivot_beside(&self, nodes: &[Node], parts: &[Part; N], number: usize) -> Option<NodeIndex> {
        let mut node = 0;
        while node < nodes.len() {
            if parts[node].has_pivot && self.number[node] != 0 && self.number[node] != number {
                return Some(node);
            }
            node += 1;
        }
        None
    }

    /// What one branch leads to, the others lead to as well.
    const fn note_ends(
        &self,
        nodes: &[Node],
        flows: &[Flow],
        leaving: &Leaving<N>,
        parts: &[Part; N],
        fork: NodeIndex,
        reach: &mut Reach<N>,
    ) {
        let mut index = leaving.first[fork];
        while index < leaving.end[fork] {
            let Flow { from, to, .. } = flows[index];
            if from == fork && self.number[to] != 0 {
                let mut node = 0;
                while node < nodes.len() {
                    let number = self.number[node];
                    let looks_on = parts[node].keeps || parts[node].is_atomic;
                    if looks_on && number != 0 && number != self.number[to] {
                        reach.add_after(node, reach.at[to]);
                    }
                    node += 1;
                }
            }
            index += 1;
        }
    }
}
