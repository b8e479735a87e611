//! Who holds which run in Postgres, and what reaches runs that others hold, or nobody.
//! The statements for it; the rules are those of the memory store. Leases go by the clock of the database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use workflow_core::{Payload, Timestamp};

use super::batch::fitting_messages;
use super::hints::Hints;
use super::pool::{Pool, run, run_vital};
use super::read::{number, optional, text};
use super::script::Script;
use crate::store::{KnownMessage, Lease, Orphans, Parking, Request, StoreError, StoreFault, Turn, Worker};

/// How long a request is kept that was answered, or whose run has ended.
const KEPT_MS: Timestamp = 60 * 60 * 1_000;

/// A heartbeat is waited for at least for so long, however short the lease.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(1);

/// Messages and waits that crossed each other: either was not committed when the other looked. Both look again after
/// their commit; this finds what a crash in between has left. A run that cannot go on with its journal hears nothing
/// before somebody has asked for that.
const CROSSED: &str = concat!(
    "UPDATE workflow_runs r SET wake_ms = 0 WHERE r.run_id IN (SELECT w.run_id FROM workflow_messages k \
     JOIN workflow_waits w ON w.message = k.message AND w.key = k.key \
     WHERE k.settled_ms IS NULL AND k.expires_ms > $1::int8 AND EXISTS (SELECT 1 ",
    fitting_messages!("$1::int8"),
    ")) AND r.ended_ms IS NULL AND (r.wake_ms > 0 OR r.wake_ms IS NULL) \
     AND NOT EXISTS (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id AND i.place = '*journal') \
     RETURNING 1 AS woken"
);

/// Runs of a holder of whom there is no row: somebody has changed the tables by hand.
const ABANDONED: &str = "UPDATE workflow_runs r SET holder = NULL, wake_ms = 0 WHERE r.ended_ms IS NULL \
     AND r.holder IS NOT NULL AND NOT EXISTS (SELECT 1 FROM workflow_workers w WHERE w.worker = r.holder)";

/// Parked runs that wait for nothing that there is, or for a time that nobody keeps: somebody has changed the tables by
/// hand, or a disk has. Whoever takes one finds out from its journal.
const LOST: &str = "UPDATE workflow_runs r SET wake_ms = 0 WHERE r.ended_ms IS NULL AND r.holder IS NULL \
     AND NOT EXISTS (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id AND i.place = '*journal') \
     AND (coalesce(r.wake_ms, 9223372036854775807) > (SELECT min(t.due_ms) FROM workflow_timers t \
      WHERE t.run_id = r.run_id) OR r.wake_ms IS NULL \
     AND NOT EXISTS (SELECT 1 FROM workflow_waits w WHERE w.run_id = r.run_id) \
     AND NOT EXISTS (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id) \
     AND NOT EXISTS (SELECT 1 FROM workflow_runs c WHERE c.parent_run = r.run_id AND c.ended_ms IS NULL)) \
     RETURNING 1 AS woken";

/// Whoever tells one of these runs something locks its row first, also where the same worker holds it: so this comes
/// before or after it, and looks at what is there only when the rows are locked. (`+ 0`, here and below: runs are found
/// by their ids. A plan that was made when nobody had counted the rows might look at all that have not ended.)
const LOCK: &str = "SELECT NULL::text, run_id FROM workflow_runs WHERE run_id = ANY ($1::text[]) \
     AND ended_ms + 0 IS NULL ORDER BY run_id FOR NO KEY UPDATE";

/// In the order of the runs, as all do who lock several.
const ACQUIT: &str = "WITH held AS MATERIALIZED (SELECT r.run_id FROM unnest($1::text[], $2::int8[], $3::text[]) \
      b (run_id, epoch, worker) JOIN workflow_runs r ON r.run_id = b.run_id AND r.epoch = b.epoch \
      AND r.holder = b.worker WHERE r.ended_ms + 0 IS NULL ORDER BY r.run_id FOR NO KEY UPDATE OF r) \
     UPDATE workflow_runs r SET strikes = 0 FROM held WHERE r.run_id = held.run_id";

/// What is asked about a run is asked in subqueries that the server cannot turn into joins: a plan that was made when
/// nobody had counted the rows would look at all runs that nobody holds, and at all messages.
const PARK: &str = concat!(
    "UPDATE workflow_runs u SET holder = NULL, wake_ms = b.wake_ms \
     FROM unnest($1::text[], $2::int8[], $3::text[], $4::int8[], $5::bool[]) \
     b (run_id, epoch, worker, wake_ms, is_broken) \
     CROSS JOIN LATERAL (SELECT * FROM workflow_runs s WHERE s.run_id = b.run_id OFFSET 0) r \
     WHERE u.run_id = b.run_id AND r.epoch = b.epoch AND r.holder = b.worker AND r.ended_ms IS NULL \
     AND r.wake_ms IS NULL \
     AND (SELECT NOT w.is_gone FROM workflow_workers w WHERE w.worker = b.worker) \
     AND (SELECT 1 FROM workflow_requests q WHERE q.run_id = r.run_id AND q.answer IS NULL LIMIT 1) IS NULL \
     AND (b.is_broken OR r.cancel_reason IS NULL \
      AND NOT EXISTS (SELECT 1 FROM unnest($6::text[], $7::text[]) k (parent, child) \
       LEFT JOIN workflow_runs s ON s.run_id = k.child \
       WHERE k.parent = r.run_id AND (s.run_id IS NULL OR s.ended_ms IS NOT NULL)) \
      AND NOT EXISTS (SELECT 1 FROM workflow_waits w WHERE w.run_id = r.run_id AND (SELECT 1 ",
    fitting_messages!("$8::int8"),
    " LIMIT 1) IS NOT NULL)) RETURNING u.run_id"
);

const WAKE: &str = "UPDATE workflow_runs r SET wake_ms = 0 FROM unnest($1::text[], $2::text[]) b (run_id, worker) \
     WHERE r.run_id = b.run_id AND r.ended_ms + 0 IS NULL AND (b.worker IS NULL OR r.holder IS DISTINCT FROM b.worker) \
     RETURNING 1 AS woken";

pub(super) const OPEN_REQUESTS: &str = "SELECT 4, q.run_id, q.request_id, q.body \
     FROM unnest($1::text[]) WITH ORDINALITY b (run_id, position) JOIN workflow_requests q ON q.run_id = b.run_id \
     WHERE q.answer IS NULL ORDER BY b.position, q.asked_ms, q.request_id";

pub(super) async fn join(pool: &Arc<Pool>, worker: &Worker, lease: Duration) -> Result<(), StoreError> {
    let code = serde_json::to_string(&worker.code).expect("names and numbers are JSON");
    let messages = serde_json::to_string(&worker.messages).expect("names and numbers are JSON");
    let mut script = Script::default();
    script
        .push(
            "INSERT INTO workflow_workers (worker, code, messages, expires) \
             VALUES ($1, $2, $3, clock_timestamp() + $4::int8 * interval '1 millisecond') \
             ON CONFLICT (worker) DO UPDATE SET code = excluded.code, messages = excluded.messages, \
             expires = excluded.expires, is_gone = false",
        )
        .bind(&worker.id)
        .bind(&code)
        .bind(&messages)
        .bind_number(milliseconds(lease));
    run(pool, &script.in_one_transaction()).await?;
    Ok(())
}

pub(super) async fn beat(pool: &Arc<Pool>, worker: &str, lease: Duration) -> Result<bool, StoreError> {
    let mut script = Script::default();
    script
        .push(
            "UPDATE workflow_workers SET expires = clock_timestamp() + $2::int8 * interval '1 millisecond' \
             WHERE worker = $1 AND NOT is_gone RETURNING 1",
        )
        .bind(worker)
        .bind_number(milliseconds(lease));
    // A connection that the network has forgotten must not cost the lease: there has to be time for another one.
    let patience = (lease / 4).max(SHORTEST_PATIENCE);
    let Ok(rows) = tokio::time::timeout(patience, run_vital(pool, &script.in_one_transaction())).await else {
        pool.forget_idle();
        let text = format!("the heartbeat was not answered within {patience:?}");
        return Err(StoreError::new(StoreFault::Unavailable, text));
    };
    Ok(!rows?.is_empty())
}

/// At most a century: times of Postgres end somewhere.
fn milliseconds(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX).min(3_155_760_000_000)
}

pub(super) async fn is_first(pool: &Arc<Pool>, worker: &str) -> Result<bool, StoreError> {
    let mut script = Script::default();
    script.push(
        "SELECT worker FROM workflow_workers WHERE NOT is_gone AND expires > clock_timestamp() \
             ORDER BY started, worker LIMIT 1",
    );
    let rows = run(pool, &script).await?;
    rows.first().map_or(Ok(false), |row| Ok(text(row, 0)? == worker))
}

pub(super) async fn known_messages(pool: &Arc<Pool>, message: &str) -> Result<Vec<KnownMessage>, StoreError> {
    let mut script = Script::default();
    script.push(
        "SELECT worker, messages FROM workflow_workers WHERE NOT is_gone AND expires > clock_timestamp()",
    );
    let mut known: Vec<KnownMessage> = Vec::new();
    for row in run(pool, &script).await? {
        known.extend(read_json::<KnownMessage>(&row, "the messages that a worker knows")?);
    }
    known.retain(|known| known.message == message);
    Ok(known)
}

pub(super) async fn leave(pool: &Arc<Pool>, worker: &str) -> Result<(), StoreError> {
    let mut script = Script::default();
    script.push("DELETE FROM workflow_workers WHERE worker = $1").bind(worker);
    script
        .push("UPDATE workflow_runs SET holder = NULL, wake_ms = 0 WHERE holder = $1 AND ended_ms IS NULL")
        .bind(worker);
    run(pool, &script.in_one_transaction()).await?;
    Hints::tell_now(pool).await;
    Ok(())
}

/// Wakes runs that nobody would look at otherwise, or not for long.
pub(super) async fn wake_unseen(pool: &Arc<Pool>, now_ms: Timestamp) -> Result<(), StoreError> {
    let mut script = Script::default();
    script.push(CROSSED).bind_number(now_ms);
    script.push(ABANDONED);
    run(pool, &script.in_one_transaction()).await.map(drop)
}

/// See [`Fleet::wake_lost`](crate::store::Fleet::wake_lost).
pub(super) async fn wake_lost(pool: &Arc<Pool>) -> Result<(), StoreError> {
    let mut script = Script::default();
    script.push(LOST);
    run(pool, &script.in_one_transaction()).await.map(drop)
}

pub(super) async fn park(
    pool: &Arc<Pool>,
    parkings: &[Parking],
    now_ms: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let ids: Vec<_> = parkings.iter().map(|parking| (parking.lease.run_id.as_ref(),)).collect();
    let rows: Vec<_> = parkings
        .iter()
        .map(|Parking { lease, wake_ms, is_broken, .. }| {
            (lease.run_id.as_ref(), lease.epoch, lease.worker.as_ref(), *wake_ms, *is_broken)
        })
        .collect();
    let children = parkings.iter().flat_map(|parking| {
        parking.children.iter().map(|child| (parking.lease.run_id.as_ref(), child.as_ref()))
    });
    let children: Vec<_> = children.collect();
    let mut script = Script::default();
    script.push(LOCK).bind_rows(&ids).often();
    script.push(PARK).bind_rows(&rows).bind_rows(&children).bind_number(now_ms).often();
    let mut parked = BTreeSet::new();
    for row in run(pool, &script.in_one_transaction()).await? {
        parked.extend(optional::<String>(&row, 0)?);
    }
    Ok(parkings.iter().map(|parking| parked.contains(&*parking.lease.run_id)).collect())
}

/// Nothing speaks against these runs any more.
pub(super) async fn acquit(pool: &Arc<Pool>, leases: &[Lease]) -> Result<(), StoreError> {
    let rows = leases.iter().map(|lease| (&*lease.run_id, lease.epoch, &*lease.worker));
    let mut script = Script::default();
    script.push_rows(ACQUIT, &rows.collect::<Vec<_>>());
    run(pool, &script.in_one_transaction()).await.map(drop)
}

/// Has somebody look at these runs, unless this worker holds them.
pub(super) fn wake(script: &mut Script, run_ids: &[&str], unless_held_by: Option<&str>) {
    let rows: Vec<_> = run_ids.iter().map(|run_id| (*run_id, unless_held_by)).collect();
    script.push_rows(WAKE, &rows);
}

/// What these turns tell others.
pub(super) fn tell(script: &mut Script, turns: &[&Turn]) {
    let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for turn in turns {
        told.entry(&turn.lease.worker).or_default().extend(turn.changes.wakes.iter().map(AsRef::as_ref));
    }
    for (worker, run_ids) in told {
        let rows: Vec<_> = run_ids.iter().map(|run_id| (*run_id,)).collect();
        script.push_rows(LOCK, &rows);
        wake(script, &run_ids.into_iter().collect::<Vec<_>>(), Some(worker));
    }
    let answers = turns.iter().flat_map(|turn| &turn.changes.answers);
    let answers: Vec<_> = answers.map(|(request_id, answer)| (request_id, answer.as_json())).collect();
    script.push_rows(
        "UPDATE workflow_requests q SET answer = b.answer FROM unnest($1::text[], $2::text[]) b (request_id, answer) \
         WHERE q.request_id = b.request_id",
        &answers,
    );
}

pub(super) async fn ask(
    pool: &Arc<Pool>,
    worker: &str,
    request: &Request,
    now_ms: Timestamp,
) -> Result<bool, StoreError> {
    let mut script = Script::default();
    script.push(LOCK).bind_rows(&[(request.run_id.as_ref(),)]);
    script
        .push(
            "INSERT INTO workflow_requests (request_id, run_id, body, asked_ms) SELECT $1, run_id, $2, $3::int8 \
             FROM workflow_runs WHERE run_id = $4 AND ended_ms IS NULL ON CONFLICT (request_id) DO NOTHING",
        )
        .bind(&request.id)
        .bind(request.body.as_json())
        .bind_number(now_ms)
        .bind(&request.run_id);
    wake(&mut script, &[&request.run_id], Some(worker));
    script.push("SELECT request_id FROM workflow_requests WHERE request_id = $1").bind(&request.id);
    let rows = run(pool, &script.in_one_transaction()).await?;
    rows.iter().map(|row| optional::<String>(row, 0)).try_fold(false, |found, id| Ok(found | id?.is_some()))
}

/// Removes requests that nobody asks about any more.
pub(super) fn sweep_requests(script: &mut Script, now_ms: Timestamp) {
    script
        .push(
            "DELETE FROM workflow_requests q WHERE q.asked_ms <= $1::int8 AND (q.answer IS NOT NULL OR NOT EXISTS \
             (SELECT 1 FROM workflow_runs r WHERE r.run_id = q.run_id AND r.ended_ms IS NULL))",
        )
        .bind_number(now_ms.saturating_sub(KEPT_MS));
}

pub(super) async fn requests(pool: &Arc<Pool>, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
    let ids: Vec<_> = run_ids.iter().map(|run_id| (run_id.as_ref(),)).collect();
    let mut script = Script::default();
    script.push(OPEN_REQUESTS).bind_rows(&ids);
    run(pool, &script).await?.iter().map(|row| read_request(row, 1)).collect()
}

pub(super) fn read_request(row: &PgRow, column: usize) -> Result<Request, StoreError> {
    let id = text(row, column + 1)?;
    let body = payload(&id, text(row, column + 2)?)?;
    Ok(Request { id, run_id: text(row, column)?.into(), body })
}

pub(super) async fn answer(
    pool: &Arc<Pool>,
    request_id: &str,
) -> Result<Option<Option<Payload>>, StoreError> {
    let mut script = Script::default();
    script.push("SELECT answer FROM workflow_requests WHERE request_id = $1").bind(request_id);
    let rows = run(pool, &script).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let answer = optional::<String>(row, 0)?;
    answer.map(|answer| payload(request_id, answer)).transpose().map(Some)
}

fn payload(request_id: &str, text: String) -> Result<Payload, StoreError> {
    Payload::from_json(text).map_err(|error| {
        let message = format!("the request `{request_id}` cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })
}

pub(super) async fn orphans(pool: &Arc<Pool>) -> Result<Vec<Orphans>, StoreError> {
    let mut script = Script::default();
    script
        .push("SELECT worker, code FROM workflow_workers WHERE NOT is_gone AND expires > clock_timestamp()");
    script.push(
        "SELECT workflow, version, count(*), min(run_id) FROM workflow_runs WHERE ended_ms IS NULL \
         GROUP BY workflow, version ORDER BY workflow, version",
    );
    let (mut known, mut orphans) = (BTreeSet::new(), Vec::new());
    for row in run(pool, &script).await? {
        if sqlx::Row::len(&row) == 2 {
            known.extend(read_json::<(String, u32)>(&row, "what a worker has code for")?);
            continue;
        }
        let (workflow, version) = (text(&row, 0)?, number(&row, 1)?);
        if !known.contains(&(workflow.clone(), version)) {
            let (runs, example) = (number(&row, 2)?, text(&row, 3)?.into());
            orphans.push(Orphans { workflow, version, runs, example });
        }
    }
    Ok(orphans)
}

/// What a worker says of itself; nothing, if nobody can read that.
fn read_json<T: DeserializeOwned>(row: &PgRow, what: &str) -> Result<Vec<T>, StoreError> {
    let said = text(row, 1)?;
    Ok(serde_json::from_str(&said).unwrap_or_else(|error| {
        let worker = text(row, 0).unwrap_or_default();
        tracing::error!(worker, %error, "{what} cannot be read");
        Vec::new()
    }))
}
