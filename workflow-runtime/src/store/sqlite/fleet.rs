//! Who holds which run in a SQLite file, and what reaches runs that nobody holds.
//! The statements for it; the rules are those of the memory store. The file serves one engine, so who joins is alone.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params};
use workflow_core::{Payload, Timestamp};

use super::connection::run;
use super::inbox::MESSAGE_THERE;
use super::trouble::{Result, Trouble, legible, shown};
use crate::store::{
    Claim, Claimed, ClaimedRun, Lease, Orphans, Parking, Request, StoreError, StoreFault, Turn, Worker,
};

/// How long a request is kept that was answered, or whose run has ended.
const KEPT_MS: Timestamp = 60 * 60 * 1_000;

/// The engine that the file serves, once it has joined.
#[derive(Clone, Default)]
pub(super) struct Joined(Arc<Mutex<Option<Arc<str>>>>);

impl Joined {
    pub(super) fn is(&self, worker: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(worker)
    }

    /// After the commit: what is said here must be in the file.
    pub(super) fn set(&self, worker: Option<&Arc<str>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = worker.cloned();
    }
}

pub(super) fn join(db: &Connection, worker: &Worker) -> Result<()> {
    let code = serde_json::to_string(&worker.code).expect("names and numbers are JSON");
    let messages = serde_json::to_string(&worker.messages).expect("names and numbers are JSON");
    run(db, "UPDATE workflow_workers SET is_gone = 1 WHERE worker <> ?", [&*worker.id])?;
    let statement =
        "INSERT OR REPLACE INTO workflow_workers (worker, code, messages, is_gone) VALUES (?, ?, ?, 0)";
    run(db, statement, (&*worker.id, code, messages))?;
    Ok(())
}

pub(super) fn leave(db: &Connection, worker: &str) -> Result<()> {
    let statement =
        "UPDATE workflow_runs SET holder = NULL, wake_ms = 0 WHERE holder = ? AND ended_ms IS NULL";
    run(db, statement, [worker])?;
    run(db, "DELETE FROM workflow_workers WHERE worker = ?", [worker])?;
    Ok(())
}

pub(super) fn claim(db: &Connection, claim: &Claim) -> Result<Claimed> {
    let code = serde_json::to_string(&claim.code).expect("names and numbers are JSON");
    let mut news = ids(
        db,
        "UPDATE workflow_runs SET wake_ms = NULL \
         WHERE holder = ? AND holder IS NOT NULL AND ended_ms IS NULL AND wake_ms IS NOT NULL AND wake_ms <= ? \
         RETURNING run_id",
        (&*claim.worker, claim.now_ms),
    )?;
    news.sort();
    let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
    // Whoever else holds a run is gone, whether or not there is a row that says so.
    let mut taken = ids(
        db,
        // `+`: else it would look at all unfinished runs, in their order.
        "SELECT r.run_id FROM (SELECT run_id, workflow, version FROM workflow_runs \
          WHERE ended_ms IS NULL AND holder IS NOT NULL AND holder < ?3 UNION ALL \
          SELECT run_id, workflow, version FROM workflow_runs \
          WHERE ended_ms IS NULL AND holder IS NOT NULL AND holder > ?3) r \
         WHERE (r.workflow, r.version) IN (SELECT c.value ->> 0, c.value ->> 1 FROM json_each(?1) c) \
         ORDER BY +r.run_id LIMIT ?2",
        (&code, limit, &*claim.worker),
    )?;
    // What has waited for longest of each workflow comes first.
    taken.extend(ids(
        db,
        "SELECT r.run_id FROM json_each(?) c \
         JOIN workflow_runs r ON r.workflow = c.value ->> 0 AND r.version = c.value ->> 1 \
         WHERE r.ended_ms IS NULL AND r.holder IS NULL AND r.wake_ms <= ? LIMIT ?",
        (&code, claim.now_ms, limit - i64::try_from(taken.len()).unwrap_or(limit)),
    )?);
    let mut runs = Vec::with_capacity(taken.len());
    for run_id in taken {
        runs.extend(claim_one(db, run_id, claim)?);
    }
    run(
        db,
        "DELETE FROM workflow_workers WHERE is_gone AND NOT EXISTS (SELECT 1 FROM workflow_runs r \
         WHERE r.holder = worker AND r.holder IS NOT NULL AND r.ended_ms IS NULL)",
        (),
    )?;
    let mut statement = db.prepare_cached(
        "SELECT min((SELECT min(r.wake_ms) FROM workflow_runs r WHERE r.workflow = c.value ->> 0 \
         AND r.version = c.value ->> 1 AND r.ended_ms IS NULL AND r.holder IS NULL)) FROM json_each(?) c",
    )?;
    let mut next_wake_ms = statement.query_row([&code], |row| row.get(0).map(time))?;
    if runs.len() == claim.limit && next_wake_ms.is_none_or(|next_ms| next_ms > claim.now_ms) {
        let mut left = db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM workflow_workers w JOIN workflow_runs r ON r.holder = w.worker \
             WHERE w.is_gone AND r.ended_ms IS NULL AND r.holder IS NOT NULL \
             AND (r.workflow, r.version) IN (SELECT c.value ->> 0, c.value ->> 1 FROM json_each(?) c))",
        )?;
        if left.query_row([&code], |row| row.get(0))? {
            next_wake_ms = Some(claim.now_ms);
        }
    }
    Ok(Claimed { runs, news, next_wake_ms })
}

/// A time, if it is one: a corrupt one must not keep the runs from being found that are due.
fn time(value: Value) -> Option<Timestamp> {
    match value {
        Value::Integer(at_ms) => Some(at_ms),
        // A cast keeps to what a timestamp can be.
        Value::Real(at_ms) => Some(at_ms as Timestamp),
        _ => None,
    }
}

/// `None` when the row of the run is corrupt: then it has an incident, and the others go on.
fn claim_one(db: &Connection, run_id: Arc<str>, claim: &Claim) -> Result<Option<ClaimedRun>> {
    let trouble = match take_one(db, Arc::clone(&run_id), &claim.worker) {
        Ok(run) => return Ok(Some(run)),
        Err(error) => Trouble::from(error).about(|| format!("run {run_id}: what is kept of it")),
    };
    if !trouble.is_corrupt() {
        return Err(trouble);
    }
    let statement = "INSERT OR REPLACE INTO workflow_incidents (run_id, place, cause, since_ms) \
                     VALUES (?, '*journal', ?, ?)";
    let since_ms = if claim.now_ms == Timestamp::MAX { 0 } else { claim.now_ms };
    run(db, statement, (&*run_id, StoreError::from(trouble).to_string(), since_ms))?;
    Ok(None)
}

fn take_one(db: &Connection, run_id: Arc<str>, worker: &Arc<str>) -> rusqlite::Result<ClaimedRun> {
    let mut statement = db.prepare_cached(
        "UPDATE workflow_runs SET epoch = epoch + 1, wake_ms = NULL, holder = ?2, strikes_seq = b.length, \
         strikes = CASE WHEN strikes_seq = b.length THEN strikes ELSE 0 END + (holder IS NOT NULL) \
         FROM (SELECT CAST(coalesce(max(seq), 0) AS INTEGER) AS length FROM workflow_events WHERE run_id = ?1) b \
         WHERE run_id = ?1 RETURNING epoch, workflow, version, strikes",
    )?;
    statement.query_row((&*run_id, &**worker), |row| {
        let lease = Lease { run_id: Arc::clone(&run_id), epoch: row.get(0)?, worker: Arc::clone(worker) };
        Ok(ClaimedRun { lease, workflow: row.get(1)?, version: row.get(2)?, strikes: row.get(3)? })
    })
}

fn ids(db: &Connection, sql: &str, params: impl Params) -> Result<Vec<Arc<str>>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0).map_err(Trouble::from);
        ids.extend(legible(id, || format!("the id {} of a run", shown(row, 0)))?);
    }
    Ok(ids)
}

pub(super) fn park(
    db: &Connection,
    joined: &Joined,
    parkings: &[Parking],
    now_ms: Timestamp,
) -> Result<Vec<bool>> {
    let mut statement = db.prepare_cached(&format!(
        "UPDATE workflow_runs SET holder = NULL, wake_ms = ?5 WHERE run_id = ?2 AND epoch = ?3 AND holder = ?4 \
         AND ended_ms IS NULL AND wake_ms IS NULL AND NOT EXISTS (SELECT 1 FROM workflow_requests q \
          WHERE q.run_id = ?2 AND q.answer IS NULL) \
         AND (?6 OR (cancel_reason IS NULL AND NOT EXISTS (SELECT 1 FROM workflow_waits w \
          WHERE w.run_id = ?2 AND {MESSAGE_THERE})))"
    ))?;
    let mut parked = Vec::with_capacity(parkings.len());
    for Parking { lease, wake_ms, children, is_broken } in parkings {
        let can_park = joined.is(&lease.worker) && (*is_broken || are_open(db, children)?);
        let run = (now_ms, &*lease.run_id, lease.epoch, &*lease.worker, wake_ms, is_broken);
        parked.push(can_park && statement.execute(run)? > 0);
    }
    Ok(parked)
}

/// Whether all these runs are there and have not ended.
fn are_open(db: &Connection, run_ids: &[Arc<str>]) -> rusqlite::Result<bool> {
    let open = "SELECT 1 FROM workflow_runs WHERE run_id = ? AND ended_ms IS NULL";
    let mut statement = db.prepare_cached(open)?;
    for run_id in run_ids {
        if !statement.exists([&**run_id])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Has somebody look at a run, unless this worker holds it.
pub(super) fn wake(db: &Connection, run_id: &str, unless_held_by: Option<&str>) -> Result<()> {
    run(
        db,
        "UPDATE workflow_runs SET wake_ms = 0 WHERE run_id = ?1 AND ended_ms IS NULL \
         AND (?2 IS NULL OR holder IS NOT ?2)",
        (run_id, unless_held_by),
    )?;
    Ok(())
}

/// Nothing speaks against a run any more.
pub(super) fn acquit(db: &Connection, lease: &Lease) -> Result<()> {
    run(
        db,
        "UPDATE workflow_runs SET strikes = 0 WHERE run_id = ? AND epoch = ? AND holder = ? AND ended_ms IS NULL",
        (&*lease.run_id, lease.epoch, &*lease.worker),
    )?;
    Ok(())
}

/// What the turn tells others.
pub(super) fn tell(db: &Connection, turn: &Turn) -> Result<()> {
    for run_id in &turn.changes.wakes {
        wake(db, run_id, Some(&turn.lease.worker))?;
    }
    for (request_id, answer) in &turn.changes.answers {
        let statement = "UPDATE workflow_requests SET answer = ?2 WHERE request_id = ?1";
        run(db, statement, (request_id, answer.as_json()))?;
    }
    Ok(())
}

pub(super) fn ask(db: &Connection, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool> {
    let is_new = run(
        db,
        "INSERT OR IGNORE INTO workflow_requests (request_id, run_id, body, asked_ms) SELECT ?1, run_id, ?2, ?3 \
         FROM workflow_runs WHERE run_id = ?4 AND ended_ms IS NULL",
        (&request.id, request.body.as_json(), now_ms, &*request.run_id),
    )?;
    if is_new > 0 {
        wake(db, &request.run_id, Some(worker))?;
        return Ok(true);
    }
    Ok(db.prepare_cached("SELECT 1 FROM workflow_requests WHERE request_id = ?")?.exists([&request.id])?)
}

/// Removes requests that nobody asks about any more.
pub(super) fn sweep_requests(db: &Connection, now_ms: Timestamp) -> Result<()> {
    run(
        db,
        "DELETE FROM workflow_requests WHERE asked_ms <= ? AND (answer IS NOT NULL OR NOT EXISTS \
         (SELECT 1 FROM workflow_runs r WHERE r.run_id = workflow_requests.run_id AND r.ended_ms IS NULL))",
        [now_ms.saturating_sub(KEPT_MS)],
    )?;
    Ok(())
}

pub(super) fn requests(db: &Connection, run_ids: &[Arc<str>]) -> Result<Vec<Request>> {
    let mut requests = Vec::new();
    for run_id in run_ids {
        requests.extend(requests_to(db, run_id)?);
    }
    Ok(requests)
}

pub(super) fn requests_to(db: &Connection, run_id: &Arc<str>) -> Result<Vec<Request>> {
    let mut statement = db.prepare_cached(
        "SELECT request_id, body FROM workflow_requests WHERE run_id = ? AND answer IS NULL \
         ORDER BY asked_ms, request_id",
    )?;
    let mut rows = statement.query([&**run_id])?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let body = row.get(1).map_err(Trouble::from).and_then(|body| payload(&id, body));
        let body = body.map_err(|trouble| trouble.about(|| format!("the request `{id}`")))?;
        requests.push(Request { id, run_id: Arc::clone(run_id), body });
    }
    Ok(requests)
}

pub(super) fn answer(db: &Connection, request_id: &str) -> Result<Option<Option<Payload>>> {
    let mut statement = db.prepare_cached("SELECT answer FROM workflow_requests WHERE request_id = ?")?;
    let answer = statement.query_row([request_id], |row| row.get::<_, Option<String>>(0)).optional()?;
    let Some(answer) = answer else { return Ok(None) };
    Ok(Some(answer.map(|answer| payload(request_id, answer)).transpose()?))
}

fn payload(request_id: &str, text: String) -> Result<Payload> {
    let payload = Payload::from_json(text).map_err(|error| {
        let message = format!("the request `{request_id}` cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })?;
    Ok(payload)
}

/// See [`Fleet::wake_lost`](crate::store::Fleet::wake_lost).
pub(super) fn wake_lost(db: &Connection) -> Result<()> {
    let lost = "UPDATE workflow_runs AS r SET wake_ms = 0 WHERE r.ended_ms IS NULL AND r.holder IS NULL \
         AND NOT EXISTS (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id AND i.place = '*journal') \
         AND (coalesce(r.wake_ms, 9223372036854775807) > (SELECT min(t.due_ms) FROM workflow_timers t \
          WHERE t.run_id = r.run_id) OR r.wake_ms IS NULL \
         AND NOT EXISTS (SELECT 1 FROM workflow_waits w WHERE w.run_id = r.run_id) \
         AND NOT EXISTS (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id) \
         AND NOT EXISTS (SELECT 1 FROM workflow_runs c WHERE c.parent_run = r.run_id AND c.ended_ms IS NULL))";
    Ok(run(db, lost, ()).map(drop)?)
}

pub(super) fn orphans(db: &Connection) -> Result<Vec<Orphans>> {
    let mut statement = db.prepare_cached(
        // What is no name or number has no code, and is shown as the database writes it.
        "SELECT CASE typeof(workflow) WHEN 'text' THEN workflow ELSE quote(workflow) END, \
         CAST(version AS INTEGER), count(*), \
         min(CASE typeof(run_id) WHEN 'text' THEN run_id ELSE quote(run_id) END) \
         FROM workflow_runs r WHERE ended_ms IS NULL \
         AND NOT EXISTS (SELECT 1 FROM workflow_workers w, \
          json_each(CASE WHEN json_valid(w.code) THEN w.code ELSE '[]' END) c WHERE NOT w.is_gone \
          AND c.value ->> 0 = r.workflow AND c.value ->> 1 = r.version) \
         GROUP BY workflow, version ORDER BY workflow, version",
    )?;
    let orphans = statement.query_map((), |row| {
        let (version, runs): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(Orphans {
            workflow: row.get(0)?,
            version: u32::try_from(version).unwrap_or_default(),
            runs: u64::try_from(runs).unwrap_or_default(),
            example: row.get(3)?,
        })
    })?;
    Ok(orphans.collect::<rusqlite::Result<_>>()?)
}
