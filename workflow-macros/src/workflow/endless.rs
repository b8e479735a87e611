//! Loops that no result of the workflow ends: their journal grows for ever (WF043).
//! It looks at the graph alone: what a loop does is told by the operations that lead back to its head.

use std::collections::BTreeSet;

use proc_macro2::Span;
use workflow_graph::{FlowKind, NodeIndex, NodeKind, Outcome};

use super::graph::Builder;

impl Builder {
    /// Where loops begin that wait for something in each round, and that only an error of what happens in them can
    /// end. Of loops inside each other it is the outermost.
    pub(crate) fn endless(&self, loops: &[(NodeIndex, Span)]) -> Vec<Span> {
        let started = self.reached_from(0);
        let mut told: Vec<BTreeSet<NodeIndex>> = Vec::new();
        let mut spans = Vec::new();
        for &(head, span) in loops {
            let is_told = told.iter().any(|around| around.contains(&head));
            if is_told || !started.contains(&head) {
                continue;
            }
            let around = self.around(head);
            if around.iter().any(|&node| self.is_waiting(node)) && !self.is_left(&around) {
                told.push(around);
                spans.push(span);
            }
        }
        spans
    }

    /// Whether a way leads out of these nodes, other than an error of one of them with which all is over.
    fn is_left(&self, around: &BTreeSet<NodeIndex>) -> bool {
        let mut leaving =
            self.flows.iter().filter(|flow| around.contains(&flow.from) && !around.contains(&flow.to));
        leaving.any(|flow| {
            let is_error = matches!(flow.kind, FlowKind::Error { .. } | FlowKind::Timeout);
            let leads_to_end =
                || self.is_end(flow.to) || self.reached_from(flow.to).iter().any(|&node| self.is_end(node));
            !is_error || leads_to_end()
        })
    }

    /// The nodes on the ways from this one that lead back to it.
    fn around(&self, head: NodeIndex) -> BTreeSet<NodeIndex> {
        let mut returning = BTreeSet::new();
        let mut open = vec![head];
        while let Some(node) = open.pop() {
            let before = self.flows.iter().filter(|flow| flow.to == node).map(|flow| flow.from);
            open.extend(before.filter(|&before| returning.insert(before)));
        }
        self.reached_from(head).intersection(&returning).copied().collect()
    }

    /// Whether the journal ends here, other than with an error.
    fn is_end(&self, node: NodeIndex) -> bool {
        matches!(self.nodes[node].kind, NodeKind::End(Outcome::Success | Outcome::Continued))
    }

    /// Whether passing this node is recorded; what stands in a block is.
    fn is_waiting(&self, node: NodeIndex) -> bool {
        let kind = &self.nodes[node].kind;
        kind.is_operation() || *kind == NodeKind::Block
    }

    /// The nodes to which ways lead from this one, which is among them only when a way leads back.
    fn reached_from(&self, from: NodeIndex) -> BTreeSet<NodeIndex> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        if from == 0 {
            reached.insert(from);
        }
        while let Some(node) = open.pop() {
            let next = self.flows.iter().filter(|flow| flow.from == node).map(|flow| flow.to);
            open.extend(next.filter(|&next| reached.insert(next)));
        }
        reached
    }
}
