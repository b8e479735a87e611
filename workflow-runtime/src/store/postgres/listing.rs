//! The list of messages, by what became of them.
//! It reads only; the states are those of the memory store.

use std::sync::Arc;

use sqlx::postgres::PgRow;
use workflow_core::{OpId, Payload, Timestamp};

use super::literal::unescaped;
use super::pool::{Pool, run};
use super::read::{json, number, optional, text};
use super::script::Script;
use crate::store::{MessageFilter, MessageState, MessageStatus, StoreError, StoreFault, Taker};

/// Most messages were taken: where those are not wanted they are not even looked into.
const MESSAGES: &str = "SELECT number, message_id, message, key, payload, is_event, delivered_ms, expires_ms, run_id, \
     op, settled_ms, why, takes, is_over FROM (SELECT m.*, \
     m.settled_ms IS NOT NULL OR m.expires_ms <= $1::int8 AS is_over, \
     coalesce(m.reason, \
      (SELECT t.reason FROM workflow_takes t WHERE t.message_id = m.message_id AND t.reason IS NOT NULL \
       ORDER BY t.run_id LIMIT 1), \
      CASE WHEN m.settled_ms IS NULL AND NOT m.is_event AND m.expires_ms <= $1::int8 THEN '\"Expired\"' END) AS why, \
     (SELECT coalesce(json_agg(json_build_array(t.run_id, t.op)), '[]') FROM workflow_takes t \
      WHERE t.message_id = m.message_id AND t.reason IS NULL)::text AS takes \
     FROM workflow_messages m WHERE m.number > $2::int8 \
     AND ($3::text IS NULL OR m.message_id = $3) AND ($4::text IS NULL OR m.message = $4) \
     AND ($5::text IS NULL OR m.key = $5) \
     AND ($6::text IS NULL OR m.run_id = $6 \
      OR starts_with(m.reason, $7::text) \
      OR EXISTS (SELECT 1 FROM workflow_takes t WHERE t.message_id = m.message_id AND t.run_id = $6)) \
     AND (m.run_id = '' OR NOT $8::bool)) x \
     WHERE (why IS NOT NULL OR NOT $9::bool) \
     AND (why IS NULL AND (run_id <> '' OR takes <> '[]' OR is_event AND is_over) OR NOT $10::bool) \
     AND (why IS NULL AND settled_ms IS NULL AND NOT (run_id <> '' OR takes <> '[]' OR is_event AND is_over) \
      OR NOT $11::bool) \
     ORDER BY number LIMIT $12::int8";

pub(super) async fn messages(
    pool: &Arc<Pool>,
    filter: &MessageFilter,
    now_ms: Timestamp,
) -> Result<Vec<MessageStatus>, StoreError> {
    // As `codec::reason_text` writes it.
    let misfit_of = |run_id: &String| {
        let run_id = serde_json::to_string(run_id).expect("a text is JSON");
        format!("{{\"Misfit\":{{\"run_id\":{run_id},")
    };
    let mut script = Script::default();
    script
        .push(MESSAGES)
        .bind_number(now_ms)
        .bind_number(filter.after.unwrap_or(i64::MIN))
        .bind_optional(filter.message_id.as_deref())
        .bind_optional(filter.message.as_deref())
        .bind_optional(filter.key.as_deref())
        .bind_optional(filter.run_id.as_deref())
        .bind_optional(filter.run_id.as_ref().map(misfit_of).as_deref())
        .bind_bool(filter.only_parked || filter.only_waiting)
        .bind_bool(filter.only_parked)
        .bind_bool(filter.only_taken)
        .bind_bool(filter.only_waiting)
        .bind_number(i64::from(filter.limit));
    let read = |row: &PgRow| match read_message(row) {
        Err(error) if error.fault() == StoreFault::Corrupt => {
            Ok(MessageStatus::unreadable(number(row, 0)?, text(row, 1)?, error.to_string()))
        }
        read => read,
    };
    run(pool, &script).await?.iter().map(read).collect()
}

fn read_message(row: &PgRow) -> Result<MessageStatus, StoreError> {
    let message_id = text(row, 1)?;
    let corrupt = |error: String| {
        StoreError::new(StoreFault::Corrupt, format!("the message `{message_id}` cannot be read: {error}"))
    };
    let payload = Payload::from_json(text(row, 4)?).map_err(|error| corrupt(error.to_string()))?;
    let is_event = text(row, 5)? == "t";
    let (run_id, op) = (text(row, 8)?, text(row, 9)?);
    let settled_ms: Option<Timestamp> = optional(row, 10)?;
    let reason: Option<String> = optional(row, 11)?;
    let takes: Vec<(String, String)> = json(row, 12)?;
    let taker = |run_id: String, op: String| Taker {
        run_id: run_id.into(),
        op: (!op.is_empty()).then(|| OpId::from_text(op)),
    };
    let takes = takes.iter().map(|(run_id, op)| taker(unescaped(run_id).into(), unescaped(op).into()));
    let mut by: Vec<Taker> = takes.collect();
    if !run_id.is_empty() && by.is_empty() {
        by.push(taker(run_id, op));
    }
    by.sort();
    let is_over = text(row, 13)? == "t";
    let state = match reason {
        Some(reason) => {
            MessageState::Parked(serde_json::from_str(&reason).map_err(|error| corrupt(error.to_string()))?)
        }
        None if !by.is_empty() || (is_event && is_over) => MessageState::Taken { by },
        None if settled_ms.is_some() => MessageState::Discarded,
        None => MessageState::Waiting,
    };
    Ok(MessageStatus {
        number: number(row, 0)?,
        message: text(row, 2)?,
        key: text(row, 3)?,
        payload,
        is_event,
        delivered_ms: number(row, 6)?,
        expires_ms: number(row, 7)?,
        state,
        message_id,
    })
}
