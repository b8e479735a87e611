//! Loops that no result of the workflow ends: their journal grows for ever (WF043).
//! It looks at the graph alone: what a loop does is told by the operations that lead back to its head.

use std::collections::BTreeSet;

use proc_macro2::Span;
use workflow_graph::{NodeIndex, NodeKind, Outcome};

use super::graph::Builder;

impl Builder {
    /// Where loops begin that wait for something in each round, and neither end nor continue as new. Of loops inside
    /// each other it is the outermost.
    pub(crate) fn endless(&self, loops: &[(NodeIndex, Span)]) -> Vec<Span> {
        let started = self.reached_from(0);
        let mut told: Vec<(NodeIndex, BTreeSet<NodeIndex>)> = Vec::new();
        let mut spans = Vec::new();
        for &(head, span) in loops {
            let reached = self.reached_from(head);
            let returns = |node: NodeIndex| self.reached_from(node).contains(&head);
            let waits = || reached.iter().any(|&node| self.is_waiting(node) && returns(node));
            let is_told =
                told.iter().any(|(outer, around)| around.contains(&head) && reached.contains(outer));
            if !started.contains(&head)
                || is_told
                || reached.iter().any(|&node| self.is_end(node))
                || !waits()
            {
                continue;
            }
            told.push((head, reached));
            spans.push(span);
        }
        spans
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
