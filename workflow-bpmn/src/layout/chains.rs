//! Cuts the flow into chains: the happy path, and every way that leaves a chain.
//! It knows what follows what, nothing of sizes and places.
//!
//! The happy path follows the ordinary exit of each node. At a decision it takes the answer that can still reach
//! the success end declared last in the source (an early `return Ok` is a detour), else the one that comes back
//! to the line it left, else one that ends, else the one that loops; ties go to the answer written first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::model::{ElementIndex, ElementKind, Scope};

/// The position of a chain in [`Chains::list`]; the happy path is the first.
pub(super) type ChainIndex = usize;
/// The position of a link in [`Scope::links`].
pub(super) type LinkIndex = usize;

/// The whole flow, cut into chains.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) list: Vec<Chain>,
    /// Per element: its chain and its position there. Nothing for boundary events and handlers.
    pub(super) place: Vec<Option<(ChainIndex, usize)>>,
    /// Per chain: the chains that leave it, in the order of the nodes they leave.
    pub(super) children: Vec<Vec<ChainIndex>>,
}

/// Nodes on one horizontal line, and how they hang together with the rest.
#[derive(Debug)]
pub(super) struct Chain {
    /// From left to right; none when the way consists of a single link between nodes of other chains.
    pub(super) nodes: Vec<ElementIndex>,
    /// The link that leads here; nothing leads to the happy path.
    pub(super) entry: Option<LinkIndex>,
    /// The chain that it leaves, and the position there.
    pub(super) parent: Option<(ChainIndex, usize)>,
    /// The link from the last node to a node of another chain; the entry itself when there are no nodes.
    pub(super) tail: Option<LinkIndex>,
    /// How it ends.
    pub(super) reach: Reach,
    /// On which side of its parent it runs.
    pub(super) side: Side,
}

/// Where a chain leads in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To an end.
    DeadEnd,
    /// Further right, to a node of a chain that it hangs on.
    Forward(Landing),
    /// Back to a loop's head on a chain that it hangs on.
    Back(Landing),
    /// To the first node of a chain that leaves the same parent further left: the two become one line.
    Joins(ChainIndex),
    /// To some other chain. Ordinary structured code does not do this.
    Across,
}

/// A node on a chain that another chain hangs on, directly or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Landing {
    pub(super) chain: ChainIndex,
    /// The position of the node.
    pub(super) at: usize,
    /// The position from which the landing chain, or what it hangs on, leaves.
    pub(super) from: usize,
    /// The child of `chain` that contains the landing chain.
    pub(super) branch: ChainIndex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Below,
    Above,
}

impl Chains {
    /// All chains that hang on this one, itself included.
    pub(super) fn family(&self, chain: ChainIndex) -> Vec<ChainIndex> {
        let mut family = vec![chain];
        let mut next = 0;
        while next < family.len() {
            family.extend(&self.children[family[next]]);
            next += 1;
        }
        family
    }

    /// The landing of a chain on one of those it hangs on.
    pub(super) fn landing(&self, chain: ChainIndex) -> Option<Landing> {
        match self.list[chain].reach {
            Reach::Forward(landing) | Reach::Back(landing) => Some(landing),
            _ => None,
        }
    }

    /// Whether a chain begins at a parallel gateway, so that it is one of several that all happen.
    pub(super) fn is_branch(&self, scope: &Scope, chain: ChainIndex) -> bool {
        let from = self.list[chain].entry.map(|entry| &scope.elements[scope.links[entry].from].kind);
        from.is_some_and(|kind| matches!(kind, ElementKind::ParallelGateway { .. }))
    }

    /// The node that a landing means.
    pub(super) fn landing_node(&self, landing: Landing) -> ElementIndex {
        self.list[landing.chain].nodes[landing.at]
    }
}

/// Cuts the flow into chains.
pub(super) fn decompose(scope: &Scope) -> Chains {
    let mut cutter = Cutter {
        scope,
        leaving: vec![Vec::new(); scope.elements.len()],
        chains: Chains { list: Vec::new(), place: vec![None; scope.elements.len()], children: Vec::new() },
        followed: BTreeSet::new(),
    };
    for (index, link) in scope.sequence_flows() {
        cutter.leaving[scope.origin(link)].push(index);
    }
    let starts = |kind: &ElementKind| matches!(kind, ElementKind::StartEvent(_));
    let start = scope.elements.iter().position(|element| starts(&element.kind));
    cutter.add(None, None, start);
    let mut current = 0;
    while current < cutter.chains.list.len() {
        cutter.cut_exits_of(current);
        current += 1;
    }
    cutter.chains
}

struct Cutter<'a> {
    scope: &'a Scope,
    /// Per element: the sequence flows that leave it, those of its boundary events included.
    leaving: Vec<Vec<LinkIndex>>,
    chains: Chains,
    /// Links that already belong to a chain.
    followed: BTreeSet<LinkIndex>,
}

impl Cutter<'_> {
    fn cut_exits_of(&mut self, chain: ChainIndex) {
        for at in 0..self.chains.list[chain].nodes.len() {
            let node = self.chains.list[chain].nodes[at];
            for link in self.leaving[node].clone() {
                if self.followed.insert(link) {
                    let first = self.scope.links[link].to;
                    let first = self.chains.place[first].is_none().then_some(first);
                    self.add(Some(link), Some((chain, at)), first);
                }
            }
        }
    }

    fn add(
        &mut self,
        entry: Option<LinkIndex>,
        parent: Option<(ChainIndex, usize)>,
        first: Option<ElementIndex>,
    ) {
        let index = self.chains.list.len();
        let chain =
            Chain { nodes: vec![], entry, parent, tail: None, reach: Reach::DeadEnd, side: Side::Below };
        self.chains.list.push(chain);
        self.chains.children.push(Vec::new());
        if let Some((parent, _)) = parent {
            self.chains.children[parent].push(index);
        }
        let tail = match first {
            Some(first) => self.walk(index, first),
            None => entry,
        };
        let Some(tail) = tail else { return };
        let reach = self.reach(index, tail);
        self.chains.list[index].reach = reach;
        if first.is_some() && !matches!(reach, Reach::Forward(_)) {
            // Such a way is a line of its own, so that it can run below what hangs on this chain.
            self.followed.remove(&tail);
        } else {
            self.chains.list[index].tail = Some(tail);
        }
    }

    /// Follows the ordinary exits until an end or a node that is already placed; returns the link to the latter.
    fn walk(&mut self, chain: ChainIndex, first: ElementIndex) -> Option<LinkIndex> {
        let mut node = first;
        loop {
            let at = self.chains.list[chain].nodes.len();
            self.chains.place[node] = Some((chain, at));
            self.chains.list[chain].nodes.push(node);
            let link = self.happy_exit(node)?;
            self.followed.insert(link);
            let next = self.scope.links[link].to;
            if self.chains.place[next].is_some() {
                return Some(link);
            }
            node = next;
        }
    }

    fn ordinary_exits(&self, node: ElementIndex) -> impl Iterator<Item = LinkIndex> {
        self.leaving[node].iter().copied().filter(move |&link| self.scope.links[link].from == node)
    }

    fn happy_exit(&self, node: ElementIndex) -> Option<LinkIndex> {
        let exits: Vec<LinkIndex> = self.ordinary_exits(node).collect();
        if matches!(self.scope.elements[node].kind, ElementKind::ParallelGateway { splits: true }) {
            return exits.first().copied(); // All of them are taken, so the order of the source decides.
        }
        let best = exits.iter().map(|&link| self.promise(node, link)).max()?;
        exits.into_iter().find(|&link| self.promise(node, link) == best)
    }

    /// How good a way is: the best of what it reaches without passing what is already placed.
    fn promise(&self, node: ElementIndex, link: LinkIndex) -> Promise {
        let mut best = Promise::Nothing;
        let mut seen = BTreeSet::new();
        let mut open = vec![self.scope.links[link].to];
        while let Some(reached) = open.pop() {
            if !seen.insert(reached) {
                continue;
            }
            match self.scope.elements[reached].kind {
                _ if self.chains.place[reached].is_some() => {
                    best = best.max(self.promise_of_landing(node, reached))
                }
                ElementKind::EndEvent { success: true, .. } => best = best.max(Promise::Succeeds(reached)),
                ElementKind::EndEvent { success: false, .. } => best = best.max(Promise::Fails),
                _ => open.extend(self.ordinary_exits(reached).map(|link| self.scope.links[link].to)),
            }
        }
        best
    }

    fn promise_of_landing(&self, node: ElementIndex, landing: ElementIndex) -> Promise {
        let (Some((chain, _)), Some((other, at))) = (self.chains.place[node], self.chains.place[landing])
        else {
            return Promise::Nothing;
        };
        match self.branch_below(chain, other) {
            Some((from, _)) if at > from => Promise::Returns,
            _ => Promise::Loops(Reverse((other, at))),
        }
    }

    /// Where the child of `upper` that contains `lower` leaves `upper`, and which child that is.
    fn branch_below(&self, lower: ChainIndex, upper: ChainIndex) -> Option<(usize, ChainIndex)> {
        let mut branch = lower;
        while let Some((parent, at)) = self.chains.list[branch].parent {
            if parent == upper {
                return Some((at, branch));
            }
            branch = parent;
        }
        None
    }

    fn reach(&self, chain: ChainIndex, tail: LinkIndex) -> Reach {
        let Some((target, at)) = self.chains.place[self.scope.links[tail].to] else {
            return Reach::DeadEnd;
        };
        if target == chain {
            // A loop within the chain itself; the way back will hang on it.
            return Reach::Back(Landing {
                chain,
                at,
                from: self.chains.list[chain].nodes.len() - 1,
                branch: chain,
            });
        }
        if let Some((from, branch)) = self.branch_below(chain, target) {
            let landing = Landing { chain: target, at, from, branch };
            return if at <= from { Reach::Back(landing) } else { Reach::Forward(landing) };
        }
        let siblings = self.chains.list[chain].parent.map(|(parent, _)| parent)
            == self.chains.list[target].parent.map(|(parent, _)| parent);
        let same_port = self.chains.list[target]
            .entry
            .is_some_and(|entry| self.scope.links[entry].from == self.scope.links[tail].from);
        if siblings && at == 0 && self.chains.list[chain].nodes.is_empty() && !same_port {
            return Reach::Joins(target);
        }
        Reach::Across
    }
}

/// What a way can lead to, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Promise {
    Nothing,
    /// The further out the loop, the more is left behind on the way there.
    Loops(Reverse<(ChainIndex, usize)>),
    Fails,
    Returns,
    Succeeds(ElementIndex),
}
