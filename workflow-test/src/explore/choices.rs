//! Choices: the trace that an execution is a function of, given or drawn.
//! It knows numbers only; what is chosen between is the callers' affair.

use std::collections::BTreeMap;
use std::fmt;

/// Hands out choices: those that are given first, then always the first of each, or any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    given: Vec<usize>,
    /// What was picked, and out of how many.
    made: Vec<(usize, usize)>,
    /// What the choices behind the given ones are drawn from.
    dice: Option<Dice>,
    /// One in so many choices is an unusual one where they are drawn.
    rarity: usize,
    /// In which order branches go on, if not in any.
    priorities: Option<Priorities>,
}

/// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): every branch has a
/// priority, the highest goes on, and at a few places the one that goes on becomes the lowest. A fault that takes `d`
/// such places to show is found with a probability that even choices reach by luck only.
#[derive(Clone, Debug)]
struct Priorities {
    seed: u64,
    /// At which orders the highest becomes the lowest.
    changes: Vec<usize>,
    orders: usize,
    /// What became the lowest, and in which turn: the later, the lower.
    lowered: BTreeMap<u64, usize>,
}

/// How many changes of priorities a sample has at most.
const MOST_CHANGES: u64 = 3;

/// How rare it is in samples that something goes wrong, in turn: short runs want more of it, long ones less.
const RARITIES: [usize; 3] = [4, 8, 16];

impl Priorities {
    fn of(changes: u64, dice: &mut Dice, longest: usize) -> Priorities {
        let changes = (0..changes).map(|_| dice.roll(longest)).collect();
        Priorities { seed: dice.next(), changes, orders: 0, lowered: BTreeMap::new() }
    }

    /// The position of the branch that goes on.
    fn choose(&mut self, branches: &[u64]) -> usize {
        let rank = |lowered: &BTreeMap<u64, usize>, branch: u64| match lowered.get(&branch) {
            Some(turn) => (0, u64::MAX - *turn as u64),
            None => (1, Dice(self.seed ^ branch).next()),
        };
        let highest = |lowered: &BTreeMap<u64, usize>| {
            let positions = branches.iter().enumerate();
            // Of one branch, what was due first.
            let ranked =
                positions.map(|(position, branch)| (rank(lowered, *branch), std::cmp::Reverse(position)));
            ranked.max().map_or(0, |(_, std::cmp::Reverse(position))| position)
        };
        let first = highest(&self.lowered);
        let is_change = self.changes.contains(&self.orders);
        self.orders += 1;
        if !is_change || branches.is_empty() {
            return first;
        }
        let turn = self.lowered.len();
        let mut lowered = std::mem::take(&mut self.lowered);
        lowered.insert(branches[first], turn);
        let next = highest(&lowered);
        self.lowered = lowered;
        next
    }
}

/// Numbers that look random and are the same every time.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64: each state gives a well mixed number, also the first ones.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `of`.
    fn roll(&mut self, of: usize) -> usize {
        usize::try_from(self.next() % of.max(1) as u64).unwrap_or(0)
    }
}

impl Choices {
    pub(crate) fn given(given: Vec<usize>) -> Choices {
        Choices { given, ..Choices::default() }
    }

    /// A sample of all traces; another one for each number. One in five takes any order, the others go by priorities.
    /// The longest trace that was seen tells how many orders there may be.
    pub(crate) fn drawn(number: u64, longest: usize) -> Choices {
        let mut dice = Dice(number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let changes = number % (MOST_CHANGES + 2);
        let priorities = (changes <= MOST_CHANGES).then(|| Priorities::of(changes, &mut dice, longest));
        let turn = usize::try_from(number / (MOST_CHANGES + 2)).unwrap_or(0);
        let rarity = RARITIES[turn % RARITIES.len()];
        Choices { dice: Some(dice), rarity, priorities, ..Choices::default() }
    }

    /// Whether what has been picked so far is what was given.
    pub(crate) fn is_beyond_given(&self) -> bool {
        self.made.len() >= self.given.len() && self.dice.is_none()
    }

    /// Picks one of so many, of which the first is what usually happens: nothing goes wrong.
    pub(crate) fn pick(&mut self, of: usize) -> usize {
        // Otherwise a sample would hardly ever come further than to the first thing that can go wrong.
        let rarity = self.rarity;
        let is_usual = self.dice.as_mut().is_some_and(|dice| dice.roll(rarity) > 0);
        if is_usual { self.note(0, of) } else { self.pick_any(of) }
    }

    /// Picks one of so many that are all alike. Where there is only one, there is no choice.
    pub(crate) fn pick_any(&mut self, of: usize) -> usize {
        let drawn = self.dice.as_mut().map(|dice| dice.roll(of));
        let picked = drawn.or(self.given.get(self.made.len()).copied()).unwrap_or(0);
        self.note(picked, of)
    }

    /// Picks which of several things happens next; the branches that they belong to are asked for where they count.
    pub(crate) fn pick_next(&mut self, of: usize, branches: impl FnOnce() -> Vec<u64>) -> usize {
        match &mut self.priorities {
            Some(priorities) => {
                let picked = priorities.choose(&branches());
                self.note(picked, of)
            }
            None => self.pick_any(of),
        }
    }

    fn note(&mut self, picked: usize, of: usize) -> usize {
        if of <= 1 {
            return 0;
        }
        // A schedule of older code may name a choice that is not there any more.
        let picked = picked.min(of - 1);
        self.made.push((picked, of));
        picked
    }

    pub(crate) fn into_made(self) -> Vec<(usize, usize)> {
        self.made
    }
}

/// An execution that can be repeated: its choices, and after which write it is dropped and rebuilt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) choices: Vec<usize>,
    pub(crate) crash: Option<usize>,
}

impl Schedule {
    /// The schedule of what was done, without the first choices at its end: they are made without being said.
    pub(crate) fn of(made: &[(usize, usize)], crash: Option<usize>) -> Schedule {
        let choices = made.iter().map(|(picked, _)| *picked).collect();
        Schedule { choices, crash }.without_usual_end()
    }

    /// Without the first choices at its end.
    pub(crate) fn without_usual_end(mut self) -> Schedule {
        while self.choices.last() == Some(&0) {
            self.choices.pop();
        }
        self
    }

    /// Reads what its `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Schedule> {
        let (choices, crash) = match text.split_once('.') {
            Some((choices, crash)) => (choices, Some(crash.parse().ok()?)),
            None => (text, None),
        };
        let mut read = Vec::new();
        let mut rest = choices;
        while let Some(first) = rest.chars().next() {
            // In brackets in lines of the first releases, which a shell does not take.
            if let '_' | '(' = first {
                let end = if first == '_' { '_' } else { ')' };
                let (number, after) = rest[1..].split_once(end)?;
                read.push(number.parse().ok()?);
                rest = after;
            } else {
                read.push(usize::try_from(first.to_digit(36)?).ok()?);
                rest = &rest[1..];
            }
        }
        Some(Schedule { choices: read, crash })
    }
}

/// One digit per choice, `_40_` where a digit is not enough, and `.5` for a crash after the fifth write. Nothing of it
/// means anything to a shell: people put it before a command.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.choices.is_empty() {
            f.write_str("0")?;
        }
        for &choice in &self.choices {
            match u32::try_from(choice).ok().and_then(|choice| char::from_digit(choice, 36)) {
                Some(digit) => write!(f, "{digit}")?,
                None => write!(f, "_{choice}_")?,
            }
        }
        self.crash.map_or(Ok(()), |write| write!(f, ".{write}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs branches of so many steps each in the order of a sample; gives the branch of each step.
    fn order_of(sample: u64, branches: usize, steps: usize) -> Vec<usize> {
        let mut choices = Choices::drawn(sample, branches * steps);
        let mut left = vec![steps; branches];
        let mut order = Vec::new();
        while order.len() < branches * steps {
            let ready: Vec<usize> = (0..branches).filter(|branch| left[*branch] > 0).collect();
            let names = || ready.iter().map(|branch| *branch as u64 * 77).collect();
            let branch = ready[choices.pick_next(ready.len(), names)];
            left[branch] -= 1;
            order.push(branch);
        }
        order
    }

    #[test]
    fn priorities_find_at_once_what_any_order_finds_by_luck_only() {
        // All of one branch comes before anything of the others: one in 10^12 of all orders of three times fifteen.
        let is_found = |order: &Vec<usize>, first: usize| order[..15].iter().all(|branch| *branch == first);
        let orders: Vec<Vec<usize>> = (0..40).map(|sample| order_of(sample, 3, 15)).collect();
        for first in 0..3 {
            let found = orders.iter().position(|order| is_found(order, first));
            assert!(found.is_some(), "branch {first} is never first");
        }
        // One branch goes on, another one takes over for all of its steps, and the first goes on: one change.
        let interrupted = orders.iter().filter(|order| {
            let turns = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
            turns == 3 && order[0] == order[44]
        });
        assert!(interrupted.count() > 0);
        let any = (0..10).map(|sample| order_of(5 * sample + 4, 3, 15));
        assert!(any.into_iter().all(|order| order.windows(2).filter(|pair| pair[0] != pair[1]).count() > 15));
    }

    #[test]
    fn a_sample_is_the_same_in_every_run() {
        assert_eq!(order_of(5, 3, 4), order_of(5, 3, 4));
        assert_ne!(order_of(5, 3, 4), order_of(6, 3, 4));
    }

    #[test]
    fn a_schedule_reads_back_as_it_is_written() {
        let schedules = [
            (Schedule { choices: vec![0], crash: None }, "0"),
            (Schedule { choices: vec![2, 0, 35, 40], crash: Some(12) }, "20z_40_.12"),
            (Schedule { choices: vec![36, 37, 1], crash: None }, "_36__37_1"),
        ];
        for (schedule, text) in schedules {
            assert_eq!(schedule.to_string(), text);
            assert_eq!(Schedule::parse(text), Some(schedule));
        }
        let of_old = Schedule { choices: vec![2, 40, 1], crash: Some(3) };
        assert_eq!(Schedule::parse("2(40)1.3"), Some(of_old), "as the first releases wrote it");
        assert_eq!(Schedule::default().to_string(), "0");
        assert_eq!(Schedule::parse("2?"), None);
        assert_eq!(Schedule::parse("2_40"), None);
        assert_eq!(Schedule::parse("2.x"), None);
    }
}
