//! What is noted about runs and schedules outside of turns.
//! The rules are those of the memory store.

use rusqlite::{Connection, OptionalExtension};

use super::connection::run;
use super::fleet::wake;
use super::trouble::Result;
use crate::store::codec::read_state;
use crate::store::{KeptSchedule, RunState};

pub(super) fn request_cancel(
    db: &Connection,
    worker: &str,
    run_id: &str,
    reason: &str,
) -> Result<Option<RunState>> {
    wake(db, run_id, Some(worker))?;
    let mut statement = db.prepare_cached(
        "UPDATE workflow_runs SET cancel_reason = CASE WHEN ended_ms IS NULL THEN ?2 END \
         WHERE run_id = ?1 RETURNING conclusion",
    )?;
    let conclusion =
        statement.query_row((run_id, reason), |row| row.get::<_, Option<String>>(0)).optional()?;
    let Some(conclusion) = conclusion else { return Ok(None) };
    Ok(Some(read_state(run_id, conclusion.as_deref())?))
}

pub(super) fn note_schedule(db: &Connection, schedule: &KeptSchedule) -> Result<()> {
    let KeptSchedule { workflow, cron, timezone, kept_until_ms, last_tick_ms } = schedule;
    run(
        db,
        "INSERT OR REPLACE INTO workflow_schedules (workflow, cron, timezone, kept_until_ms, last_tick_ms) \
         VALUES (?, ?, ?, ?, ?)",
        (workflow, cron, timezone, kept_until_ms, last_tick_ms),
    )?;
    Ok(())
}
