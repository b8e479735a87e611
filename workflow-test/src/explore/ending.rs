//! The end of a test: schedules that are kept for it, and that none of its explorations has tried as its own, are told
//! then. Before, another exploration of the test could still be the one that they belong to.
//! It reads the file; only people take something out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::explore::regressions::Regressions;

thread_local! {
    /// Of kits that a test makes itself: a harness gives each test a thread of its own, which ends with it.
    static OF_THREAD: RefCell<BTreeMap<PathBuf, Arc<Ending>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Dropped when the test ends.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// Whether the test can still be failed then; not when its thread ends.
    can_fail: bool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The file with what is kept; `None` until something has explored.
    regressions: Option<Regressions>,
    /// Lines that an exploration has tried which they are of, or which they fit.
    tried: BTreeSet<String>,
    /// The test demands that nothing was left out.
    is_all_demanded: bool,
}

impl Ending {
    /// For the kit that a test is handed.
    pub(crate) fn of_kit() -> Arc<Ending> {
        Arc::new(Ending { can_fail: true, seen: Mutex::default() })
    }

    /// For the test that runs on this thread.
    pub(crate) fn of_thread(regressions: &Regressions) -> Arc<Ending> {
        OF_THREAD
            .with_borrow_mut(|endings| Arc::clone(endings.entry(regressions.file().to_owned()).or_default()))
    }

    /// An exploration has tried what is kept, these lines as its own.
    pub(crate) fn note_tried(&self, regressions: &Regressions, lines: Vec<String>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.regressions = Some(regressions.clone());
        seen.tried.extend(lines);
    }

    /// The test demands that nothing was left out.
    pub(crate) fn demand_all(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).is_all_demanded = true;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let seen = self.seen.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(regressions) = seen.regressions.take().filter(|_| !std::thread::panicking()) else { return };
        let left = regressions.lines_of_program().into_iter().filter(|line| !seen.tried.contains(line));
        let told = left.map(|line| format!("\n  STALE: {}", regressions.explain_dead(&line)));
        let told: String = told.collect();
        if told.is_empty() {
            return;
        }
        let told = format!("{} ended{told}\n", regressions.test());
        if seen.is_all_demanded && self.can_fail {
            panic!("{told}");
        }
        // A closed standard error is no reason to fail a test.
        let _ = io::stderr().write_all(told.as_bytes());
    }
}
