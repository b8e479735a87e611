//! Whether a recovery was right: nothing lost, and no completed step repeated.
//! Knows the ledger that the steps wrote; must not know who wrote it.

use std::collections::{BTreeMap, BTreeSet};

use bench_kit::Entry;

/// What the ledger says about runs that were killed and recovered.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Steps that ran again although a later step of their run had begun.
    pub(crate) repeated: usize,
    /// Steps that ran again because they were under way when the process was killed.
    pub(crate) in_flight: usize,
    /// Runs that did not end, and steps of runs that never ran.
    pub(crate) lost: usize,
}

/// Reads the ledger of so many runs of so many steps in a row.
///
/// A step begins only when the one before it is completed: the result is on the disk. So a body that runs although
/// a later one of its run has run before is a completed step that was repeated.
pub(crate) fn judge(entries: &[Entry], runs: u32, steps: u32) -> Verdict {
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
