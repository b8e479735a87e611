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

/// The flows that leave each node, for as many nodes as there is room.
pub(super) struct Leaving<const N: usize> {
    /// All of them stand from here on.
    pub(super) first: [usize; N],
    /// All of them stand before this one.
    pub(super) end: [usize; N],
    /// Whether a way leads here from what stands behind it: then one round along the nodes may not be enough.
    is_led_back_to: [bool; N],
}

impl<const N: usize> Leaving<N> {
    pub(super) const fn of(nodes: &[Node], flows: &[Flow]) -> Leaving<N> {
        let mut leaving = Leaving { first: [0; N], end: [0; N], is_led_back_to: [false; N] };
        let mut is_sorted = true;
        let mut index = 0;
        while index < flows.len() {
            let Flow { from, to, .. } = flows[index];
            is_sorted &= index == 0 || flows[index - 1].from <= from;
            if leaving.end[from] == 0 {
                leaving.first[from] = index;
            }
            leaving.end[from] = index + 1;
            leaving.is_led_back_to[to] |= to <= from;
            index += 1;
        }
        let mut node = 0;
        while node < nodes.len() {
            if !is_sorted {
                (leaving.first[node], leaving.end[node]) = (0, flows.len());
            }
            // An end inside of a block leads to what the block leads to.
            if let (NodeKind::End(_), Some(block)) = (&nodes[node].kind, nodes[node].scope) {
                let mut index = leaving.first[block];
                while index < leaving.end[block] {
                    let Flow { from, to, .. } = flows[index];
                    leaving.is_led_back_to[to] |= from == block && to <= node;
                    index += 1;
                }
            }
            node += 1;
        }
        leaving
    }
}

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
    pub(super) const fn of(nodes: &[Node], flows: &[Flow], leaving: &Leaving<N>) -> Reach<N> {
        let mut reach = Reach { at: [0; N], after: [0; N], error: [0; N] };
        while reach.go_back(nodes, flows, leaving) {}
        reach
    }

    /// One round from the ends to the start; gives whether another one may find more.
    const fn go_back(&mut self, nodes: &[Node], flows: &[Flow], leaving: &Leaving<N>) -> bool {
        let mut is_new = false;
        let mut node = nodes.len();
        while node > 0 {
            node -= 1;
            self.after[node] |= self.along(flows, leaving, node, false);
            self.error[node] |= self.along(flows, leaving, node, true);
            let on = self.after[node] | self.error[node];
            let reached = match (&nodes[node].kind, nodes[node].scope) {
                (NodeKind::End(Outcome::Failure), None) => FAILURE,
                (NodeKind::End(_), None) => SUCCESS,
                (NodeKind::End(Outcome::Failure), Some(block)) => self.along(flows, leaving, block, true),
                (NodeKind::End(_), Some(block)) => self.along(flows, leaving, block, false),
                // What a block leads to is decided by what is inside of it.
                (NodeKind::Block, _) => 0,
                (NodeKind::Compensate, _) => UNDOING | on,
                (kind, _) if kind.is_operation() => UNDOING | on,
                _ => on,
            };
            is_new |= self.add_at(node, reached) && leaving.is_led_back_to[node];
            if let (NodeKind::Start, Some(block)) = (&nodes[node].kind, nodes[node].scope) {
                is_new |= self.add_at(block, reached) && leaving.is_led_back_to[block];
            }
        }
        is_new
    }

    /// What the errors of a node, or all its other ways, lead to.
    const fn along(&self, flows: &[Flow], leaving: &Leaving<N>, node: NodeIndex, errors: bool) -> u8 {
        let mut reached = 0;
        let mut index = leaving.first[node];
        while index < leaving.end[node] {
            let Flow { from, to, kind } = &flows[index];
            if *from == node && is_error(kind) == errors {
                reached |= self.at[*to];
            }
            index += 1;
        }
        reached
    }

    const fn add_at(&mut self, node: NodeIndex, reached: u8) -> bool {
        let is_new = self.at[node] | reached != self.at[node];
        self.at[node] |= reached;
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
        let reach = Reach::<ROOM>::of(nodes, flows, &Leaving::of(nodes, flows));
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
}

/// What is walked along.
#[derive(Clone, Copy)]
pub(super) struct Ways<'g, const N: usize> {
    pub(super) nodes: &'g [Node],
    pub(super) flows: &'g [Flow],
    pub(super) leaving: &'g Leaving<N>,
    pub(super) parts: &'g [Part; N],
    pub(super) siblings: &'g Siblings<N>,
}

impl<const N: usize> Passed<N> {
    pub(super) const fn of(ways: Ways<'_, N>) -> Passed<N> {
        let mut passed = Passed { before: [None; N], is_told: [false; N] };
        if ways.siblings.has_pivot {
            while passed.go_on(ways, None) {}
        }
        passed
    }

    /// The same, but what was found already leads to nothing else that is found.
    pub(super) const fn untold(ways: Ways<'_, N>, findings: &[Option<Finding>; N]) -> Passed<N> {
        let mut passed = Passed { before: [None; N], is_told: [false; N] };
        while passed.go_on(ways, Some(findings)) {}
        passed.tell(ways.flows, findings);
        passed
    }

    /// One round from the start to the ends; gives whether another one may find more.
    const fn go_on(&mut self, ways: Ways<'_, N>, told: Option<&[Option<Finding>; N]>) -> bool {
        let Ways { nodes, flows, leaving, parts, siblings } = ways;
        let mut is_new = false;
        let mut node = 0;
        while node < nodes.len() {
            if let (NodeKind::Start, Some(block)) = (&nodes[node].kind, nodes[node].scope) {
                self.before[node] = self.before[block];
            }
            // The ways out of a block begin at the ends inside of it.
            let (leaver, only_errors) = match (&nodes[node].kind, nodes[node].scope) {
                (NodeKind::End(Outcome::Failure), Some(block)) => (block, Some(true)),
                (NodeKind::End(_), Some(block)) => (block, Some(false)),
                _ => (node, None),
            };
            // An end that is refused is refused once, and not again where the block ends with it.
            let is_over = matches!(nodes[node].kind, NodeKind::Block)
                || (told.is_some() && matches!(only_errors, Some(true)));
            let mut index = if is_over { leaving.end[leaver] } else { leaving.first[leaver] };
            while index < leaving.end[leaver] {
                let Flow { from, to, kind } = &flows[index];
                let is_error = is_error(kind);
                let is_taken = match only_errors {
                    Some(only_errors) => only_errors == is_error,
                    None => true,
                };
                if *from == leaver && is_taken && self.before[*to].is_none() {
                    let is_told = match told {
                        Some(findings) => is_error && findings[node].is_some(),
                        None => false,
                    };
                    self.before[*to] = if is_told {
                        None
                    } else if parts[node].has_pivot && (!is_error || nodes[node].instances.is_some()) {
                        Some(node)
                    } else if only_errors.is_some() && self.before[node].is_none() {
                        siblings.pivot[node]
                    } else {
                        self.before[node]
                    };
                    is_new |= self.before[*to].is_some() && *to <= node;
                }
                index += 1;
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

/// Whether this flow is taken because the node ended with an error.
pub(super) const fn is_error(kind: &FlowKind) -> bool {
    matches!(kind, FlowKind::Error { .. })
}
