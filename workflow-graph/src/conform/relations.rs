//! What the flow of the code says about two of its places: which can follow which, and which run side by side.
//! Two answers for each, what is certain and what may be drawn so; it knows nothing of names.

use super::model::ROOM;
use super::plan::{NOWHERE, Plan, Role};
use crate::NodeKind;

/// Words of a row of bits.
pub(super) const WORDS: usize = ROOM / 64;

/// For each place, a set of places.
pub(super) type Table = [[u64; WORDS]; ROOM];

/// What is said about every two places.
pub(super) struct Relations {
    pub(super) after: Table,
    pub(super) maybe_after: Table,
    pub(super) beside: Table,
    pub(super) maybe_beside: Table,
}

impl Relations {
    pub(super) const fn of(plan: &Plan) -> Relations {
        let mut beside = [[0; WORDS]; ROOM];
        let mut place = 0;
        while place < plan.count {
            let fork = plan.place(place);
            if matches!((fork.role, &fork.node.kind), (Role::Node, NodeKind::Fork)) {
                add_branches(plan, place, &mut beside);
            }
            place += 1;
        }
        add_crowds(plan, false, &mut beside);
        let mut maybe_beside = beside;
        // One after the other may be drawn as such, and as what could run side by side.
        add_crowds(plan, true, &mut maybe_beside);
        let mut one = 0;
        while one < plan.count {
            if plan.place(one).is_racing() {
                let mut other = 0;
                while other < plan.count {
                    if plan.are_rivals(one, other) {
                        add(&mut maybe_beside[one], other);
                    }
                    other += 1;
                }
            }
            one += 1;
        }
        let (after, mut maybe_after) = (followers(plan, true), followers(plan, false));
        add_crowds(plan, true, &mut maybe_after);
        Relations { after, maybe_after, beside, maybe_beside }
    }
}

/// What happens for each of many, with all that happens for the others: one after the other, or not.
const fn add_crowds(plan: &Plan, in_turn: bool, pairs: &mut Table) {
    let mut crowd = 0;
    while crowd < plan.crowd_count {
        let (from, to, is_in_turn) = plan.crowds[crowd];
        let mut one = from;
        while one < to && is_in_turn == in_turn {
            let mut other = from;
            while other < to {
                add(&mut pairs[one], other);
                other += 1;
            }
            one += 1;
        }
        crowd += 1;
    }
}

/// All that can come after each place.
const fn followers(plan: &Plan, certain_only: bool) -> Table {
    let mut after = [[0; WORDS]; ROOM];
    let words = plan.count.div_ceil(64);
    let mut has_changed = true;
    while has_changed {
        has_changed = false;
        // Flows stand in the order of the text, so from the last to the first is the shortest way.
        let mut index = plan.way_count;
        while index > 0 {
            index -= 1;
            let way = plan.ways[index];
            if certain_only && !way.is_certain {
                continue;
            }
            let mut row = after[way.from];
            add(&mut row, way.to);
            let next = &after[way.to];
            let mut word = 0;
            while word < words {
                row[word] |= next[word];
                if row[word] != after[way.from][word] {
                    has_changed = true;
                }
                word += 1;
            }
            after[way.from] = row;
        }
    }
    after
}

/// What one branch of a fork reaches and no other does runs beside what another branch alone reaches.
const fn add_branches(plan: &Plan, fork: usize, beside: &mut Table) {
    const MANY: usize = NOWHERE;
    let mut owners = [0; ROOM];
    let mut branches = 0;
    let mut index = 0;
    while index < plan.way_count {
        let way = plan.ways[index];
        if way.from == fork && way.is_certain {
            branches += 1;
            let reached = reached(plan, way.to, fork);
            let mut place = 0;
            while place < plan.count {
                if has(&reached, place) {
                    owners[place] = if owners[place] == 0 { branches } else { MANY };
                }
                place += 1;
            }
        }
        index += 1;
    }
    let mut one = 0;
    while one < plan.count {
        if owners[one] != 0 && owners[one] != MANY {
            let mut other = 0;
            while other < plan.count {
                if owners[other] != 0 && owners[other] != MANY && owners[other] != owners[one] {
                    add(&mut beside[one], other);
                }
                other += 1;
            }
        }
        one += 1;
    }
}

/// What is reached from here without passing this place.
const fn reached(plan: &Plan, from: usize, without: usize) -> [u64; WORDS] {
    let mut reached = [0; WORDS];
    add(&mut reached, from);
    let mut has_changed = true;
    while has_changed {
        has_changed = false;
        let mut index = 0;
        while index < plan.way_count {
            let way = plan.ways[index];
            if way.is_certain && way.to != without && has(&reached, way.from) && !has(&reached, way.to) {
                add(&mut reached, way.to);
                has_changed = true;
            }
            index += 1;
        }
    }
    reached
}

pub(super) const fn add(row: &mut [u64; WORDS], bit: usize) {
    row[bit / 64] |= 1 << (bit % 64);
}

/// Takes the first of a set out of it.
pub(super) const fn take_first(row: &mut [u64; WORDS]) -> Option<usize> {
    let mut word = 0;
    while word < WORDS {
        if row[word] != 0 {
            let bit = row[word].trailing_zeros() as usize;
            row[word] &= row[word] - 1;
            return Some(word * 64 + bit);
        }
        word += 1;
    }
    None
}

pub(super) const fn has(row: &[u64; WORDS], bit: usize) -> bool {
    row[bit / 64] >> (bit % 64) & 1 == 1
}
