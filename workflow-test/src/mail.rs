//! Messages on their way to runs of a test: what the test delivers and what its runs send, kept until a run has taken
//! it. Who gets which is decided by the core, as in an engine.
//! What runs say to the world outside is read from the journals; what an exploration has come is its world's choice.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use workflow_core::{Command, Event, Letter, OpId, Payload, TIME_TO_LIVE, Timestamp, offered, place_in_line};

use crate::agenda::{Agenda, Delivery, Due, Place};
use crate::annals::{Head, Row};

/// One message, kept.
pub(crate) struct Kept {
    pub(crate) message_id: String,
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) payload: Payload,
    /// All that wait for it get it, each run once, and not only the first.
    is_event: bool,
    expires_ms: Timestamp,
    /// The runs that have it.
    reached: Vec<Arc<str>>,
    /// The test delivered it, and not a run.
    is_from_test: bool,
}

impl Letter for Kept {
    fn is_for(&self, message: &str, key: &str) -> bool {
        self.name == message && self.key == key
    }

    fn expires_ms(&self) -> Timestamp {
        self.expires_ms
    }

    fn can_reach(&self, run_id: &str) -> bool {
        match self.is_event {
            true => self.reached.iter().all(|reached| **reached != *run_id),
            false => self.reached.is_empty(),
        }
    }
}

/// See the module. In the order in which they came.
#[derive(Default)]
pub(crate) struct Mail {
    kept: Vec<Kept>,
    /// How many messages had to be given an id.
    unnamed: u32,
}

impl Mail {
    /// The messages of these rows.
    pub(crate) fn of(heads: &[Head], rows: &[Row]) -> Mail {
        let mut mail = Mail::default();
        for row in rows {
            let head = &heads[row.journal];
            if let Event::MessageReceived { message_id, .. } = &row.record.event {
                mail.note_received(message_id, &head.run_id);
            }
            for command in &row.record.commands {
                mail.post(head, command, row.record.at_ms);
            }
        }
        mail
    }

    /// Keeps what this command sends.
    pub(crate) fn post(&mut self, from: &Head, command: &Command, now_ms: Timestamp) {
        let Command::Send { op, message, key, payload, publishes } = command else { return };
        self.keep(Kept {
            message_id: id_of(from, op),
            name: message.clone(),
            key: key.clone(),
            payload: payload.clone(),
            is_event: *publishes,
            expires_ms: expires_ms(now_ms),
            reached: Vec::new(),
            is_from_test: false,
        });
    }

    /// Keeps what the test delivers; gives the id, or nothing when a message with this id came before.
    pub(crate) fn deliver(
        &mut self,
        message_id: Option<&str>,
        name: &str,
        key: &str,
        payload: Payload,
        now_ms: Timestamp,
    ) -> Option<String> {
        let message_id = message_id.map_or_else(|| self.unused_id(), str::to_owned);
        let is_new = self.keep(Kept {
            message_id: message_id.clone(),
            name: name.to_owned(),
            key: key.to_owned(),
            payload,
            is_event: false,
            expires_ms: expires_ms(now_ms),
            reached: Vec::new(),
            is_from_test: true,
        });
        is_new.then_some(message_id)
    }

    /// A second one with the same id is dropped, as an engine drops it.
    fn keep(&mut self, message: Kept) -> bool {
        let is_new = self.find(&message.message_id).is_none();
        if is_new {
            self.kept.push(message);
        }
        is_new
    }

    /// An id that no test gives by chance: the message would be taken for a second one, and dropped.
    fn unused_id(&mut self) -> String {
        self.unnamed += 1;
        format!("message {} without an id", self.unnamed)
    }

    fn find(&self, message_id: &str) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.message_id == message_id)
    }

    pub(crate) fn note_received(&mut self, message_id: &str, run_id: &Arc<str>) {
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.message_id == message_id) {
            kept.reached.push(Arc::clone(run_id));
        }
    }

    /// The messages that somebody may still get: of those with one name and key the first goes to whoever waits, so
    /// their order counts, and only theirs.
    pub(crate) fn hash_unreceived(&self, hasher: &mut impl Hasher, now_ms: Timestamp) {
        let is_left = |kept: &&Kept| kept.expires_ms > now_ms && (kept.is_event || kept.reached.is_empty());
        let mut left: Vec<&Kept> = self.kept.iter().filter(is_left).collect();
        left.sort_by_key(|kept| (&kept.name, &kept.key));
        for Kept { message_id, reached, .. } in left {
            let mut reached: Vec<&str> = reached.iter().map(|run_id| &**run_id).collect();
            reached.sort_unstable();
            (message_id, reached).hash(hasher);
        }
    }

    /// Gives each wait what it can have now, in the order of the line. What a wait has been given stays its own until
    /// it ends; if it has not taken it by then, it is there for the next one.
    pub(crate) fn hand_out(&self, agenda: &mut Agenda, heads: &[Head], now_ms: Timestamp) {
        if self.kept.is_empty() {
            return;
        }
        let (mut promised, mut free) = (Vec::new(), Vec::new());
        for (place, due) in agenda.iter() {
            let Due::Wait { delivery, .. } = due else { continue };
            let run_id = &heads[place.0].run_id;
            let kept = delivery.as_ref().and_then(|delivery| self.find(&delivery.message_id));
            match (kept, delivery) {
                (Some(kept), _) if kept.can_reach(run_id) => {
                    promised.push((kept.message_id.as_str(), Arc::clone(run_id)));
                }
                // What the world has come now was there before.
                (None, Some(delivery)) if delivery.at_ms <= now_ms => {}
                _ => free.push(place.clone()),
            }
        }
        for place in in_line(agenda, heads, free) {
            let run_id = &heads[place.0].run_id;
            let Some(Due::Wait { message, key, delivery, .. }) = agenda.get_mut(&place) else { continue };
            let letters = self.kept.iter().filter(|kept| {
                let mut promised = promised.iter().filter(|(id, _)| *id == kept.message_id);
                !promised.any(|(_, to)| !kept.is_event || to == run_id)
            });
            if let Some(kept) = offered(letters, run_id, message, key, now_ms) {
                promised.push((kept.message_id.as_str(), Arc::clone(run_id)));
                let (message_id, payload) = (kept.message_id.clone(), kept.payload.clone());
                *delivery = Some(Delivery { at_ms: now_ms, message_id, payload });
            } else if delivery.as_ref().is_some_and(|delivery| self.find(&delivery.message_id).is_some()) {
                *delivery = None;
            }
        }
    }

    /// What the test delivered and nobody has waited for, in order.
    pub(crate) fn unclaimed<'m>(&'m self, agenda: &'m Agenda) -> impl Iterator<Item = &'m Kept> {
        let is_promised = |kept: &Kept| {
            agenda.iter().any(|(_, due)| {
                matches!(due, Due::Wait { delivery: Some(delivery), .. } if delivery.message_id == kept.message_id)
            })
        };
        self.kept
            .iter()
            .filter(move |kept| kept.is_from_test && kept.reached.is_empty() && !is_promised(kept))
    }
}

/// The wait that gets a message which comes now: the one that has waited for longest and has been given none.
pub(crate) fn first_in_line(agenda: &Agenda, heads: &[Head], name: &str, key: &str) -> Option<Place> {
    let waits = agenda.iter().filter(|(_, due)| {
        matches!(due, Due::Wait { message, key: wanted, delivery: None, .. } if message == name && wanted == key)
    });
    let waits = waits.map(|(place, _)| place.clone()).collect();
    in_line(agenda, heads, waits).into_iter().next()
}

fn in_line(agenda: &Agenda, heads: &[Head], mut waits: Vec<Place>) -> Vec<Place> {
    let since_ms = |place: &Place| match agenda.get(place) {
        Some(Due::Wait { since_ms, .. }) => *since_ms,
        _ => Timestamp::MAX,
    };
    waits.sort_by(|one, other| {
        let in_line = place_in_line(since_ms(one), &heads[one.0].run_id, &one.1);
        let other_in_line = place_in_line(since_ms(other), &heads[other.0].run_id, &other.1);
        // Where all orders are tried, what came in an earlier turn came earlier, by less than the clock tells.
        let rank = (since_ms(one), agenda.turn(one), in_line);
        rank.cmp(&(since_ms(other), agenda.turn(other), other_in_line))
    });
    waits
}

fn expires_ms(now_ms: Timestamp) -> Timestamp {
    now_ms.saturating_add(Timestamp::try_from(TIME_TO_LIVE.as_millis()).unwrap_or(Timestamp::MAX))
}

fn id_of(from: &Head, op: &OpId) -> String {
    match from.generation {
        1 => format!("{}/{op}", from.run_id),
        generation => format!("{}/+{generation}/{op}", from.run_id),
    }
}
