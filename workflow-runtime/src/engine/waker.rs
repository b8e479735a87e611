//! Takes runs that nobody holds once they are due: at the start of an engine, and whenever the time of one has come or
//! somebody has told one something. It knows who has to be looked at, not why.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use workflow_core::Timestamp;

use super::live::Input;
use super::parts::{Backoff, Parts, Phase};
use super::recovery::recover;
use super::suspects::sort_out;
use crate::store::{Claim, Claimed, ClaimedRun, StoreError};

/// How many runs are claimed at once.
const CLAIM_AT_ONCE: usize = 1_000;

/// How often a store that serves one engine is looked at although nothing told to: whatever went wrong, nothing waits
/// for ever.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// How long a claim waits for room in memory before those that only wait are asked to go.
const MAKE_ROOM: Duration = Duration::from_millis(100);

/// How long it waits before it looks once more for what was due and could not be taken.
const IN_VAIN: Duration = Duration::from_millis(5);

/// From how many strikes on a run is named in the log: once or twice may happen to anybody.
const LOUD_FROM: u32 = 3;

/// At most so many are named at once: all that a process holds are struck when it dies.
const MOST_NAMED: usize = 20;

/// What tells the waker that there may be something to take.
pub(crate) struct Alarm {
    rung: Notify,
    /// The earliest time at which a run is due that nobody holds, as far as is known here.
    next_ms: AtomicI64,
    is_set: Notify,
    wants_room: AtomicBool,
    has_room: Notify,
}

impl Default for Alarm {
    fn default() -> Alarm {
        Alarm {
            rung: Notify::new(),
            next_ms: AtomicI64::new(Timestamp::MAX),
            is_set: Notify::new(),
            wants_room: AtomicBool::new(false),
            has_room: Notify::new(),
        }
    }
}

impl Alarm {
    /// Somebody told a run something that is not in memory here.
    pub(crate) fn ring(&self) {
        self.rung.notify_one();
    }

    /// A run was parked that is due then.
    pub(crate) fn set(&self, wake_ms: Timestamp) {
        if self.next_ms.fetch_min(wake_ms, Ordering::SeqCst) > wake_ms {
            self.is_set.notify_one();
        }
    }

    /// Whether runs that are due wait for those in memory to go.
    pub(crate) fn wants_room(&self) -> bool {
        self.wants_room.load(Ordering::Relaxed)
    }

    /// A run has left memory.
    pub(crate) fn note_room(&self) {
        if self.wants_room() {
            self.has_room.notify_one();
        }
    }
}

/// Takes what is due now, as far as there is room; says whether there may be more.
pub(super) async fn take_due(parts: &Arc<Parts>) -> Result<bool, StoreError> {
    // Before the store is asked: whatever is parked from here on is noted by whoever parks it.
    parts.alarm.next_ms.store(Timestamp::MAX, Ordering::SeqCst);
    let room = parts.live_limit.saturating_sub(parts.live.count());
    let now_ms = parts.clock.over_ms();
    let limit = room.min(CLAIM_AT_ONCE);
    let claim = Claim { worker: parts.worker(), code: parts.registry.code(), now_ms, limit };
    let Claimed { runs, news, next_wake_ms } = parts.store.claim(&claim).await?;
    for run_id in news {
        parts.live.send(&run_id, Input::News);
    }
    if let Some(next_ms) = next_wake_ms {
        parts.alarm.next_ms.fetch_min(next_ms, Ordering::SeqCst);
    }
    let is_all = next_wake_ms.is_none_or(|next_ms| next_ms > now_ms);
    parts.alarm.wants_room.store(!is_all && runs.len() == room, Ordering::Relaxed);
    let is_anything = !runs.is_empty();
    parts.telemetry.runs_claimed.increment(runs.len() as u64);
    note_strikes(parts, &runs);
    let runs = sort_out(parts, runs);
    recover(parts, runs);
    Ok(!is_all && is_anything)
}

/// Counts what was taken from holders that are gone, and names the runs that this happens to again and again: whether
/// or not anybody leaves them alone, somebody has to see what their processes die of.
fn note_strikes(parts: &Parts, runs: &[ClaimedRun]) {
    let struck = runs.iter().filter(|run| run.strikes > 0).count();
    parts.telemetry.strikes.increment(struck as u64);
    let loud: Vec<&ClaimedRun> = runs.iter().filter(|run| run.strikes >= LOUD_FROM).collect();
    for ClaimedRun { lease, workflow, strikes, .. } in loud.iter().take(MOST_NAMED) {
        tracing::warn!(
            run_id = %lease.run_id,
            workflow,
            strikes,
            "workers have died again and again while they held this run, and it has not got on: it, or another one \
             that they held, may take them down"
        );
    }
    if let Some(more) = loud.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        tracing::warn!(more, "the same happened to other runs, which are not named");
    }
}

/// Works until the engine is on its way out.
pub(super) async fn wake_all(parts: Arc<Parts>) {
    let mut backoff = Backoff::new();
    let pause = if parts.membership.is_shared() { parts.poll_interval } else { LOOK_ANYWAY };
    while parts.phase() == Phase::Running {
        if !parts.membership.is_certain() {
            // Whatever is due, nothing is taken before that has changed; then the alarm is rung.
            tokio::select! {
                biased;
                () = parts.leaving() => return,
                () = parts.alarm.rung.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            continue;
        }
        match take_due(&parts).await {
            Ok(true) => {
                // Many may have come due together: the others have to have their turn.
                tokio::task::yield_now().await;
                continue;
            }
            Ok(false) => backoff = Backoff::new(),
            Err(error) => {
                tracing::warn!(%error, "the store cannot be asked for runs that are due; trying again");
                if !backoff.wait(&parts).await {
                    return;
                }
                continue;
            }
        }
        if !wait(&parts, pause).await {
            return;
        }
    }
}

/// Waits until there may be something to take; false when the engine is on its way out.
async fn wait(parts: &Arc<Parts>, pause: Duration) -> bool {
    let alarm = &parts.alarm;
    let wants_room = alarm.wants_room();
    let mut pause = std::pin::pin!(tokio::time::sleep(pause));
    // What is due although nothing could be taken is being looked at by somebody else, or cannot be read.
    if !wants_room && alarm.next_ms.load(Ordering::SeqCst) <= parts.clock.over_ms() {
        tokio::time::sleep(IN_VAIN).await;
    }
    loop {
        let next_ms = alarm.next_ms.load(Ordering::SeqCst);
        tokio::select! {
            biased;
            () = parts.leaving() => return false,
            () = alarm.rung.notified() => return true,
            () = alarm.has_room.notified(), if wants_room => return true,
            // Those that only wait may go at once.
            () = tokio::time::sleep(MAKE_ROOM), if wants_room => {
                parts.tell_drivers();
                return true;
            }
            () = alarm.is_set.notified() => {}
            () = parts.clock.sleep_until(next_ms), if !wants_room && next_ms < Timestamp::MAX => return true,
            () = parts.store.woken() => {
                parts.outbox_changed.notify_one();
                return true;
            }
            () = &mut pause => return true,
        }
    }
}
