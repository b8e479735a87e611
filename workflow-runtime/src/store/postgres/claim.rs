//! How a worker takes runs and hears of news in Postgres, also when the answer of the server is lost on its way.
//! The statements for it; the rules are those of the memory store. Leases go by the clock of the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgRow;
use uuid::Uuid;
use workflow_core::Timestamp;

use super::fault;
use super::fleet::wake_unseen;
use super::pool::{Attempts, Pool};
use super::read::{number, optional, text};
use super::script::Script;
use crate::store::{Claim, Claimed, ClaimedRun, Lease, StoreError};

/// Takes the worker's row for itself: a batch of that worker under way comes before, any later one after. One that is
/// under way just now, or whose transaction hangs, is not waited for: the next look finds it.
const GIVE_UP: &str = "UPDATE workflow_workers w SET is_gone = true FROM (SELECT worker FROM workflow_workers \
     WHERE NOT is_gone AND expires <= clock_timestamp() FOR UPDATE SKIP LOCKED) x WHERE w.worker = x.worker \
     RETURNING 4, w.worker";

/// What others told runs of this worker.
const NEWS: &str = "UPDATE workflow_runs r SET wake_ms = NULL, claim = -$5::int8 \
     FROM workflow_workers w CROSS JOIN unnest($3::text[], $4::int4[]) c (workflow, version) \
     WHERE w.worker = $1 AND NOT w.is_gone AND r.holder = w.worker AND r.workflow = c.workflow \
     AND r.version = c.version AND r.ended_ms IS NULL AND r.wake_ms <= $2::int8 RETURNING 1, r.run_id";

/// Runs of a workflow `c` that nobody holds, by when somebody has to look at them.
macro_rules! waiting_runs {
    () => {
        "FROM workflow_runs r WHERE r.holder IS NULL AND r.ended_ms IS NULL AND r.workflow = c.workflow \
         AND r.version = c.version AND r.wake_ms "
    };
}

/// Others take runs at the same time: each run is taken by who locks it first, and nobody waits. Runs that are due are
/// looked at, and locked, one by one in the order of the index, workflow by workflow, until there are enough: the
/// workflow that has waited for longest comes first. What a subquery limits is looked at for each row before it: so
/// workers that are gone, of whom there is hardly ever one, are looked for first.
const TAKE: &str = concat!(
    "WITH me AS MATERIALIZED (SELECT worker FROM workflow_workers \
      WHERE worker = $1 AND NOT is_gone FOR KEY SHARE), \
     code AS MATERIALIZED (SELECT * FROM unnest($3::text[], $4::int4[]) c (workflow, version)), \
     left_over AS MATERIALIZED (SELECT r.run_id, (-9223372036854775808)::int8 AS wake_ms, true AS is_left \
      FROM me CROSS JOIN workflow_workers w CROSS JOIN code c CROSS JOIN LATERAL (SELECT r.run_id FROM workflow_runs r \
      WHERE r.holder = w.worker AND r.workflow = c.workflow AND r.version = c.version AND r.ended_ms IS NULL \
      ORDER BY r.run_id LIMIT $5::int8 FOR UPDATE OF r SKIP LOCKED) r WHERE w.is_gone LIMIT $5::int8), \
     soonest AS MATERIALIZED (SELECT c.workflow, c.version FROM me CROSS JOIN code c \
      CROSS JOIN LATERAL (SELECT r.wake_ms ",
    waiting_runs!(),
    "<= $2::int8 ORDER BY r.wake_ms LIMIT 1) f ORDER BY f.wake_ms), \
     due AS MATERIALIZED (SELECT d.run_id, d.wake_ms, false AS is_left FROM soonest c CROSS JOIN LATERAL \
      (SELECT r.run_id, r.wake_ms ",
    waiting_runs!(),
    "<= $2::int8 ORDER BY r.wake_ms LIMIT $5::int8 FOR UPDATE OF r SKIP LOCKED) d \
      LIMIT greatest($5::int8 - (SELECT count(*) FROM left_over), 0)), \
     taken AS (SELECT t.*, (SELECT coalesce(max(e.seq), 0) FROM workflow_events e WHERE e.run_id = t.run_id) AS length \
      FROM (SELECT * FROM left_over UNION ALL SELECT * FROM due) t) \
     UPDATE workflow_runs r SET epoch = r.epoch + 1, holder = $1, wake_ms = NULL, claim = $6::int8, \
      strikes = CASE WHEN r.strikes_seq = t.length THEN r.strikes ELSE 0 END + t.is_left::int4, strikes_seq = t.length \
     FROM taken t WHERE r.run_id = t.run_id \
     RETURNING 2, r.run_id, r.epoch, r.workflow, r.version, r.strikes, t.wake_ms"
);

/// When there is more to take: at once if a holder is gone, else when the first run is due.
const NEXT: &str = concat!(
    "SELECT 3, least(min((SELECT r.wake_ms ",
    waiting_runs!(),
    "IS NOT NULL ORDER BY r.wake_ms LIMIT 1)), \
     min((SELECT $2::int8 FROM workflow_workers w CROSS JOIN LATERAL (SELECT 1 FROM workflow_runs r \
      WHERE r.holder = w.worker AND r.workflow = c.workflow AND r.version = c.version AND r.ended_ms IS NULL \
      LIMIT 1) x WHERE w.is_gone LIMIT 1))) \
     FROM unnest($3::text[], $4::int4[]) c (workflow, version) \
     WHERE EXISTS (SELECT 1 FROM workflow_workers w WHERE w.worker = $1 AND NOT w.is_gone)"
);

const FORGET: &str = "DELETE FROM workflow_workers w WHERE w.is_gone AND (SELECT 1 FROM workflow_runs r \
     WHERE r.holder = w.worker AND r.ended_ms IS NULL LIMIT 1) IS NULL";

/// What an earlier try of the same claim took and told, and nobody heard of.
const AGAIN: &str = "SELECT CASE WHEN r.claim > 0 THEN 2 ELSE 1 END, r.run_id, r.epoch, r.workflow, r.version, \
     r.strikes, 0 FROM workflow_runs r WHERE r.holder = $1 AND r.ended_ms IS NULL AND r.claim IN ($2::int8, -$2::int8)";

/// The claims of workers of whose answers nobody knows. A server may have carried one out before the connection was
/// lost: then the worker holds runs, and is not told news any more, without knowing it.
#[derive(Default)]
pub(super) struct Unanswered(Mutex<HashMap<Arc<str>, i64>>);

impl Unanswered {
    /// The number of a claim, and whether it was tried before.
    fn begin(&self, worker: &Arc<str>) -> (i64, bool) {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = claims.get(worker) {
            return (*number, true);
        }
        // Nobody else's, and positive.
        let chance = Uuid::now_v7().as_u128() & ((1 << 62) - 1);
        let number = i64::try_from(chance).expect("62 bits fit in 63") + 1;
        claims.insert(Arc::clone(worker), number);
        (number, false)
    }

    fn end(&self, worker: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(worker);
    }
}

pub(super) async fn claim(
    pool: &Arc<Pool>,
    unanswered: &Unanswered,
    claim: &Claim,
) -> Result<Claimed, StoreError> {
    let (id, mut is_repeated) = unanswered.begin(&claim.worker);
    let mut attempts = Attempts::default();
    let rows = loop {
        let script = script(claim, id, is_repeated);
        let mut held = pool.acquire().await.map_err(fault)?;
        match held.run(&script).await {
            Ok(rows) => break rows,
            Err(error) if attempts.again(&error, &held) => is_repeated = true,
            Err(error) => return Err(fault(error)),
        }
    };
    let (claimed, has_given_up) = read(claim, &rows)?;
    unanswered.end(&claim.worker);
    if has_given_up {
        // It may have died between its commit and its second look. What was claimed is told in any case.
        if let Err(error) = wake_unseen(pool, claim.now_ms).await {
            tracing::warn!(%error, "runs that nobody sees are looked for later");
        }
    }
    Ok(claimed)
}

fn script(claim: &Claim, id: i64, is_repeated: bool) -> Script {
    let code: Vec<_> = claim.code.iter().map(|(workflow, version)| (workflow, *version)).collect();
    let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
    let mut script = Script::default();
    if is_repeated {
        script.push(AGAIN).bind(&claim.worker).bind_number(id);
    }
    script.push(GIVE_UP).often();
    for statement in [NEWS, TAKE, NEXT] {
        script.push(statement).bind(&claim.worker).bind_number(claim.now_ms).bind_rows(&code);
        if statement == TAKE {
            script.bind_number(limit);
        }
        if statement != NEXT {
            script.bind_number(id);
        }
        script.often();
    }
    script.push(FORGET).often();
    script.in_one_transaction()
}

/// What was claimed, and whether somebody was given up.
fn read(claim: &Claim, rows: &[PgRow]) -> Result<(Claimed, bool), StoreError> {
    let mut claimed = Claimed::default();
    let mut taken: Vec<(Timestamp, ClaimedRun)> = Vec::new();
    let mut has_given_up = false;
    for row in rows {
        match number(row, 0)? {
            1 => claimed.news.push(text(row, 1)?.into()),
            2 => {
                let lease = Lease {
                    run_id: text(row, 1)?.into(),
                    epoch: number(row, 2)?,
                    worker: Arc::clone(&claim.worker),
                };
                let (workflow, version) = (text(row, 3)?, number(row, 4)?);
                let run = ClaimedRun { lease, workflow, version, strikes: number(row, 5)? };
                taken.push((number(row, 6)?, run));
            }
            3 => claimed.next_wake_ms = optional(row, 1)?,
            _ => {
                tracing::warn!(worker = text(row, 1)?, "a worker was silent for longer than its lease");
                has_given_up = true;
            }
        }
    }
    claimed.news.sort();
    claimed.news.dedup();
    taken.sort_by(|(a_ms, a), (b_ms, b)| (a_ms, &a.lease.run_id).cmp(&(b_ms, &b.lease.run_id)));
    claimed.runs = taken.into_iter().map(|(_, run)| run).collect();
    Ok((claimed, has_given_up))
}
