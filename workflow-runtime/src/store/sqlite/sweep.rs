//! What goes from a SQLite file when its time is over: messages, and runs with all that belongs to them.
//! A little at a time, so that nobody who writes waits long for it.

use sqlx::Row;

use super::batch::Script;
use super::writer::Writer;
use super::{fault, fleet};
use crate::store::{StoreError, Sweep, Swept};

/// The tables that can hold rows of a run that has ended, before the run itself: rows refer to it.
const TABLES_OF_A_RUN: &[&str] =
    &["workflow_events", "workflow_timers", "workflow_waits", "workflow_incidents", "workflow_runs"];

pub(super) async fn sweep(writer: &mut Writer, sweep: &Sweep) -> Result<Swept, StoreError> {
    writer.begin().await?;
    let mut swept = messages(writer, sweep).await?;
    if let Some(until_ms) = sweep.runs_until_ms {
        swept.runs = runs(writer, until_ms, sweep.limit).await?;
    }
    writer.end().await?;
    Ok(swept)
}

async fn messages(writer: &mut Writer, sweep: &Sweep) -> Result<Swept, StoreError> {
    const OLD: &str = "FROM workflow_messages WHERE settled_ms <= ? ORDER BY settled_ms, number LIMIT ?";
    let limit = i64::from(sweep.limit);
    let mut script = Script::default();
    script
        .push(
            "UPDATE workflow_messages SET settled_ms = expires_ms, \
             reason = CASE WHEN is_event THEN NULL ELSE '\"Expired\"' END \
             WHERE number IN (SELECT number FROM workflow_messages WHERE settled_ms IS NULL AND expires_ms <= ? \
             ORDER BY expires_ms, number LIMIT ?) RETURNING 1",
        )
        .bind_number(sweep.now_ms)
        .bind_number(limit)
        .push(&format!("DELETE FROM workflow_takes WHERE message_id IN (SELECT message_id {OLD})"))
        .bind_number(sweep.messages_until_ms)
        .bind_number(limit)
        .push(&format!("DELETE FROM workflow_messages WHERE number IN (SELECT number {OLD}) RETURNING 2"))
        .bind_number(sweep.messages_until_ms)
        .bind_number(limit);
    fleet::sweep_requests(&mut script, sweep.now_ms);
    let mut swept = Swept::default();
    for row in writer.run_inside(script).await? {
        match row.try_get::<i64, _>(0).map_err(fault)? {
            1 => swept.expired += 1,
            _ => swept.messages += 1,
        }
    }
    Ok(swept)
}

async fn runs(writer: &mut Writer, until_ms: i64, limit: u32) -> Result<u32, StoreError> {
    let mut script = Script::default();
    script
        .push(
            "SELECT run_id, (SELECT count(*) FROM workflow_events e WHERE e.run_id = r.run_id) FROM workflow_runs r \
             WHERE ended_ms <= ? AND NOT EXISTS (\
             SELECT 1 FROM workflow_runs p WHERE p.run_id = r.parent_run AND p.ended_ms IS NULL \
             AND p.generation = r.parent_generation) \
             AND NOT EXISTS (SELECT 1 FROM workflow_outbox o WHERE o.run_id = r.run_id) \
             ORDER BY ended_ms, run_id LIMIT ?",
        )
        .bind_number(until_ms)
        .bind_number(i64::from(limit.max(1)));
    let (mut rows, mut ids) = (0, Vec::new());
    for row in writer.run_inside(script).await? {
        rows += row.try_get::<i64, _>(1).map_err(fault)?;
        if !ids.is_empty() && rows > i64::from(limit) {
            break;
        }
        ids.push(row.try_get::<String, _>(0).map_err(fault)?);
    }
    let mut script = Script::default();
    for table in TABLES_OF_A_RUN {
        let statement = format!("DELETE FROM {table} WHERE run_id IN (SELECT value FROM json_each(?))");
        script.push_rows(&statement, &ids);
    }
    writer.run_inside(script).await?;
    Ok(u32::try_from(ids.len()).expect("a sweep is small"))
}
