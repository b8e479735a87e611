//! Turns on their way into a SQLite file: each is judged and written for itself, by the rules of the memory store.
//! All turns of a batch are one transaction; the thread that they run on costs nothing more for a statement.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql};
use workflow_core::Timestamp;

use super::connection::run;
use super::fleet::{self, Joined};
use super::trouble::Result;
use super::{inbox, outbox};
use crate::store::codec::{conclusion_text, place_text, record_text, write_record};
use crate::store::{Lease, NewRun, Turn, TurnOutcome};

/// What became of a turn.
pub(super) enum Write {
    Done,
    /// A call that failed has written it all the same.
    DoneBefore,
    Refused(TurnOutcome),
}

/// Writes turns; one that is refused leaves no trace.
pub(super) fn commit(
    db: &Connection,
    joined: &Joined,
    turns: &[Arc<Turn>],
    now_ms: Timestamp,
) -> Result<Vec<TurnOutcome>> {
    let mut writer = TurnWriter::new(db, joined)?;
    let writes = turns.iter().map(|turn| writer.write(turn)).collect::<Result<Vec<_>>>()?;
    turns.iter().zip(writes).map(|(turn, write)| write.outcome(db, turn, now_ms)).collect()
}

impl Write {
    /// Asked once all turns of a batch are written: the message that a wait can have may be gone by then.
    pub(super) fn outcome(self, db: &Connection, turn: &Turn, now_ms: Timestamp) -> Result<TurnOutcome> {
        match self {
            Write::Done | Write::DoneBefore => Ok(TurnOutcome::Written(inbox::offers_to(db, turn, now_ms)?)),
            Write::Refused(outcome) => Ok(outcome),
        }
    }
}

/// Writes one turn after the other, and keeps the statements at hand that every one of them needs.
pub(super) struct TurnWriter<'a> {
    db: &'a Connection,
    joined: &'a Joined,
    look: CachedStatement<'a>,
    append: CachedStatement<'a>,
    /// Records as JSON, one after the other.
    text: Vec<u8>,
}

impl<'a> TurnWriter<'a> {
    pub(super) fn new(db: &'a Connection, joined: &'a Joined) -> Result<TurnWriter<'a>> {
        let look = db.prepare_cached(
            "SELECT epoch, holder, ended_ms IS NOT NULL, generation, \
             CAST(coalesce((SELECT max(seq) FROM workflow_events e WHERE e.run_id = r.run_id), 0) AS INTEGER) \
             FROM workflow_runs r WHERE run_id = ?",
        )?;
        let append = "INSERT INTO workflow_events (run_id, seq, at_ms, record) VALUES (?, ?, ?, ?)";
        Ok(TurnWriter { db, joined, look, append: db.prepare_cached(append)?, text: Vec::new() })
    }

    pub(super) fn write(&mut self, turn: &Turn) -> Result<Write> {
        // Hardly ever is there a run already of which a turn is the first: that is looked at only if there is.
        if let Some(begins @ NewRun { generation: 1, .. }) = &turn.begins
            && self.has_worker(turn)
            && inbox::can_take(self.db, turn)?
            && begin(self.db, turn, begins)?
        {
            return self.go_on(turn);
        }
        let run = self.look(&turn.lease.run_id)?;
        let refusal = match (&turn.begins, &run) {
            _ if !self.has_worker(turn) => Some(TurnOutcome::LostLease),
            (Some(NewRun { generation: 1, .. }), None) => Some(TurnOutcome::MessageTaken),
            (Some(NewRun { generation: 1, .. }), Some(_)) => Some(TurnOutcome::Exists),
            (Some(begins), Some(run)) if run.can_begin_anew(turn, begins) => None,
            (None, Some(run)) if run.can_write(turn) => None,
            _ => Some(TurnOutcome::LostLease),
        };
        match (refusal, &run) {
            (Some(_), Some(run)) if run.has_written(self.db, turn)? => return Ok(Write::DoneBefore),
            (Some(refusal), _) => return Ok(Write::Refused(refusal)),
            (None, _) => {}
        }
        if !inbox::can_take(self.db, turn)? {
            return Ok(Write::Refused(TurnOutcome::MessageTaken));
        }
        if let Some(begins) = &turn.begins {
            begin_anew(self.db, turn, begins)?;
        }
        self.go_on(turn)
    }

    /// All that a turn writes beside the beginning of its run.
    fn go_on(&mut self, turn: &Turn) -> Result<Write> {
        self.append(turn)?;
        inbox::take(self.db, turn)?;
        change(self.db, turn)?;
        outbox::put(self.db, turn)?;
        fleet::tell(self.db, turn)?;
        end(self.db, turn)?;
        Ok(Write::Done)
    }

    /// Whether a write of whoever wants this turn is taken at all.
    pub(super) fn has_worker(&self, turn: &Turn) -> bool {
        self.joined.is(&turn.lease.worker)
    }

    /// Whether a call that failed has written this very turn all the same.
    pub(super) fn is_written(&mut self, turn: &Turn) -> Result<bool> {
        match self.look(&turn.lease.run_id)? {
            Some(run) => run.has_written(self.db, turn),
            None => Ok(false),
        }
    }

    fn look(&mut self, run_id: &str) -> Result<Option<Seen>> {
        let seen = self.look.query_row([run_id], |row| {
            Ok(Seen {
                epoch: row.get(0)?,
                holder: row.get(1)?,
                has_ended: row.get(2)?,
                generation: row.get(3)?,
                last_seq: row.get(4)?,
            })
        });
        Ok(seen.optional()?)
    }

    fn append(&mut self, turn: &Turn) -> Result<()> {
        for (seq, record) in (turn.first_seq..).zip(&turn.records) {
            self.text.clear();
            write_record(record, &mut self.text);
            self.append.execute((&*turn.lease.run_id, seq, record.at_ms, Text(&self.text)))?;
        }
        Ok(())
    }
}

/// What the database says about the run of a turn.
struct Seen {
    epoch: i64,
    holder: Option<Arc<str>>,
    has_ended: bool,
    generation: u32,
    last_seq: i64,
}

impl Seen {
    /// Whether the turn may take the place of the journal.
    fn can_begin_anew(&self, turn: &Turn, begins: &NewRun) -> bool {
        let is_next = begins.generation == self.generation + 1 && turn.first_seq == 1;
        self.is_held(&turn.lease) && is_next
    }

    fn is_held(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch && self.holder.as_ref() == Some(&lease.worker) && !self.has_ended
    }

    fn can_write(&self, turn: &Turn) -> bool {
        let is_next = turn.records.is_empty() || turn.first_seq == self.last_seq + 1;
        self.is_held(&turn.lease) && is_next
    }

    /// Nobody can have gone on from a write that nobody was told of: the rows must be the last ones.
    fn has_written(&self, db: &Connection, turn: &Turn) -> Result<bool> {
        let count = i64::try_from(turn.records.len()).expect("a batch fits in memory");
        let is_same_journal = turn.begins.as_ref().is_none_or(|begins| begins.generation == self.generation);
        // Whoever is told that a run has begun drives it.
        let is_driven = turn.begins.as_ref().is_some_and(|begins| begins.parks_until.is_none());
        let is_ours = !is_driven || self.has_ended || self.holder.as_ref() == Some(&turn.lease.worker);
        let may_be = self.epoch == turn.lease.epoch && is_same_journal && is_ours && count > 0;
        if !may_be || self.last_seq != turn.first_seq - 1 + count {
            return Ok(false);
        }
        let mut statement = db.prepare_cached(
            "SELECT record FROM workflow_events WHERE run_id = ? AND seq >= ? ORDER BY seq",
        )?;
        let rows =
            statement.query_map((&*turn.lease.run_id, turn.first_seq), |row| row.get::<_, String>(0))?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(rows.into_iter().eq(turn.records.iter().map(record_text)))
    }
}

/// The run is there from now on; false when it was there before.
fn begin(db: &Connection, turn: &Turn, begins: &NewRun) -> Result<bool> {
    let parent = begins.parent.as_ref();
    let begun = run(
        db,
        "INSERT INTO workflow_runs \
         (run_id, workflow, version, epoch, started_ms, parent_run, parent_generation, parent_op, holder, wake_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO NOTHING",
        (
            &*turn.lease.run_id,
            &begins.workflow,
            begins.version,
            turn.lease.epoch,
            turn.at_ms,
            parent.map(|parent| &parent.run_id),
            parent.map(|parent| parent.generation),
            parent.map(|parent| parent.op.as_str()),
            begins.parks_until.is_none().then_some(&*turn.lease.worker),
            begins.parks_until,
        ),
    )?;
    Ok(begun == 1)
}

/// Another journal takes the place of the run's own.
fn begin_anew(db: &Connection, turn: &Turn, begins: &NewRun) -> Result<()> {
    let run_id = &*turn.lease.run_id;
    run(
        db,
        "UPDATE workflow_runs SET version = ?2, generation = ?3 WHERE run_id = ?1",
        (run_id, begins.version, begins.generation),
    )?;
    run(db, "DELETE FROM workflow_events WHERE run_id = ?", [run_id])?;
    Ok(())
}

/// JSON in a buffer.
struct Text<'a>(&'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// What changes beside the journal. Removals come first, so that what is set again stays. (`INSERT OR REPLACE` would
/// make SQLite copy each page that it touches first.)
fn change(db: &Connection, turn: &Turn) -> Result<()> {
    let (run_id, changes) = (&*turn.lease.run_id, &turn.changes);
    for op in &changes.clear_timers {
        run(db, "DELETE FROM workflow_timers WHERE run_id = ? AND op = ?", (run_id, op.as_str()))?;
    }
    for (op, due_ms) in &changes.set_timers {
        let statement = "INSERT INTO workflow_timers (run_id, op, due_ms) VALUES (?, ?, ?) \
             ON CONFLICT DO UPDATE SET due_ms = excluded.due_ms";
        run(db, statement, (run_id, op.as_str(), due_ms))?;
    }
    for op in &changes.end_waits {
        run(db, "DELETE FROM workflow_waits WHERE run_id = ? AND op = ?", (run_id, op.as_str()))?;
    }
    for (op, wait) in &changes.begin_waits {
        run(
            db,
            "INSERT INTO workflow_waits (run_id, op, message, key, since_ms) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET message = excluded.message, key = excluded.key, since_ms = excluded.since_ms",
            (run_id, op.as_str(), &wait.message, &wait.key, wait.since_ms),
        )?;
    }
    for place in &changes.close_incidents {
        let statement = "DELETE FROM workflow_incidents WHERE run_id = ? AND place = ?";
        run(db, statement, (run_id, place_text(place)))?;
    }
    for (place, cause) in &changes.open_incidents {
        run(
            db,
            "INSERT OR REPLACE INTO workflow_incidents (run_id, place, cause, since_ms) VALUES (?, ?, ?, ?)",
            (run_id, place_text(place), cause, turn.at_ms),
        )?;
    }
    if let Some(progress) = &changes.progress {
        run(db, "UPDATE workflow_runs SET progress = ?2 WHERE run_id = ?1", (run_id, progress.as_json()))?;
    }
    if changes.takes_cancel {
        run(db, "UPDATE workflow_runs SET cancel_reason = NULL WHERE run_id = ?", [run_id])?;
    }
    Ok(())
}

fn end(db: &Connection, turn: &Turn) -> Result<()> {
    let Some(conclusion) = &turn.changes.conclusion else { return Ok(()) };
    let run_id = &*turn.lease.run_id;
    run(
        db,
        "UPDATE workflow_runs SET ended_ms = ?2, conclusion = ?3, cancel_reason = NULL WHERE run_id = ?1",
        (run_id, turn.at_ms, conclusion_text(conclusion)),
    )?;
    // Hardly ever is anything left, and SQLite makes a table for what it is about to remove before it looks.
    let mut left = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM workflow_timers WHERE run_id = ?1), \
         EXISTS (SELECT 1 FROM workflow_waits WHERE run_id = ?1), \
         EXISTS (SELECT 1 FROM workflow_incidents WHERE run_id = ?1)",
    )?;
    let left: [bool; 3] = left.query_row([run_id], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
    let statements = [
        "DELETE FROM workflow_timers WHERE run_id = ?",
        "DELETE FROM workflow_waits WHERE run_id = ?",
        "DELETE FROM workflow_incidents WHERE run_id = ?",
    ];
    for (statement, _) in statements.into_iter().zip(left).filter(|(_, is_left)| *is_left) {
        run(db, statement, [run_id])?;
    }
    Ok(())
}
