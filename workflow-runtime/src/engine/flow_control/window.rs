//! A rate: how many may begin in any span of a given length, however the span is laid.
//! It remembers when they began; who waits is not known here.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use workflow_graph::Rate;

use super::after;

/// The last beginnings, as many as one span may hold. Exact where a bucket of tokens is not: a bucket that was full
/// lets nearly twice as many through in its first span, which is what the limits of other services punish.
pub(super) struct Window {
    rate: Rate,
    begun: VecDeque<Instant>,
}

impl Window {
    pub(super) fn new(rate: Rate) -> Window {
        Window { rate, begun: VecDeque::new() }
    }

    /// When the next one may begin.
    pub(super) fn opens_at(&self, now: Instant) -> Instant {
        match self.begun.front() {
            Some(first) if self.is_full() => after(*first, Duration::from_millis(self.rate.per_ms)),
            _ => now,
        }
    }

    /// One begins.
    pub(super) fn note(&mut self, now: Instant) {
        if self.is_full() {
            self.begun.pop_front();
        }
        self.begun.push_back(now);
    }

    fn is_full(&self) -> bool {
        self.begun.len() >= usize::try_from(self.rate.count).unwrap_or(usize::MAX)
    }
}
