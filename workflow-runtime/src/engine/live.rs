//! The runs that are in memory, and how to reach them.
//! It knows addresses, not what the drivers behind them do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{mpsc, oneshot, watch};
use workflow_core::Conclusion;

use super::children::ChildNews;
use super::stuck::Ruling;
use crate::store::Offer;

/// What can reach a run while it is in memory.
pub(crate) enum Input {
    /// A message that one of its waits can have.
    Offer(Offer),
    /// Somebody asked for a cancel; it is noted in the store.
    Cancel(String),
    /// Somebody asked for another round of attempts. Answered with how many incidents that concerns.
    Retry(oneshot::Sender<usize>),
    /// What somebody says about a stuck operation.
    Rule(Ruling),
    /// What became of a child; the store knows it too.
    Child(ChildNews),
}

/// The address of a run in memory.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) inbox: mpsc::UnboundedSender<Input>,
    /// How the run ended, once it has.
    pub(crate) ending: watch::Receiver<Option<Conclusion>>,
}

/// The other ends of a [`Seat`], for the driver.
pub(crate) struct Ends {
    pub(crate) inbox: mpsc::UnboundedReceiver<Input>,
    pub(crate) ending: watch::Sender<Option<Conclusion>>,
}

impl Seat {
    pub(crate) fn new() -> (Seat, Ends) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let (ending, receiver) = watch::channel(None);
        (Seat { inbox: sender, ending: receiver }, Ends { inbox, ending })
    }
}

/// The runs in memory, by id.
#[derive(Default)]
pub(crate) struct LiveRuns {
    seats: Mutex<HashMap<Arc<str>, Seat>>,
}

impl LiveRuns {
    /// Takes a seat for a run; false when it has one already.
    pub(crate) fn insert(&self, run_id: Arc<str>, seat: Seat) -> bool {
        let mut seats = self.seats();
        if seats.contains_key(&run_id) {
            return false;
        }
        seats.insert(run_id, seat);
        true
    }

    pub(crate) fn remove(&self, run_id: &str) {
        self.seats().remove(run_id);
    }

    pub(crate) fn get(&self, run_id: &str) -> Option<Seat> {
        self.seats().get(run_id).cloned()
    }

    /// Hands something to a run. A run that is not in memory finds it in the store when it is loaded.
    pub(crate) fn send(&self, run_id: &str, input: Input) {
        if let Some(seat) = self.seats().get(run_id) {
            // A driver that is gone has ended the run, or will load it again.
            let _ = seat.inbox.send(input);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.seats().len()
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<Arc<str>, Seat>> {
        self.seats.lock().expect("nothing panics while the seats are locked")
    }
}
