//! The simulation of the old automaton by the new one: pairs of states that a run can be in, the old one as its journal
//! says and the new one as its replay does, followed through everything that may have been recorded.
//! It finds the first place that does not fit; how that is told is decided elsewhere.

mod follow;
mod renamed;

use super::automaton::{Act, Automaton};
use crate::reading::{is_same_text, text_of};
use crate::{FlowKind, Outcome};

/// A place where the new code would do something else than a journal of the old code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The state of the old automaton.
    pub old: usize,
    /// The state of the new automaton.
    pub new: usize,
    /// What does not fit.
    pub why: Why,
}

/// What does not fit between old code and new code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The arguments of the workflow, which are recorded, have other types.
    Arguments,
    /// The workflow has a deadline only in one of them.
    Deadline,
    /// Something else is done here, or nothing.
    Operation,
    /// The same is done here under another id.
    Id,
    /// The call has the same id, but the step, message or child workflow has another name.
    Name,
    /// What the step is given, which is recorded, has other types.
    Takes,
    /// What the step answers, or what the child comes to, which is recorded, has another type.
    Gives,
    /// An error that may be recorded is gone.
    Error {
        /// Its position among the errors of the old one.
        index: usize,
    },
    /// The step became the point of no return, or is it no longer.
    Pivot,
    /// It is undone otherwise.
    Compensation,
    /// The child is waited for only in one of them.
    Detached,
    /// The wait can end without a message only in the old one.
    Wait,
    /// It happens for each of many values otherwise: only in one, with another limit, over other values.
    Many,
    /// A subflow in which something is decided is given something else, which no journal has.
    Given,
    /// A subflow makes something else of what its operations answer, which no journal has, where something is decided.
    Result,
    /// Branches or operations side by side were added or taken out.
    Branches,
    /// The condition is another: a run could go the other way than it went.
    Guard,
    /// The switch of a change is gone, while runs may hold its answer.
    Switch,
    /// What comes after it succeeded, failed or timed out is gone.
    Way,
    /// The flow ends otherwise.
    Ending,
}

/// How many words of memory the search for the first break takes, for each of its two memories.
pub const fn room(old: Automaton<'_>, new: Automaton<'_>) -> usize {
    old.states.len() * new.states.len() / 64 + 1
}

/// The first place where the new automaton cannot follow the old one. Both memories have [`room`] words, all zero.
pub const fn first_break(
    old: Automaton<'_>,
    new: Automaton<'_>,
    seen: &mut [u64],
    done: &mut [u64],
) -> Option<Break> {
    if old.states.is_empty() || new.states.is_empty() {
        return None; // A body that rustc complains about.
    }
    if !is_same_text(old.takes, new.takes) {
        return Some(Break { old: 0, new: 0, why: Why::Arguments });
    }
    if old.has_deadline != new.has_deadline {
        return Some(Break { old: 0, new: 0, why: Why::Deadline });
    }
    let mut search = Search {
        old,
        new,
        seen,
        done,
        word: 0,
        guards_are_same: false,
        changed_guard: None,
        undoes: undoes(old),
        leaves_losers: leaves_losers(old),
    };
    let found = search.run();
    let (Some(_), Some(guard)) = (found, search.changed_guard) else { return found };
    // If all would be well with the old conditions, it is the first changed condition that has to be told.
    let mut index = 0;
    while index < search.seen.len() {
        search.seen[index] = 0;
        search.done[index] = 0;
        index += 1;
    }
    search.guards_are_same = true;
    match search.run() {
        Some(other) => Some(other),
        None => Some(guard),
    }
}

/// Whether anything in it can be undone: then an error is not the end of a run.
const fn undoes(automaton: Automaton<'_>) -> bool {
    let mut index = 0;
    while index < automaton.states.len() {
        if let Act::Step(step) = &automaton.states[index].act
            && step.undo.is_some()
        {
            return true;
        }
        index += 1;
    }
    false
}

/// Whether something may still be under way when the flow has come to its end: what lost a race.
const fn leaves_losers(automaton: Automaton<'_>) -> bool {
    let mut index = 0;
    while index < automaton.states.len() {
        let race = &automaton.states[index];
        if matches!(race.act, Act::Race) {
            let mut arm = race.first;
            while arm < race.first + race.count {
                let racer = &automaton.states[automaton.moves[arm].to].act;
                if matches!(racer, Act::Step(_) | Act::Child { .. }) {
                    return true;
                }
                arm += 1;
            }
        }
        index += 1;
    }
    false
}

struct Search<'a, 'm> {
    old: Automaton<'a>,
    new: Automaton<'a>,
    /// A bit for each pair that a run can be in.
    seen: &'m mut [u64],
    /// A bit for each pair that has been looked at.
    done: &'m mut [u64],
    /// No word before this one holds a pair that is seen and not done.
    word: usize,
    /// Whether conditions that were changed are taken for the old ones.
    guards_are_same: bool,
    /// The first condition that was changed, as far as it is told from others.
    changed_guard: Option<Break>,
    /// Whether the old code undoes anything.
    undoes: bool,
    /// Whether losers of races may be under way at the end of the old code.
    leaves_losers: bool,
}

impl Search<'_, '_> {
    const fn run(&mut self) -> Option<Break> {
        self.word = 0;
        self.demand(0, 0);
        while self.word < self.seen.len() {
            let open = self.seen[self.word] & !self.done[self.word];
            if open == 0 {
                self.word += 1;
                continue;
            }
            let bit = open.trailing_zeros() as usize;
            self.done[self.word] |= 1 << bit;
            let pair = self.word * 64 + bit;
            let (old, new) = (pair / self.new.states.len(), pair % self.new.states.len());
            if let Err(why) = self.look_at(old, new) {
                return Some(why);
            }
        }
        None
    }

    /// The new state has to follow the old one.
    const fn demand(&mut self, old: usize, new: usize) {
        let (old, new) = (passed(self.old, old), passed(self.new, new));
        let pair = old * self.new.states.len() + new;
        let (word, bit) = (pair / 64, pair % 64);
        self.seen[word] |= 1 << bit;
        if word < self.word && self.done[word] & (1 << bit) == 0 {
            self.word = word;
        }
    }

    const fn look_at(&mut self, old: usize, new: usize) -> Result<(), Break> {
        let (was, is) = (&self.old.states[old], &self.new.states[new]);
        if let Act::Switch { patch, .. } = is.act
            && !has_switch(self.old, patch)
        {
            // All that was recorded passed here before the change.
            self.demand(old, way_of_switch(self.new, new, false));
            return Ok(());
        }
        if let Act::Switch { patch, is_retired } = was.act {
            return self.look_at_switch(old, new, patch, is_retired);
        }
        if let Act::End(outcome) = was.act
            && !was.is_inside()
            && !self.goes_on_after(outcome)
        {
            return Ok(()); // A run that came here has ended.
        }
        if let Act::Switch { .. } = is.act {
            self.demand_all_of_new(old, new);
            return Ok(());
        }
        match (matches!(was.act, Act::Decision), matches!(is.act, Act::Decision)) {
            (true, true) => {
                self.look_at_decisions(old, new);
                Ok(())
            }
            (true, false) => {
                self.demand_all_of_old(old, new);
                Ok(())
            }
            (false, true) => {
                self.demand_all_of_new(old, new);
                Ok(())
            }
            (false, false) => self.follow(old, new),
        }
    }

    /// Whether a run may still do something at the end of its flow: undo, wait for what lost a race, or begin anew: a
    /// journal that says so is read once more.
    const fn goes_on_after(&self, outcome: Outcome) -> bool {
        self.leaves_losers
            || matches!(outcome, Outcome::Continued)
            || (self.undoes && matches!(outcome, Outcome::Failure))
    }

    const fn look_at_switch(
        &mut self,
        old: usize,
        new: usize,
        patch: &str,
        is_retired: bool,
    ) -> Result<(), Break> {
        if let Act::Switch { patch: other, .. } = self.new.states[new].act
            && is_same_text(patch, other)
        {
            if !is_retired {
                self.demand(way_of_switch(self.old, old, false), way_of_switch(self.new, new, false));
            }
            self.demand(way_of_switch(self.old, old, true), way_of_switch(self.new, new, true));
            return Ok(());
        }
        if is_retired {
            self.demand(way_of_switch(self.old, old, true), new);
            return Ok(());
        }
        if !has_switch(self.new, patch) {
            return Err(Break { old, new, why: Why::Switch });
        }
        self.demand_all_of_old(old, new);
        Ok(())
    }

    const fn look_at_decisions(&mut self, old: usize, new: usize) {
        let (was, is) = (&self.old.states[old], &self.new.states[new]);
        if decide_alike(self.old, old, self.new, new) {
            self.demand_pairwise(old, new);
            return;
        }
        let (stays, is_known) = (knows(self.new, self.old, old), knows(self.old, self.new, new));
        if !stays && !is_known {
            if self.changed_guard.is_none() {
                self.changed_guard = Some(Break { old, new, why: Why::Guard });
            }
            if self.guards_are_same && was.count == is.count {
                self.demand_pairwise(old, new);
                return;
            }
        }
        // What only one of them asks comes first; the other may then meet its own again.
        if stays && !is_known { self.demand_all_of_new(old, new) } else { self.demand_all_of_old(old, new) }
    }

    const fn demand_pairwise(&mut self, old: usize, new: usize) {
        let (was, is) = (&self.old.states[old], &self.new.states[new]);
        let (was_first, is_first) = (was.first, is.first);
        let mut index = 0;
        let count = was.count;
        while index < count {
            self.demand(self.old.moves[was_first + index].to, self.new.moves[is_first + index].to);
            index += 1;
        }
    }

    const fn demand_all_of_old(&mut self, old: usize, new: usize) {
        let (mut index, end) =
            (self.old.states[old].first, self.old.states[old].first + self.old.states[old].count);
        while index < end {
            self.demand(self.old.moves[index].to, new);
            index += 1;
        }
    }

    const fn demand_all_of_new(&mut self, old: usize, new: usize) {
        let (mut index, end) =
            (self.new.states[new].first, self.new.states[new].first + self.new.states[new].count);
        while index < end {
            self.demand(old, self.new.moves[index].to);
            index += 1;
        }
    }
}

/// The first state from here on at which something happens.
const fn passed(automaton: Automaton<'_>, mut state: usize) -> usize {
    let mut left = automaton.states.len();
    while automaton.states[state].act.is_passed() && automaton.states[state].count > 0 && left > 0 {
        state = automaton.moves[automaton.states[state].first].to;
        left -= 1;
    }
    state
}

const fn has_switch(automaton: Automaton<'_>, patch: &str) -> bool {
    let mut index = 0;
    while index < automaton.states.len() {
        if let Act::Switch { patch: other, .. } = automaton.states[index].act
            && is_same_text(other, patch)
        {
            return true;
        }
        index += 1;
    }
    false
}

/// Where a version switch leads: runs that passed it since the change, or before it.
const fn way_of_switch(automaton: Automaton<'_>, state: usize, since: bool) -> usize {
    let first = automaton.states[state].first;
    let (mut index, mut answer, mut otherwise) = (first, first, first);
    while index < first + automaton.states[state].count {
        match automaton.moves[index].when {
            FlowKind::Answer { default: true, .. } => otherwise = index,
            _ => answer = index,
        }
        index += 1;
    }
    let asks_for_old = match automaton.moves[answer].when {
        FlowKind::Answer { condition, .. } => is_negated(text_of(condition)),
        _ => false,
    };
    automaton.moves[if since != asks_for_old { answer } else { otherwise }].to
}

/// Whether the condition says `!patched(..)`.
const fn is_negated(condition: &str) -> bool {
    let bytes = condition.as_bytes();
    let (mut index, mut is_negated) = (0, false);
    while index < bytes.len() && matches!(bytes[index], b'!' | b'(' | b' ') {
        if bytes[index] == b'!' {
            is_negated = !is_negated;
        }
        index += 1;
    }
    is_negated
}

/// Whether two decisions ask the same and have the same answers.
const fn decide_alike(old: Automaton<'_>, was: usize, new: Automaton<'_>, is: usize) -> bool {
    let (was, is) = (&old.states[was], &new.states[is]);
    if was.guard != is.guard || was.count != is.count {
        return false;
    }
    let mut index = 0;
    // The fingerprint is that of all conditions as well, however they are spaced.
    while index < was.count && was.guard == 0 {
        let (left, right) = (old.moves[was.first + index].when, new.moves[is.first + index].when);
        let (
            FlowKind::Answer { condition: left, default: left_default, .. },
            FlowKind::Answer { condition: right, default: right_default, .. },
        ) = (left, right)
        else {
            return false;
        };
        if *left_default != *right_default || !is_same_text(text_of(left), text_of(right)) {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether one automaton has a decision that is like that one of the other.
const fn knows(automaton: Automaton<'_>, other: Automaton<'_>, decision: usize) -> bool {
    let mut index = 0;
    while index < automaton.states.len() {
        if matches!(automaton.states[index].act, Act::Decision)
            && decide_alike(other, decision, automaton, index)
        {
            return true;
        }
        index += 1;
    }
    false
}
