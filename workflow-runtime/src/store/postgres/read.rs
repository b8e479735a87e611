//! What is read from Postgres, and how its rows become values.
//! It writes nothing; many runs are read in one message.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::postgres::PgRow;
use workflow_core::{OpId, Parent, Payload, Record, Timestamp};

use super::batch::OFFERS_TO_RUNS;
use super::fault;
use super::fleet::{OPEN_REQUESTS, read_request};
use super::literal::unescaped;
use super::pool::{Pool, run as rows_of};
use super::script::Script;
use crate::store::codec::{read_place, read_record, read_state};
use crate::store::{
    Incident, KeptSchedule, KnownRun, Lease, LoadedRun, MessageWait, Offer, RunFilter, RunStatus, RunSummary,
    StoreError, StoreFault, Turn,
};

/// A column as the server writes it.
fn raw(row: &PgRow, column: usize) -> Result<Option<Cow<'_, str>>, StoreError> {
    let value = row.try_get_raw(column).map_err(fault)?;
    if sqlx::ValueRef::is_null(&value) {
        return Ok(None);
    }
    let text = value.as_str().map_err(|error| fault(sqlx::Error::Decode(error)))?;
    Ok(Some(unescaped(text)))
}

/// A column that may be null.
pub(super) fn optional<T: FromStr<Err: Display>>(
    row: &PgRow,
    column: usize,
) -> Result<Option<T>, StoreError> {
    let Some(text) = raw(row, column)? else { return Ok(None) };
    let parsed = text.parse::<T>();
    parsed.map(Some).map_err(|error| corrupt(format!("column {column} holds `{text}`: {error}")))
}

pub(super) fn text(row: &PgRow, column: usize) -> Result<String, StoreError> {
    Ok(raw(row, column)?.ok_or_else(|| missing(column))?.into_owned())
}

pub(super) fn number<T: FromStr<Err: Display>>(row: &PgRow, column: usize) -> Result<T, StoreError> {
    optional(row, column)?.ok_or_else(|| missing(column))
}

/// A column that the server has made of others. The texts in it are as they are kept: see `literal::unescaped`.
pub(super) fn json<T: DeserializeOwned>(row: &PgRow, column: usize) -> Result<T, StoreError> {
    serde_json::from_str(&text(row, column)?).map_err(|error| corrupt(error.to_string()).caused_by(error))
}

fn corrupt(message: String) -> StoreError {
    StoreError::new(StoreFault::Corrupt, message)
}

fn missing(column: usize) -> StoreError {
    corrupt(format!("column {column} is null"))
}

pub(super) async fn load(
    pool: &Arc<Pool>,
    leases: &[Lease],
    now_ms: Timestamp,
) -> Result<Vec<LoadedRun>, StoreError> {
    let ids: Vec<_> = leases.iter().map(|lease| (lease.run_id.as_ref(),)).collect();
    let held: Vec<_> =
        leases.iter().map(|lease| (lease.run_id.as_ref(), lease.epoch, lease.worker.as_ref())).collect();
    let mut script = Script::default();
    script
        .push(
            "SELECT 1, r.run_id, r.cancel_reason, \
             EXISTS (SELECT 1 FROM workflow_incidents i WHERE i.run_id = r.run_id AND i.place = '*journal') \
             FROM unnest($1::text[], $2::int8[], $3::text[]) WITH ORDINALITY b (run_id, epoch, worker, position) \
             JOIN workflow_runs r ON r.run_id = b.run_id AND r.epoch = b.epoch AND r.holder = b.worker \
             ORDER BY b.position",
        )
        .bind_rows(&held);
    script
        .push(
            "SELECT 2, e.run_id, e.seq, e.record FROM workflow_events e WHERE e.run_id = ANY ($1::text[]) \
             ORDER BY e.run_id, e.seq",
        )
        .bind_rows(&ids);
    script.push(OFFERS_TO_RUNS).bind_rows(&ids).bind_number(now_ms);
    script.push(OPEN_REQUESTS).bind_rows(&ids);
    script
        .push("SELECT 5, run_id, op, message, key, since_ms FROM workflow_waits WHERE run_id = ANY ($1::text[])")
        .bind_rows(&ids);
    let mut loaded: Vec<LoadedRun> = Vec::with_capacity(leases.len());
    let mut positions: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for row in rows_of(pool, &script).await? {
        let (kind, run_id): (i32, Arc<str>) = (number(&row, 0)?, text(&row, 1)?.into());
        if kind == 1 {
            positions.insert(Arc::clone(&run_id), loaded.len());
            loaded.push(LoadedRun {
                run_id,
                journal: Ok(Vec::new()),
                offers: Vec::new(),
                cancel_reason: optional(&row, 2)?,
                has_journal_incident: text(&row, 3)? == "t",
                requests: Vec::new(),
                waits: BTreeMap::new(),
            });
            continue;
        }
        let Some(run) = positions.get(&run_id).map(|position| &mut loaded[*position]) else { continue };
        match kind {
            2 => append(&mut run.journal, &run_id, &row),
            3 => match read_offer(&row, 1) {
                Ok(offer) => run.offers.push(offer),
                // A run that must not have its message must not go on without it either; the other runs can.
                Err(error) => run.journal = Err(error),
            },
            5 => run.waits.extend(read_wait(&row).ok()),
            _ => match read_request(&row, 1) {
                Ok(request) => run.requests.push(request),
                Err(error) => run.journal = Err(error),
            },
        }
    }
    Ok(loaded)
}

pub(super) async fn journal_bytes(pool: &Arc<Pool>, run_ids: &[Arc<str>]) -> Result<Vec<u64>, StoreError> {
    let ids: Vec<_> = run_ids.iter().map(|run_id| (run_id.as_ref(),)).collect();
    let mut script = Script::default();
    script
        .push(
            "SELECT coalesce((SELECT sum(octet_length(e.record)) FROM workflow_events e WHERE e.run_id = b.run_id), 0) \
             FROM unnest($1::text[]) WITH ORDINALITY b (run_id, position) ORDER BY b.position",
        )
        .bind_rows(&ids);
    rows_of(pool, &script).await?.iter().map(|row| number(row, 0)).collect()
}

fn read_wait(row: &PgRow) -> Result<(OpId, MessageWait), StoreError> {
    let wait = MessageWait { message: text(row, 3)?, key: text(row, 4)?, since_ms: number(row, 5)? };
    Ok((OpId::from_text(text(row, 2)?), wait))
}

/// Appends a row of the journal; the first row that cannot be read stands for the whole journal.
fn append(journal: &mut Result<Vec<Record>, StoreError>, run_id: &str, row: &PgRow) {
    let Ok(records) = journal else { return };
    let expected = i64::try_from(records.len()).expect("a journal fits in memory") + 1;
    match read_event(run_id, row) {
        Ok((seq, record)) if seq == expected => records.push(record),
        Ok((seq, _)) => {
            let message =
                format!("run {run_id}, journal row {expected} is missing: row {seq} comes in its place");
            *journal = Err(corrupt(message));
        }
        Err(error) => *journal = Err(error),
    }
}

fn read_event(run_id: &str, row: &PgRow) -> Result<(i64, Record), StoreError> {
    let seq = number(row, 2)?;
    let text = raw(row, 3)?.ok_or_else(|| missing(3))?;
    Ok((seq, read_record(run_id, seq, &text)?))
}

pub(super) async fn run(pool: &Arc<Pool>, run_id: &str) -> Result<Option<RunStatus>, StoreError> {
    // One statement, so that all of it is from the same moment.
    let mut script = Script::default();
    script
        .push(
            "SELECT generation, workflow, version, conclusion, started_ms, ended_ms, cancel_reason, \
             (SELECT coalesce(json_agg(json_build_array(place, cause, since_ms)), '[]') FROM workflow_incidents i \
              WHERE i.run_id = r.run_id), \
             (SELECT coalesce(json_agg(json_build_array(op, message, key, since_ms)), '[]') FROM workflow_waits w \
              WHERE w.run_id = r.run_id), \
             (SELECT coalesce(json_agg(json_build_array(op, due_ms)), '[]') FROM workflow_timers t \
              WHERE t.run_id = r.run_id), \
             progress, parent_run, parent_generation, parent_op, CASE WHEN strikes_seq = \
              (SELECT coalesce(max(seq), 0) FROM workflow_events e WHERE e.run_id = r.run_id) THEN strikes ELSE 0 END \
             FROM workflow_runs r WHERE run_id = $1",
        )
        .bind(run_id);
    rows_of(pool, &script).await?.first().map(|row| read_status(run_id, row)).transpose()
}

fn read_status(run_id: &str, row: &PgRow) -> Result<RunStatus, StoreError> {
    let own = |text: &String| unescaped(text).into_owned();
    let incidents: Vec<(String, String, Timestamp)> = json(row, 7)?;
    let incidents = incidents.iter().map(|(place, cause, since_ms)| Incident {
        place: read_place(own(place)),
        cause: own(cause),
        since_ms: *since_ms,
    });
    let mut incidents: Vec<Incident> = incidents.collect();
    incidents.sort_by(|a, b| a.place.cmp(&b.place));
    let waits: Vec<(String, String, String, Timestamp)> = json(row, 8)?;
    let waits = waits.iter().map(|(op, message, key, since_ms)| {
        let wait = MessageWait { message: own(message), key: own(key), since_ms: *since_ms };
        (OpId::from_text(own(op)), wait)
    });
    let timers: Vec<(String, Timestamp)> = json(row, 9)?;
    Ok(RunStatus {
        run_id: run_id.into(),
        workflow: text(row, 1)?,
        version: number(row, 2)?,
        generation: number(row, 0)?,
        parent: read_parent(row, 11)?,
        state: read_state(run_id, raw(row, 3)?.as_deref())?,
        started_ms: number(row, 4)?,
        ended_ms: optional(row, 5)?,
        progress: read_progress(run_id, row)?,
        cancel_reason: optional(row, 6)?,
        incidents,
        strikes: number(row, 14)?,
        waits: waits.collect(),
        timers: timers.iter().map(|(op, due_ms)| (OpId::from_text(own(op)), *due_ms)).collect(),
    })
}

fn read_progress(run_id: &str, row: &PgRow) -> Result<Option<Payload>, StoreError> {
    let Some(text) = optional::<String>(row, 10)? else { return Ok(None) };
    Payload::from_json(text).map(Some).map_err(|error| {
        corrupt(format!("run {run_id}: its progress cannot be read: {error}")).caused_by(error)
    })
}

/// The parent in three columns from this one on.
fn read_parent(row: &PgRow, column: usize) -> Result<Option<Parent>, StoreError> {
    let Some(run_id) = optional(row, column)? else { return Ok(None) };
    let generation = number(row, column + 1)?;
    Ok(Some(Parent { run_id, generation, op: OpId::from_text(text(row, column + 2)?) }))
}

pub(super) async fn look_up(pool: &Arc<Pool>, run_ids: &[Arc<str>]) -> Result<Vec<KnownRun>, StoreError> {
    let ids: Vec<_> = run_ids.iter().map(|run_id| (run_id.as_ref(),)).collect();
    let mut script = Script::default();
    script
        .push(
            "SELECT r.run_id, r.conclusion, r.parent_run, r.parent_generation, r.parent_op \
             FROM unnest($1::text[]) WITH ORDINALITY b (run_id, position) \
             JOIN workflow_runs r ON r.run_id = b.run_id ORDER BY b.position",
        )
        .bind_rows(&ids);
    let rows = rows_of(pool, &script).await?;
    let known = rows.iter().map(|row| {
        let run_id = text(row, 0)?;
        let state = read_state(&run_id, raw(row, 1)?.as_deref())?;
        Ok(KnownRun { run_id: run_id.into(), parent: read_parent(row, 2)?, state })
    });
    known.collect()
}

/// The values are literals, so that the server sees which of the conditions there are before it plans.
macro_rules! runs_from {
    ($source:literal, $run_id:literal) => {
        concat!(
            "SELECT r.run_id, workflow, version, conclusion, started_ms, ended_ms, \
             (SELECT count(*) FROM workflow_incidents i WHERE i.run_id = r.run_id) FROM ",
            $source,
            " WHERE ($2::text IS NULL OR workflow = $2) AND ($3::text IS NULL OR parent_run = $3) \
             AND (ended_ms IS NULL OR NOT $4::bool) ORDER BY ",
            $run_id,
            " LIMIT $5::int8"
        )
    };
}

const RUNS: &str = runs_from!("(SELECT * FROM workflow_runs WHERE run_id > $1) r", "r.run_id");

/// Incidents are few and ended runs many. `OFFSET 0` keeps the server from planning it the other way round, which it
/// may find cheaper while nobody has counted the rows.
const RUNS_WITH_INCIDENTS: &str = runs_from!(
    "(SELECT DISTINCT run_id FROM workflow_incidents WHERE run_id > $1 ORDER BY run_id OFFSET 0) x \
     CROSS JOIN LATERAL (SELECT * FROM workflow_runs w WHERE w.run_id = x.run_id OFFSET 0) r",
    "x.run_id"
);

pub(super) async fn runs(pool: &Arc<Pool>, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
    let mut script = Script::default();
    script
        .push(if filter.only_incidents { RUNS_WITH_INCIDENTS } else { RUNS })
        .bind(filter.after.as_deref().unwrap_or_default())
        .bind_optional(filter.workflow.as_deref())
        .bind_optional(filter.parent.as_deref())
        .bind_bool(filter.only_unfinished)
        .bind_number(i64::from(filter.limit));
    let read = |row: &PgRow| match read_summary(row) {
        Err(error) if error.fault() == StoreFault::Corrupt => {
            Ok(RunSummary::unreadable(text(row, 0)?.into(), error.to_string()))
        }
        read => read,
    };
    rows_of(pool, &script).await?.iter().map(read).collect()
}

fn read_summary(row: &PgRow) -> Result<RunSummary, StoreError> {
    let run_id = text(row, 0)?;
    Ok(RunSummary {
        workflow: text(row, 1)?,
        version: number(row, 2)?,
        state: read_state(&run_id, raw(row, 3)?.as_deref())?,
        started_ms: number(row, 4)?,
        ended_ms: optional(row, 5)?,
        incidents: number(row, 6)?,
        unreadable: None,
        run_id: run_id.into(),
    })
}

pub(super) async fn journal(pool: &Arc<Pool>, run_id: &str) -> Result<Vec<Record>, StoreError> {
    let mut script = Script::default();
    script
        .push("SELECT 2, run_id, seq, record FROM workflow_events WHERE run_id = $1 ORDER BY seq")
        .bind(run_id);
    let mut journal = Ok(Vec::new());
    for row in rows_of(pool, &script).await? {
        append(&mut journal, run_id, &row);
    }
    journal
}

pub(super) async fn schedules(pool: &Arc<Pool>) -> Result<Vec<KeptSchedule>, StoreError> {
    let mut script = Script::default();
    script.push(
        "SELECT workflow, cron, timezone, kept_until_ms, last_tick_ms FROM workflow_schedules ORDER BY workflow",
    );
    let read = |row: &PgRow| {
        Ok(KeptSchedule {
            workflow: text(row, 0)?,
            cron: text(row, 1)?,
            timezone: text(row, 2)?,
            kept_until_ms: number(row, 3)?,
            last_tick_ms: optional(row, 4)?,
        })
    };
    // One that cannot be read begins anew, as if nobody had kept it before.
    let legible = |row: &PgRow| legible(read(row), || text(row, 0).unwrap_or_default());
    rows_of(pool, &script).await?.iter().filter_map(|row| legible(row).transpose()).collect()
}

/// What can be read, where one row must not keep others from being read; what cannot be is said aloud.
pub(super) fn legible<T>(
    read: Result<T, StoreError>,
    row: impl FnOnce() -> String,
) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.fault() == StoreFault::Corrupt => {
            tracing::error!(row = row(), %error, "a row of the database is corrupt and is left out");
            Ok(None)
        }
        read => read.map(Some),
    }
}

/// Hands each offer to the turns whose run it is for, by their positions: a beginning that comes twice in one batch
/// is told twice, since only one of those who asked goes on with the run.
pub(super) fn assign_offers(
    rows: &[PgRow],
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
        let offer = read_offer(row, 0)?;
        for position in positions.get(&*offer.run_id).into_iter().flatten() {
            assign(*position, offer.clone());
        }
    }
    Ok(())
}

/// What each of these messages is offered to: rows with the position of the message behind the offer. The payload of a
/// message is in the first row in which it is offered, and shared by all who wait for it.
pub(super) fn offers_by_message(rows: &[PgRow], messages: usize) -> Result<Vec<Vec<Offer>>, StoreError> {
    let mut offers: Vec<Vec<Offer>> = vec![Vec::new(); messages];
    let mut payloads: BTreeMap<String, Payload> = BTreeMap::new();
    for row in rows {
        let position: usize = number(row, 4)?;
        let message_id = text(row, 2)?;
        if raw(row, 3)?.is_some() {
            payloads.insert(message_id.clone(), read_payload(row, 2)?);
        }
        let payload = payloads.get(&message_id).ok_or_else(|| missing(3))?.clone();
        let Some(offers) = offers.get_mut(position.wrapping_sub(1)) else { continue };
        offers.push(offer_of(row, 0, payload)?);
    }
    Ok(offers)
}

fn read_offer(row: &PgRow, column: usize) -> Result<Offer, StoreError> {
    offer_of(row, column, read_payload(row, column + 2)?)
}

/// The payload of a message, behind its id.
fn read_payload(row: &PgRow, column: usize) -> Result<Payload, StoreError> {
    Payload::from_json(text(row, column + 1)?).map_err(|error| {
        let message_id = text(row, column).unwrap_or_default();
        corrupt(format!("the message `{message_id}` cannot be read: {error}")).caused_by(error)
    })
}

fn offer_of(row: &PgRow, column: usize, payload: Payload) -> Result<Offer, StoreError> {
    let (run_id, op) = (text(row, column)?.into(), OpId::from_text(text(row, column + 1)?));
    Ok(Offer { run_id, op, message_id: text(row, column + 2)?, payload })
}
