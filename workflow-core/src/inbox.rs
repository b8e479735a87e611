//! Who gets a message: the oldest one that fits goes to whoever has waited for longest. A message reaches one run, an
//! event each run once, and what has expired nobody. The engine's stores and the test kit ask here.
//! It keeps nothing itself: where messages lie, and what becomes of one that cannot be read, is decided elsewhere.

use std::time::Duration;

use crate::{OpId, Timestamp};

/// How long a message that comes early is kept unless its sender says otherwise: seven days.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A message that is kept until somebody takes it, as far as it matters who may.
///
/// ```
/// use workflow_core::{Letter, Timestamp, offered};
///
/// struct Kept(&'static str, Vec<&'static str>);
/// impl Letter for Kept {
///     fn is_for(&self, message: &str, key: &str) -> bool {
///         (message, key) == ("Paid", "42")
///     }
///     fn expires_ms(&self) -> Timestamp {
///         1_000
///     }
///     fn can_reach(&self, run_id: &str) -> bool {
///         !self.1.contains(&run_id)
///     }
/// }
/// let kept = [Kept("first", vec!["a"]), Kept("second", vec![])];
/// let offered_to = |run_id, now_ms| offered(&kept, run_id, "Paid", "42", now_ms).map(|kept| kept.0);
/// assert_eq!(offered_to("a", 0), Some("second"));
/// assert_eq!(offered_to("b", 0), Some("first"));
/// assert_eq!(offered_to("b", 1_000), None);
/// ```
pub trait Letter {
    /// Whether it has this name and this correlation key.
    fn is_for(&self, message: &str, key: &str) -> bool;

    /// Not given to anybody from this time on.
    fn expires_ms(&self) -> Timestamp;

    /// Whether this run may have it: a message that nobody has taken, an event that this run has not had.
    fn can_reach(&self, run_id: &str) -> bool;
}

/// What a wait of this run can have now: the oldest of these messages, which come in the order of their arrival.
/// It stays where it is until the run has taken it: a wait that ends otherwise leaves it to a later one.
pub fn offered<'l, L: Letter>(
    letters: impl IntoIterator<Item = &'l L>,
    run_id: &str,
    message: &str,
    key: &str,
    now_ms: Timestamp,
) -> Option<&'l L> {
    letters.into_iter().find(|letter| {
        letter.is_for(message, key) && letter.expires_ms() > now_ms && letter.can_reach(run_id)
    })
}

/// The place of a wait in the line: the lowest is served first. Waits that began together go by their names, so that
/// every engine serves them alike.
pub fn place_in_line<'w>(
    since_ms: Timestamp,
    run_id: &'w str,
    op: &'w OpId,
) -> (Timestamp, &'w str, &'w OpId) {
    (since_ms, run_id, op)
}
