//! The outbox of a SQLite file: the same as in the memory store, in statements.
//! It knows rows and their order, not what is done with them.

use std::sync::Arc;

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row};
use workflow_core::{OpId, Payload, Timestamp};

use super::batch::Script;
use super::fault;
use crate::store::{
    OutboxChange, OutboxEntry, OutboxFilter, OutboxPage, Outgoing, StoreError, StoreFault, Turn,
};

const COLUMNS: &str = "o.message_id, o.run_id, o.op, o.message, o.key, o.payload, o.publishes, o.sent_ms, \
     o.attempts, o.due_ms, o.cause, o.is_parked";

/// A message before which its run has none.
const IS_HEAD: &str =
    "NOT EXISTS (SELECT 1 FROM workflow_outbox e WHERE e.run_id = o.run_id AND e.number < o.number)";

/// Puts what these turns send into the outbox, in their order.
pub(super) fn put(script: &mut Script, turns: &[&Turn]) {
    let sends = turns.iter().flat_map(|turn| turn.changes.sends.iter().map(move |sent| (turn, sent)));
    let rows: Vec<_> = sends
        .map(|(turn, sent)| {
            let Outgoing { id, run_id, op, message, key, payload, publishes } = sent;
            (id, run_id.as_ref(), op.as_str(), message, key, payload.as_json(), publishes, turn.at_ms)
        })
        .collect();
    script.push_rows(
        "INSERT INTO workflow_outbox (message_id, run_id, op, message, key, payload, publishes, sent_ms, due_ms) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
         value ->> 7, 0 FROM json_each(?) WHERE true ORDER BY key",
        &rows,
    );
}

pub(super) async fn due(
    readers: &SqlitePool,
    now_ms: Timestamp,
    busy: &[Arc<str>],
    runs: usize,
    each: usize,
) -> Result<OutboxPage, StoreError> {
    let busy = serde_json::to_string(busy).expect("ids are text");
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT {COLUMNS} FROM workflow_outbox o WHERE o.number IN (\
           SELECT x.number FROM (\
             SELECT o.run_id FROM workflow_outbox o WHERE o.is_parked = 0 AND o.due_ms <= ? AND {IS_HEAD} \
             AND o.run_id NOT IN (SELECT value FROM json_each(?)) ORDER BY o.number LIMIT ?) h \
           JOIN workflow_outbox x ON x.run_id = h.run_id AND x.number <= coalesce((\
             SELECT y.number FROM workflow_outbox y WHERE y.run_id = h.run_id ORDER BY y.number LIMIT 1 OFFSET ?), \
             x.number) \
           AND NOT EXISTS (SELECT 1 FROM workflow_outbox p WHERE p.run_id = x.run_id AND p.number <= x.number \
             AND p.is_parked = 1)) \
         ORDER BY o.number"
    );
    let query =
        sqlx::query(AssertSqlSafe(sql)).bind(now_ms).bind(busy).bind(count(runs)).bind(count(each) - 1);
    let rows = query.fetch_all(readers).await.map_err(fault)?;
    let messages = rows.iter().map(read_entry).collect::<Result<_, _>>()?;
    let sql = format!(
        "SELECT min(o.due_ms) FROM workflow_outbox o WHERE o.due_ms > ? AND o.is_parked = 0 AND {IS_HEAD}"
    );
    let next = sqlx::query(AssertSqlSafe(sql)).bind(now_ms).fetch_one(readers).await.map_err(fault)?;
    Ok(OutboxPage { messages, next_due_ms: next.try_get(0).map_err(fault)? })
}

/// The changes, in groups of one kind; each gives back the ids of the messages that are there.
pub(super) fn changes(changes: &[OutboxChange]) -> Script {
    let (mut removed, mut failed, mut released) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match change {
            OutboxChange::Remove { id } => removed.push(id),
            OutboxChange::Fail { id, attempts, due_ms, cause, parks } => {
                failed.push((id, attempts, due_ms, cause, parks));
            }
            OutboxChange::Release { id, due_ms } => released.push((id, due_ms)),
        }
    }
    let mut script = Script::default();
    script.push_rows(
        "UPDATE workflow_outbox SET attempts = b.value ->> 1, due_ms = b.value ->> 2, cause = b.value ->> 3, \
         is_parked = b.value ->> 4 FROM json_each(?) b WHERE message_id = b.value ->> 0 RETURNING message_id",
        &failed,
    );
    script.push_rows(
        "UPDATE workflow_outbox SET attempts = 0, is_parked = 0, due_ms = b.value ->> 1 \
         FROM json_each(?) b WHERE message_id = b.value ->> 0 RETURNING message_id",
        &released,
    );
    script.push_rows(
        "DELETE FROM workflow_outbox WHERE message_id IN (SELECT value FROM json_each(?)) RETURNING message_id",
        &removed,
    );
    script
}

pub(super) async fn list(
    readers: &SqlitePool,
    filter: &OutboxFilter,
) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut sql = format!("SELECT {COLUMNS} FROM workflow_outbox o WHERE true");
    if filter.run_id.is_some() {
        sql.push_str(" AND run_id = ?");
    }
    if filter.only_parked {
        sql.push_str(" AND is_parked = 1");
    }
    sql.push_str(" ORDER BY number LIMIT ?");
    let mut query = sqlx::query(AssertSqlSafe(sql));
    if let Some(run_id) = &filter.run_id {
        query = query.bind(run_id);
    }
    let rows = query.bind(filter.limit).fetch_all(readers).await.map_err(fault)?;
    rows.iter().map(read_entry).collect()
}

fn read_entry(row: &SqliteRow) -> Result<OutboxEntry, StoreError> {
    let id: String = row.try_get(0).map_err(fault)?;
    let payload = Payload::from_json(row.try_get(5).map_err(fault)?).map_err(|error| {
        let message = format!("the message `{id}` in the outbox cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })?;
    let outgoing = Outgoing {
        id,
        run_id: row.try_get::<&str, _>(1).map_err(fault)?.into(),
        op: OpId::from_text(row.try_get::<&str, _>(2).map_err(fault)?),
        message: row.try_get(3).map_err(fault)?,
        key: row.try_get(4).map_err(fault)?,
        payload,
        publishes: row.try_get(6).map_err(fault)?,
    };
    Ok(OutboxEntry {
        outgoing,
        sent_ms: row.try_get(7).map_err(fault)?,
        attempts: row.try_get(8).map_err(fault)?,
        due_ms: row.try_get(9).map_err(fault)?,
        cause: row.try_get(10).map_err(fault)?,
        is_parked: row.try_get(11).map_err(fault)?,
    })
}
