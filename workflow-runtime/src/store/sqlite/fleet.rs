//! Who holds which run in a SQLite file, and what reaches runs that nobody holds.
//! The statements for it; the rules are those of the memory store. The file serves one engine, so who joins is alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::Row;
use sqlx::sqlite::SqlitePool;
use workflow_core::{Payload, Timestamp};

use super::batch::{MESSAGE_THERE, Script};
use super::fault;
use super::writer::Writer;
use crate::store::{
    Claim, Claimed, ClaimedRun, Lease, Orphans, Parking, Request, StoreError, StoreFault, Turn, Worker,
};

/// How long a request is kept that was answered, or whose run has ended.
const KEPT_MS: Timestamp = 60 * 60 * 1_000;

/// Runs that somebody may take of a workflow that there is code for.
const WITH_CODE: &str =
    "json_each(?) c JOIN workflow_runs r ON r.workflow = c.value ->> 0 AND r.version = c.value ->> 1";

const CLAIM: &str = "UPDATE workflow_runs SET epoch = epoch + 1, wake_ms = NULL, holder = b.worker, \
     strikes = CASE WHEN strikes_seq = b.length THEN strikes ELSE 0 END + (holder IS NOT NULL), strikes_seq = b.length \
     FROM (SELECT j.value AS run_id, ? AS worker, \
      (SELECT coalesce(max(e.seq), 0) FROM workflow_events e WHERE e.run_id = j.value) AS length \
      FROM json_each(?) j) b \
     WHERE workflow_runs.run_id = b.run_id \
     RETURNING workflow_runs.run_id, epoch, workflow, version, strikes";

pub(super) async fn join(writer: &mut Writer, worker: &Worker) -> Result<(), StoreError> {
    let code = serde_json::to_string(&worker.code).expect("names and numbers are JSON");
    let mut script = Script::default();
    script.push("UPDATE workflow_workers SET is_gone = 1 WHERE worker <> ?").bind(worker.id.as_ref());
    script
        .push("INSERT OR REPLACE INTO workflow_workers (worker, code, is_gone) VALUES (?, ?, 0)")
        .bind(worker.id.as_ref())
        .bind(code);
    writer.run(script.in_one_transaction()).await.map_err(fault)?;
    Ok(())
}

pub(super) async fn leave(writer: &mut Writer, worker: &str) -> Result<(), StoreError> {
    let mut script = Script::default();
    script
        .push("UPDATE workflow_runs SET holder = NULL, wake_ms = 0 WHERE holder = ? AND ended_ms IS NULL")
        .bind(worker);
    script.push("DELETE FROM workflow_workers WHERE worker = ?").bind(worker);
    writer.run(script.in_one_transaction()).await.map_err(fault)?;
    Ok(())
}

pub(super) async fn claim(writer: &mut Writer, claim: &Claim) -> Result<Claimed, StoreError> {
    writer.begin().await?;
    let claimed = claim_inside(writer, claim).await?;
    writer.end().await?;
    Ok(claimed)
}

async fn claim_inside(writer: &mut Writer, claim: &Claim) -> Result<Claimed, StoreError> {
    let code = serde_json::to_string(&claim.code).expect("names and numbers are JSON");
    let mut script = Script::default();
    script
        .push(
            "UPDATE workflow_runs SET wake_ms = NULL \
             WHERE holder = ? AND holder IS NOT NULL AND ended_ms IS NULL AND wake_ms IS NOT NULL AND wake_ms <= ? \
             RETURNING run_id",
        )
        .bind(claim.worker.as_ref())
        .bind_number(claim.now_ms);
    let mut claimed = Claimed { news: ids(writer, script).await?, ..Claimed::default() };
    claimed.news.sort();

    let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
    let mut script = Script::default();
    script
        .push(
            "SELECT r.run_id FROM workflow_workers w JOIN workflow_runs r ON r.holder = w.worker \
             WHERE w.is_gone AND r.ended_ms IS NULL AND r.holder IS NOT NULL \
             AND (r.workflow, r.version) IN (SELECT c.value ->> 0, c.value ->> 1 FROM json_each(?) c) \
             ORDER BY r.run_id LIMIT ?",
        )
        .bind(code.as_str())
        .bind_number(limit);
    let mut taken = ids(writer, script).await?;
    let mut script = Script::default();
    script
        .push(&format!(
            "SELECT r.run_id FROM {WITH_CODE} \
             WHERE r.ended_ms IS NULL AND r.holder IS NULL AND r.wake_ms <= ? LIMIT ?"
        ))
        .bind(code.as_str())
        .bind_number(claim.now_ms)
        .bind_number(limit - i64::try_from(taken.len()).unwrap_or(limit));
    taken.extend(ids(writer, script).await?);
    let mut script = Script::default();
    script.push(CLAIM).bind(claim.worker.as_ref()).bind_rows(&taken);
    for row in writer.run_inside(script).await? {
        let run_id: &str = row.try_get(0).map_err(fault)?;
        let epoch = row.try_get(1).map_err(fault)?;
        let lease = Lease { run_id: run_id.into(), epoch, worker: Arc::clone(&claim.worker) };
        let (workflow, version) = (row.try_get(2).map_err(fault)?, row.try_get(3).map_err(fault)?);
        claimed.runs.push(ClaimedRun { lease, workflow, version, strikes: row.try_get(4).map_err(fault)? });
    }
    // As they were found: what has waited for longest of each workflow comes first.
    claimed.runs.sort_by_key(|run| taken.iter().position(|run_id| *run_id == run.lease.run_id));

    let mut script = Script::default();
    script.push(
        "DELETE FROM workflow_workers WHERE is_gone AND NOT EXISTS (SELECT 1 FROM workflow_runs r \
         WHERE r.holder = worker AND r.holder IS NOT NULL AND r.ended_ms IS NULL)",
    );
    writer.run_inside(script).await?;
    let mut script = Script::default();
    script
        .push(
            "SELECT min((SELECT min(r.wake_ms) FROM workflow_runs r WHERE r.workflow = c.value ->> 0 \
             AND r.version = c.value ->> 1 AND r.ended_ms IS NULL AND r.holder IS NULL)) FROM json_each(?) c",
        )
        .bind(code);
    for row in writer.run_inside(script).await? {
        claimed.next_wake_ms = row.try_get(0).map_err(fault)?;
    }
    if taken.len() == claim.limit && claimed.next_wake_ms.is_none_or(|next_ms| next_ms > claim.now_ms) {
        // There may be more of those whose holders are gone.
        claimed.next_wake_ms = Some(claim.now_ms);
    }
    Ok(claimed)
}

async fn ids(writer: &mut Writer, script: Script) -> Result<Vec<Arc<str>>, StoreError> {
    let rows = writer.run_inside(script).await?;
    rows.iter().map(|row| Ok(row.try_get::<&str, _>(0).map_err(fault)?.into())).collect()
}

pub(super) async fn park(
    writer: &mut Writer,
    parkings: &[Parking],
    now_ms: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let worker = writer.worker();
    let joined = parkings.iter().filter(|parking| Some(&parking.lease.worker) == worker.as_ref());
    let rows: Vec<_> = joined
        .map(|parking| {
            let lease = &parking.lease;
            let run = (lease.run_id.as_ref(), lease.epoch, lease.worker.as_ref());
            (run, parking.wake_ms, &parking.children, i32::from(parking.is_broken))
        })
        .collect();
    if rows.is_empty() {
        return Ok(vec![false; parkings.len()]);
    }
    let mut script = Script::default();
    script
        .push(&format!(
            "UPDATE workflow_runs SET holder = NULL, wake_ms = b.value ->> 1 FROM json_each(?) b \
             WHERE run_id = b.value ->> '$[0][0]' AND epoch = b.value ->> '$[0][1]' \
             AND holder = b.value ->> '$[0][2]' AND ended_ms IS NULL AND workflow_runs.wake_ms IS NULL \
             AND NOT EXISTS (SELECT 1 FROM workflow_requests q \
              WHERE q.run_id = workflow_runs.run_id AND q.answer IS NULL) \
             AND (b.value ->> 3 OR (cancel_reason IS NULL \
              AND NOT EXISTS (SELECT 1 FROM json_each(b.value -> 2) k LEFT JOIN workflow_runs child \
               ON child.run_id = k.value WHERE child.run_id IS NULL OR child.ended_ms IS NOT NULL) \
              AND NOT EXISTS (SELECT 1 FROM workflow_waits w WHERE w.run_id = workflow_runs.run_id \
               AND {MESSAGE_THERE}))) RETURNING run_id"
        ))
        .bind_rows(&rows)
        .bind_number(now_ms);
    let rows = writer.run(script).await.map_err(fault)?;
    let parked = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<&str>, _>>().map_err(fault)?;
    let parked: BTreeSet<&str> = parked.into_iter().collect();
    Ok(parkings.iter().map(|parking| parked.contains(&*parking.lease.run_id)).collect())
}

/// Has somebody look at these runs, unless this worker holds them.
pub(super) fn wake(script: &mut Script, run_ids: &[&str], unless_held_by: Option<&str>) {
    let rows: Vec<_> = run_ids.iter().map(|run_id| (run_id, unless_held_by)).collect();
    script.push_rows(
        "UPDATE workflow_runs SET wake_ms = 0 FROM json_each(?) b WHERE run_id = b.value ->> 0 \
         AND ended_ms IS NULL AND (b.value ->> 1 IS NULL OR holder IS NOT b.value ->> 1)",
        &rows,
    );
}

/// What these turns tell others.
pub(super) fn tell(script: &mut Script, turns: &[&Turn]) {
    for turn in turns.iter().filter(|turn| !turn.changes.wakes.is_empty()) {
        let run_ids: Vec<&str> = turn.changes.wakes.iter().map(AsRef::as_ref).collect();
        wake(script, &run_ids, Some(&turn.lease.worker));
    }
    let answers = turns.iter().flat_map(|turn| &turn.changes.answers);
    let answers: Vec<_> = answers.map(|(request_id, answer)| (request_id, answer.as_json())).collect();
    script.push_rows(
        "UPDATE workflow_requests SET answer = b.value ->> 1 FROM json_each(?) b WHERE request_id = b.value ->> 0",
        &answers,
    );
}

pub(super) async fn ask(
    writer: &mut Writer,
    worker: &str,
    request: &Request,
    now_ms: Timestamp,
) -> Result<bool, StoreError> {
    let mut script = Script::default();
    script
        .push(
            "INSERT OR IGNORE INTO workflow_requests (request_id, run_id, body, asked_ms) SELECT ?, run_id, ?, ? \
             FROM workflow_runs WHERE run_id = ? AND ended_ms IS NULL",
        )
        .bind(request.id.as_str())
        .bind(request.body.as_json())
        .bind_number(now_ms)
        .bind(request.run_id.as_ref());
    wake(&mut script, &[&request.run_id], Some(worker));
    script.push("SELECT 1 FROM workflow_requests WHERE request_id = ?").bind(request.id.as_str());
    let rows = writer.run(script.in_one_transaction()).await.map_err(fault)?;
    Ok(!rows.is_empty())
}

/// Removes requests that nobody asks about any more.
pub(super) fn sweep_requests(script: &mut Script, now_ms: Timestamp) {
    script
        .push(
            "DELETE FROM workflow_requests WHERE asked_ms <= ? AND (answer IS NOT NULL OR NOT EXISTS \
             (SELECT 1 FROM workflow_runs r WHERE r.run_id = workflow_requests.run_id AND r.ended_ms IS NULL))",
        )
        .bind_number(now_ms.saturating_sub(KEPT_MS));
}

pub(super) async fn requests(readers: &SqlitePool, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
    let query = sqlx::query(
        "SELECT q.request_id, q.run_id, q.body FROM json_each(?) b JOIN workflow_requests q ON q.run_id = b.value \
         WHERE q.answer IS NULL ORDER BY b.key, q.asked_ms, q.request_id",
    );
    let ids = serde_json::to_string(run_ids).expect("ids are text");
    let rows = query.bind(ids).fetch_all(readers).await.map_err(fault)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let id: String = row.try_get(0).map_err(fault)?;
        let run_id = row.try_get::<&str, _>(1).map_err(fault)?.into();
        let body = payload(&id, row.try_get(2).map_err(fault)?)?;
        Ok(Request { id, run_id, body })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn answer(
    readers: &SqlitePool,
    request_id: &str,
) -> Result<Option<Option<Payload>>, StoreError> {
    let query = sqlx::query("SELECT answer FROM workflow_requests WHERE request_id = ?").bind(request_id);
    let Some(row) = query.fetch_optional(readers).await.map_err(fault)? else { return Ok(None) };
    let answer: Option<String> = row.try_get(0).map_err(fault)?;
    answer.map(|answer| payload(request_id, answer)).transpose().map(Some)
}

fn payload(request_id: &str, text: String) -> Result<Payload, StoreError> {
    Payload::from_json(text).map_err(|error| {
        let message = format!("the request `{request_id}` cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })
}

pub(super) async fn orphans(readers: &SqlitePool) -> Result<Vec<Orphans>, StoreError> {
    let query = sqlx::query(
        "SELECT workflow, version, count(*), min(run_id) FROM workflow_runs r WHERE ended_ms IS NULL \
         AND NOT EXISTS (SELECT 1 FROM workflow_workers w, json_each(w.code) c WHERE NOT w.is_gone \
          AND c.value ->> 0 = r.workflow AND c.value ->> 1 = r.version) \
         GROUP BY workflow, version ORDER BY workflow, version",
    );
    let rows = query.fetch_all(readers).await.map_err(fault)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let runs: i64 = row.try_get(2)?;
        Ok(Orphans {
            workflow: row.try_get(0)?,
            version: row.try_get(1)?,
            runs: u64::try_from(runs).unwrap_or_default(),
            example: row.try_get::<&str, _>(3)?.into(),
        })
    };
    rows.iter().map(|row| read(row).map_err(fault)).collect()
}
