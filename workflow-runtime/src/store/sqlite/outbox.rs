//! The outbox of a SQLite file: the same as in the memory store, in statements.
//! It knows rows and their order, not what is done with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, Row};
use workflow_core::{OpId, Timestamp};

use super::connection::run;
use super::inbox::read_payload;
use super::trouble::{Result, legible, shown};
use crate::store::{OutboxChange, OutboxEntry, OutboxFilter, OutboxPage, Outgoing, StoreError, Turn};

macro_rules! columns {
    () => {
        "o.message_id, o.run_id, o.op, o.message, o.key, o.payload, o.publishes, o.sent_ms, o.attempts, o.due_ms, \
         o.cause, o.is_parked"
    };
}

/// A message before which its run has none.
macro_rules! is_head {
    () => {
        "NOT EXISTS (SELECT 1 FROM workflow_outbox e WHERE e.run_id = o.run_id AND e.number < o.number)"
    };
}

/// Messages that may be handed over, of which each is the first one of its run.
macro_rules! heads {
    ($when:literal, $order:literal) => {
        concat!(
            "SELECT * FROM (SELECT o.run_id, o.number FROM workflow_outbox o WHERE o.is_parked = 0 AND o.due_ms ",
            $when,
            " AND ",
            is_head!(),
            " AND o.run_id NOT IN (SELECT value FROM json_each(?2)) ORDER BY ",
            $order,
            " LIMIT ?3)"
        )
    };
}

/// Puts what the turn sends into the outbox, in its order.
pub(super) fn put(db: &Connection, turn: &Turn) -> Result<()> {
    for sent in &turn.changes.sends {
        let Outgoing { id, run_id, op, message, key, payload, publishes } = sent;
        run(
            db,
            "INSERT INTO workflow_outbox (message_id, run_id, op, message, key, payload, publishes, sent_ms, due_ms) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (id, &**run_id, op.as_str(), message, key, payload.as_json(), publishes, turn.at_ms),
        )?;
    }
    Ok(())
}

pub(super) fn due(
    db: &Connection,
    now_ms: Timestamp,
    busy: &[Arc<str>],
    runs: usize,
    each: usize,
) -> Result<OutboxPage> {
    let busy = serde_json::to_string(busy).expect("ids are text");
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM workflow_outbox o WHERE o.number IN (\
           SELECT x.number FROM (SELECT u.run_id FROM (",
        heads!("= 0", "o.number"),
        " UNION ALL ",
        heads!("> 0 AND o.due_ms <= ?1", "o.due_ms"),
        " UNION ALL ",
        heads!("< 0", "o.due_ms"),
        ") u ORDER BY u.number LIMIT ?3) h \
           JOIN workflow_outbox x ON x.run_id = h.run_id AND x.number <= coalesce((\
             SELECT y.number FROM workflow_outbox y WHERE y.run_id = h.run_id ORDER BY y.number LIMIT 1 OFFSET ?4), \
             x.number) \
           AND NOT EXISTS (SELECT 1 FROM workflow_outbox p WHERE p.run_id = x.run_id AND p.number <= x.number \
             AND p.is_parked = 1)) \
         ORDER BY o.number"
    ))?;
    let mut rows = statement.query((now_ms, busy, count(runs), count(each) - 1))?;
    let mut messages = Vec::new();
    let mut held_up = BTreeSet::new();
    while let Some(row) = rows.next()? {
        // One that cannot be read holds up its own run and no other, until somebody has mended or removed it.
        let entry = legible(read_entry(row), || format!("the message {} of the outbox", shown(row, 0)))?;
        let run_id = shown(row, 1);
        match entry {
            Some(entry) if !held_up.contains(&run_id) => messages.push(entry),
            Some(_) => {}
            None => drop(held_up.insert(run_id)),
        }
    }
    let mut statement = db.prepare_cached(concat!(
        "SELECT (SELECT o.due_ms FROM workflow_outbox o WHERE o.due_ms > ? AND typeof(o.due_ms) = 'integer' \
         AND o.is_parked = 0 AND ",
        is_head!(),
        " ORDER BY o.due_ms LIMIT 1)"
    ))?;
    Ok(OutboxPage { messages, next_due_ms: statement.query_row([now_ms], |row| row.get(0))? })
}

/// Makes the changes; says of each whether the message is there.
pub(super) fn change(db: &Connection, changes: &[OutboxChange]) -> Result<Vec<bool>> {
    let changed = changes.iter().map(|change| {
        Ok(match change {
            OutboxChange::Remove { id } => run(db, "DELETE FROM workflow_outbox WHERE message_id = ?", [id]),
            OutboxChange::Fail { id, attempts, due_ms, cause, parks } => run(
                db,
                "UPDATE workflow_outbox SET attempts = ?2, due_ms = ?3, cause = ?4, is_parked = ?5 \
                 WHERE message_id = ?1",
                (id, attempts, due_ms, cause, parks),
            ),
            OutboxChange::Release { id, due_ms } => run(
                db,
                "UPDATE workflow_outbox SET attempts = 0, is_parked = 0, due_ms = ?2 WHERE message_id = ?1",
                (id, due_ms),
            ),
        }? > 0)
    });
    changed.collect()
}

pub(super) fn list(db: &Connection, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>> {
    let mut statement = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM workflow_outbox o WHERE (?1 IS NULL OR run_id = ?1) AND (NOT ?2 OR is_parked = 1) \
         ORDER BY number LIMIT ?3"
    ))?;
    let mut rows = statement.query((&filter.run_id, filter.only_parked, filter.limit))?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        match read_entry(row) {
            Err(trouble) if trouble.is_corrupt() => {
                let id = row.get(0).unwrap_or_else(|_| shown(row, 0));
                let run_id = row.get(1).unwrap_or_else(|_| shown(row, 1).into());
                messages.push(OutboxEntry::unreadable(id, run_id, StoreError::from(trouble).to_string()));
            }
            read => messages.push(read?),
        }
    }
    Ok(messages)
}

fn read_entry(row: &Row<'_>) -> Result<OutboxEntry> {
    let id: String = row.get(0)?;
    let payload = read_payload(&id, row, 5)?;
    let outgoing = Outgoing {
        id,
        run_id: row.get(1)?,
        op: OpId::from_text(row.get::<_, String>(2)?),
        message: row.get(3)?,
        key: row.get(4)?,
        payload,
        publishes: row.get(6)?,
    };
    Ok(OutboxEntry {
        outgoing,
        sent_ms: row.get(7)?,
        attempts: row.get(8)?,
        due_ms: row.get(9)?,
        cause: row.get(10)?,
        is_parked: row.get(11)?,
    })
}
