//! The second execution: the code of every run goes through its journal once more, on a thread that has never run it.
//! Thread-locals, hash seeds and addresses are others there. It needs no mocks: what came from outside is in the
//! journal, and the code gets it from there as after a crash.

use std::thread;

use crate::annals::Annals;
use crate::oracle::replay::{self, Replayed};
use crate::violation::Violation;

/// Runs one test's code again.
pub(crate) fn check(annals: &Annals) -> Result<(), Violation> {
    first_difference([annals]).map_or(Ok(()), |(_, violation)| Err(violation))
}

/// Runs the code of many executions again, all on one other thread; gives the first that differs.
pub(crate) fn first_difference<'a>(
    executions: impl IntoIterator<Item = &'a Annals, IntoIter: Send>,
) -> Option<(usize, Violation)> {
    let executions = executions.into_iter();
    thread::scope(|scope| {
        let differs = |(number, annals)| replay(annals).err().map(|violation| (number, violation));
        let other = scope.spawn(move || executions.enumerate().find_map(differs));
        other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn replay(annals: &Annals) -> Result<(), Violation> {
    annals.each().try_for_each(|(head, journal)| replay::check(head, &journal, Replayed::OnAnotherThread))
}

/// Whoever turns it off says why, for whoever reads the test.
#[track_caller]
pub(crate) fn assert_reason(reason: &str) {
    assert!(!reason.trim().is_empty(), "say why the code may only run on one thread");
}
