//! Where the ways of a flow lead: which ends can still be reached, and which pivot may have been passed.
//! Both go round until nothing changes any more, so that loops and their ways back count.

use crate::{Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome};

use super::Finding;
use super::part::Part;
use super::siblings::Siblings;
use crate::reading::{flows_of, nodes_of};

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
    /// Whether an error has a way of its own out of the node; else it goes along with the success, as a value.
    tells_errors: [bool; N],
    /// Whether no error ever comes out of the node, so that the ways of its errors are not taken.
    never_fails: [bool; N],
}

/// How a way leaves a node.
#[derive(Clone, Copy)]
enum Exit {
    Any,
    Success,
    Failure,
}

impl<const N: usize> Leaving<N> {
    pub(super) const fn of(nodes: &[Node], flows: &[Flow], parts: &[Part; N]) -> Leaving<N> {
        let mut leaving = Leaving {
            first: [0; N],
            end: [0; N],
            is_led_back_to: [false; N],
            tells_errors: [false; N],
            never_fails: [false; N],
        };
        let mut is_sorted = true;
        let mut index = 0;
        while index < flows.len() {
            let Flow { from, to, .. } = flows[index];
            leaving.tells_errors[from] |= is_error(&flows[index].kind);
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
            leaving.never_fails[node] = parts[node].never_fails;
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

    /// Whether a node that is left in this manner takes flows of this kind.
    const fn takes(&self, leaver: NodeIndex, exit: Exit, kind: &FlowKind) -> bool {
        let is_error = is_error(kind);
        match exit {
            Exit::Any => !is_error || !self.never_fails[leaver],
            Exit::Success => !is_error,
            Exit::Failure => (is_error && !self.never_fails[leaver]) || !self.tells_errors[leaver],
        }
    }

    /// Whether an end inside of a block is an end of the whole flow as well: nothing looks at its error on the way.
    pub(super) const fn ends_all(&self, nodes: &[Node], flows: &[Flow], end: NodeIndex) -> bool {
        let Some(block) = nodes[end].scope else { return true };
        let mut index = self.first[block];
        while index < self.end[block] {
            if flows[index].from == block && is_error(&flows[index].kind) {
                let to = self.behind_merges(nodes, flows, flows[index].to);
                if matches!(nodes[to].kind, NodeKind::End(Outcome::Failure))
                    && self.ends_all(nodes, flows, to)
                {
                    return true;
                }
            }
            index += 1;
        }
        false
    }

    const fn behind_merges(&self, nodes: &[Node], flows: &[Flow], mut node: NodeIndex) -> NodeIndex {
        let mut rounds = 0;
        while matches!(nodes[node].kind, NodeKind::Merge) && rounds < nodes.len() {
            let mut index = self.first[node];
            while index < self.end[node] && flows[index].from != node {
                index += 1;
            }
            if index == self.end[node] {
                return node;
            }
            node = flows[index].to;
            rounds += 1;
        }
        node
    }
}

/// The node that is left at this one, and how: the ways out of a block begin at the ends inside of it.
const fn exit(nodes: &[Node], node: NodeIndex) -> (NodeIndex, Exit) {
    match (&nodes[node].kind, nodes[node].scope) {
        (NodeKind::End(Outcome::Failure), Some(block)) => (block, Exit::Failure),
        (NodeKind::End(_), Some(block)) => (block, Exit::Success),
        _ => (node, Exit::Any),
    }
}

/// Which nodes some way from the start leads to.
pub(super) struct Live<const N: usize> {
    pub(super) at: [bool; N],
}

impl<const N: usize> Live<N> {
    pub(super) const fn of(nodes: &[Node], flows: &[Flow], leaving: &Leaving<N>) -> Live<N> {
        let mut live = Live { at: [false; N] };
        while live.go_on(nodes, flows, leaving) {}
        live
    }

    /// Leaves no part to nodes that nothing leads to.
    pub(super) const fn forget_others(&self, parts: &mut [Part; N]) {
        let mut node = 0;
        while node < N {
            if !self.at[node] {
                parts[node] = Part::NOTHING;
            }
            node += 1;
        }
    }

    /// One round from the start to the ends; gives whether another one may find more.
    const fn go_on(&mut self, nodes: &[Node], flows: &[Flow], leaving: &Leaving<N>) -> bool {
        let mut is_new = false;
        let mut node = 0;
        while node < nodes.len() {
            if matches!(nodes[node].kind, NodeKind::Start) {
                self.at[node] = match nodes[node].scope {
                    Some(block) => self.at[block],
                    None => true,
                };
            }
            let (leaver, exit) = exit(nodes, node);
            // Out of a block lead the ends inside of it.
            let goes_on = self.at[node] && !matches!(nodes[node].kind, NodeKind::Block);
            let mut index = if goes_on { leaving.first[leaver] } else { leaving.end[leaver] };
            while index < leaving.end[leaver] {
                let Flow { from, to, kind } = &flows[index];
                if *from == leaver && leaving.takes(leaver, exit, kind) && !self.at[*to] {
                    self.at[*to] = true;
                    is_new |= *to <= node;
                }
                index += 1;
            }
            node += 1;
        }
        is_new
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
            self.after[node] |= self.along(flows, leaving, node, Exit::Success);
            self.error[node] |= self.along(flows, leaving, node, Exit::Failure);
            let on = self.after[node] | self.error[node];
            let reached = match (&nodes[node].kind, nodes[node].scope) {
                (NodeKind::End(Outcome::Failure), None) => FAILURE,
                (NodeKind::End(_), None) => SUCCESS,
                (NodeKind::End(_), Some(_)) => {
                    let (block, exit) = exit(nodes, node);
                    self.along(flows, leaving, block, exit)
                }
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

    /// What the ways lead to that leave a node in this manner.
    const fn along(&self, flows: &[Flow], leaving: &Leaving<N>, node: NodeIndex, exit: Exit) -> u8 {
        let mut reached = 0;
        let mut index = leaving.first[node];
        while index < leaving.end[node] {
            let Flow { from, to, kind } = &flows[index];
            if *from == node && leaving.takes(node, exit, kind) {
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
pub(super) const ROOM: usize = 512;

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
        let reach = Reach::<ROOM>::of(nodes, flows, &Leaving::of(nodes, flows, &[Part::NOTHING; ROOM]));
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
            let (leaver, exit) = exit(nodes, node);
            // An end that is refused is refused once, and not again where the flow ends with it.
            let is_over = matches!(nodes[node].kind, NodeKind::Block)
                || (told.is_some() && matches!(exit, Exit::Failure) && leaving.ends_all(nodes, flows, node));
            let mut index = if is_over { leaving.end[leaver] } else { leaving.first[leaver] };
            while index < leaving.end[leaver] {
                let Flow { from, to, kind } = &flows[index];
                let is_error = is_error(kind);
                let is_taken = leaving.takes(leaver, exit, kind);
                if *from == leaver && is_taken && self.before[*to].is_none() {
                    let is_told = match told {
                        Some(findings) => is_error && findings[node].is_some(),
                        None => false,
                    };
                    self.before[*to] = if is_told {
                        None
                    } else if parts[node].has_pivot && (!is_error || nodes[node].instances.is_some()) {
                        Some(node)
                    } else if !matches!(exit, Exit::Any) && self.before[node].is_none() {
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
