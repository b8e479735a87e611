//! Chooses which lines run above their chain instead of below it.
//! It knows what leaves and lands where, in positions along the chain; no pixels.
//!
//! A bare line that skips something runs above, everything else below. Where two lines on one side would have to
//! cross, because neither lies within the other, the one that can goes to the other side.

use super::chains::{ChainIndex, Chains, Reach, Side};
use crate::model::{ElementIndex, ElementKind, Scope};

pub(super) fn choose(scope: &Scope, chains: &mut Chains) {
    for chain in 0..chains.list.len() {
        choose_for_children(scope, chains, chain);
    }
}

/// The positions on the parent between which something runs.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    first: usize,
    last: usize,
    side: Side,
}

impl Stretch {
    fn crosses(&self, other: &Stretch) -> bool {
        let overlaps = |a: &Stretch, b: &Stretch| a.first < b.first && b.first < a.last && a.last < b.last;
        self.side == other.side && (overlaps(self, other) || overlaps(other, self))
    }
}

fn choose_for_children(scope: &Scope, chains: &mut Chains, parent: ChainIndex) {
    let (mut free, fixed): (Vec<ChainIndex>, Vec<ChainIndex>) =
        chains.children[parent].iter().partition(|&&child| can_run_above(scope, chains, child));
    let mut settled: Vec<Stretch> = fixed.iter().map(|&child| stretch(chains, parent, child)).collect();
    // Loops first: they come back below unless something has to cross them there.
    free.sort_by_key(|&child| matches!(chains.list[child].reach, Reach::Forward(_)));
    for child in free {
        let wanted = match chains.list[child].reach {
            Reach::Forward(_) if chains.list[child].nodes.is_empty() => [Side::Above, Side::Below],
            _ => [Side::Below, Side::Above],
        };
        let on = |side| Stretch { side, ..stretch(chains, parent, child) };
        let fits = |side: &Side| !settled.iter().any(|other| other.crosses(&on(*side)));
        let side = wanted.into_iter().find(fits).unwrap_or(wanted[0]);
        settled.push(on(side));
        chains.list[child].side = side;
        for way_back in chains.children[child].clone() {
            chains.list[way_back].side = side;
        }
    }
}

/// A bare line can, from where it may leave upwards; so can a way on which nothing hangs but its own way back.
fn can_run_above(scope: &Scope, chains: &Chains, child: ChainIndex) -> bool {
    let chain = &chains.list[child];
    let Some(entry) = chain.entry else { return false };
    if matches!(scope.elements[scope.links[entry].from].kind, ElementKind::Boundary { .. }) {
        return false;
    }
    let stays = |member: ChainIndex| chains.landing(member).is_some_and(|landing| landing.branch == child);
    let is_way_back = |&other: &ChainIndex| chains.list[other].nodes.is_empty() && stays(other);
    let is_plain = |&node: &ElementIndex| scope.boundaries(node).next().is_none();
    (chain.tail.is_none() || stays(child))
        && chains.children[child].iter().all(is_way_back)
        && chain.nodes.iter().all(is_plain)
}

/// Between which positions something runs. Positions count double, so that a way back that begins right of the
/// node it left can be told from one that begins below it.
fn stretch(chains: &Chains, parent: ChainIndex, child: ChainIndex) -> Stretch {
    let position = |at: usize| 2 * at + 2;
    let leaves = position(chains.list[child].parent.map_or(0, |(_, at)| at));
    let mut stretch = Stretch { first: leaves, last: leaves, side: Side::Below };
    let family = chains.family(child);
    for &member in &family {
        let Some(landing) = chains.landing(member) else { continue };
        if family.contains(&landing.chain) {
            continue;
        }
        let forward = matches!(chains.list[member].reach, Reach::Forward(_));
        let inside = landing.chain == parent;
        if forward {
            stretch.last = stretch.last.max(if inside { position(landing.at) } else { usize::MAX });
        } else {
            stretch.first = stretch.first.min(if inside { position(landing.at) } else { 0 });
            stretch.last = stretch.last.max(leaves + usize::from(member != child));
        }
    }
    stretch
}
