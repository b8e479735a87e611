//! Messages that runs of a test send: kept until a run here waits for them.
//! What they say to the world outside is read from the journals.

use workflow_core::{Command, Event, OpId, Payload};

use crate::agenda::{Agenda, Due, Place};
use crate::annals::{Head, JournalIndex, Row};

/// One message that left a run.
struct Letter {
    message_id: String,
    name: String,
    key: String,
    payload: Payload,
    /// All that wait for it get it, and not only the first.
    is_for_all: bool,
    received_by: Vec<JournalIndex>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Mail(Vec<Letter>);

impl Mail {
    /// The messages of these rows.
    pub(crate) fn of(heads: &[Head], rows: &[Row]) -> Mail {
        let mut mail = Mail::default();
        for row in rows {
            if let Event::MessageReceived { message_id, .. } = &row.record.event {
                mail.note_received(message_id, row.journal);
            }
            for command in &row.record.commands {
                mail.post(&heads[row.journal], command);
            }
        }
        mail
    }

    /// Keeps what this command sends.
    pub(crate) fn post(&mut self, from: &Head, command: &Command) {
        let Command::Send { op, message, key, payload, publishes } = command else { return };
        self.0.push(Letter {
            message_id: id_of(from, op),
            name: message.clone(),
            key: key.clone(),
            payload: payload.clone(),
            is_for_all: *publishes,
            received_by: Vec::new(),
        });
    }

    pub(crate) fn note_received(&mut self, message_id: &str, by: JournalIndex) {
        if let Some(letter) = self.0.iter_mut().find(|letter| letter.message_id == message_id) {
            letter.received_by.push(by);
        }
    }

    /// A message for the wait at this place, which has none: the one sent first.
    pub(crate) fn for_wait(&self, agenda: &Agenda, place: &Place) -> Option<(String, Payload)> {
        let (_, Due::Wait { message, key, delivery: None, .. }) =
            agenda.iter().find(|(other, _)| *other == place)?
        else {
            return None;
        };
        let letter = self.0.iter().find(|letter| {
            letter.name == *message
                && letter.key == *key
                && !letter.received_by.contains(&place.0)
                && (letter.is_for_all || letter.received_by.is_empty() && !is_under_way(agenda, letter))
        })?;
        Some((letter.message_id.clone(), letter.payload.clone()))
    }
}

fn is_under_way(agenda: &Agenda, letter: &Letter) -> bool {
    agenda.iter().any(|(_, due)| {
        matches!(due, Due::Wait { delivery: Some(delivery), .. } if delivery.message_id == letter.message_id)
    })
}

fn id_of(from: &Head, op: &OpId) -> String {
    match from.generation {
        1 => format!("{}/{op}", from.run_id),
        generation => format!("{}/+{generation}/{op}", from.run_id),
    }
}
