//! Messages of a SQLite file as people look at them: which there are, and what became of each.
//! It changes nothing.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use workflow_core::{OpId, Timestamp};

use super::inbox::read_payload;
use super::trouble::{Result, Trouble, shown};
use crate::store::{MessageFilter, MessageState, MessageStatus, StoreError, StoreFault, Taker};

pub(super) fn messages(
    db: &Connection,
    filter: &MessageFilter,
    now_ms: Timestamp,
) -> Result<Vec<MessageStatus>> {
    let mut params = vec![Value::from(now_ms), Value::from(filter.after.unwrap_or(i64::MIN))];
    let mut sql = String::from(
        "SELECT number, message_id, message, key, payload, is_event, delivered_ms, expires_ms, run_id, op, \
         settled_ms, why, takes, is_over FROM (SELECT m.*, \
         m.settled_ms IS NOT NULL OR m.expires_ms <= ?1 AS is_over, \
         coalesce(m.reason, \
          (SELECT t.reason FROM workflow_takes t WHERE t.message_id = m.message_id AND t.reason IS NOT NULL \
           ORDER BY t.run_id LIMIT 1), \
          CASE WHEN m.settled_ms IS NULL AND NOT m.is_event AND m.expires_ms <= ?1 THEN '\"Expired\"' END) AS why, \
         (SELECT json_group_array(json_array(CAST(t.run_id AS TEXT), CAST(t.op AS TEXT))) FROM workflow_takes t \
          WHERE t.message_id = m.message_id AND t.reason IS NULL) AS takes \
         FROM workflow_messages m WHERE m.number > ?2",
    );
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
            params.push(Value::from(text.clone()));
            sql.push_str(&format!(" AND {}", condition.replacen('?', &format!("?{}", params.len()), 1)));
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
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(params))?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        match read_message(row) {
            Err(trouble) if trouble.is_corrupt() => {
                let message_id = row.get(1).unwrap_or_else(|_| shown(row, 1));
                let error = StoreError::from(trouble).to_string();
                messages.push(MessageStatus::unreadable(row.get(0)?, message_id, error));
            }
            read => messages.push(read?),
        }
    }
    Ok(messages)
}

fn read_message(row: &Row<'_>) -> Result<MessageStatus> {
    let message_id: String = row.get(1)?;
    let corrupt = |error: serde_json::Error| {
        let message = format!("the message `{message_id}` cannot be read: {error}");
        Trouble::from(StoreError::new(StoreFault::Corrupt, message).caused_by(error))
    };
    let payload = read_payload(&message_id, row, 4)?;
    let is_event: bool = row.get(5)?;
    let (run_id, op): (String, String) = (row.get(8)?, row.get(9)?);
    let settled_ms: Option<Timestamp> = row.get(10)?;
    let reason: Option<String> = row.get(11)?;
    let takes: Vec<(String, String)> = serde_json::from_str(&row.get::<_, String>(12)?).map_err(corrupt)?;
    let taker = |run_id: String, op: String| Taker {
        run_id: run_id.into(),
        op: (!op.is_empty()).then(|| OpId::from_text(op)),
    };
    let mut by: Vec<Taker> = takes.into_iter().map(|(run_id, op)| taker(run_id, op)).collect();
    if !run_id.is_empty() && by.is_empty() {
        by.push(taker(run_id, op));
    }
    by.sort();
    let is_over: bool = row.get(13)?;
    let state = match reason {
        Some(reason) => MessageState::Parked(serde_json::from_str(&reason).map_err(corrupt)?),
        None if !by.is_empty() || (is_event && is_over) => MessageState::Taken { by },
        None if settled_ms.is_some() => MessageState::Discarded,
        None => MessageState::Waiting,
    };
    Ok(MessageStatus {
        number: row.get(0)?,
        message: row.get(2)?,
        key: row.get(3)?,
        payload,
        is_event,
        delivered_ms: row.get(6)?,
        expires_ms: row.get(7)?,
        state,
        message_id,
    })
}
