//! What goes from a SQLite file when its time is over: messages, and runs with all that belongs to them.
//! A little at a time, so that nobody who writes waits long for it.

use std::sync::Arc;

use rusqlite::Connection;

use super::connection::run;
use super::fleet;
use super::trouble::Result;
use crate::store::{Sweep, Swept};

/// What goes with a run, before the run itself: rows refer to it.
const OF_A_RUN: &[&str] = &[
    "DELETE FROM workflow_events WHERE run_id = ?",
    "DELETE FROM workflow_timers WHERE run_id = ?",
    "DELETE FROM workflow_waits WHERE run_id = ?",
    "DELETE FROM workflow_incidents WHERE run_id = ?",
    "DELETE FROM workflow_runs WHERE run_id = ?",
];

pub(super) fn sweep(db: &Connection, sweep: &Sweep) -> Result<Swept> {
    let mut swept = messages(db, sweep)?;
    fleet::sweep_requests(db, sweep.now_ms)?;
    if let Some(until_ms) = sweep.runs_until_ms {
        swept.runs = runs(db, until_ms, sweep)?;
    }
    Ok(swept)
}

fn messages(db: &Connection, sweep: &Sweep) -> Result<Swept> {
    const OLD: &str = "FROM workflow_messages WHERE settled_ms <= ?1 ORDER BY settled_ms, number LIMIT ?2";
    let expired = run(
        db,
        "UPDATE workflow_messages SET settled_ms = expires_ms, \
         reason = CASE WHEN is_event THEN NULL ELSE '\"Expired\"' END \
         WHERE number IN (SELECT number FROM workflow_messages WHERE settled_ms IS NULL AND expires_ms <= ? \
         ORDER BY expires_ms, number LIMIT ?)",
        (sweep.now_ms, sweep.limit),
    )?;
    let until = (sweep.messages_until_ms, sweep.limit);
    let takes = format!("DELETE FROM workflow_takes WHERE message_id IN (SELECT message_id {OLD})");
    run(db, &takes, until)?;
    let messages =
        run(db, &format!("DELETE FROM workflow_messages WHERE number IN (SELECT number {OLD})"), until)?;
    Ok(Swept { expired: count(expired), messages: count(messages), runs: 0 })
}

fn runs(db: &Connection, until_ms: i64, sweep: &Sweep) -> Result<u32> {
    let ids = ended(db, until_ms, sweep.limit, sweep.only_runs.as_deref())?;
    for statement in OF_A_RUN {
        let mut statement = db.prepare_cached(statement)?;
        for run_id in &ids {
            statement.execute([&**run_id])?;
        }
    }
    Ok(count(ids.len()))
}

/// Runs that may go, as many as have together about so many rows of journals; of these only, if any are named.
pub(super) fn ended(
    db: &Connection,
    until_ms: i64,
    limit: u32,
    only: Option<&[Arc<str>]>,
) -> Result<Vec<Arc<str>>> {
    let only = only.map(|only| serde_json::to_string(only).expect("ids are text"));
    let mut statement = db.prepare_cached(
        "SELECT run_id, (SELECT count(*) FROM workflow_events e WHERE e.run_id = r.run_id) FROM workflow_runs r \
         WHERE ended_ms <= ?1 AND (?2 IS NULL OR run_id IN (SELECT value FROM json_each(?2))) AND NOT EXISTS (\
         SELECT 1 FROM workflow_runs p WHERE p.run_id = r.parent_run AND p.ended_ms IS NULL \
         AND p.generation = r.parent_generation) \
         AND NOT EXISTS (SELECT 1 FROM workflow_outbox o WHERE o.run_id = r.run_id) \
         ORDER BY ended_ms, run_id LIMIT ?3",
    )?;
    let (mut length, mut ids) = (0, Vec::<Arc<str>>::new());
    let mut rows = statement.query((until_ms, only, limit.max(1)))?;
    while let Some(row) = rows.next()? {
        length += row.get::<_, i64>(1)?;
        if !ids.is_empty() && length > i64::from(limit) {
            break;
        }
        ids.push(row.get::<_, String>(0)?.into());
    }
    Ok(ids)
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).expect("a sweep is small")
}
