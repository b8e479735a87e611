//! Messages in Postgres: kept, taken, set aside and thrown away.
//! The statements for it; the rules are those of the memory store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use workflow_core::Timestamp;

use super::batch::{each, fitting_messages};
use super::fault;
use super::pool::Held;
use super::read::{optional, text};
use super::script::Script;
use crate::store::codec::reason_text;
use crate::store::{NewMessage, ParkReason, StoreError, Turn};

/// The same run a second time breaks the key of the table.
const TAKE_EVENTS: &str = "INSERT INTO workflow_takes (message_id, run_id, op) \
     SELECT b.message_id, b.run_id, b.op FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[]) \
     b (message_id, run_id, op, at_ms) JOIN workflow_messages m ON m.message_id = b.message_id AND m.is_event";

/// A message that somebody took, or that is set aside, loses its owner; one that is not there has no name; and the
/// table allows neither: the whole script fails. An event has no owner, and may be
/// taken by several runs of a batch.
const TAKE_MESSAGES: &str = "INSERT INTO workflow_messages AS k \
     (number, message_id, message, key, payload, delivered_ms, expires_ms, run_id, op, settled_ms) \
     SELECT DISTINCT ON (b.message_id, CASE WHEN m.is_event THEN '' ELSE b.run_id END) m.number, b.message_id, \
     m.message, m.key, m.payload, m.delivered_ms, m.expires_ms, b.run_id, b.op, b.at_ms \
     FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[]) b (message_id, run_id, op, at_ms) \
     LEFT JOIN workflow_messages m ON m.message_id = b.message_id \
     ORDER BY b.message_id, CASE WHEN m.is_event THEN '' ELSE b.run_id END \
     ON CONFLICT (message_id) DO UPDATE SET \
     run_id = CASE WHEN k.settled_ms IS NULL THEN CASE WHEN k.is_event THEN '' ELSE excluded.run_id END END, \
     op = CASE WHEN k.is_event THEN '' ELSE excluded.op END, \
     settled_ms = CASE WHEN k.is_event THEN NULL ELSE excluded.settled_ms END";

const PARK_MISFITS: &str = "UPDATE workflow_messages m SET settled_ms = b.at_ms, reason = b.reason \
     FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[]) b (message_id, run_id, op, at_ms, reason) \
     WHERE m.message_id = b.message_id AND m.settled_ms IS NULL AND NOT m.is_event";

const REFUSE_EVENTS: &str = "INSERT INTO workflow_takes (message_id, run_id, op, reason) \
     SELECT b.message_id, b.run_id, b.op, b.reason \
     FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[]) b (message_id, run_id, op, at_ms, reason) \
     JOIN workflow_messages m ON m.message_id = b.message_id AND m.is_event AND m.settled_ms IS NULL \
     ON CONFLICT DO NOTHING";

/// Runs that wait for one of these messages and can have it, or another one for that wait.
macro_rules! waiting_runs {
    () => {
        concat!(
            "SELECT w.run_id FROM unnest($1::text[], $2::text[]) b (message, key) \
             JOIN workflow_waits w ON w.message = b.message AND w.key = b.key WHERE EXISTS (SELECT 1 ",
            fitting_messages!("$3::int8"),
            ")"
        )
    };
}

/// Who parks such a run meanwhile comes before or after this, and not both past each other: see `fleet::park`.
const LOCK_WAITING: &str = concat!(
    "SELECT NULL, run_id FROM workflow_runs WHERE run_id IN (",
    waiting_runs!(),
    ") AND ended_ms + 0 IS NULL ORDER BY run_id FOR NO KEY UPDATE"
);

const WAKE_WAITING: &str = concat!(
    "UPDATE workflow_runs r SET wake_ms = 0 WHERE r.run_id IN (",
    waiting_runs!(),
    ") AND r.ended_ms + 0 IS NULL AND r.holder IS DISTINCT FROM $4 AND r.wake_ms IS DISTINCT FROM 0 \
     RETURNING 1 AS woken"
);

/// What these turns do to messages.
pub(super) fn takes(script: &mut Script, turns: &[&Turn]) {
    let taken: Vec<_> = each(turns, |turn| &turn.changes.take_messages)
        .map(|(turn, (message_id, op))| (message_id, turn.lease.run_id.as_ref(), op.as_str(), turn.at_ms))
        .collect();
    script.push_rows(TAKE_EVENTS, &taken);
    script.push_rows(TAKE_MESSAGES, &taken);
    let misfits: Vec<_> = each(turns, |turn| &turn.changes.misfits)
        .map(|(turn, (message_id, misfit))| {
            let run_id = turn.lease.run_id.as_ref();
            let (op, error) = (misfit.op.clone(), misfit.error.clone());
            let reason = ParkReason::Misfit { run_id: run_id.to_owned(), op, error };
            (message_id, run_id, misfit.op.as_str(), turn.at_ms, reason_text(&reason))
        })
        .collect();
    script.push_rows(PARK_MISFITS, &misfits);
    script.push_rows(REFUSE_EVENTS, &misfits);
}

/// Keeps messages. Each new one gives a row with its id.
pub(super) fn keep(script: &mut Script, messages: &[NewMessage], now_ms: Timestamp) {
    let rows: Vec<_> = messages
        .iter()
        .map(|new| {
            let owner = new.starts.first().filter(|_| !new.is_event).map(|turn| turn.lease.run_id.as_ref());
            let settled_ms = (owner.is_some() || new.parked.is_some()).then_some(now_ms);
            (
                &new.message_id,
                &new.message,
                &new.key,
                new.payload.as_json(),
                now_ms,
                new.expires_ms,
                owner.unwrap_or_default(),
                new.is_event,
                settled_ms,
                new.parked.as_ref().map(reason_text),
            )
        })
        .collect();
    script.push_rows(
        // Numbered as they come, and written in the order of their ids: two that keep some of the same messages at once
        // must not wait for each other.
        "INSERT INTO workflow_messages (number, message_id, message, key, payload, delivered_ms, expires_ms, run_id, \
         is_event, settled_ms, reason) \
         SELECT b.number, b.message_id, b.message, b.key, b.payload, b.delivered_ms, b.expires_ms, b.run_id, \
         b.is_event, b.settled_ms, b.reason FROM (SELECT \
         nextval(pg_get_serial_sequence('workflow_messages', 'number')) AS number, u.* \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::text[], \
         $8::bool[], $9::int8[], $10::text[]) u (message_id, message, key, payload, delivered_ms, expires_ms, run_id, \
         is_event, settled_ms, reason) OFFSET 0) b ORDER BY b.message_id, b.number \
         ON CONFLICT (message_id) DO NOTHING RETURNING message_id",
        &rows,
    );
}

/// Wakes those who wait for these messages and whom this worker does not hold.
pub(super) fn wake_waiting(script: &mut Script, worker: &str, messages: &[NewMessage], now_ms: Timestamp) {
    let keys: Vec<_> = messages.iter().map(|new| (&new.message, &new.key)).collect();
    script.push(WAKE_WAITING).bind_rows(&keys).bind_number(now_ms).bind(worker);
}

/// The same, before others can see the messages: nobody lets go of such a run in between.
pub(super) fn lock_and_wake(script: &mut Script, worker: &str, messages: &[NewMessage], now_ms: Timestamp) {
    let keys: Vec<_> = messages.iter().map(|new| (&new.message, &new.key)).collect();
    script.push(LOCK_WAITING).bind_rows(&keys).bind_number(now_ms);
    wake_waiting(script, worker, messages, now_ms);
}

/// Notes which runs began with these messages.
pub(super) fn starts<'a>(script: &mut Script, messages: impl Iterator<Item = &'a NewMessage>) {
    let rows = messages.flat_map(|new| {
        new.starts.iter().map(move |turn| (new.message_id.as_str(), turn.lease.run_id.as_ref()))
    });
    script.push_rows(
        "INSERT INTO workflow_takes (message_id, run_id, op) \
         SELECT b.message_id, b.run_id, '' FROM unnest($1::text[], $2::text[]) b (message_id, run_id) \
         ON CONFLICT DO NOTHING",
        &rows.collect::<Vec<_>>(),
    );
}

/// Removes those of these messages that are parked, so that they can come again.
pub(super) fn give_way<'a>(
    script: &mut Script,
    messages: impl Iterator<Item = &'a NewMessage>,
    now_ms: Timestamp,
) {
    let ids: Vec<_> =
        messages.filter(|new| new.is_redelivery).map(|new| (new.message_id.as_str(),)).collect();
    if ids.is_empty() {
        return;
    }
    script
        .push(
            "DELETE FROM workflow_messages m WHERE m.message_id = ANY ($1::text[]) AND \
             (m.reason IS NOT NULL OR (m.settled_ms IS NULL AND NOT m.is_event AND m.expires_ms <= $2::int8) \
             OR EXISTS (SELECT 1 FROM workflow_takes t WHERE t.message_id = m.message_id AND t.reason IS NOT NULL))",
        )
        .bind_rows(&ids)
        .bind_number(now_ms);
    // What an event has reached before, it does not reach again.
    script
        .push(
            "DELETE FROM workflow_takes t WHERE t.message_id = ANY ($1::text[]) AND t.reason IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM workflow_messages m WHERE m.message_id = t.message_id)",
        )
        .bind_rows(&ids);
}

/// Throws a message away. Gives one row with whether it is gone, and none when there is no such message.
pub(super) fn discard(message_id: &str, now_ms: Timestamp) -> Script {
    let mut script = Script::default();
    script.push("DELETE FROM workflow_takes WHERE message_id = $1 AND reason IS NOT NULL").bind(message_id);
    script
        .push(
            "UPDATE workflow_messages SET settled_ms = CASE WHEN is_event THEN coalesce(settled_ms, $1::int8) \
             ELSE $1::int8 END, reason = NULL WHERE message_id = $2 AND (is_event OR run_id = '')",
        )
        .bind_number(now_ms)
        .bind(message_id);
    script
        .push("SELECT is_event OR run_id = '' FROM workflow_messages WHERE message_id = $1")
        .bind(message_id);
    script.in_one_transaction()
}

/// What a batch may take: which messages are free, and who has which event.
#[derive(Default)]
pub(super) struct Free {
    /// Whether each is an event.
    messages: BTreeMap<String, bool>,
    takes: BTreeSet<(String, Arc<str>)>,
}

impl Free {
    /// Reads it, and keeps others from taking them until the transaction ends.
    pub(super) async fn read(held: &mut Held, turns: &[&Turn]) -> Result<Free, StoreError> {
        let wanted: Vec<_> =
            turns.iter().flat_map(|turn| turn.changes.take_messages.keys()).map(|id| (id,)).collect();
        let mut free = Free::default();
        if wanted.is_empty() {
            return Ok(free);
        }
        let mut script = Script::default();
        script
            .push(
                "SELECT message_id, is_event, NULL FROM workflow_messages WHERE settled_ms IS NULL \
                 AND message_id = ANY ($1::text[]) ORDER BY message_id FOR NO KEY UPDATE",
            )
            .bind_rows(&wanted);
        script
            .push("SELECT message_id, NULL, run_id FROM workflow_takes WHERE message_id = ANY ($1::text[])")
            .bind_rows(&wanted);
        for row in held.run(&script).await.map_err(fault)? {
            let message_id = text(&row, 0)?;
            match optional::<String>(&row, 1)? {
                Some(is_event) => {
                    free.messages.insert(message_id, is_event == "t");
                }
                None => {
                    free.takes.insert((message_id, text(&row, 2)?.into()));
                }
            }
        }
        Ok(free)
    }

    /// Whether the turn can have its messages; then nobody else can.
    pub(super) fn take(&mut self, turn: &Turn) -> bool {
        let (run_id, wanted) = (&turn.lease.run_id, &turn.changes.take_messages);
        let is_free = |message_id: &String| match self.messages.get(message_id) {
            Some(true) => !self.takes.contains(&(message_id.clone(), Arc::clone(run_id))),
            Some(false) => true,
            None => false,
        };
        if !wanted.keys().all(is_free) {
            return false;
        }
        for message_id in wanted.keys() {
            if self.messages[message_id] {
                self.takes.insert((message_id.clone(), Arc::clone(run_id)));
            } else {
                self.messages.remove(message_id);
            }
        }
        true
    }
}
