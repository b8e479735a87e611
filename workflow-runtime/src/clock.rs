//! The one place where the time is read.
//! It knows nothing of runs; a run's own clock never goes back, whatever this one does.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use workflow_core::Timestamp;

/// The longest sleep before the system's clock is looked at again: somebody may have set it.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// What time it is, for an engine. The system's clock unless a test says otherwise.
///
/// ```
/// use std::time::Duration;
/// use workflow_runtime::Clock;
/// let clock = Clock::manual(1_000);
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now_ms(), 3_000);
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// A clock that stands still until it is told to go on. Clones show the same time.
    pub fn manual(now_ms: Timestamp) -> Clock {
        Clock(Source::Manual(Arc::new(watch::Sender::new(now_ms))))
    }

    /// Lets a manual clock go on. The system's clock cannot be told anything.
    pub fn advance(&self, duration: Duration) {
        if let Source::Manual(now_ms) = &self.0 {
            let duration_ms = Timestamp::try_from(duration.as_millis()).unwrap_or(Timestamp::MAX);
            now_ms.send_modify(|now_ms| *now_ms = now_ms.saturating_add(duration_ms));
        }
    }

    /// Sets a manual clock, also back, as somebody may set the system's. The system's clock cannot be told anything.
    pub fn set(&self, now_ms: Timestamp) {
        if let Source::Manual(shown_ms) = &self.0 {
            shown_ms.send_replace(now_ms);
        }
    }

    /// The time: milliseconds since the Unix epoch, UTC.
    pub fn now_ms(&self) -> Timestamp {
        match &self.0 {
            Source::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::try_from(since.as_millis()).unwrap_or(Timestamp::MAX)
            }
            Source::Manual(now_ms) => *now_ms.borrow(),
        }
    }

    /// The last millisecond that is over. What was noted in it, rounded down, lies wholly in the past, so a
    /// timer that is held against this is never early by the rounded part.
    pub(crate) fn over_ms(&self) -> Timestamp {
        match &self.0 {
            Source::System => self.now_ms() - 1,
            Source::Manual(now_ms) => *now_ms.borrow(),
        }
    }

    /// Waits until that millisecond is over by this clock; never returns early.
    pub(crate) async fn sleep_until(&self, due_ms: Timestamp) {
        match &self.0 {
            Source::System => loop {
                let left_ms = due_ms.saturating_sub(self.over_ms());
                let Ok(left_ms @ 1..) = u64::try_from(left_ms) else { return };
                tokio::time::sleep(Duration::from_millis(left_ms).min(LONGEST_NAP)).await;
            },
            Source::Manual(now_ms) => {
                // The sender lives in this very clock, so it is not gone.
                let _ = now_ms.subscribe().wait_for(|now_ms| *now_ms >= due_ms).await;
            }
        }
    }

    /// Waits until then, or until the clock may have been set: whoever naps has to look again.
    pub(crate) async fn nap_until(&self, due_ms: Timestamp) {
        match &self.0 {
            Source::System => {
                let left_ms = u64::try_from(due_ms.saturating_sub(self.now_ms())).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(left_ms).min(LONGEST_NAP)).await;
            }
            Source::Manual(now_ms) => {
                let mut shown = now_ms.subscribe();
                let began_ms = *shown.borrow_and_update();
                let is_over = |now_ms: &Timestamp| *now_ms >= due_ms || *now_ms < began_ms;
                // The sender lives in this very clock, so it is not gone.
                let _ = shown.wait_for(is_over).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_nap_ends_when_the_clock_is_set_back() {
        let clock = Clock::manual(1_000);
        let napper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.nap_until(2_000).await }
        });
        tokio::task::yield_now().await;
        clock.set(500);
        napper.await.unwrap();
        assert_eq!(clock.now_ms(), 500);
    }

    #[tokio::test]
    async fn a_sleep_never_ends_early() {
        let clock = Clock::system();
        let due_ms = clock.now_ms() + 15;
        clock.sleep_until(due_ms).await;
        assert!(clock.now_ms() > due_ms, "the whole millisecond is over");
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_those_who_are_due() {
        let clock = Clock::manual(0);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(10).await }
        });
        clock.advance(Duration::from_millis(10));
        sleeper.await.unwrap();
    }
}
