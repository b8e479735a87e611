//! The traces that have yet to be tried, those first that differ least from what usually happens.
//! It knows numbers only; what is chosen between is the callers' affair.
//!
//! First comes the trace without any deviation, then one with a deviation at each place in turn, then two, and so on.
//! So a search that ends early has seen each thing go wrong at every place, however deep the tree is. Each trace is
//! tried once: it is told by its choices up to the last deviation, behind which all is usual.

use std::collections::VecDeque;

/// See the module.
pub(crate) struct Frontier {
    /// Whether the first trace has been handed out.
    has_begun: bool,
    tried: VecDeque<Tried>,
    /// How many traces are known to be left; there are more behind them.
    pending: usize,
}

/// A trace that was tried, and how far its followers have been handed out.
struct Tried {
    /// Up to the last deviation.
    given: Box<[u32]>,
    /// Out of how many the usual was picked behind that, choice by choice.
    behind: Box<[u32]>,
    /// The choice behind the given ones that deviates next, and how.
    next: (usize, u32),
}

impl Frontier {
    /// Nothing has been tried.
    pub(crate) fn new() -> Frontier {
        Frontier { has_begun: false, tried: VecDeque::new(), pending: 1 }
    }

    /// How many traces are left at least.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// What to try next; `None` when all has been tried.
    pub(crate) fn next(&mut self) -> Option<Vec<usize>> {
        if !self.has_begun {
            self.has_begun = true;
            self.pending -= 1;
            return Some(Vec::new());
        }
        loop {
            let Tried { given, behind, next: (place, deviation) } = self.tried.front_mut()?;
            let Some(&of) = behind.get(*place) else {
                self.tried.pop_front();
                continue;
            };
            if *deviation >= of {
                (*place, *deviation) = (*place + 1, 1);
                continue;
            }
            let usual = std::iter::repeat_n(0, *place);
            let trace = given.iter().copied().chain(usual).chain([*deviation]);
            *deviation += 1;
            self.pending -= 1;
            return Some(trace.map(|picked| picked as usize).collect());
        }
    }

    /// Notes what came of a trace with so many given choices: what was picked, and out of how many. Of what follows
    /// no more than the limit is kept: nobody will come to the rest.
    pub(crate) fn add(&mut self, made: &[(usize, usize)], given: usize, limit: usize) {
        let (given, behind) = made.split_at(given.min(made.len()));
        let following = behind.iter().map(|(_, of)| of.saturating_sub(1)).sum::<usize>();
        if following > 0 && self.pending <= limit {
            let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            self.tried.push_back(Tried {
                given: given.iter().map(|(picked, _)| short(*picked)).collect(),
                behind: behind.iter().map(|(_, of)| short(*of)).collect(),
                next: (0, 1),
            });
        }
        self.pending = self.pending.saturating_add(following);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::explore::choices::Choices;

    /// Tries so many traces of a tree.
    fn traces(most: usize, limit: usize, tree: impl Fn(&mut Choices)) -> Vec<Vec<usize>> {
        let (mut frontier, mut traces) = (Frontier::new(), Vec::new());
        while let Some(given) = frontier.next() {
            let length = given.len();
            let mut choices = Choices::given(given);
            tree(&mut choices);
            let made = choices.into_made();
            traces.push(made.iter().map(|(picked, _)| *picked).collect());
            frontier.add(&made, length, limit);
            if traces.len() == most {
                break;
            }
        }
        traces
    }

    #[test]
    fn every_trace_of_a_tree_is_tried_once_those_with_fewer_deviations_first() {
        let all = traces(usize::MAX, usize::MAX, |choices| {
            // A tree whose second choice depends on the first.
            if choices.pick(2) == 0 {
                choices.pick(3);
            }
            choices.pick(1);
            choices.pick(2);
        });
        let expected: [&[usize]; 8] =
            [&[0, 0, 0], &[1, 0], &[0, 1, 0], &[0, 2, 0], &[0, 0, 1], &[1, 1], &[0, 1, 1], &[0, 2, 1]];
        assert_eq!(all, expected);
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn a_tree_without_an_end_is_tried_at_every_place() {
        // Whatever deviates leads to as many choices again.
        let some = traces(100, usize::MAX, |choices| while (0..10).any(|_| choices.pick(3) > 0) {});
        let deviates_first_at = |place: usize| {
            some.iter().any(|trace| trace.iter().position(|picked| *picked > 0) == Some(place))
        };
        assert!((0..10).all(deviates_first_at), "{some:?}");
    }

    #[test]
    fn what_nobody_will_come_to_is_counted_and_not_kept() {
        let mut frontier = Frontier::new();
        frontier.next();
        frontier.add(&[(0, 3), (0, 3)], 0, 2);
        assert_eq!((frontier.pending(), frontier.tried.len()), (4, 1));
        frontier.add(&[(1, 3), (0, 3)], 1, 2);
        assert_eq!((frontier.pending(), frontier.tried.len()), (6, 1));
    }
}
