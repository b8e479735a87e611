//! What the outside still has to do for the runs of a test: attempts, timers, waits, each with its time.
//! It keeps them; what comes of them is decided elsewhere.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use workflow_core::{AttemptOutcome, Event, OpId, Payload, Timestamp};

use crate::annals::JournalIndex;

/// One operation of one journal.
pub(crate) type Place = (JournalIndex, OpId);

/// What is due for one operation.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// An attempt of a step begins.
    Begin { at_ms: Timestamp, attempt: u32, args: Payload, timeout_ms: Option<u64> },
    /// An attempt of a step comes back, by then at the latest.
    Complete { at_ms: Timestamp, outcome: AttemptOutcome, not_after_ms: Timestamp },
    /// A timer fires.
    Timer { at_ms: Timestamp },
    /// A message arrives, or the deadline passes.
    Wait {
        message: String,
        key: String,
        since_ms: Timestamp,
        deadline_ms: Option<Timestamp>,
        delivery: Option<Delivery>,
    },
    /// A run begins: a child, or the next generation.
    Start { at_ms: Timestamp, start: Box<Start> },
    /// A child is under way: its own operations are due, and then its end is.
    Running,
    /// Something is written that follows from what another run did.
    Write { at_ms: Timestamp, event: Event },
}

/// A run that is about to begin.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) workflow: String,
    pub(crate) version: u32,
    pub(crate) run_id: String,
    pub(crate) input: Payload,
    pub(crate) generation: u32,
    pub(crate) is_detached: bool,
}

/// A message on its way to a wait.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) at_ms: Timestamp,
    pub(crate) message_id: String,
    pub(crate) payload: Payload,
}

impl Due {
    /// When it happens by itself; `None` for a wait that nothing ends.
    pub(crate) fn at_ms(&self) -> Option<Timestamp> {
        match self {
            Due::Begin { at_ms, .. }
            | Due::Complete { at_ms, .. }
            | Due::Timer { at_ms }
            | Due::Start { at_ms, .. }
            | Due::Write { at_ms, .. } => Some(*at_ms),
            Due::Wait { deadline_ms, delivery, .. } => {
                delivery.as_ref().map(|delivery| delivery.at_ms).or(*deadline_ms)
            }
            Due::Running => None,
        }
    }

    /// When it has happened at the latest, whatever else is slow: timers are punctual, the rest is not.
    pub(crate) fn not_after_ms(&self) -> Timestamp {
        match self {
            Due::Begin { at_ms, .. } | Due::Timer { at_ms } => *at_ms,
            Due::Complete { not_after_ms, .. } => *not_after_ms,
            Due::Wait { deadline_ms, .. } => deadline_ms.unwrap_or(Timestamp::MAX),
            Due::Start { .. } | Due::Write { .. } | Due::Running => Timestamp::MAX,
        }
    }
}

struct Entry {
    due: Due,
    /// What was asked for earlier comes first, when two things are due at the same time.
    order: u64,
    /// The turn in which it was asked for, where turns are counted.
    turn: u64,
}

/// All that is due; at most one thing per operation.
#[derive(Default)]
pub(crate) struct Agenda {
    entries: BTreeMap<Place, Entry>,
    /// How many requests there have been.
    requests: u64,
    turn: u64,
}

impl Agenda {
    /// Notes what a request makes due.
    pub(crate) fn put(&mut self, place: Place, due: Due) {
        self.requests += 1;
        self.entries.insert(place, Entry { due, order: self.requests, turn: self.turn });
    }

    /// Notes what a request makes due that was made before a crash.
    pub(crate) fn put_again(&mut self, place: Place, due: Due, order: u64) {
        self.requests = self.requests.max(order);
        self.entries.insert(place, Entry { due, order, turn: self.turn });
    }

    /// Begins a turn, where all orders are tried: what is asked for in one of two turns is asked for earlier or later,
    /// though no time passes between them.
    pub(crate) fn begin_turn(&mut self, turn: u64) {
        self.turn = turn;
    }

    /// The turn in which this was asked for, where turns are counted.
    pub(crate) fn turn(&self, place: &Place) -> u64 {
        self.entries.get(place).map_or(0, |entry| entry.turn)
    }

    /// Notes what comes next at this place.
    pub(crate) fn change(&mut self, place: &Place, due: Due) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.due = due;
        }
    }

    pub(crate) fn remove(&mut self, place: &Place) -> Option<(Due, u64)> {
        self.entries.remove(place).map(|entry| (entry.due, entry.order))
    }

    /// Which of all requests it was that made this due.
    pub(crate) fn order(&self, place: &Place) -> u64 {
        self.entries.get(place).map_or(0, |entry| entry.order)
    }

    pub(crate) fn get(&self, place: &Place) -> Option<&Due> {
        self.entries.get(place).map(|entry| &entry.due)
    }

    pub(crate) fn get_mut(&mut self, place: &Place) -> Option<&mut Due> {
        self.entries.get_mut(place).map(|entry| &mut entry.due)
    }

    /// What happens next. At the same time, attempts begin before anything else, and then the order of the requests
    /// decides: it can be told from the journals, so that it is the same after a crash.
    pub(crate) fn next(&self) -> Option<(Timestamp, &Place, &Due)> {
        let timed = self.entries.iter().filter_map(|(place, Entry { due, order, .. })| {
            Some(((due.at_ms()?, !matches!(due, Due::Begin { .. }), *order), place, due))
        });
        let ((at_ms, ..), place, due) = timed.min_by_key(|(rank, ..)| *rank)?;
        Some((at_ms, place, due))
    }

    /// An attempt that is due by now.
    pub(crate) fn next_begin(&self, now_ms: Timestamp) -> Option<&Place> {
        let begins = self.entries.iter().filter_map(|(place, Entry { due, order, .. })| match due {
            Due::Begin { at_ms, .. } if *at_ms <= now_ms => Some((*at_ms, *order, place)),
            _ => None,
        });
        begins.min().map(|(.., place)| place)
    }

    /// All that may happen next, where only timers are punctual and everything else takes as long as it likes.
    pub(crate) fn ready(&self, now_ms: Timestamp) -> Vec<Place> {
        let limit = self.entries.values().map(|entry| entry.due.not_after_ms().max(now_ms)).min();
        let timed = self.entries.iter().filter_map(|(place, Entry { due, order, .. })| {
            Some((due.at_ms()?.max(now_ms), *order, place)).filter(|(at_ms, ..)| Some(*at_ms) <= limit)
        });
        let mut ready: Vec<_> = timed.collect();
        ready.sort();
        ready.into_iter().map(|(.., place)| place.clone()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &Due)> {
        self.entries.iter().map(|(place, entry)| (place, &entry.due))
    }

    /// Where the order of the requests decides who is served first: among the waits for the same message, and among the
    /// attempts of one step that begin at the same time, whose mock may have another answer for each.
    pub(crate) fn hash_who_is_first<'a>(
        &'a self,
        hasher: &mut impl Hasher,
        step_of: impl Fn(&Place) -> &'a str,
    ) {
        let contended = self.entries.iter().filter_map(|(place, Entry { due, order, turn })| match due {
            Due::Wait { message, key, since_ms, .. } => {
                Some(((message.as_str(), key.as_str()), *since_ms, *turn, place))
            }
            Due::Begin { at_ms, .. } => Some(((step_of(place), ""), *at_ms, *order, place)),
            _ => None,
        });
        let mut contended: Vec<_> = contended.collect();
        contended.sort_unstable();
        for pair in contended.windows(2) {
            let [(one, .., turn, first), (other, .., next_turn, second)] = pair else { continue };
            if one == other {
                (first, second, turn == next_turn).hash(hasher);
            }
        }
    }

    /// Whether somebody waits for this message; any key will do if none is given.
    pub(crate) fn is_waiting_for(&self, name: &str, wanted: Option<&str>) -> bool {
        self.entries.values().any(|entry| {
            matches!(&entry.due, Due::Wait { message, key, .. }
                if message == name && wanted.is_none_or(|wanted| wanted == key))
        })
    }
}
