//! Letting go of a run that only waits, and reading what others have told one that is held.
//! Whether a run may go is decided by the store, which knows what is there for it.

use std::sync::Arc;
use std::time::Duration;

use workflow_core::Timestamp;

use super::{Driver, Untold, load_all};
use crate::engine::attempts::Attempts;
use crate::engine::live_run::{Happening, LiveRun};
use crate::engine::parts::Backoff;
use crate::engine::requests;
use crate::store::Parking;

/// Half the shortest time, and the longest, before a run is tried to be let go of again that could not go.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Up to so many runs in memory, each may stay there for as long as the engine was told; then the shorter the more.
const CROWD: usize = 256;

pub(super) fn in_ms(duration: Duration) -> Timestamp {
    Timestamp::try_from(duration.as_millis()).unwrap_or(Timestamp::MAX)
}

impl Driver {
    /// Whether the run may still be this engine's.
    pub(super) fn is_holder(&self) -> bool {
        self.parts.membership.is_called(&self.lease.worker)
    }

    /// How long to wait before letting go of the run; `None` when it does more than wait.
    pub(super) fn idle_time(&self, live: &LiveRun, attempts: &Attempts) -> Option<Duration> {
        if !attempts.is_empty() || !attempts.transactions.is_empty() || !self.starting.is_empty() {
            return None;
        }
        let patience = self.patience();
        let far_ms = self.parts.clock.now_ms().saturating_add(in_ms(patience));
        // What comes due that soon is waited for in memory.
        live.next_due_ms().is_none_or(|due_ms| due_ms > far_ms).then_some(patience)
    }

    /// How long the run stays in memory although it only waits.
    pub(super) fn patience(&self) -> Duration {
        let idle = if self.parts.alarm.wants_room() { Duration::ZERO } else { self.idle_for_now() };
        match self.refusals {
            0 => idle,
            refusals => idle.max((FIRST_WAIT * (1 << refusals.min(10))).min(LONGEST_WAIT)),
        }
    }

    /// The more runs are in memory, the shorter: else those that are begun in a second, and then only wait, would take
    /// as much of it as a hundred times as many that are parked.
    fn idle_for_now(&self) -> Duration {
        let crowd = self.parts.live.count() / CROWD;
        self.parts.park_idle_after / u32::try_from(crowd.max(1)).unwrap_or(u32::MAX)
    }

    /// Lets go of the run, unless there is something that it has to hear first. `None` when the engine has stopped.
    pub(super) async fn park(&mut self, parking: Parking) -> Option<bool> {
        if Arc::strong_count(&self.cancelling) > 1 {
            self.refusals += 1;
            return Some(false);
        }
        let parked = match self.parts.park(parking).await {
            Ok(parked) => parked,
            Err(error) if error.is_stopped() => return None,
            Err(error) => {
                tracing::error!(%error, "the store does not let go of a run; trying again later");
                false
            }
        };
        if !parked {
            self.untold = Untold::Anything;
            // What it was woken for is told by whoever claims.
            self.parts.alarm.ring();
            self.refusals += 1;
        }
        Some(parked)
    }

    /// Gives up the seat of a run that nobody holds any more. What has reached it since then may not have been told to
    /// the store: somebody has to look.
    pub(super) async fn leave_parked(&mut self) {
        tracing::debug!("the run only waits, and leaves memory");
        self.ends.inbox.close();
        if self.ends.inbox.try_recv().is_err() {
            return;
        }
        let run_id = std::slice::from_ref(&self.lease.run_id);
        let mut backoff = Backoff::new();
        while let Err(error) = self.parts.store.wake(run_id).await {
            tracing::warn!(%error, "a run cannot be woken; trying again");
            if !backoff.wait(&self.parts).await {
                return;
            }
        }
        self.parts.alarm.ring();
    }

    /// Whether the store says that this engine holds the run.
    pub(super) async fn is_held(&self) -> bool {
        let loaded = load_all(&self.parts, std::slice::from_ref(&self.lease)).await;
        loaded.is_some_and(|loaded| !loaded.is_empty())
    }

    /// Reads what others have told the run: attempts under way go on meanwhile. `None` when the
    /// engine has stopped, or holds the run no more.
    pub(super) async fn look(&mut self, live: &mut LiveRun) -> Option<()> {
        if std::mem::replace(&mut self.untold, Untold::Nothing) == Untold::Asked {
            let asked = requests::open(&self.parts, &self.lease.run_id).await?;
            self.heard.extend(asked.into_iter().map(Happening::Asked));
            return Some(());
        }
        let mut loaded = load_all(&self.parts, std::slice::from_ref(&self.lease)).await?;
        let Some(loaded) = loaded.pop() else {
            tracing::warn!("somebody else holds the run now, or nobody; this engine lets go of it");
            return None;
        };
        live.note_written(loaded.offers);
        self.heard.extend(loaded.cancel_reason.map(Happening::Cancel));
        self.heard.extend(loaded.requests.into_iter().map(Happening::Asked));
        self.find_children(live).await
    }
}
