//! One pair of operations, forks or ends: whether the new one is recorded like the old one, and the pairs that come
//! next, one for each way on that a journal can tell.

use super::{Break, Search, Why};
use crate::FlowKind;
use crate::Wire;
use crate::lock::automaton::{Act, Automaton, State, StepAct, UndoAct};
use crate::lock::names::Names;
use crate::reading::{is_same_text, text_of};

impl Search<'_, '_> {
    pub(super) const fn follow(&mut self, old: usize, new: usize) -> Result<(), Break> {
        let (was, is) = (&self.old.states[old], &self.new.states[new]);
        if is_end(was) || is_end(is) {
            return match (was.act, is.act) {
                (Act::End(was), Act::End(is)) if was as u8 == is as u8 => Ok(()),
                (Act::End(_), Act::End(_)) => Err(Break { old, new, why: Why::Ending }),
                _ => Err(Break { old, new, why: Why::Operation }),
            };
        }
        match (was.act, is.act) {
            (Act::Fork, Act::Fork) | (Act::Race, Act::Race) => {
                if was.count != is.count {
                    return Err(Break { old, new, why: Why::Branches });
                }
                self.demand_pairwise(old, new);
                Ok(())
            }
            (Act::Join, Act::Join) | (Act::Undo, Act::Undo) | (Act::Merge, Act::Merge) => {
                self.demand_pairwise(old, new);
                Ok(())
            }
            (Act::Block, Act::Block) => {
                self.demand_inner(old, new);
                self.demand_outcomes(old, new, Names::NONE)
            }
            (was_act, is_act) => {
                if !are_alike(&was_act, &is_act) {
                    return Err(Break { old, new, why: Why::Operation });
                }
                self.operation(old, new)
            }
        }
    }

    /// Two operations of one kind.
    const fn operation(&mut self, old: usize, new: usize) -> Result<(), Break> {
        let (was, is) = (&self.old.states[old], &self.new.states[new]);
        if !is_same_text(was.id, is.id) && !self.is_renamed(old, new) {
            let is_other = match (was.act, is.act) {
                (Act::Step(was), Act::Step(is)) => !is_same_text(was.name, is.name),
                (Act::Receive { message: was, .. }, Act::Receive { message: is, .. })
                | (Act::Send { message: was }, Act::Send { message: is })
                | (Act::Child { workflow: was, .. }, Act::Child { workflow: is, .. }) => {
                    !is_same_text(was, is)
                }
                (Act::Subflow { .. }, Act::Subflow { .. }) => true,
                _ => false,
            };
            return Err(Break { old, new, why: if is_other { Why::Operation } else { Why::Id } });
        }
        if let Some(why) = differ(&was.act, &is.act) {
            return Err(Break { old, new, why });
        }
        let many_alike = match (&was.many, &is.many) {
            (Some(was_many), Some(is_many)) => {
                was_many.fails_fast == is_many.fails_fast
                    && is_same_text(was_many.limit, is_many.limit)
                    && was.guard == is.guard
            }
            (None, None) => true,
            _ => false,
        };
        if !many_alike {
            return Err(Break { old, new, why: Why::Many });
        }
        match was.act {
            Act::Step(step) => self.demand_outcomes(old, new, step.errors),
            Act::Child { errors, .. } => self.demand_outcomes(old, new, errors),
            Act::Subflow { .. } => {
                if was.many.is_none() && was.guard != is.guard && decides(self.old, old, DEEPEST) {
                    return Err(Break { old, new, why: Why::Given });
                }
                if self.comes_to_another_result(old, new) {
                    return Err(Break { old, new, why: Why::Result });
                }
                self.demand_inner(old, new);
                self.demand_outcomes(old, new, Names::NONE)
            }
            Act::Receive { .. } => {
                if let Err(found) = self.demand_success(old, new) {
                    return Err(found);
                }
                let (was, is) = (timeout(self.old, old), timeout(self.new, new));
                if let (Some(was), Some(is)) = (was, is) {
                    self.demand(was, is);
                }
                Ok(())
            }
            _ => self.demand_success(old, new),
        }
    }

    /// What stands inside has to fit as well, to its very end.
    const fn demand_inner(&mut self, old: usize, new: usize) {
        if let (Some(was), Some(is)) = (self.old.states[old].inner, self.new.states[new].inner) {
            self.demand(was, is);
        }
    }

    /// Whether two subflows make something else of what their operations answer, and anything is decided anywhere.
    const fn comes_to_another_result(&self, old: usize, new: usize) -> bool {
        let (Some(was), Some(is)) = (self.old.states[old].inner, self.new.states[new].inner) else {
            return false;
        };
        if self.old.states[was].guard == self.new.states[is].guard {
            return false;
        }
        let mut index = 0;
        while index < self.old.states.len() {
            let state = &self.old.states[index];
            if matches!(state.act, Act::Decision) || state.many.is_some() {
                return true;
            }
            index += 1;
        }
        false
    }

    const fn demand_success(&mut self, old: usize, new: usize) -> Result<(), Break> {
        match (next(self.old, old), next(self.new, new)) {
            (Some(was), Some(is)) => {
                self.demand(was, is);
                Ok(())
            }
            (Some(_), None) => Err(Break { old, new, why: Why::Way }),
            (None, _) => Ok(()),
        }
    }

    /// What comes after a success, and after each error that may have been recorded.
    const fn demand_outcomes(&mut self, old: usize, new: usize, errors: Names<'_>) -> Result<(), Break> {
        if let Err(found) = self.demand_success(old, new) {
            return Err(found);
        }
        if !errors.is_empty() {
            let mut index = 0;
            while index < errors.len() {
                if let Err(found) = self.demand_error(old, new, errors.get(index)) {
                    return Err(found);
                }
                index += 1;
            }
            return Ok(());
        }
        // Which errors there are is not known: those that either side tells apart, and any other.
        let (was, is) = (&self.old.states[old], &self.new.states[new]);
        let (was_first, was_end) = (was.first, was.first + was.count);
        let (is_first, is_end) = (is.first, is.first + is.count);
        let mut index = was_first;
        let mut has_errors = false;
        while index < was_end {
            if let FlowKind::Error { variant, .. } = self.old.moves[index].when {
                has_errors = true;
                if let Err(found) = self.demand_error(old, new, text_of(variant)) {
                    return Err(found);
                }
            }
            index += 1;
        }
        index = is_first;
        while index < is_end {
            if let FlowKind::Error { variant, .. } = self.new.moves[index].when {
                has_errors = true;
                if let Err(found) = self.demand_error(old, new, text_of(variant)) {
                    return Err(found);
                }
            }
            index += 1;
        }
        if has_errors { self.demand_error(old, new, "") } else { Ok(()) }
    }

    const fn demand_error(&mut self, old: usize, new: usize, variant: &str) -> Result<(), Break> {
        match (error(self.old, old, variant), error(self.new, new, variant)) {
            (Some(was), Some(is)) => {
                self.demand(was, is);
                Ok(())
            }
            (Some(_), None) => Err(Break { old, new, why: Why::Way }),
            (None, _) => Ok(()),
        }
    }
}

/// How deep subflows are looked into for something that is decided.
const DEEPEST: usize = 16;

/// Whether something is decided inside of the subflow that this is, or deeper.
const fn decides(automaton: Automaton<'_>, subflow: usize, deepest: usize) -> bool {
    let Some(inner) = automaton.states[subflow].inner else { return false };
    if deepest == 0 {
        return true; // One that calls itself, if it comes to that.
    }
    let flow = automaton.states[inner].flow;
    let mut index = 0;
    while index < automaton.states.len() {
        let state = &automaton.states[index];
        if state.flow == flow {
            let is_call = matches!(state.act, Act::Subflow { .. });
            let is_decided = matches!(state.act, Act::Decision) || state.many.is_some();
            if is_decided || (is_call && index != subflow && decides(automaton, index, deepest - 1)) {
                return true;
            }
        }
        index += 1;
    }
    false
}

const fn is_end(state: &State<'_>) -> bool {
    matches!(state.act, Act::End(_))
}

/// Whether two operations are recorded by the same kind of request.
const fn are_alike(was: &Act<'_>, is: &Act<'_>) -> bool {
    matches!(
        (was, is),
        (Act::Step(_), Act::Step(_))
            | (Act::Timer, Act::Timer)
            | (Act::Receive { .. }, Act::Receive { .. })
            | (Act::Send { .. }, Act::Send { .. })
            | (Act::Child { .. }, Act::Child { .. })
            | (Act::Subflow { .. }, Act::Subflow { .. })
    )
}

/// What is recorded otherwise of two operations with the same id.
const fn differ(was: &Act<'_>, is: &Act<'_>) -> Option<Why> {
    match (was, is) {
        (Act::Step(was), Act::Step(is)) => steps_differ(was, is),
        (Act::Receive { message: was, is_forever: waited }, Act::Receive { message: is, is_forever }) => {
            if !is_same_text(was, is) {
                Some(Why::Name)
            } else if !*waited && *is_forever {
                Some(Why::Wait)
            } else {
                None
            }
        }
        (Act::Send { message: was }, Act::Send { message: is }) => {
            if is_same_text(was, is) {
                None
            } else {
                Some(Why::Name)
            }
        }
        (
            Act::Child { workflow: was, detached: was_detached, gives: was_gives, errors: was_errors },
            Act::Child { workflow: is, detached, gives, errors },
        ) => {
            if !is_same_text(was, is) {
                Some(Why::Name)
            } else if *was_detached != *detached {
                Some(Why::Detached)
            } else if *detached {
                None // Nobody reads what it comes to.
            } else if !is_same_text(was_gives, gives) {
                Some(Why::Gives)
            } else {
                missing(*was_errors, *errors)
            }
        }
        _ => None,
    }
}

const fn steps_differ(was: &StepAct<'_>, is: &StepAct<'_>) -> Option<Why> {
    if !is_same_text(was.name, is.name) && !is.was.has(was.name) {
        return Some(Why::Name);
    }
    if !is_same_text(was.takes, is.takes) {
        return Some(Why::Takes);
    }
    if !is_same_text(was.gives, is.gives) {
        return Some(Why::Gives);
    }
    if let Some(why) = missing(was.errors, is.errors) {
        return Some(why);
    }
    if was.is_pivot != is.is_pivot {
        return Some(Why::Pivot);
    }
    match (&was.undo, &is.undo) {
        (None, None) => None,
        (Some(was), Some(is)) if undo_alike(was, is) => None,
        _ => Some(Why::Compensation),
    }
}

const fn undo_alike(was: &UndoAct<'_>, is: &UndoAct<'_>) -> bool {
    if !is_same_text(was.name, is.name) && !is.was.has(was.name) {
        return false;
    }
    if !is_same_text(was.takes, is.takes) || was.wiring.len() != is.wiring.len() {
        return false;
    }
    let mut index = 0;
    while index < was.wiring.len() {
        let alike = match (was.wiring[index], is.wiring[index]) {
            (Wire::Output, Wire::Output) => true,
            (Wire::Argument(was), Wire::Argument(is)) => was == is,
            _ => false,
        };
        if !alike {
            return false;
        }
        index += 1;
    }
    true
}

/// The first error that may have been recorded and cannot be read any more.
const fn missing(was: Names<'_>, is: Names<'_>) -> Option<Why> {
    let mut index = 0;
    while index < was.len() {
        if !is.has(was.get(index)) {
            return Some(Why::Error { index });
        }
        index += 1;
    }
    None
}

const fn next(automaton: Automaton<'_>, state: usize) -> Option<usize> {
    let (mut index, end) = bounds(automaton, state);
    while index < end {
        if matches!(automaton.moves[index].when, FlowKind::Next) {
            return Some(automaton.moves[index].to);
        }
        index += 1;
    }
    None
}

/// Where no message in time leads; an answer that nobody tells apart goes on as a value.
const fn timeout(automaton: Automaton<'_>, state: usize) -> Option<usize> {
    let (mut index, end) = bounds(automaton, state);
    while index < end {
        if matches!(automaton.moves[index].when, FlowKind::Timeout) {
            return Some(automaton.moves[index].to);
        }
        index += 1;
    }
    match automaton.states[state].act {
        Act::Receive { is_forever: false, .. } => next(automaton, state),
        _ => None,
    }
}

/// Where an error of this variant leads; one that nobody tells apart goes on as a value.
const fn error(automaton: Automaton<'_>, state: usize, variant: &str) -> Option<usize> {
    let (mut index, end) = bounds(automaton, state);
    let mut others = None;
    while index < end {
        if let FlowKind::Error { variant: found, .. } = automaton.moves[index].when {
            let found = text_of(found);
            if found.is_empty() {
                others = Some(automaton.moves[index].to);
            } else if is_same_text(found, variant) {
                return Some(automaton.moves[index].to);
            }
        }
        index += 1;
    }
    match others {
        Some(others) => Some(others),
        None => next(automaton, state),
    }
}

const fn bounds(automaton: Automaton<'_>, state: usize) -> (usize, usize) {
    let state = &automaton.states[state];
    (state.first, state.first + state.count)
}
