//! Which turns of a batch must be refused, looked at one by one: the slow way, taken when the fast one failed.
//! The same rules as in the memory store, over what SQLite says.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::Row;
use workflow_core::Timestamp;

use super::batch::{self, Script};
use super::inbox::Free;
use super::writer::Writer;
use super::{fault, read};
use crate::store::codec::record_text;
use crate::store::{NewRun, StoreError, Turn, TurnOutcome};

/// Whether the fast way could miss a refusal: a turn without a row of the journal breaks no constraint, nor does one
/// of an engine that the file no longer serves.
pub(super) fn needs_a_look(turns: &[Turn], worker: Option<&str>) -> bool {
    turns.iter().any(|turn| turn.records.is_empty() || Some(&*turn.lease.worker) != worker)
}

enum Verdict {
    Write,
    /// A call that failed did write it.
    Written,
    Refuse(TurnOutcome),
}

/// A turn that may not be new is only looked for: a call that failed may have written it.
pub(super) async fn commit_what_is_not_refused(
    writer: &mut Writer,
    turns: &[&Turn],
    may_be_new: impl Fn(usize) -> bool,
    now_ms: Timestamp,
) -> Result<Vec<TurnOutcome>, StoreError> {
    let mut seen = Seen::read(writer, turns).await?;
    let mut outcomes = Vec::with_capacity(turns.len());
    let (mut to_write, mut written) = (Vec::new(), Vec::new());
    for (index, turn) in turns.iter().copied().enumerate() {
        match seen.judge(turn, may_be_new(index)) {
            Verdict::Refuse(outcome) => {
                outcomes.push(outcome);
                continue;
            }
            Verdict::Write => to_write.push(turn),
            Verdict::Written => {}
        }
        written.push((outcomes.len(), turn));
        outcomes.push(TurnOutcome::Written(Vec::new()));
    }
    writer.run_inside(batch::turns(&to_write)).await?;
    let positions: Vec<usize> = written.iter().map(|(position, _)| *position).collect();
    let written: Vec<&Turn> = written.into_iter().map(|(_, turn)| turn).collect();
    let rows = writer.run_inside(Script::default().and_offers(&written, now_ms)).await?;
    read::assign_offers(&rows, &written, |index, offer| {
        if let TurnOutcome::Written(offers) = &mut outcomes[positions[index]] {
            offers.push(offer);
        }
    })?;
    Ok(outcomes)
}

/// What the database says about the runs and messages of a batch, and what the batch itself has done so far.
struct Seen {
    /// The engine that the file serves.
    worker: Option<Arc<str>>,
    runs: BTreeMap<String, SeenRun>,
    free: Free,
}

struct SeenRun {
    epoch: i64,
    holder: Option<String>,
    has_ended: bool,
    generation: u32,
    last_seq: i64,
    /// Rows of the journal at the places where the batch wants to write.
    rows: BTreeMap<i64, String>,
}

impl Seen {
    async fn read(writer: &mut Writer, turns: &[&Turn]) -> Result<Seen, StoreError> {
        let places: Vec<_> = turns.iter().map(|turn| (turn.lease.run_id.as_ref(), turn.first_seq)).collect();
        let mut script = Script::default();
        script
            .push(
                "SELECT r.run_id, r.epoch, r.ended_ms IS NOT NULL, r.generation, r.holder, \
                 (SELECT coalesce(max(seq), 0) FROM workflow_events e WHERE e.run_id = r.run_id) \
                 FROM json_each(?) b JOIN workflow_runs r ON r.run_id = b.value ->> 0",
            )
            .bind_rows(&places);
        let mut runs = BTreeMap::new();
        for row in writer.run_inside(script).await? {
            let run_id: String = row.try_get(0).map_err(fault)?;
            let seen = SeenRun {
                epoch: row.try_get(1).map_err(fault)?,
                has_ended: row.try_get(2).map_err(fault)?,
                generation: row.try_get(3).map_err(fault)?,
                holder: row.try_get(4).map_err(fault)?,
                last_seq: row.try_get(5).map_err(fault)?,
                rows: BTreeMap::new(),
            };
            runs.insert(run_id, seen);
        }
        let mut script = Script::default();
        script
            .push(
                "SELECT e.run_id, e.seq, e.record FROM json_each(?) b \
                 JOIN workflow_events e ON e.run_id = b.value ->> 0 AND e.seq >= b.value ->> 1",
            )
            .bind_rows(&places);
        for row in writer.run_inside(script).await? {
            let run_id: &str = row.try_get(0).map_err(fault)?;
            if let Some(run) = runs.get_mut(run_id) {
                run.rows.insert(row.try_get(1).map_err(fault)?, row.try_get(2).map_err(fault)?);
            }
        }
        let worker = writer.worker();
        Ok(Seen { worker, runs, free: Free::read(writer, turns).await? })
    }

    fn is_joined(&self, worker: &str) -> bool {
        self.worker.as_deref() == Some(worker)
    }

    fn judge(&mut self, turn: &Turn, may_be_new: bool) -> Verdict {
        let run_id = turn.lease.run_id.as_ref();
        let run = self.runs.get(run_id);
        if run.is_some_and(|run| run.has_written(turn)) {
            return Verdict::Written;
        }
        if !self.is_joined(&turn.lease.worker) {
            return Verdict::Refuse(TurnOutcome::LostLease);
        }
        if !may_be_new {
            return Verdict::Refuse(TurnOutcome::Exists);
        }
        match (&turn.begins, run) {
            (Some(NewRun { generation: 1, .. }), Some(_)) => return Verdict::Refuse(TurnOutcome::Exists),
            (Some(NewRun { generation: 1, .. }), None) => {}
            (Some(begins), Some(run)) if run.can_begin_anew(turn, begins) => {}
            (Some(_), _) => return Verdict::Refuse(TurnOutcome::LostLease),
            (None, Some(run)) if run.can_write(turn) => {}
            (None, _) => return Verdict::Refuse(TurnOutcome::LostLease),
        }
        let last_seq = run.map_or(0, |run| run.last_seq);
        let run_generation = run.map(|run| run.generation);
        if !self.free.take(turn) {
            return Verdict::Refuse(TurnOutcome::MessageTaken);
        }
        let records = i64::try_from(turn.records.len()).expect("a batch fits in memory");
        let last_seq = if turn.begins.is_some() { 0 } else { last_seq };
        let generation = turn.begins.as_ref().map(|begins| begins.generation);
        let run = SeenRun {
            epoch: turn.lease.epoch,
            holder: batch::holder(turn).map(str::to_owned),
            has_ended: turn.changes.conclusion.is_some(),
            generation: generation.or(run_generation).unwrap_or(1),
            last_seq: last_seq + records,
            rows: (turn.first_seq..).zip(turn.records.iter().map(record_text)).collect(),
        };
        self.runs.insert(run_id.to_owned(), run);
        Verdict::Write
    }
}

impl SeenRun {
    /// Whether the turn may take the place of the journal.
    fn can_begin_anew(&self, turn: &Turn, begins: &NewRun) -> bool {
        let is_next = begins.generation == self.generation + 1 && turn.first_seq == 1;
        self.is_held(turn) && is_next
    }

    fn is_held(&self, turn: &Turn) -> bool {
        let lease = &turn.lease;
        self.epoch == lease.epoch && self.holder.as_deref() == Some(&*lease.worker) && !self.has_ended
    }

    fn can_write(&self, turn: &Turn) -> bool {
        let is_next = turn.records.is_empty() || turn.first_seq == self.last_seq + 1;
        self.is_held(turn) && is_next
    }

    /// Nobody can have gone on from a write that nobody was told of: the rows must be the last ones.
    fn has_written(&self, turn: &Turn) -> bool {
        let mut records = (turn.first_seq..).zip(&turn.records);
        let count = i64::try_from(turn.records.len()).expect("a batch fits in memory");
        let is_same_journal = turn.begins.as_ref().is_none_or(|begins| begins.generation == self.generation);
        self.epoch == turn.lease.epoch
            && is_same_journal
            && count > 0
            && self.last_seq == turn.first_seq - 1 + count
            && records.all(|(seq, record)| self.rows.get(&seq).is_some_and(|row| *row == record_text(record)))
    }
}
