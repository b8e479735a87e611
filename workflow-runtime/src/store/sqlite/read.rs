//! What is read from a SQLite file, and how its rows become values.
//! It writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use workflow_core::{OpId, Parent, Payload, Record, Timestamp};

use super::fleet::requests_to;
use super::inbox::offers_to_run;
use super::trouble::{Result, Trouble, legible, shown};
use crate::store::codec::{read_place, read_record, read_state};
use crate::store::{
    Incident, KeptSchedule, KnownRun, Lease, LoadedRun, MessageWait, RunFilter, RunState, RunStatus,
    RunSummary, StoreError, StoreFault,
};

pub(super) fn load(db: &Connection, leases: &[Lease], now_ms: Timestamp) -> Result<Vec<LoadedRun>> {
    let mut loaded = Vec::with_capacity(leases.len());
    for lease in leases {
        match load_one(db, lease, now_ms) {
            Ok(run) => loaded.extend(run),
            // One row that cannot be read is the trouble of its run alone.
            Err(trouble) if trouble.is_corrupt() => {
                let trouble = trouble.about(|| format!("run {}: what is kept of it", lease.run_id));
                loaded.push(LoadedRun {
                    run_id: Arc::clone(&lease.run_id),
                    journal: Err(trouble.into()),
                    offers: Vec::new(),
                    cancel_reason: None,
                    has_journal_incident: false,
                    requests: Vec::new(),
                    waits: BTreeMap::new(),
                });
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(loaded)
}

/// `None` when the run is not held by this lease.
fn load_one(db: &Connection, lease: &Lease, now_ms: Timestamp) -> Result<Option<LoadedRun>> {
    let mut statement = db.prepare_cached(
        "SELECT r.cancel_reason, EXISTS \
             (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id AND i.place = '*journal') \
             FROM workflow_runs r WHERE r.run_id = ? AND r.epoch = ? AND r.holder = ?",
    )?;
    let held = (&*lease.run_id, lease.epoch, &*lease.worker);
    let run = statement.query_row(held, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((cancel_reason, has_journal_incident)) = run else { return Ok(None) };
    // A run that must not have its message must not go on without it either; the other runs can.
    let read = journal(db, &lease.run_id)
        .and_then(|journal| Ok((journal, offers_to_run(db, &lease.run_id, now_ms)?)));
    let (journal, offers) = match read {
        Ok((journal, offers)) => (Ok(journal), offers),
        Err(Trouble::Store(error)) => (Err(error), Vec::new()),
        Err(trouble) => return Err(trouble),
    };
    let journal = journal.and_then(|journal| match journal.is_empty() {
        true => Err(StoreError::new(StoreFault::Corrupt, format!("run {} has no journal", lease.run_id))),
        false => Ok(journal),
    });
    let run_id = Arc::clone(&lease.run_id);
    let requests = requests_to(db, &run_id)?;
    let waits = waits(db, &run_id)?;
    Ok(Some(LoadedRun { run_id, journal, offers, cancel_reason, has_journal_incident, requests, waits }))
}

/// What the run waits for, as far as it can be read.
fn waits(db: &Connection, run_id: &str) -> Result<BTreeMap<OpId, MessageWait>> {
    let mut statement =
        db.prepare_cached("SELECT op, message, key, since_ms FROM workflow_waits WHERE run_id = ?")?;
    let mut rows = statement.query([run_id])?;
    let mut waits = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let read = |row: &Row<'_>| -> rusqlite::Result<_> {
            let wait = MessageWait { message: row.get(1)?, key: row.get(2)?, since_ms: row.get(3)? };
            Ok((OpId::from_text(row.get::<_, String>(0)?), wait))
        };
        waits.extend(read(row).ok());
    }
    Ok(waits)
}

/// The journal; the first row that cannot be read stands for the whole of it.
pub(super) fn journal(db: &Connection, run_id: &str) -> Result<Vec<Record>> {
    let mut statement =
        db.prepare_cached("SELECT seq, record FROM workflow_events WHERE run_id = ? ORDER BY seq")?;
    let mut rows = statement.query([run_id])?;
    let mut journal = Vec::new();
    while let Some(row) = rows.next()? {
        let expected = i64::try_from(journal.len()).expect("a journal fits in memory") + 1;
        let seq = row.get(0).map_err(|error| {
            Trouble::from(error).about(|| format!("run {run_id}, the number of journal row {expected}"))
        })?;
        let text = row.get_ref(1)?.as_str().map_err(|error| corrupt_row(run_id, seq, &error))?;
        let record = read_record(run_id, seq, text)?;
        if seq != expected {
            let message =
                format!("run {run_id}, journal row {expected} is missing: row {seq} comes in its place");
            return Err(StoreError::new(StoreFault::Corrupt, message).into());
        }
        journal.push(record);
    }
    Ok(journal)
}

pub(super) fn journal_bytes(db: &Connection, run_ids: &[Arc<str>]) -> Result<Vec<u64>> {
    let mut statement = db.prepare_cached(
        "SELECT coalesce(sum(octet_length(record)), 0) FROM workflow_events WHERE run_id = ?",
    )?;
    let bytes = run_ids.iter().map(|run_id| statement.query_row([&**run_id], |row| row.get::<_, i64>(0)));
    bytes.map(|bytes| Ok(bytes?.unsigned_abs())).collect()
}

fn corrupt_row(run_id: &str, seq: i64, error: &rusqlite::types::FromSqlError) -> StoreError {
    let message = format!("run {run_id}, journal row {seq} cannot be read: {error}");
    StoreError::new(StoreFault::Corrupt, message)
}

pub(super) fn run(db: &Connection, run_id: &str) -> Result<Option<RunStatus>> {
    // One statement, so that all of it is from the same moment.
    let mut statement = db.prepare_cached(
        "SELECT generation, workflow, version, conclusion, started_ms, ended_ms, cancel_reason, \
         (SELECT json_group_array(json_array(place, cause, since_ms)) FROM workflow_incidents i \
          WHERE i.run_id = r.run_id), \
         (SELECT json_group_array(json_array(iif(typeof(op) = 'blob', quote(op), op), \
          iif(typeof(message) = 'blob', quote(message), message), iif(typeof(key) = 'blob', quote(key), key), \
          iif(typeof(since_ms) = 'blob', 0, since_ms))) FROM workflow_waits w WHERE w.run_id = r.run_id), \
         (SELECT json_group_array(json_array(op, due_ms)) FROM workflow_timers t WHERE t.run_id = r.run_id), \
         progress, parent_run, parent_generation, parent_op, CASE WHEN strikes_seq = \
          (SELECT coalesce(max(seq), 0) FROM workflow_events e WHERE e.run_id = r.run_id) THEN strikes ELSE 0 END \
         FROM workflow_runs r WHERE run_id = ?",
    )?;
    let mut rows = statement.query([run_id])?;
    let status = rows.next()?.map(|row| read_status(run_id, row)).transpose();
    status.map_err(|trouble| trouble.about(|| format!("run {run_id}: what is kept of it")))
}

fn read_status(run_id: &str, row: &Row<'_>) -> Result<RunStatus> {
    let incidents: Vec<(String, String, Timestamp)> = read_json(row, 7)?;
    let mut incidents: Vec<Incident> = incidents
        .into_iter()
        .map(|(place, cause, since_ms)| Incident { place: read_place(place), cause, since_ms })
        .collect();
    incidents.sort_by(|a, b| a.place.cmp(&b.place));
    let waits: Vec<(OpId, String, String, Timestamp)> = read_json(row, 8)?;
    let waits = waits
        .into_iter()
        .map(|(op, message, key, since_ms)| (op, MessageWait { message, key, since_ms }))
        .collect();
    let timers: Vec<(OpId, Timestamp)> = read_json(row, 9)?;
    Ok(RunStatus {
        run_id: run_id.into(),
        workflow: row.get(1)?,
        version: row.get(2)?,
        generation: row.get(0)?,
        parent: read_parent(row, 11)?,
        state: read_end(run_id, row, 3, 5)?,
        started_ms: row.get(4)?,
        ended_ms: row.get(5)?,
        progress: read_progress(run_id, row)?,
        cancel_reason: row.get(6)?,
        incidents,
        // For people only: whatever it holds, the run can be read.
        strikes: row.get(14).unwrap_or_default(),
        waits,
        timers: timers.into_iter().collect(),
    })
}

/// How a run has ended, from the column that says it and the one that says when: it says both, or neither.
fn read_end(run_id: &str, row: &Row<'_>, conclusion: usize, ended_ms: usize) -> Result<RunState> {
    let state = read_state(run_id, row.get::<_, Option<String>>(conclusion)?.as_deref())?;
    let has_ended = row.get::<_, Option<Timestamp>>(ended_ms)?.is_some();
    if has_ended == (state == RunState::Running) {
        let message = format!("run {run_id}: whether it has ended, and how, do not fit together");
        return Err(StoreError::new(StoreFault::Corrupt, message).into());
    }
    Ok(state)
}

fn read_progress(run_id: &str, row: &Row<'_>) -> Result<Option<Payload>> {
    let Some(text) = row.get::<_, Option<String>>(10)? else { return Ok(None) };
    let progress = Payload::from_json(text).map_err(|error| {
        let message = format!("run {run_id}: its progress cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })?;
    Ok(Some(progress))
}

/// The parent in three columns from this one on.
fn read_parent(row: &Row<'_>, column: usize) -> Result<Option<Parent>> {
    let Some(run_id) = row.get::<_, Option<String>>(column)? else { return Ok(None) };
    let op = OpId::from_text(row.get::<_, String>(column + 2)?);
    Ok(Some(Parent { run_id, generation: row.get(column + 1)?, op }))
}

pub(super) fn look_up(db: &Connection, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>> {
    let mut statement = db.prepare_cached(
        "SELECT conclusion, parent_run, parent_generation, parent_op FROM workflow_runs WHERE run_id = ?",
    )?;
    let mut known = Vec::with_capacity(run_ids.len());
    for run_id in run_ids {
        let mut rows = statement.query([&**run_id])?;
        let Some(row) = rows.next()? else { continue };
        let state = read_state(run_id, row.get::<_, Option<String>>(0)?.as_deref())?;
        known.push(KnownRun { run_id: Arc::clone(run_id), parent: read_parent(row, 1)?, state });
    }
    Ok(known)
}

fn read_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text: String = row.get(column)?;
    let value = serde_json::from_str(&text)
        .map_err(|error| StoreError::new(StoreFault::Corrupt, error.to_string()).caused_by(error))?;
    Ok(value)
}

pub(super) fn runs(db: &Connection, filter: &RunFilter) -> Result<Vec<RunSummary>> {
    let mut sql = String::from(
        "SELECT run_id, workflow, version, conclusion, started_ms, ended_ms, \
         (SELECT count(*) FROM workflow_incidents i WHERE i.run_id = r.run_id) FROM workflow_runs r WHERE run_id > ?",
    );
    let mut params = vec![Value::from(filter.after.clone().unwrap_or_default())];
    if let Some(workflow) = &filter.workflow {
        sql.push_str(" AND workflow = ?");
        params.push(Value::from(workflow.clone()));
    }
    if filter.only_unfinished {
        sql.push_str(" AND ended_ms IS NULL");
    }
    if filter.only_incidents {
        sql.push_str(" AND run_id IN (SELECT run_id FROM workflow_incidents)");
    }
    if let Some(parent) = &filter.parent {
        sql.push_str(" AND parent_run = ?");
        params.push(Value::from(parent.clone()));
    }
    sql.push_str(" ORDER BY run_id LIMIT ?");
    params.push(Value::from(filter.limit));
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(params))?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        match read_summary(row) {
            Err(trouble) if trouble.is_corrupt() => {
                let run_id = row.get(0).unwrap_or_else(|_| shown(row, 0).into());
                runs.push(RunSummary::unreadable(run_id, StoreError::from(trouble).to_string()));
            }
            read => runs.push(read?),
        }
    }
    Ok(runs)
}

fn read_summary(row: &Row<'_>) -> Result<RunSummary> {
    let run_id: Arc<str> = row.get(0)?;
    let state = read_end(&run_id, row, 3, 5)?;
    Ok(RunSummary {
        run_id,
        workflow: row.get(1)?,
        version: row.get(2)?,
        state,
        started_ms: row.get(4)?,
        ended_ms: row.get(5)?,
        incidents: row.get(6)?,
        unreadable: None,
    })
}

pub(super) fn schedules(db: &Connection) -> Result<Vec<KeptSchedule>> {
    let mut statement = db.prepare_cached(
        "SELECT workflow, cron, timezone, kept_until_ms, last_tick_ms FROM workflow_schedules ORDER BY workflow",
    )?;
    let mut rows = statement.query(())?;
    let mut schedules = Vec::new();
    while let Some(row) = rows.next()? {
        // One that cannot be read begins anew, as if nobody had kept it before.
        let named = || format!("the schedule of {}", shown(row, 0));
        schedules.extend(legible(read_schedule(row), named)?);
    }
    Ok(schedules)
}

fn read_schedule(row: &Row<'_>) -> Result<KeptSchedule> {
    Ok(KeptSchedule {
        workflow: row.get(0)?,
        cron: row.get(1)?,
        timezone: row.get(2)?,
        kept_until_ms: row.get(3)?,
        last_tick_ms: row.get(4)?,
    })
}
