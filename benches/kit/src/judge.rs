//! Whether a recovery was right: nothing lost, and no completed step repeated.
//! Knows the ledger that the steps wrote; must not know who wrote it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::Entry;

/// What the ledger says about runs that were killed and recovered.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// Steps that ran again although a later step of their run had begun.
    pub repeated: usize,
    /// Steps that ran again because they were under way when the process was killed.
    pub in_flight: usize,
    /// Runs that did not end, and steps of runs that never ran.
    pub lost: usize,
}

/// Reads the ledger of so many runs of so many steps in a row.
///
/// A step begins only when the one before it is completed: the result is on the disk. So a body that runs although
/// a later one of its run has run before is a completed step that was repeated.
pub fn judge(entries: &[Entry], runs: u32, steps: u32) -> Verdict {
    let mut reached: BTreeMap<u32, u32> = BTreeMap::new();
    let mut seen: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut ended: BTreeSet<u32> = BTreeSet::new();
    let mut verdict = Verdict { repeated: 0, in_flight: 0, lost: 0 };
    for entry in entries {
        match *entry {
            Entry::Ran { run, step } => {
                let reached = reached.entry(run).or_default();
                if step < *reached {
                    verdict.repeated += 1;
                } else if !seen.insert((run, step)) {
                    verdict.in_flight += 1;
                }
                *reached = step.max(*reached);
            }
            Entry::Ended { run } => {
                ended.insert(run);
            }
        }
    }
    let expected = u64::from(runs) * u64::from(steps);
    let missing_steps = expected.saturating_sub(seen.len() as u64);
    verdict.lost = (runs as usize - ended.len()) + usize::try_from(missing_steps).unwrap_or(usize::MAX);
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ran(run: u32, step: u32) -> Entry {
        Entry::Ran { run, step }
    }

    fn verdict(entries: &[Entry]) -> (usize, usize, usize) {
        let Verdict { repeated, in_flight, lost } = judge(entries, 1, 2);
        (repeated, in_flight, lost)
    }

    const ENDED: Entry = Entry::Ended { run: 0 };

    #[test]
    fn a_step_that_was_under_way_may_run_again() {
        assert_eq!(verdict(&[ran(0, 0), ran(0, 0), ran(0, 1), ENDED]), (0, 1, 0));
        assert_eq!(verdict(&[ran(0, 0), ran(0, 1), ran(0, 1), ENDED, ENDED]), (0, 1, 0));
    }

    #[test]
    fn a_completed_step_may_not() {
        assert_eq!(verdict(&[ran(0, 0), ran(0, 1), ran(0, 0), ran(0, 1), ENDED]), (1, 1, 0));
    }

    #[test]
    fn what_never_ran_and_what_never_ended_is_lost() {
        assert_eq!(verdict(&[ran(0, 0), ENDED]), (0, 0, 1));
        assert_eq!(verdict(&[ran(0, 0), ran(0, 1)]), (0, 0, 1));
        assert_eq!(verdict(&[]), (0, 0, 3));
    }
}
