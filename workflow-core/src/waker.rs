//! A waker that notices who keeps it: durable operations never touch the waker, foreign futures must.
//! It wakes nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

/// Notices whether a poll left a clone of the waker behind, or used it.
pub(crate) struct Accuser {
    flag: Arc<Flag>,
    waker: Waker,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Accuser {
    pub(crate) fn new() -> Accuser {
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        Accuser { waker: Waker::from(Arc::clone(&flag)), flag }
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether somebody else waits to be woken. One count is ours, one is the waker's.
    pub(crate) fn accuses(&self) -> bool {
        self.flag.0.load(Ordering::Relaxed) || Arc::strong_count(&self.flag) > 2
    }
}
