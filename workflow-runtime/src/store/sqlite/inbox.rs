//! Messages in a SQLite file: kept, taken, set aside, listed and forgotten.
//! The statements for it; the rules are those of the memory store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row};
use workflow_core::{OpId, Payload, Timestamp};

use super::batch::{Script, each};
use super::fault;
use super::writer::Writer;
use crate::store::codec::reason_text;
use crate::store::{
    MessageFilter, MessageState, MessageStatus, NewMessage, ParkReason, StoreError, StoreFault, Taker, Turn,
};

/// A message that somebody took, or that is set aside, loses its owner; one that is not there has no name; and the
/// table allows neither: the whole script fails. An event has no owner.
const TAKE_MESSAGES: &str = "INSERT INTO workflow_messages \
     (message_id, message, key, payload, delivered_ms, expires_ms, run_id, op, settled_ms) \
     SELECT b.value ->> 0, m.message, m.key, m.payload, m.delivered_ms, m.expires_ms, b.value ->> 1, \
     b.value ->> 2, b.value ->> 3 FROM json_each(?) b LEFT JOIN workflow_messages m ON m.message_id = b.value ->> 0 \
     WHERE true ON CONFLICT (message_id) DO UPDATE SET \
     run_id = CASE WHEN workflow_messages.settled_ms IS NULL THEN iif(is_event, '', excluded.run_id) END, \
     op = iif(is_event, '', excluded.op), settled_ms = iif(is_event, NULL, excluded.settled_ms)";

/// The same run a second time breaks the key of the table.
const TAKE_EVENTS: &str = "INSERT INTO workflow_takes (message_id, run_id, op) \
     SELECT b.value ->> 0, b.value ->> 1, b.value ->> 2 FROM json_each(?) b \
     JOIN workflow_messages m ON m.message_id = b.value ->> 0 AND m.is_event";

const PARK_MISFITS: &str = "UPDATE workflow_messages SET settled_ms = b.value ->> 3, reason = b.value ->> 4 \
     FROM json_each(?) b WHERE message_id = b.value ->> 0 AND settled_ms IS NULL AND NOT is_event";

const REFUSE_EVENTS: &str = "INSERT INTO workflow_takes (message_id, run_id, op, reason) \
     SELECT b.value ->> 0, b.value ->> 1, b.value ->> 2, b.value ->> 4 FROM json_each(?) b \
     JOIN workflow_messages m ON m.message_id = b.value ->> 0 AND m.is_event AND m.settled_ms IS NULL \
     WHERE true ON CONFLICT DO NOTHING";

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
            let row =
                (&new.message_id, &new.message, &new.key, new.payload.as_json(), now_ms, new.expires_ms);
            (
                row,
                owner.unwrap_or_default(),
                i32::from(new.is_event),
                settled_ms,
                new.parked.as_ref().map(reason_text),
            )
        })
        .collect();
    script
        .push(
            "INSERT INTO workflow_messages (message_id, message, key, payload, delivered_ms, expires_ms, run_id, \
             is_event, settled_ms, reason) \
             SELECT value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', \
             value ->> '$[0][4]', value ->> '$[0][5]', value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
             FROM json_each(?) WHERE true ORDER BY key ON CONFLICT (message_id) DO NOTHING \
             RETURNING NULL, NULL, message_id, NULL, NULL, true",
        )
        .bind_rows(&rows);
}

/// Notes which runs began with these messages.
pub(super) fn starts<'a>(script: &mut Script, messages: impl Iterator<Item = &'a NewMessage>) {
    let rows = messages.flat_map(|new| {
        new.starts.iter().map(move |turn| (new.message_id.as_str(), turn.lease.run_id.as_ref()))
    });
    script.push_rows(
        "INSERT INTO workflow_takes (message_id, run_id, op) SELECT value ->> 0, value ->> 1, '' FROM json_each(?) \
         WHERE true ON CONFLICT DO NOTHING",
        &rows.collect::<Vec<_>>(),
    );
}

/// Removes those of these messages that are parked, so that they can come again.
pub(super) fn give_way<'a>(
    script: &mut Script,
    messages: impl Iterator<Item = &'a NewMessage>,
    now_ms: Timestamp,
) {
    let ids: Vec<&str> =
        messages.filter(|new| new.is_redelivery).map(|new| new.message_id.as_str()).collect();
    if ids.is_empty() {
        return;
    }
    script
        .push(
            "DELETE FROM workflow_messages WHERE message_id IN (SELECT value FROM json_each(?)) AND \
             (reason IS NOT NULL OR (settled_ms IS NULL AND NOT is_event AND expires_ms <= ?) \
             OR EXISTS (SELECT 1 FROM workflow_takes t WHERE t.message_id = workflow_messages.message_id \
             AND t.reason IS NOT NULL))",
        )
        .bind_rows(&ids)
        .bind_number(now_ms);
    // What an event has reached before, it does not reach again.
    script
        .push(
            "DELETE FROM workflow_takes WHERE message_id IN (SELECT value FROM json_each(?)) AND reason IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM workflow_messages m WHERE m.message_id = workflow_takes.message_id)",
        )
        .bind_rows(&ids);
}

/// Throws a message away. Gives one row with whether it is gone, and none when there is no such message.
pub(super) fn discard(message_id: &str, now_ms: Timestamp) -> Script {
    let mut script = Script::default();
    script.push("DELETE FROM workflow_takes WHERE message_id = ? AND reason IS NOT NULL").bind(message_id);
    script
        .push(
            "UPDATE workflow_messages SET settled_ms = CASE WHEN is_event THEN coalesce(settled_ms, ?) ELSE ? END, \
             reason = NULL WHERE message_id = ? AND (is_event OR run_id = '')",
        )
        .bind_number(now_ms)
        .bind_number(now_ms)
        .bind(message_id);
    script
        .push("SELECT is_event OR run_id = '' FROM workflow_messages WHERE message_id = ?")
        .bind(message_id);
    script.in_one_transaction()
}

pub(super) async fn messages(
    readers: &SqlitePool,
    filter: &MessageFilter,
    now_ms: Timestamp,
) -> Result<Vec<MessageStatus>, StoreError> {
    let numbers = [now_ms, filter.after.unwrap_or(i64::MIN)];
    let mut sql = String::from(
        "SELECT number, message_id, message, key, payload, is_event, delivered_ms, expires_ms, run_id, op, \
         settled_ms, why, takes, is_over FROM (SELECT m.*, \
         m.settled_ms IS NOT NULL OR m.expires_ms <= ?1 AS is_over, \
         coalesce(m.reason, \
          (SELECT t.reason FROM workflow_takes t WHERE t.message_id = m.message_id AND t.reason IS NOT NULL \
           ORDER BY t.run_id LIMIT 1), \
          CASE WHEN m.settled_ms IS NULL AND NOT m.is_event AND m.expires_ms <= ?1 THEN '\"Expired\"' END) AS why, \
         (SELECT json_group_array(json_array(t.run_id, t.op)) FROM workflow_takes t \
          WHERE t.message_id = m.message_id AND t.reason IS NULL) AS takes \
         FROM workflow_messages m WHERE m.number > ?2",
    );
    let mut texts = Vec::new();
    for (wanted, condition) in [
        (&filter.message_id, "m.message_id = ?"),
        (&filter.message, "m.message = ?"),
        (&filter.key, "m.key = ?"),
        (
            &filter.run_id,
            "? IN (SELECT m.run_id UNION ALL SELECT m.reason ->> '$.Misfit.run_id' UNION ALL \
             SELECT t.run_id FROM workflow_takes t WHERE t.message_id = m.message_id)",
        ),
    ] {
        if let Some(text) = wanted {
            texts.push(text);
            let parameter = format!("?{}", numbers.len() + texts.len());
            sql.push_str(&format!(" AND {}", condition.replacen('?', &parameter, 1)));
        }
    }
    if filter.only_parked || filter.only_waiting {
        sql.push_str(" AND m.run_id = ''"); // Most messages were taken: they are not even looked into.
    }
    const TAKEN: &str = "(run_id <> '' OR takes <> '[]' OR (is_event AND is_over))";
    sql.push_str(") WHERE true");
    if filter.only_parked {
        sql.push_str(" AND why IS NOT NULL");
    }
    if filter.only_taken {
        sql.push_str(&format!(" AND why IS NULL AND {TAKEN}"));
    }
    if filter.only_waiting {
        sql.push_str(&format!(" AND why IS NULL AND settled_ms IS NULL AND NOT {TAKEN}"));
    }
    sql.push_str(&format!(" ORDER BY number LIMIT {}", filter.limit));
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for number in numbers {
        query = query.bind(number);
    }
    for text in texts {
        query = query.bind(text);
    }
    query.fetch_all(readers).await.map_err(fault)?.iter().map(read_message).collect()
}

fn read_message(row: &SqliteRow) -> Result<MessageStatus, StoreError> {
    let message_id: String = row.try_get(1).map_err(fault)?;
    let corrupt = |error: String| {
        StoreError::new(StoreFault::Corrupt, format!("the message `{message_id}` cannot be read: {error}"))
    };
    let payload =
        Payload::from_json(row.try_get(4).map_err(fault)?).map_err(|error| corrupt(error.to_string()))?;
    let is_event: bool = row.try_get(5).map_err(fault)?;
    let (run_id, op): (&str, String) = (row.try_get(8).map_err(fault)?, row.try_get(9).map_err(fault)?);
    let settled_ms: Option<Timestamp> = row.try_get(10).map_err(fault)?;
    let reason: Option<&str> = row.try_get(11).map_err(fault)?;
    let takes: Vec<(String, String)> =
        serde_json::from_str(row.try_get(12).map_err(fault)?).map_err(|error| corrupt(error.to_string()))?;
    let taker = |run_id: &str, op: String| Taker {
        run_id: run_id.into(),
        op: (!op.is_empty()).then(|| OpId::from_text(op)),
    };
    let mut by: Vec<Taker> = takes.into_iter().map(|(run_id, op)| taker(&run_id, op)).collect();
    if !run_id.is_empty() && by.is_empty() {
        by.push(taker(run_id, op));
    }
    by.sort();
    let is_over: bool = row.try_get(13).map_err(fault)?;
    let state = match reason {
        Some(reason) => {
            MessageState::Parked(serde_json::from_str(reason).map_err(|error| corrupt(error.to_string()))?)
        }
        None if !by.is_empty() || (is_event && is_over) => MessageState::Taken { by },
        None if settled_ms.is_some() => MessageState::Discarded,
        None => MessageState::Waiting,
    };
    Ok(MessageStatus {
        number: row.try_get(0).map_err(fault)?,
        message: row.try_get(2).map_err(fault)?,
        key: row.try_get(3).map_err(fault)?,
        payload,
        is_event,
        delivered_ms: row.try_get(6).map_err(fault)?,
        expires_ms: row.try_get(7).map_err(fault)?,
        state,
        message_id,
    })
}

/// What a batch may take: which messages are free, and who has which event.
#[derive(Default)]
pub(super) struct Free {
    /// Whether each is an event.
    messages: BTreeMap<String, bool>,
    takes: BTreeSet<(String, Arc<str>)>,
}

impl Free {
    pub(super) async fn read(writer: &mut Writer, turns: &[&Turn]) -> Result<Free, StoreError> {
        let wanted: Vec<_> = turns.iter().flat_map(|turn| turn.changes.take_messages.keys()).collect();
        let mut free = Free::default();
        if wanted.is_empty() {
            return Ok(free);
        }
        let mut script = Script::default();
        script
            .push(
                "SELECT m.message_id, m.is_event, t.run_id FROM workflow_messages m LEFT JOIN workflow_takes t \
                 ON t.message_id = m.message_id WHERE m.settled_ms IS NULL \
                 AND m.message_id IN (SELECT value FROM json_each(?))",
            )
            .bind_rows(&wanted);
        for row in writer.run_inside(script).await? {
            let message_id: String = row.try_get(0).map_err(fault)?;
            if let Some(run_id) = row.try_get::<Option<&str>, _>(2).map_err(fault)? {
                free.takes.insert((message_id.clone(), run_id.into()));
            }
            free.messages.insert(message_id, row.try_get(1).map_err(fault)?);
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
