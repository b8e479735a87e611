//! Decides by looking at every state that some execution reaches whether a flow can end half undone.
//! Slow and simple on purpose; it must not know how the compiler decides the same.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;

use super::flow::{Callee, Flow, Statement};
use super::machine::{End, Events, Kept, Outcome, Path, State};

/// A way in which a saga can end half undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// A function answers with an error although a pivot happened in it: nothing of it is undone.
    FailsPastPivot,
    /// Something that would have to be undone begins after a pivot, or is under way when one happens.
    CompensatablePastPivot,
    /// There are two points of no return in one execution.
    SecondPivot,
    /// `compensate()` after a pivot, when nothing is undone any more.
    UndoPastPivot,
    /// Something that is never undone happens while its function may still succeed or fail.
    KeptWhileOpen,
    /// What lost a race has happened all the same, and nothing undoes it.
    LostEffect,
}

/// How an execution comes to what is wrong: the calls in the order in which they ended.
#[derive(Clone, Debug)]
pub(crate) struct Trace(Vec<(Option<Callee>, Outcome)>);

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (callee, outcome)) in self.0.iter().enumerate() {
            let arrow = if index == 0 { "" } else { ", " };
            match callee {
                Some(callee) => write!(f, "{arrow}{callee:?} {outcome:?}")?,
                None => write!(f, "{arrow}timer")?,
            }
        }
        Ok(())
    }
}

/// What is wrong with a flow, each with an execution that shows it. A flow without any is right.
pub(crate) type Verdict = BTreeMap<Wrong, Trace>;

/// More states than any flow of a test may have; those of nearly all are a few hundred.
const MOST_STATES: usize = 6_000;

/// One way to reach a state, and what leads on from it.
struct Seen {
    from: usize,
    completed: Option<(Option<Callee>, Outcome)>,
    next: Vec<(usize, Option<End>)>,
}

struct Exploration<'a> {
    flow: &'a Flow,
    numbers: HashMap<State<'a>, usize>,
    states: Vec<State<'a>>,
    seen: Vec<Seen>,
    kept: BTreeSet<(usize, Path)>,
    verdict: Verdict,
}

/// Judges the workflow of this flow; `None` if it has too many states to look at.
pub(crate) fn judge(flow: &Flow) -> Option<Verdict> {
    let mut exploration = Exploration {
        flow,
        numbers: HashMap::new(),
        states: Vec::new(),
        seen: Vec::new(),
        kept: BTreeSet::new(),
        verdict: Verdict::new(),
    };
    exploration.look_everywhere()?;
    exploration.look_at_what_stays();
    let mut verdict = exploration.verdict;
    // Where nothing is ever undone there is no saga, and so nothing half undone; what loses a race is withdrawn
    // anywhere.
    let is_saga = is_saga(flow);
    verdict.retain(|wrong, _| is_saga || *wrong == Wrong::LostEffect);
    Some(verdict)
}

impl<'a> Exploration<'a> {
    fn look_everywhere(&mut self) -> Option<()> {
        self.number(State::start(self.flow), 0, None);
        let mut at = 0;
        while at < self.states.len() {
            if self.states.len() > MOST_STATES {
                return None;
            }
            for (state, events) in self.states[at].moves(self.flow) {
                self.note(at, &state, &events);
                let to = self.number(state, at, events.completed);
                if let Kept::In(path) = events.kept {
                    self.kept.insert((to, path));
                }
                self.seen[at].next.push((to, events.ended));
            }
            at += 1;
        }
        Some(())
    }

    fn number(&mut self, state: State<'a>, from: usize, by: Option<(Option<Callee>, Outcome)>) -> usize {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        let number = self.states.len();
        self.numbers.insert(state.clone(), number);
        self.states.push(state);
        self.seen.push(Seen { from, completed: by, next: Vec::new() });
        number
    }

    /// Notes what is wrong with one move.
    fn note(&mut self, from: usize, state: &State<'a>, events: &Events) {
        let was_pivoted = self.states[from].pivoted();
        let mut wrong = |what: Wrong| {
            if !self.verdict.contains_key(&what) {
                let trace = trace(&self.seen, from, events.completed);
                self.verdict.insert(what, trace);
            }
        };
        if events.undoes && was_pivoted {
            wrong(Wrong::UndoPastPivot);
        }
        // A child hears that it lost when it may have ended, or when nothing undoes it any more.
        if events.lost.iter().any(|callee| matches!(callee, Callee::Deliver | Callee::Order)) {
            wrong(Wrong::LostEffect);
        }
        if let Some(end) = &events.ended
            && end.pivoted
            && matches!(end.outcome, Outcome::Gone | Outcome::Late)
        {
            wrong(Wrong::FailsPastPivot);
        }
        let exposed = if was_pivoted {
            events.began.clone()
        } else if events.pivot {
            state.under_way()
        } else {
            Vec::new()
        };
        for (callee, stays) in exposed {
            match callee {
                Callee::Charge | Callee::Ship => wrong(Wrong::SecondPivot),
                Callee::Reserve | Callee::Hold if !stays => wrong(Wrong::CompensatablePastPivot),
                _ => {}
            }
        }
    }

    /// An effect stays: the function that it came about in must have decided how it ends.
    fn look_at_what_stays(&mut self) {
        for (state, path) in std::mem::take(&mut self.kept) {
            let ends = self.ends(state, &path);
            let succeeds = ends.contains(&Outcome::Ok) || ends.contains(&Outcome::Continued);
            let fails = ends.contains(&Outcome::Gone) || ends.contains(&Outcome::Late);
            if succeeds && fails && !self.verdict.contains_key(&Wrong::KeptWhileOpen) {
                let from = self.seen[state].from;
                let trace = trace(&self.seen, from, self.seen[state].completed);
                self.verdict.insert(Wrong::KeptWhileOpen, trace);
            }
        }
    }

    /// All ends that this function can come to from this state on.
    fn ends(&self, state: usize, path: &Path) -> BTreeSet<Outcome> {
        let mut ends = BTreeSet::new();
        let mut met = BTreeSet::from([state]);
        let mut open = VecDeque::from([state]);
        while let Some(state) = open.pop_front() {
            // Siblings of what failed vanish without an end.
            if !self.states[state].is_running(path) {
                continue;
            }
            for (to, end) in &self.seen[state].next {
                match end {
                    Some(end) if end.path == *path => {
                        ends.insert(end.outcome);
                    }
                    _ => {
                        if met.insert(*to) {
                            open.push_back(*to);
                        }
                    }
                }
            }
        }
        ends
    }
}

fn trace(seen: &[Seen], mut at: usize, last: Option<(Option<Callee>, Outcome)>) -> Trace {
    let mut calls: Vec<_> = last.into_iter().collect();
    while at != 0 {
        calls.extend(seen[at].completed);
        at = seen[at].from;
    }
    calls.reverse();
    Trace(calls)
}

/// Whether anything in it can be undone, or is a point of no return.
pub(crate) fn is_saga(flow: &Flow) -> bool {
    let mut found = false;
    let mut look = |statement: &Statement| {
        found |= statement.calls().iter().any(|call| match call.callee {
            Callee::Reserve | Callee::Hold => !call.stays,
            Callee::Charge | Callee::Ship => true,
            _ => false,
        });
    };
    flow.functions.iter().flat_map(|function| &function.body).for_each(|statement| statement.walk(&mut look));
    found
}
