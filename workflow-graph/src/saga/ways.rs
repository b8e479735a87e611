//! Where the ways of a flow lead: which ends can still be reached, and which pivot may have been passed.
//! Both go round until nothing changes any more, so that loops and their ways back count.

use crate::{Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome};

use super::part::Part;
use super::siblings::Siblings;
use super::{Finding, flows_of, nodes_of};

/// What can be reached: bits of a set.
const SUCCESS: u8 = 1;
const FAILURE: u8 = 2;
/// An operation, in the midst of which a run may be cancelled, or a `compensate()`.
const UNDOING: u8 = 4;

/// Which ends of the whole flow, and whether any operation, can be reached from where.
pub(super) struct Reach<const N: usize> {
    /// From the node itself, before it happens.
    pub(super) at: [u8; N],
    /// Once the node has succeeded.
    after: [u8; N],
    /// Once the node has ended with an error.
    error: [u8; N],
}

impl<const N: usize> Reach<N> {
    pub(super) const fn of(nodes: &[Node], flows: &[Flow]) -> Reach<N> {
        let mut reach = Reach { at: [0; N], after: [0; N], error: [0; N] };
        while reach.go_back(nodes, flows) {}
        reach
    }

    /// One round from the ends to the start; gives whether anything was new.
    const fn go_back(&mut self, nodes: &[Node], flows: &[Flow]) -> bool {
        let mut is_new = false;
        let mut index = flows.len();
        while index > 0 {
            index -= 1;
            let Flow { from, to, kind } = &flows[index];
            if *from >= N || *to >= N {
                continue;
            }
            let reached = self.at[*to];
            let side = if is_error(kind) { &mut self.error[*from] } else { &mut self.after[*from] };
            is_new |= *side | reached != *side;
            *side |= reached;
            // What a block leads to is decided by the ends inside of it.
            if !matches!(nodes[*from].kind, NodeKind::Block) {
                is_new |= self.at[*from] | reached != self.at[*from];
                self.at[*from] |= reached;
            }
        }
        let mut node = if nodes.len() < N { nodes.len() } else { N };
        while node > 0 {
            node -= 1;
            let reached = match (&nodes[node].kind, nodes[node].scope) {
                (NodeKind::End(Outcome::Failure), None) => FAILURE,
                (NodeKind::End(_), None) => SUCCESS,
                (NodeKind::End(Outcome::Failure), Some(block)) => self.error[block],
                (NodeKind::End(_), Some(block)) => self.after[block],
                (NodeKind::Compensate, _) => UNDOING,
                (kind, _) if kind.is_operation() => UNDOING,
                _ => self.at[node],
            };
            is_new |= self.at[node] | reached != self.at[node];
            self.at[node] |= reached;
            if let (NodeKind::Start, Some(block)) = (&nodes[node].kind, nodes[node].scope) {
                is_new |= self.at[block] | reached != self.at[block];
                self.at[block] |= reached;
            }
        }
        is_new
    }

    /// What can be reached from elsewhere while this node is under way.
    pub(super) const fn add_after(&mut self, node: NodeIndex, reached: u8) {
        self.after[node] |= reached;
    }

    pub(super) const fn after_error(&self, node: NodeIndex) -> u8 {
        self.error[node]
    }

    /// Whether the flow may still succeed and may still fail, once this node has succeeded.
    pub(super) const fn is_open_after(&self, node: NodeIndex) -> bool {
        self.after[node] & (SUCCESS | FAILURE) == SUCCESS | FAILURE
    }

    /// Whether nothing that is behind this node, or beside it, could have it undone.
    pub(super) const fn is_safe_after(&self, node: NodeIndex) -> bool {
        self.after[node] & (FAILURE | UNDOING) == 0
    }
}

/// How much of a subflow is looked at; what is behind that counts as on the way to success.
const ROOM: usize = 512;

/// Which nodes of a subflow may be followed by its success.
#[derive(Clone, Copy)]
pub(super) struct OnTheWay([bool; ROOM]);

impl OnTheWay {
    pub(super) const fn of(graph: &Graph) -> OnTheWay {
        let (nodes, flows) = (nodes_of(graph), flows_of(graph));
        let mut on_the_way = OnTheWay([true; ROOM]);
        if nodes.len() > ROOM {
            return on_the_way;
        }
        let reach = Reach::<ROOM>::of(nodes, flows);
        let mut node = 0;
        while node < nodes.len() {
            on_the_way.0[node] = reach.after[node] & SUCCESS != 0;
            node += 1;
        }
        on_the_way
    }

    pub(super) const fn leads_to_success(&self, node: NodeIndex) -> bool {
        node >= ROOM || self.0[node]
    }
}

/// Which pivot may have happened before each node.
pub(super) struct Passed<const N: usize> {
    /// Before the node, on some way to it; one of them when there are several.
    pub(super) before: [Option<NodeIndex>; N],
    /// Whether all ways to the node are errors of steps about which something has been said.
    pub(super) is_told: [bool; N],
    /// Of a block: when it ends with an error.
    failed: [Option<NodeIndex>; N],
    /// Of a block: when it succeeds.
    done: [Option<NodeIndex>; N],
}

impl<const N: usize> Passed<N> {
    /// With `skips_told`, what was found already leads to nothing else that is found.
    pub(super) const fn of(
        nodes: &[Node],
        flows: &[Flow],
        parts: &[Part; N],
        siblings: &Siblings<N>,
        findings: &[Option<Finding>; N],
        skips_told: bool,
    ) -> Passed<N> {
        let mut passed =
            Passed { before: [None; N], is_told: [false; N], failed: [None; N], done: [None; N] };
        if siblings.has_pivot {
            while passed.go_on(nodes, flows, parts, siblings, findings, skips_told) {}
            passed.tell(flows, findings);
        }
        passed
    }

    /// One round from the start to the ends; gives whether anything was new.
    const fn go_on(
        &mut self,
        nodes: &[Node],
        flows: &[Flow],
        parts: &[Part; N],
        siblings: &Siblings<N>,
        findings: &[Option<Finding>; N],
        skips_told: bool,
    ) -> bool {
        let mut is_new = false;
        let mut index = 0;
        while index < flows.len() {
            let Flow { from, to, kind } = &flows[index];
            let (node, is_error) = (*from, is_error(kind));
            let is_told = skips_told && is_error && findings[node].is_some();
            let pivot = if is_told {
                None
            } else if parts[node].has_pivot && (!is_error || nodes[node].instances.is_some()) {
                // What was passed before is the better reason, unless a loop leads back.
                Some(node)
            } else if matches!(nodes[node].kind, NodeKind::Block) {
                if is_error { self.failed[node] } else { self.done[node] }
            } else {
                self.before[node]
            };
            is_new |= note(&mut self.before[*to], pivot);
            index += 1;
        }
        let mut node = 0;
        while node < nodes.len() {
            if let Some(block) = nodes[node].scope {
                match &nodes[node].kind {
                    NodeKind::Start => {
                        let before = self.before[block];
                        is_new |= note(&mut self.before[node], before);
                    }
                    NodeKind::End(Outcome::Failure) => {
                        // An end that is refused is refused once, and not again where the block ends with it.
                        if !skips_told {
                            is_new |= note(&mut self.failed[block], self.before[node]);
                            is_new |= note(&mut self.failed[block], siblings.pivot[node]);
                        }
                    }
                    NodeKind::End(_) => {
                        is_new |= note(&mut self.done[block], self.before[node]);
                        is_new |= note(&mut self.done[block], siblings.pivot[node]);
                    }
                    _ => {}
                }
            }
            node += 1;
        }
        is_new
    }

    const fn tell(&mut self, flows: &[Flow], findings: &[Option<Finding>; N]) {
        let mut is_reached = [false; N];
        let mut index = 0;
        while index < flows.len() {
            let Flow { from, to, kind } = &flows[index];
            let is_told = is_error(kind) && findings[*from].is_some();
            self.is_told[*to] = is_told && (self.is_told[*to] || !is_reached[*to]);
            is_reached[*to] = true;
            index += 1;
        }
    }
}

const fn note(known: &mut Option<NodeIndex>, pivot: Option<NodeIndex>) -> bool {
    if known.is_some() || pivot.is_none() {
        return false;
    }
    *known = pivot;
    true
}

/// Whether this flow is taken because the node ended with an error.
pub(super) const fn is_error(kind: &FlowKind) -> bool {
    matches!(kind, FlowKind::Error { .. })
}
