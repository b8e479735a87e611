//! The two ends of one attempt of a step: the driver's, which cancels and listens, and the signals between them.
//! It knows no clock and no executor: how long a silence may last is measured by whoever listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use event_listener::Event as Bell;

/// The driver's end of one attempt; the step's end is its [`StepContext`](crate::StepContext). Made by
/// [`StepContext::controlled`](crate::StepContext::controlled). Clones control the same attempt.
#[derive(Clone, Debug)]
pub struct AttemptControl(Arc<Signals>);

/// What passes between the two ends. Shared by all clones of both.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    is_cancelled: AtomicBool,
    cancelled: Bell,
    heartbeats: AtomicU64,
    heard: Bell,
}

impl AttemptControl {
    pub(crate) fn new(signals: Arc<Signals>) -> AttemptControl {
        AttemptControl(signals)
    }

    /// Tells the attempt that its answer is no longer wanted. Whether it heeds that is up to the body of the step;
    /// the second time changes nothing.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        self.0.cancelled.notify(usize::MAX);
    }

    /// Whether the step can hear of a cancel: it was given a context, and somebody has it still.
    pub fn is_heard(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// How often the attempt has said that it is alive.
    pub fn heartbeats(&self) -> u64 {
        self.0.heartbeats.load(Ordering::SeqCst)
    }

    /// Waits until there have been more heartbeats than `seen`; gives how many.
    pub async fn heartbeat_after(&self, seen: u64) -> u64 {
        let heartbeats = || Some(self.heartbeats()).filter(|heartbeats| *heartbeats > seen);
        wait_for(&self.0.heard, heartbeats).await
    }
}

impl Signals {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }

    pub(crate) async fn cancelled(&self) {
        wait_for(&self.cancelled, || self.is_cancelled().then_some(())).await;
    }

    pub(crate) fn heartbeat(&self) {
        self.heartbeats.fetch_add(1, Ordering::SeqCst);
        self.heard.notify(usize::MAX);
    }
}

/// Waits until there is something to find; the bell rings whenever that may be so.
async fn wait_for<T>(bell: &Bell, find: impl Fn() -> Option<T>) -> T {
    loop {
        if let Some(found) = find() {
            return found;
        }
        let ring = bell.listen();
        // It may have rung between the look and the listening.
        if let Some(found) = find() {
            return found;
        }
        ring.await;
    }
}
