//! Which join belongs to which fork, and what a race may lead to.
//! Facts of the shape alone, for the drawing, the checks and the tests.

use std::collections::BTreeSet;

use crate::{Graph, NodeIndex, NodeKind};

impl Graph {
    /// The join where the branches of this fork arrive; `None` when none of them ever does.
    ///
    /// ```
    /// use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts};
    ///
    /// let step = |id: &str| Node::new(id, NodeKind::Step(StepFacts::named(id)));
    /// let next = |from, to| Flow::new(from, to, FlowKind::Next);
    /// let graph = Graph {
    ///     nodes: vec![
    ///         Node::new("started", NodeKind::Start),
    ///         Node::new("fork", NodeKind::Fork),
    ///         step("ship"),
    ///         step("send_invoice"),
    ///         Node::new("join", NodeKind::Join),
    ///         Node::new("completed", NodeKind::End(Outcome::Success)),
    ///     ]
    ///     .into(),
    ///     flows: vec![next(0, 1), next(1, 2), next(1, 3), next(2, 4), next(3, 4), next(4, 5)].into(),
    ///     ..Graph::named("deliver")
    /// };
    /// assert!(graph.defects().is_empty());
    /// assert_eq!(graph.join_of(1), Some(4));
    /// ```
    pub fn join_of(&self, fork: NodeIndex) -> Option<NodeIndex> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<(NodeIndex, usize)> = vec![(fork, 0)];
        while let Some((node, depth)) = open.pop() {
            let depth = match self.nodes[node].kind {
                NodeKind::Fork => depth + 1,
                NodeKind::Join if depth <= 1 => return Some(node),
                NodeKind::Join => depth - 1,
                _ => depth,
            };
            if seen.insert((node, depth)) {
                open.extend(self.outgoing(node).map(|flow| (flow.to, depth)));
            }
        }
        None
    }

    /// Whether each branch of this fork arrives at the join once: a join waits for one arrival of each.
    pub(crate) fn joins_properly(&self, fork: NodeIndex) -> bool {
        let Some(join) = self.join_of(fork) else { return true };
        self.outgoing(fork).all(|branch| {
            let mut seen = BTreeSet::new();
            let mut open = vec![branch.to];
            let mut arrivals = usize::from(branch.to == join);
            while let Some(node) = open.pop() {
                if node == join || !seen.insert(node) {
                    continue;
                }
                arrivals += self.outgoing(node).filter(|flow| flow.to == join).count();
                open.extend(self.outgoing(node).map(|flow| flow.to));
            }
            arrivals <= 1
        })
    }

    /// Whether this race leads to operations that nothing else leads to.
    pub(crate) fn races_properly(&self, race: NodeIndex) -> bool {
        self.outgoing(race).all(|flow| {
            let takes_part =
                self.nodes[flow.to].is_operation() || self.nodes[flow.to].kind == NodeKind::Block;
            takes_part && self.incoming(flow.to).count() == 1
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Defect, Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts};

    fn graph(middle: Vec<Node>, flows: &[(usize, usize)]) -> Graph {
        let mut nodes = vec![Node::new("started", NodeKind::Start)];
        nodes.extend(middle);
        nodes.push(Node::new("completed", NodeKind::End(Outcome::Success)));
        let flows: Vec<Flow> = flows.iter().map(|&(from, to)| Flow::new(from, to, FlowKind::Next)).collect();
        Graph { nodes: nodes.into(), flows: flows.into(), ..Graph::named("shape") }
    }

    fn step(id: &str) -> Node {
        Node::new(id, NodeKind::Step(StepFacts::named(id)))
    }

    #[test]
    fn the_join_of_an_outer_fork_is_not_that_of_an_inner_one() {
        let middle = vec![
            Node::new("fork", NodeKind::Fork),
            Node::new("fork_2", NodeKind::Fork),
            step("a"),
            step("b"),
            Node::new("join", NodeKind::Join),
            step("c"),
            Node::new("join_2", NodeKind::Join),
        ];
        let flows = [(0, 1), (1, 2), (2, 3), (2, 4), (3, 5), (4, 5), (5, 7), (1, 6), (6, 7), (7, 8)];
        let graph = graph(middle, &flows);
        assert_eq!(graph.defects(), []);
        assert_eq!((graph.join_of(1), graph.join_of(2)), (Some(7), Some(5)));
    }

    #[test]
    fn a_branch_that_arrives_twice_is_a_defect() {
        let middle = vec![
            Node::new("fork", NodeKind::Fork),
            step("a"),
            Node::new("fork_2", NodeKind::Race),
            step("b"),
            step("c"),
            Node::new("join", NodeKind::Join),
        ];
        let flows = [(0, 1), (1, 2), (1, 3), (3, 4), (3, 5), (2, 6), (4, 6), (5, 6), (6, 7)];
        assert_eq!(graph(middle, &flows).defects(), [Defect::WrongFlow("fork".into())]);
    }

    #[test]
    fn a_race_that_leads_to_no_operation_is_a_defect() {
        let middle = vec![Node::new("race", NodeKind::Race), step("a"), Node::new("merge", NodeKind::Merge)];
        let flows = [(0, 1), (1, 2), (1, 3), (2, 3), (3, 4)];
        assert_eq!(graph(middle, &flows).defects(), [Defect::WrongFlow("race".into())]);
    }
}
