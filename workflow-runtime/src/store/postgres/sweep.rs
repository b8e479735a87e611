//! What goes from Postgres when its time is over: messages, and runs with all that belongs to them.
//! A little at a time, and past whoever sweeps at the same time.

use std::sync::Arc;

use super::fleet;
use super::pool::{Pool, run};
use super::read::{number, text};
use super::script::Script;
use crate::store::{StoreError, Sweep, Swept};

const EXPIRE: &str = "UPDATE workflow_messages SET settled_ms = expires_ms, \
     reason = CASE WHEN is_event THEN NULL ELSE '\"Expired\"' END \
     WHERE number IN (SELECT number FROM workflow_messages WHERE settled_ms IS NULL AND expires_ms <= $1::int8 \
      ORDER BY expires_ms, number LIMIT $2::int8 FOR UPDATE SKIP LOCKED) RETURNING 1";

const FORGET: &str = "WITH old AS MATERIALIZED (SELECT number, message_id FROM workflow_messages \
      WHERE settled_ms <= $1::int8 ORDER BY settled_ms, number LIMIT $2::int8 FOR UPDATE SKIP LOCKED), \
     takes AS (DELETE FROM workflow_takes t USING old WHERE t.message_id = old.message_id) \
     DELETE FROM workflow_messages m USING old WHERE m.number = old.number RETURNING 2";

const ENDED: &str = "SELECT run_id, (SELECT count(*) FROM workflow_events e WHERE e.run_id = r.run_id) \
     FROM workflow_runs r WHERE ended_ms <= $1::int8 AND ($3::bool OR run_id = ANY ($4::text[])) \
     AND NOT EXISTS (SELECT 1 FROM workflow_runs p \
      WHERE p.run_id = r.parent_run AND p.ended_ms IS NULL AND p.generation = r.parent_generation) \
     AND NOT EXISTS (SELECT 1 FROM workflow_outbox o WHERE o.run_id = r.run_id) \
     ORDER BY ended_ms, run_id LIMIT $2::int8";

/// The run goes for good with its row, which is locked before: so it is counted once.
const REMOVE: &str = "WITH gone AS MATERIALIZED (SELECT run_id FROM workflow_runs WHERE run_id = ANY ($1::text[]) \
      AND ended_ms IS NOT NULL ORDER BY run_id FOR UPDATE SKIP LOCKED), \
     a AS (DELETE FROM workflow_events t USING gone WHERE t.run_id = gone.run_id), \
     b AS (DELETE FROM workflow_timers t USING gone WHERE t.run_id = gone.run_id), \
     c AS (DELETE FROM workflow_waits t USING gone WHERE t.run_id = gone.run_id), \
     d AS (DELETE FROM workflow_incidents t USING gone WHERE t.run_id = gone.run_id) \
     DELETE FROM workflow_runs t USING gone WHERE t.run_id = gone.run_id RETURNING 1";

pub(super) async fn sweep(pool: &Arc<Pool>, sweep: &Sweep) -> Result<Swept, StoreError> {
    let limit = i64::from(sweep.limit);
    let mut script = Script::default();
    script.push(EXPIRE).bind_number(sweep.now_ms).bind_number(limit);
    script.push(FORGET).bind_number(sweep.messages_until_ms).bind_number(limit);
    fleet::sweep_requests(&mut script, sweep.now_ms);
    let mut swept = Swept::default();
    for row in run(pool, &script.in_one_transaction()).await? {
        match number(&row, 0)? {
            1 => swept.expired += 1,
            _ => swept.messages += 1,
        }
    }
    if let Some(until_ms) = sweep.runs_until_ms {
        swept.runs = runs(pool, until_ms, sweep).await?;
    }
    Ok(swept)
}

/// Runs that may go, as many as have together about so many rows of journals; of these only, if any are named.
pub(super) async fn ended(
    pool: &Arc<Pool>,
    until_ms: i64,
    limit: u32,
    only: Option<&[Arc<str>]>,
) -> Result<Vec<Arc<str>>, StoreError> {
    let mut script = Script::default();
    let named: Vec<_> = only.unwrap_or_default().iter().map(|run_id| (&**run_id,)).collect();
    script.push(ENDED).bind_number(until_ms).bind_number(i64::from(limit.max(1)));
    script.bind_bool(only.is_none()).bind_rows(&named);
    let (mut rows, mut ids) = (0, Vec::<Arc<str>>::new());
    for row in run(pool, &script).await? {
        rows += number::<i64>(&row, 1)?;
        if !ids.is_empty() && rows > i64::from(limit) {
            break;
        }
        ids.push(text(&row, 0)?.into());
    }
    Ok(ids)
}

async fn runs(pool: &Arc<Pool>, until_ms: i64, sweep: &Sweep) -> Result<u32, StoreError> {
    let ids = ended(pool, until_ms, sweep.limit, sweep.only_runs.as_deref()).await?;
    let ids: Vec<_> = ids.iter().map(|run_id| (&**run_id,)).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let mut script = Script::default();
    script.push(REMOVE).bind_rows(&ids);
    let removed = run(pool, &script.in_one_transaction()).await?;
    Ok(u32::try_from(removed.len()).expect("a sweep is small"))
}
