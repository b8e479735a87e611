//! The runs that are in memory, and how to reach them.
//! It knows addresses, not what the drivers behind them do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{mpsc, oneshot, watch};
use workflow_core::{Conclusion, Timestamp};

use super::children::ChildNews;
use super::watchdog::Situation;
use crate::store::{Lease, Offer};

/// What can reach a run while it is in memory.
pub(crate) enum Input {
    /// A message that one of its waits can have.
    Offer(Offer),
    /// Somebody asked for a cancel; it is noted in the store.
    Cancel(String),
    /// The watchdog asks what the run waits for.
    Explain(oneshot::Sender<Situation>),
    /// What became of a child; the store knows it too.
    Child(ChildNews),
    /// Somebody asks something of it: the request is in the store.
    Asked,
    /// Another worker told it something, whatever that was: it is in the store.
    News,
}

/// In place of the time when a run last got on: nobody has looked yet, and nothing was written.
const UNSEEN: Timestamp = Timestamp::MIN;

/// The address of a run in memory.
#[derive(Clone)]
pub(crate) struct Seat {
    /// Boxed: a channel keeps room for dozens, and hardly any run ever gets one.
    pub(crate) inbox: mpsc::UnboundedSender<Box<Input>>,
    /// How the run ended, once it has.
    pub(crate) ending: watch::Receiver<Option<Conclusion>>,
    pulse: Arc<AtomicI64>,
}

/// The other ends of a [`Seat`], for the driver.
pub(crate) struct Ends {
    pub(crate) inbox: mpsc::UnboundedReceiver<Box<Input>>,
    pub(crate) ending: watch::Sender<Option<Conclusion>>,
    pulse: Arc<AtomicI64>,
}

impl Ends {
    /// The run has got on.
    pub(crate) fn note_progress(&self, now_ms: Timestamp) {
        self.pulse.store(now_ms, Ordering::Relaxed);
    }
}

impl Seat {
    pub(crate) fn new() -> (Seat, Ends) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let (ending, receiver) = watch::channel(None);
        let pulse = Arc::new(AtomicI64::new(UNSEEN));
        let seat = Seat { inbox: sender, ending: receiver, pulse: Arc::clone(&pulse) };
        (seat, Ends { inbox, ending, pulse })
    }
}

/// Room for so many seats is kept, however few are taken.
const SEATS_KEPT: usize = 4_096;

/// The runs in memory, by id, each with the epoch under which it is held.
#[derive(Default)]
pub(crate) struct LiveRuns {
    seats: Mutex<HashMap<Arc<str>, (i64, Seat)>>,
}

impl LiveRuns {
    /// Takes a seat for a run; false when it has one already that is not from an earlier time.
    pub(crate) fn insert(&self, lease: &Lease, seat: Seat) -> bool {
        let mut seats = self.seats();
        if seats.get(&lease.run_id).is_some_and(|(epoch, _)| *epoch >= lease.epoch) {
            return false;
        }
        seats.insert(Arc::clone(&lease.run_id), (lease.epoch, seat));
        true
    }

    /// Gives the seat of a run back, unless it has been taken anew since.
    pub(crate) fn remove(&self, lease: &Lease) {
        let mut seats = self.seats();
        if seats.get(&lease.run_id).is_some_and(|(epoch, _)| *epoch == lease.epoch) {
            seats.remove(&lease.run_id);
        }
        if seats.capacity() > SEATS_KEPT && seats.len() < seats.capacity() / 8 {
            // A hundred thousand runs may have been parked: their seats must not stay.
            let kept = seats.len() * 2;
            seats.shrink_to(kept);
        }
    }

    pub(crate) fn get(&self, run_id: &str) -> Option<Seat> {
        self.seats().get(run_id).map(|(_, seat)| seat.clone())
    }

    /// Hands something to a run; false when it is not in memory, or about to leave it. Then it finds the same in the
    /// store when it is loaded.
    pub(crate) fn send(&self, run_id: &str, input: Input) -> bool {
        self.seats().get(run_id).is_some_and(|(_, seat)| seat.inbox.send(Box::new(input)).is_ok())
    }

    pub(crate) fn count(&self) -> usize {
        self.seats().len()
    }

    /// Whether a run has had something written since it came into memory; `None` when it is not there.
    pub(crate) fn has_got_on(&self, run_id: &str) -> Option<bool> {
        self.seats().get(run_id).map(|(_, seat)| seat.pulse.load(Ordering::Relaxed) >= 0)
    }

    /// The runs that have not got on since that time. A run that is seen for the first time counts from now on.
    pub(crate) fn silent_since(
        &self,
        until_ms: Timestamp,
        now_ms: Timestamp,
    ) -> Vec<(Arc<str>, Timestamp, Seat)> {
        let seats = self.seats();
        let silent = seats.iter().filter_map(|(run_id, (_, seat))| {
            // Negative: looked at first then, and nothing was written since.
            let first = -now_ms.max(1);
            let pulse = seat.pulse.compare_exchange(UNSEEN, first, Ordering::Relaxed, Ordering::Relaxed);
            let since_ms = pulse.err()?.abs();
            (since_ms <= until_ms).then(|| (Arc::clone(run_id), since_ms, seat.clone()))
        });
        silent.collect()
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<Arc<str>, (i64, Seat)>> {
        self.seats.lock().expect("nothing panics while the seats are locked")
    }
}
