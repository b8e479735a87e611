//! Messages in a SQLite file: kept, offered, taken, set aside and forgotten.
//! The statements for it; the rules are those of the memory store.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Params, Row};
use workflow_core::{OpId, Payload, Timestamp};

use super::connection::run;
use super::fleet::{Joined, wake};
use super::trouble::{Result, Trouble, legible, shown};
use super::turns::{TurnWriter, Write};
use crate::store::codec::reason_text;
use crate::store::{Delivered, NewMessage, Offer, ParkReason, StoreError, StoreFault, Turn, TurnOutcome};

/// The messages of a name and with a key that a run can have at the time `?1`: not settled, not expired, and not known
/// to it.
macro_rules! fitting {
    ($message:literal, $key:literal, $run:literal) => {
        concat!(
            "FROM workflow_messages x WHERE x.message = ",
            $message,
            " AND x.key = ",
            $key,
            " AND x.settled_ms IS NULL AND x.expires_ms > ?1 AND (NOT x.is_event OR NOT EXISTS \
             (SELECT 1 FROM workflow_takes t WHERE t.message_id = x.message_id AND t.run_id = ",
            $run,
            "))"
        )
    };
}

/// Whether there is a message that the wait `w` can have.
pub(super) const MESSAGE_THERE: &str =
    concat!("EXISTS (SELECT 1 ", fitting!("w.message", "w.key", "w.run_id"), ")");

/// Waits, each with the oldest message that it can have.
macro_rules! offers {
    ($which:literal) => {
        concat!(
            "SELECT w.run_id, w.op, m.message_id, m.payload FROM workflow_waits w \
             JOIN workflow_messages m ON m.number = (SELECT min(x.number) ",
            fitting!("w.message", "w.key", "w.run_id"),
            ") WHERE ",
            $which
        )
    };
}

/// What the waits can have that the turn began, and those that could not read what they were offered.
pub(super) fn offers_to(db: &Connection, turn: &Turn, now_ms: Timestamp) -> Result<Vec<Offer>> {
    let (run_id, changes) = (&*turn.lease.run_id, &turn.changes);
    let mut offers = Vec::new();
    if changes.conclusion.is_some() {
        return Ok(offers);
    }
    for (op, wait) in &changes.begin_waits {
        let sql = concat!(
            "SELECT ?4, ?5, x.message_id, x.payload ",
            fitting!("?2", "?3", "?4"),
            " ORDER BY x.number LIMIT 1"
        );
        offers.extend(read_offers(db, sql, (now_ms, &wait.message, &wait.key, run_id, op.as_str()))?);
    }
    let misfits = changes.misfits.values().map(|misfit| &misfit.op).collect::<BTreeSet<_>>();
    for op in misfits.into_iter().filter(|op| !changes.begin_waits.contains_key(*op)) {
        let sql = offers!("w.run_id = ?2 AND w.op = ?3");
        offers.extend(read_offers(db, sql, (now_ms, run_id, op.as_str()))?);
    }
    Ok(offers)
}

/// What the waits of a run can have.
pub(super) fn offers_to_run(db: &Connection, run_id: &str, now_ms: Timestamp) -> Result<Vec<Offer>> {
    read_offers(db, offers!("w.run_id = ?2 ORDER BY w.op"), (now_ms, run_id))
}

/// What those can have who wait for such a message, longest wait first. Also asked for duplicates: their first delivery
/// may have been cut off before anybody was told.
fn offers_for(db: &Connection, new: &NewMessage, now_ms: Timestamp) -> Result<Vec<Offer>> {
    let which = offers!("w.message = ?2 AND w.key = ?3 ORDER BY w.since_ms, w.run_id, w.op");
    read_offers(db, which, (now_ms, &new.message, &new.key))
}

fn read_offers(db: &Connection, sql: &str, params: impl Params) -> Result<Vec<Offer>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut offers: Vec<Offer> = Vec::new();
    while let Some(row) = rows.next()? {
        // A wait that has no name has nobody who could be told.
        let named = || format!("a wait of {}", shown(row, 0));
        let waits = row.get::<_, Arc<str>>(0).and_then(|run_id| Ok((run_id, row.get::<_, String>(1)?)));
        let Some((run_id, op)) = legible(waits.map_err(Trouble::from), named)? else { continue };
        let message_id: String = row.get(2)?;
        // Nearly always the same message for all who wait: it is read once and shared by them.
        let last = offers.last().filter(|last| last.message_id == message_id);
        let payload = match last {
            Some(last) => last.payload.clone(),
            None => read_payload(&message_id, row, 3)?,
        };
        offers.push(Offer { run_id, op: OpId::from_text(op), message_id, payload });
    }
    Ok(offers)
}

pub(super) fn read_payload(message_id: &str, row: &Row<'_>, column: usize) -> Result<Payload> {
    let payload = Payload::from_json(row.get(column)?).map_err(|error| {
        let message = format!("the message `{message_id}` cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })?;
    Ok(payload)
}

/// Whether the turn can have its messages.
pub(super) fn can_take(db: &Connection, turn: &Turn) -> Result<bool> {
    for message_id in turn.changes.take_messages.keys() {
        let free = "SELECT 1 FROM workflow_messages m WHERE m.message_id = ?1 AND m.settled_ms IS NULL \
             AND (NOT m.is_event OR NOT EXISTS (SELECT 1 FROM workflow_takes t \
             WHERE t.message_id = m.message_id AND t.run_id = ?2))";
        let mut statement = db.prepare_cached(free)?;
        if !statement.exists((message_id, &*turn.lease.run_id))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the turn does to messages, which it can have.
pub(super) fn take(db: &Connection, turn: &Turn) -> Result<()> {
    let run_id = &*turn.lease.run_id;
    for (message_id, op) in &turn.changes.take_messages {
        let taken = run(
            db,
            "UPDATE workflow_messages SET run_id = ?2, op = ?3, settled_ms = ?4 \
             WHERE message_id = ?1 AND NOT is_event",
            (message_id, run_id, op.as_str(), turn.at_ms),
        )?;
        if taken == 0 {
            let statement = "INSERT INTO workflow_takes (message_id, run_id, op) VALUES (?, ?, ?)";
            run(db, statement, (message_id, run_id, op.as_str()))?;
        }
    }
    for (message_id, misfit) in &turn.changes.misfits {
        let (op, error) = (misfit.op.clone(), misfit.error.clone());
        let reason = reason_text(&ParkReason::Misfit { run_id: run_id.to_owned(), op, error });
        let parked = run(
            db,
            "UPDATE workflow_messages SET settled_ms = ?2, reason = ?3 \
             WHERE message_id = ?1 AND settled_ms IS NULL AND NOT is_event",
            (message_id, turn.at_ms, &reason),
        )?;
        if parked == 0 {
            run(
                db,
                "INSERT INTO workflow_takes (message_id, run_id, op, reason) \
                 SELECT ?1, ?2, ?3, ?4 FROM workflow_messages \
                 WHERE message_id = ?1 AND is_event AND settled_ms IS NULL ON CONFLICT DO NOTHING",
                (message_id, run_id, misfit.op.as_str(), &reason),
            )?;
        }
    }
    Ok(())
}

/// Keeps messages, begins the runs that begin with them, and says who waits for them.
pub(super) fn deliver(
    db: &Connection,
    joined: &Joined,
    worker: &str,
    messages: &[NewMessage],
    now_ms: Timestamp,
) -> Result<Vec<Delivered>> {
    let mut writer = TurnWriter::new(db, joined)?;
    let kept = messages.iter().map(|new| keep(db, &mut writer, new, now_ms)).collect::<Result<Vec<_>>>()?;
    let delivered = messages.iter().zip(kept).map(|(new, (is_duplicate, writes))| {
        let starts = new.starts.iter().zip(writes).map(|(turn, write)| write.outcome(db, turn, now_ms));
        let starts = starts.collect::<Result<Vec<TurnOutcome>>>()?;
        Ok(Delivered { is_duplicate, offers: offers_for(db, new, now_ms)?, starts })
    });
    let delivered = delivered.collect::<Result<Vec<_>>>()?;
    let offers = delivered.iter().flat_map(|delivered| &delivered.offers);
    for run_id in offers.map(|offer| &*offer.run_id).collect::<BTreeSet<_>>() {
        wake(db, run_id, Some(worker))?;
    }
    Ok(delivered)
}

/// Keeps a message and begins its runs; says whether it was there already, and what became of the runs.
fn keep(
    db: &Connection,
    writer: &mut TurnWriter<'_>,
    new: &NewMessage,
    now_ms: Timestamp,
) -> Result<(bool, Vec<Write>)> {
    let may_begin = new.starts.iter().all(|turn| writer.has_worker(turn));
    if !may_begin && !is_duplicate(db, new, now_ms)? {
        // Kept, it would be taken by runs that never began.
        let lost = new.starts.iter().map(|_| Write::Refused(TurnOutcome::LostLease));
        return Ok((false, lost.collect()));
    }
    if may_begin && new.is_redelivery {
        give_way(db, &new.message_id, now_ms)?;
    }
    if !insert(db, new, now_ms)? {
        let written = |turn| match writer.is_written(turn)? {
            true => Ok(Write::DoneBefore),
            false => Ok(Write::Refused(TurnOutcome::Exists)),
        };
        return Ok((true, new.starts.iter().map(written).collect::<Result<_>>()?));
    }
    let mut writes = Vec::with_capacity(new.starts.len());
    for turn in &new.starts {
        let statement =
            "INSERT INTO workflow_takes (message_id, run_id, op) VALUES (?, ?, '') ON CONFLICT DO NOTHING";
        run(db, statement, (&new.message_id, &*turn.lease.run_id))?;
        writes.push(writer.write(turn)?);
    }
    Ok((false, writes))
}

/// Inserts a message, unless its id is known.
fn insert(db: &Connection, new: &NewMessage, now_ms: Timestamp) -> Result<bool> {
    let owner = new.starts.first().filter(|_| !new.is_event).map(|turn| &*turn.lease.run_id);
    let settled_ms = (owner.is_some() || new.parked.is_some()).then_some(now_ms);
    let inserted = run(
        db,
        "INSERT INTO workflow_messages (message_id, message, key, payload, delivered_ms, expires_ms, run_id, \
         is_event, settled_ms, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING",
        (
            &new.message_id,
            &new.message,
            &new.key,
            new.payload.as_json(),
            now_ms,
            new.expires_ms,
            owner.unwrap_or_default(),
            new.is_event,
            settled_ms,
            new.parked.as_ref().map(reason_text),
        ),
    )?;
    Ok(inserted > 0)
}

/// That a message `m` is parked at the time `?2`.
macro_rules! is_parked {
    () => {
        "(m.reason IS NOT NULL OR (m.settled_ms IS NULL AND NOT m.is_event AND m.expires_ms <= ?2) \
         OR EXISTS (SELECT 1 FROM workflow_takes t WHERE t.message_id = ?1 AND t.reason IS NOT NULL))"
    };
}

/// Whether a message of this id is known that does not give way to the new one.
fn is_duplicate(db: &Connection, new: &NewMessage, now_ms: Timestamp) -> Result<bool> {
    let sql = concat!(
        "SELECT 1 FROM workflow_messages m WHERE m.message_id = ?1 AND NOT (?3 AND ",
        is_parked!(),
        ")"
    );
    Ok(db.prepare_cached(sql)?.exists((&new.message_id, now_ms, new.is_redelivery))?)
}

/// Removes the message if it is parked, so that it can come again.
fn give_way(db: &Connection, message_id: &str, now_ms: Timestamp) -> Result<()> {
    let sql = concat!("DELETE FROM workflow_messages AS m WHERE m.message_id = ?1 AND ", is_parked!());
    run(db, sql, (message_id, now_ms))?;
    // What an event has reached before, it does not reach again.
    run(
        db,
        "DELETE FROM workflow_takes WHERE message_id = ?1 AND reason IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM workflow_messages WHERE message_id = ?1)",
        [message_id],
    )?;
    Ok(())
}

/// Throws a message away; says whether it is gone, `None` when there is no such message.
pub(super) fn discard(db: &Connection, message_id: &str, now_ms: Timestamp) -> Result<Option<bool>> {
    run(db, "DELETE FROM workflow_takes WHERE message_id = ? AND reason IS NOT NULL", [message_id])?;
    run(
        db,
        "UPDATE workflow_messages SET settled_ms = CASE WHEN is_event THEN coalesce(settled_ms, ?2) ELSE ?2 END, \
         reason = NULL WHERE message_id = ?1 AND (is_event OR run_id = '')",
        (message_id, now_ms),
    )?;
    let gone = "SELECT is_event OR run_id = '' FROM workflow_messages WHERE message_id = ?";
    Ok(db.prepare_cached(gone)?.query_row([message_id], |row| row.get(0)).optional()?)
}
