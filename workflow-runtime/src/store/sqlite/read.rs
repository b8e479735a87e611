//! What is read from a SQLite file, and how its rows become values.
//! It writes nothing; many runs are read with one statement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row};
use workflow_core::{OpId, Parent, Payload, Record, Timestamp};

use super::batch::OFFERS_TO_RUNS;
use super::{fault, fleet};
use crate::store::codec::{read_place, read_record, read_state};
use crate::store::{
    Delivered, Incident, KeptSchedule, KnownRun, Lease, LoadedRun, MessageWait, NewMessage, Offer, RunFilter,
    RunStatus, RunSummary, StoreError, StoreFault, Turn,
};

pub(super) async fn load(
    readers: &SqlitePool,
    leases: &[Lease],
    now_ms: Timestamp,
) -> Result<Vec<LoadedRun>, StoreError> {
    let ids: Vec<&str> = leases.iter().map(|lease| lease.run_id.as_ref()).collect();
    let ids = serde_json::to_string(&ids).expect("ids are text");
    let runs = sqlx::query(
        "SELECT r.run_id, r.cancel_reason, \
         EXISTS (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id AND i.place = '*journal') \
         FROM json_each(?) b JOIN workflow_runs r ON r.run_id = b.value ORDER BY b.key",
    );
    let mut loaded = Vec::with_capacity(leases.len());
    let mut positions = BTreeMap::new();
    for row in runs.bind(&ids).fetch_all(readers).await.map_err(fault)? {
        let run_id: Arc<str> = row.try_get::<&str, _>(0).map_err(fault)?.into();
        positions.insert(Arc::clone(&run_id), loaded.len());
        loaded.push(LoadedRun {
            run_id,
            journal: Ok(Vec::new()),
            offers: Vec::new(),
            cancel_reason: row.try_get(1).map_err(fault)?,
            has_journal_incident: row.try_get(2).map_err(fault)?,
            requests: Vec::new(),
        });
    }
    let events = sqlx::query(
        "SELECT e.run_id, e.seq, e.record FROM json_each(?) b JOIN workflow_events e ON e.run_id = b.value \
         ORDER BY b.key, e.seq",
    );
    for row in events.bind(&ids).fetch_all(readers).await.map_err(fault)? {
        let run_id: &str = row.try_get(0).map_err(fault)?;
        if let Some(position) = positions.get(run_id) {
            append(&mut loaded[*position].journal, run_id, &row);
        }
    }
    let offers = sqlx::query(OFFERS_TO_RUNS).bind(&ids).bind(now_ms);
    for row in offers.fetch_all(readers).await.map_err(fault)? {
        let run_id: &str = row.try_get(0).map_err(fault)?;
        let Some(position) = positions.get(run_id) else { continue };
        match read_offer(&row) {
            Ok(offer) => loaded[*position].offers.push(offer),
            // A run that must not have its message must not go on without it either; the other runs can.
            Err(error) => loaded[*position].journal = Err(error),
        }
    }
    let run_ids: Vec<Arc<str>> = loaded.iter().map(|run| Arc::clone(&run.run_id)).collect();
    for request in fleet::requests(readers, &run_ids).await? {
        if let Some(position) = positions.get(&request.run_id) {
            loaded[*position].requests.push(request);
        }
    }
    Ok(loaded)
}

/// Appends a row of the journal; the first row that cannot be read stands for the whole journal.
fn append(journal: &mut Result<Vec<Record>, StoreError>, run_id: &str, row: &SqliteRow) {
    let Ok(records) = journal else { return };
    let expected = i64::try_from(records.len()).expect("a journal fits in memory") + 1;
    match read_event(run_id, row) {
        Ok((seq, record)) if seq == expected => records.push(record),
        Ok((seq, _)) => {
            let message =
                format!("run {run_id}, journal row {expected} is missing: row {seq} comes in its place");
            *journal = Err(StoreError::new(StoreFault::Corrupt, message));
        }
        Err(error) => *journal = Err(error),
    }
}

fn read_event(run_id: &str, row: &SqliteRow) -> Result<(i64, Record), StoreError> {
    let seq = row.try_get(1).map_err(fault)?;
    let text: &str = row.try_get(2).map_err(fault)?;
    Ok((seq, read_record(run_id, seq, text)?))
}

pub(super) async fn run(readers: &SqlitePool, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
    // One statement, so that all of it is from the same moment.
    let query = sqlx::query(
        "SELECT generation, workflow, version, conclusion, started_ms, ended_ms, cancel_reason, \
         (SELECT json_group_array(json_array(place, cause, since_ms)) FROM workflow_incidents i \
          WHERE i.run_id = r.run_id), \
         (SELECT json_group_array(json_array(op, message, key, since_ms)) FROM workflow_waits w \
          WHERE w.run_id = r.run_id), \
         (SELECT json_group_array(json_array(op, due_ms)) FROM workflow_timers t WHERE t.run_id = r.run_id), \
         progress, parent_run, parent_generation, parent_op FROM workflow_runs r WHERE run_id = ?",
    );
    let row = query.bind(run_id).fetch_optional(readers).await.map_err(fault)?;
    row.map(|row| read_status(run_id, &row)).transpose()
}

fn read_status(run_id: &str, row: &SqliteRow) -> Result<RunStatus, StoreError> {
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
        workflow: row.try_get(1).map_err(fault)?,
        version: row.try_get(2).map_err(fault)?,
        generation: row.try_get(0).map_err(fault)?,
        parent: read_parent(row, 11)?,
        state: read_state(run_id, row.try_get(3).map_err(fault)?)?,
        started_ms: row.try_get(4).map_err(fault)?,
        ended_ms: row.try_get(5).map_err(fault)?,
        progress: read_progress(run_id, row)?,
        cancel_reason: row.try_get(6).map_err(fault)?,
        incidents,
        waits,
        timers: timers.into_iter().collect(),
    })
}

fn read_progress(run_id: &str, row: &SqliteRow) -> Result<Option<Payload>, StoreError> {
    let Some(text) = row.try_get::<Option<String>, _>(10).map_err(fault)? else { return Ok(None) };
    Payload::from_json(text).map(Some).map_err(|error| {
        let message = format!("run {run_id}: its progress cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })
}

/// The parent in three columns from this one on.
fn read_parent(row: &SqliteRow, column: usize) -> Result<Option<Parent>, StoreError> {
    let Some(run_id) = row.try_get::<Option<String>, _>(column).map_err(fault)? else { return Ok(None) };
    let generation = row.try_get(column + 1).map_err(fault)?;
    let op = OpId::from_text(row.try_get::<&str, _>(column + 2).map_err(fault)?);
    Ok(Some(Parent { run_id, generation, op }))
}

pub(super) async fn look_up(readers: &SqlitePool, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
    let query = sqlx::query(
        "SELECT r.run_id, r.conclusion, r.parent_run, r.parent_generation, r.parent_op \
         FROM json_each(?) b JOIN workflow_runs r ON r.run_id = b.value ORDER BY b.key",
    );
    let ids = serde_json::to_string(run_ids).expect("ids are text");
    let rows = query.bind(ids).fetch_all(readers).await.map_err(fault)?;
    let known = rows.iter().map(|row| {
        let run_id: &str = row.try_get(0).map_err(fault)?;
        let state = read_state(run_id, row.try_get(1).map_err(fault)?)?;
        Ok(KnownRun { run_id: run_id.into(), parent: read_parent(row, 2)?, state })
    });
    known.collect()
}

fn read_json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: usize) -> Result<T, StoreError> {
    let text: &str = row.try_get(column).map_err(fault)?;
    serde_json::from_str(text)
        .map_err(|error| StoreError::new(StoreFault::Corrupt, error.to_string()).caused_by(error))
}

pub(super) async fn runs(readers: &SqlitePool, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
    let mut sql = String::from(
        "SELECT run_id, workflow, version, conclusion, started_ms, ended_ms, \
         (SELECT count(*) FROM workflow_incidents i WHERE i.run_id = r.run_id) FROM workflow_runs r WHERE run_id > ?",
    );
    if filter.workflow.is_some() {
        sql.push_str(" AND workflow = ?");
    }
    if filter.only_unfinished {
        sql.push_str(" AND ended_ms IS NULL");
    }
    if filter.only_incidents {
        sql.push_str(" AND run_id IN (SELECT run_id FROM workflow_incidents)");
    }
    if filter.parent.is_some() {
        sql.push_str(" AND parent_run = ?");
    }
    sql.push_str(" ORDER BY run_id LIMIT ?");
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(filter.after.as_deref().unwrap_or_default());
    if let Some(workflow) = &filter.workflow {
        query = query.bind(workflow);
    }
    if let Some(parent) = &filter.parent {
        query = query.bind(parent);
    }
    let rows = query.bind(filter.limit).fetch_all(readers).await.map_err(fault)?;
    rows.iter().map(read_summary).collect()
}

fn read_summary(row: &SqliteRow) -> Result<RunSummary, StoreError> {
    let run_id: &str = row.try_get(0).map_err(fault)?;
    Ok(RunSummary {
        run_id: run_id.into(),
        workflow: row.try_get(1).map_err(fault)?,
        version: row.try_get(2).map_err(fault)?,
        state: read_state(run_id, row.try_get(3).map_err(fault)?)?,
        started_ms: row.try_get(4).map_err(fault)?,
        ended_ms: row.try_get(5).map_err(fault)?,
        incidents: row.try_get(6).map_err(fault)?,
    })
}

pub(super) async fn journal(readers: &SqlitePool, run_id: &str) -> Result<Vec<Record>, StoreError> {
    let query = sqlx::query("SELECT run_id, seq, record FROM workflow_events WHERE run_id = ? ORDER BY seq");
    let mut journal = Ok(Vec::new());
    for row in query.bind(run_id).fetch_all(readers).await.map_err(fault)? {
        append(&mut journal, run_id, &row);
    }
    journal
}

pub(super) async fn schedules(readers: &SqlitePool) -> Result<Vec<KeptSchedule>, StoreError> {
    let query = sqlx::query(
        "SELECT workflow, cron, timezone, kept_until_ms, last_tick_ms FROM workflow_schedules ORDER BY workflow",
    );
    let rows = query.fetch_all(readers).await.map_err(fault)?;
    let read = |row: &SqliteRow| {
        Ok(KeptSchedule {
            workflow: row.try_get(0)?,
            cron: row.try_get(1)?,
            timezone: row.try_get(2)?,
            kept_until_ms: row.try_get(3)?,
            last_tick_ms: row.try_get(4)?,
        })
    };
    rows.iter().map(|row| read(row).map_err(fault)).collect()
}

/// Hands each offer to the turns whose run it is for, by their positions: a beginning that comes twice in one batch
/// is told twice, since only one of those who asked goes on with the run.
pub(super) fn assign_offers(
    rows: &[SqliteRow],
    turns: &[&Turn],
    mut assign: impl FnMut(usize, Offer),
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut positions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, turn) in turns.iter().enumerate() {
        positions.entry(&turn.lease.run_id).or_default().push(position);
    }
    for row in rows {
        let offer = read_offer(row)?;
        for position in positions.get(&*offer.run_id).into_iter().flatten() {
            assign(*position, offer.clone());
        }
    }
    Ok(())
}

/// What became of messages: rows of those that are new, then rows of offers.
pub(super) fn delivered(rows: &[SqliteRow], messages: &[NewMessage]) -> Result<Vec<Delivered>, StoreError> {
    let mut new_ids = BTreeSet::new();
    let mut offers: Vec<Vec<Offer>> = vec![Vec::new(); messages.len()];
    for row in rows {
        if row.try_get::<Option<bool>, _>(5).map_err(fault)?.is_some() {
            new_ids.insert(row.try_get::<String, _>(2).map_err(fault)?);
        } else {
            let position: i64 = row.try_get(4).map_err(fault)?;
            let position = usize::try_from(position).expect("positions in an array are not negative");
            // Nearly always the same message for all who wait: it is read once and shared by them.
            let message_id: &str = row.try_get(2).map_err(fault)?;
            let payload = offers[position].last().filter(|last| last.message_id == message_id);
            let payload = payload.map(|last| last.payload.clone());
            let offer = match payload {
                Some(payload) => offer_of(row, payload)?,
                None => read_offer(row)?,
            };
            offers[position].push(offer);
        }
    }
    let delivered = messages.iter().zip(offers);
    Ok(delivered
        // Of two in one batch with the same id, the second is the duplicate.
        .map(|(message, offers)| Delivered {
            is_duplicate: !new_ids.remove(&message.message_id),
            offers,
            starts: Vec::new(),
        })
        .collect())
}

fn read_offer(row: &SqliteRow) -> Result<Offer, StoreError> {
    let payload: String = row.try_get(3).map_err(fault)?;
    let payload = Payload::from_json(payload).map_err(|error| {
        let message_id: &str = row.try_get(2).unwrap_or_default();
        let message = format!("the message `{message_id}` cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })?;
    offer_of(row, payload)
}

fn offer_of(row: &SqliteRow, payload: Payload) -> Result<Offer, StoreError> {
    let run_id = row.try_get::<&str, _>(0).map_err(fault)?.into();
    let op: String = row.try_get(1).map_err(fault)?;
    Ok(Offer { run_id, op: OpId::from_text(op), message_id: row.try_get(2).map_err(fault)?, payload })
}
