//! Which merges are needless: those that merge nothing, and those that lead straight to a later one.
//! It decides where their flows lead instead, in about as many steps as there are flows, and changes none.

use std::collections::BTreeSet;

use workflow_graph::{NodeIndex, NodeKind};

use super::graph::Builder;

/// The merges of a graph, each with the only node it leads to.
pub(super) struct Merges {
    is_merge: Vec<bool>,
    /// How many flows lead to each node.
    incoming: Vec<usize>,
    /// The node that each merge leads to; its own index for all other nodes.
    targets: Vec<NodeIndex>,
    /// The merges that lead straight to each node.
    before: Vec<Vec<NodeIndex>>,
}

impl Merges {
    pub(super) fn of(graph: &Builder) -> Merges {
        let count = graph.nodes.len();
        let is_merge: Vec<bool> = graph.nodes.iter().map(|draft| draft.kind == NodeKind::Merge).collect();
        let mut incoming = vec![0; count];
        let mut targets: Vec<NodeIndex> = (0..count).collect();
        let mut before = vec![Vec::new(); count];
        for flow in &graph.flows {
            incoming[flow.to] += 1;
            if is_merge[flow.from] {
                targets[flow.from] = flow.to;
                before[flow.to].push(flow.from);
            }
        }
        Merges { is_merge, incoming, targets, before }
    }

    /// Marks all needless merges as dropped, the first of the text first, and tells where each of them led.
    pub(super) fn drop_needless(mut self, dropped: &mut [bool]) -> Vec<NodeIndex> {
        let merges = (0..dropped.len()).filter(|&node| self.is_merge[node] && !dropped[node]);
        let mut open: BTreeSet<NodeIndex> = merges.collect();
        while let Some(merge) = open.pop_first() {
            let to = self.targets[merge];
            if !self.is_needless(merge) {
                continue;
            }
            dropped[merge] = true;
            self.incoming[to] += self.incoming[merge] - 1;
            // Those that led here lead on now, and may have become needless by that, as may what they lead to.
            let mut moved = std::mem::take(&mut self.before[merge]);
            moved.retain(|&other| !dropped[other]);
            for &other in &moved {
                self.targets[other] = to;
            }
            open.extend(moved.iter().copied().chain(self.is_merge[to].then_some(to)));
            self.before[to].extend(moved);
        }
        self.targets
    }

    fn is_needless(&self, merge: NodeIndex) -> bool {
        let to = self.targets[merge];
        // Ways back to a loop's head are gathered first: one line back is easier to follow than many.
        let joins_later = self.is_merge[to] && to > merge;
        to != merge && (self.incoming[merge] == 1 || joins_later)
    }
}
