//! Durable timers, and lengths of time as people write them.
//! When a timer comes due is decided by the driver's clock; this only says how long.

use std::time::Duration;

use crate::state::Wait;
use crate::{Cx, Durable};

/// A pause that survives restarts. Await it in a workflow.
#[must_use = "WF003: a timer does nothing until it is awaited"]
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
        cx.start_timer(position, self.duration)
    }
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
