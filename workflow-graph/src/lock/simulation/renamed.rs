//! Calls of a step that has another name now: they keep the ids that journals know, as far as the replay can tell.
//! The rules are those by which a run finds its former ids; what is not certain there is a break here.

use super::Search;
use crate::lock::automaton::{Act, Automaton, State, StepAct};
use crate::lock::names::{is_numbered, number_after};
use crate::reading::is_same_text;

impl Search<'_, '_> {
    /// Whether the replay knows that the call in the new code is the one that had that id.
    pub(super) const fn is_renamed(&self, old: usize, new: usize) -> bool {
        let (was, is) = (&self.old.states[old], &self.new.states[new]);
        let Act::Step(step) = is.act else { return false };
        let Some(calls) = Calls::of(self.new, is, &step) else { return false };
        let Some(number) = calls.number_of(self.new, is) else { return false };
        let mut index = 0;
        while index <= step.was.len() {
            // A function under `name = ".."` may have been called what its step is called still.
            let former = if index < step.was.len() { step.was.get(index) } else { step.name };
            if is_numbered(was.id, former, number) && !is_same_text(former, calls.name) {
                return self.is_certain(was, &calls, former, &step);
            }
            index += 1;
        }
        false
    }

    /// Whether nothing else can have had this name in a journal.
    const fn is_certain(&self, was: &State<'_>, calls: &Calls<'_>, former: &str, step: &StepAct<'_>) -> bool {
        let mut index = 0;
        while index < self.old.states.len() {
            let state = &self.old.states[index];
            index += 1;
            if state.flow != was.flow {
                continue;
            }
            let number = number_after(state.id, former);
            let is_call = match (number, state.act) {
                (Some(number), Act::Step(other)) if number <= calls.count => {
                    if !is_same_text(other.name, step.name) && !step.was.has(other.name) {
                        return false; // That number was a call of something else.
                    }
                    true
                }
                _ => false,
            };
            if is_call || !matches!(state.act, Act::Step(_)) {
                continue;
            }
            // A journal could know the ids of today, or another former name.
            if is_within(state.id, calls.name, calls.count) {
                return false;
            }
            let mut other = 0;
            while other <= step.was.len() {
                let name = if other < step.was.len() { step.was.get(other) } else { step.name };
                other += 1;
                if !is_same_text(name, former)
                    && !is_same_text(name, calls.name)
                    && is_within(state.id, name, calls.count)
                {
                    return false;
                }
            }
        }
        !is_claimed(self.new, calls, former, step)
    }
}

/// Whether this is one of the first ids of calls by that name.
const fn is_within(id: &str, name: &str, count: usize) -> bool {
    match number_after(id, name) {
        Some(number) => number <= count,
        None => false,
    }
}

/// Whether another operation of the flow has, or claims, an id of that former name.
const fn is_claimed(new: Automaton<'_>, calls: &Calls<'_>, former: &str, step: &StepAct<'_>) -> bool {
    let mut index = 0;
    while index < new.states.len() {
        let state = &new.states[index];
        index += 1;
        if state.flow != calls.flow || !state.act.is_operation() {
            continue;
        }
        if let Act::Step(other) = state.act {
            if is_same_text(other.name, step.name) {
                continue;
            }
            if other.was.has(former) || is_same_text(other.name, former) {
                return true;
            }
        }
        if number_after(state.id, former).is_some() {
            return true;
        }
    }
    false
}

/// All calls of one step in one flow.
struct Calls<'a> {
    /// What they are called by.
    name: &'a str,
    count: usize,
    flow: usize,
}

impl<'a> Calls<'a> {
    /// The calls of the step that this is a call of, if they are numbered as calls of one name are.
    const fn of(automaton: Automaton<'a>, call: &State<'a>, step: &StepAct<'a>) -> Option<Calls<'a>> {
        let mut calls = Calls { name: "", count: 0, flow: call.flow };
        let mut index = 0;
        while index < automaton.states.len() {
            let state = &automaton.states[index];
            index += 1;
            if let Act::Step(other) = state.act
                && state.flow == call.flow
                && is_same_text(other.name, step.name)
            {
                if calls.count == 0 {
                    calls.name = state.id;
                }
                calls.count += 1;
                if !is_numbered(state.id, calls.name, calls.count) {
                    return None;
                }
            }
        }
        Some(calls)
    }

    const fn number_of(&self, _: Automaton<'a>, call: &State<'a>) -> Option<usize> {
        number_after(call.id, self.name)
    }
}
