//! Durable timers, and lengths of time as people write them.
//! When a timer comes due is decided by the driver's clock; this only says how long.

use std::time::{Duration, SystemTime};

use crate::state::Wait;
use crate::{Cx, Durable, Timestamp};

/// A pause that survives restarts. Await it in a workflow.
#[must_use = "WF003: a timer does nothing until it is awaited; see docs/errors/WF003.md"]
pub struct Sleep {
    pub(crate) duration: Duration,
}

/// Waits for at least this long, however often the process is restarted meanwhile.
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { duration }
}

#[diagnostic::do_not_recommend]
impl Durable for Sleep {
    type Output = ();
    type Running = Wait<()>;

    fn start(self, cx: &Cx, position: usize) -> Wait<()> {
        cx.start_timer(position, |state| state.due_after(self.duration))
    }
}

/// A pause until a point in time. Await it in a workflow.
#[must_use = "WF003: a timer does nothing until it is awaited; see docs/errors/WF003.md"]
pub struct SleepUntil {
    time: SystemTime,
}

/// Waits until this point in time, however often the process is restarted meanwhile; not at all when it has passed.
/// Takes what converts into a [`SystemTime`], such as the instants of the usual crates for dates.
pub fn sleep_until(time: impl Into<SystemTime>) -> SleepUntil {
    SleepUntil { time: time.into() }
}

#[diagnostic::do_not_recommend]
impl Durable for SleepUntil {
    type Output = ();
    type Running = Wait<()>;

    fn start(self, cx: &Cx, position: usize) -> Wait<()> {
        cx.start_timer(position, |_| timestamp_at_or_after(self.time))
    }
}

/// The first whole millisecond that is not before this time.
fn timestamp_at_or_after(time: SystemTime) -> Timestamp {
    let whole = |since: Duration| Timestamp::try_from(since.as_nanos().div_ceil(1_000_000));
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => whole(after).unwrap_or(Timestamp::MAX),
        Err(before) => {
            Timestamp::try_from(before.duration().as_millis()).map_or(Timestamp::MIN, |before| -before)
        }
    }
}

/// The point in time that this timestamp stands for.
pub(crate) fn system_time(timestamp: Timestamp) -> SystemTime {
    let since = Duration::from_millis(timestamp.unsigned_abs());
    let time = if timestamp < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(since)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(since)
    };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// That many days of 24 hours.
///
/// ```
/// assert_eq!(workflow_core::days(2), workflow_core::hours(48));
/// ```
pub const fn days(days: u32) -> Duration {
    Duration::from_secs(days as u64 * 86_400)
}

/// That many hours.
pub const fn hours(hours: u32) -> Duration {
    Duration::from_secs(hours as u64 * 3_600)
}

/// That many minutes.
pub const fn minutes(minutes: u32) -> Duration {
    Duration::from_secs(minutes as u64 * 60)
}

/// That many seconds.
pub const fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds as u64)
}
