//! Which turns of a batch must be refused, looked at one by one: the slow way, taken when the fast one failed.
//! The same rules as in the memory store, over what Postgres says.

use std::collections::{BTreeMap, BTreeSet};

use super::batch;
use super::fault;
use super::inbox::Free;
use super::pool::Held;
use super::read::{number, optional, text};
use super::script::Script;
use crate::store::codec::record_text;
use crate::store::{Lease, NewRun, StoreError, Turn, TurnOutcome};

/// Whether the fast way could miss a refusal: a turn without a row of the journal breaks no constraint, and only one
/// worker is locked.
pub(super) fn needs_a_look(turns: &[&Turn]) -> bool {
    let first = turns.first().map(|turn| &turn.lease.worker);
    turns.iter().any(|turn| turn.records.is_empty() || Some(&turn.lease.worker) != first)
}

enum Verdict {
    Write,
    /// A call that failed did write it.
    Written,
    Refuse(TurnOutcome),
}

/// Writes what can be written, inside of the transaction that is open. A turn that may not be new is only looked for:
/// a call that failed may have written it. Those that are written are still to be told what their waits can have.
pub(super) async fn write_what_is_not_refused(
    held: &mut Held,
    turns: &[&Turn],
    may_be_new: impl Fn(usize) -> bool,
) -> Result<Vec<TurnOutcome>, StoreError> {
    let mut seen = Seen::read(held, turns).await?;
    let (mut outcomes, mut to_write) = (Vec::with_capacity(turns.len()), Vec::new());
    for (index, turn) in turns.iter().copied().enumerate() {
        outcomes.push(match seen.judge(turn, may_be_new(index)) {
            Verdict::Refuse(outcome) => outcome,
            Verdict::Write => {
                to_write.push(turn);
                TurnOutcome::Written(Vec::new())
            }
            Verdict::Written => TurnOutcome::Written(Vec::new()),
        });
    }
    let mut script = Script::default();
    batch::write(&mut script, &to_write);
    held.run(&script).await.map_err(fault)?;
    Ok(outcomes)
}

/// What the database says about the runs and messages of a batch, and what the batch itself has done so far.
struct Seen {
    workers: BTreeSet<String>,
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

const WORKERS: &str = "SELECT 1, worker FROM workflow_workers WHERE worker = ANY ($1::text[]) AND NOT is_gone \
     ORDER BY worker FOR KEY SHARE";

/// Those of these workers that are there, and that nobody gives up until the transaction ends.
pub(super) async fn lock_workers<'a>(
    held: &mut Held,
    workers: impl Iterator<Item = &'a str>,
) -> Result<BTreeSet<String>, StoreError> {
    let workers: BTreeSet<_> = workers.map(|worker| (worker,)).collect();
    let mut script = Script::default();
    script.push(WORKERS).bind_rows(&workers.into_iter().collect::<Vec<_>>());
    held.run(&script).await.map_err(fault)?.iter().map(|row| text(row, 1)).collect()
}

impl Seen {
    /// Reads it, and keeps others from changing it until the transaction ends.
    async fn read(held: &mut Held, turns: &[&Turn]) -> Result<Seen, StoreError> {
        let workers: BTreeSet<_> = turns.iter().map(|turn| (turn.lease.worker.as_ref(),)).collect();
        let places: BTreeSet<_> =
            turns.iter().map(|turn| (turn.lease.run_id.as_ref(), turn.first_seq)).collect();
        let (workers, places): (Vec<_>, Vec<_>) =
            (workers.into_iter().collect(), places.into_iter().collect());
        let mut script = Script::default();
        script.push(WORKERS).bind_rows(&workers);
        script
            .push(
                "SELECT 2, run_id, epoch, holder, ended_ms IS NOT NULL, generation FROM workflow_runs \
                 WHERE run_id = ANY ($1::text[]) ORDER BY run_id FOR NO KEY UPDATE",
            )
            .bind_rows(&places);
        script
            .push(
                "SELECT 3, r.run_id, (SELECT coalesce(max(e.seq), 0) FROM workflow_events e WHERE e.run_id = r.run_id) \
                 FROM workflow_runs r WHERE r.run_id = ANY ($1::text[])",
            )
            .bind_rows(&places);
        script
            .push(
                "SELECT 4, e.run_id, e.seq, e.record FROM unnest($1::text[], $2::int8[]) b (run_id, seq) \
                 JOIN workflow_events e ON e.run_id = b.run_id AND e.seq >= b.seq",
            )
            .bind_rows(&places);
        let (mut workers, mut runs) = (BTreeSet::new(), BTreeMap::new());
        for row in held.run(&script).await.map_err(fault)? {
            let (kind, id): (i32, String) = (number(&row, 0)?, text(&row, 1)?);
            match kind {
                1 => {
                    workers.insert(id);
                }
                2 => {
                    let seen = SeenRun {
                        epoch: number(&row, 2)?,
                        holder: optional(&row, 3)?,
                        has_ended: text(&row, 4)? == "t",
                        generation: number(&row, 5)?,
                        last_seq: 0,
                        rows: BTreeMap::new(),
                    };
                    runs.insert(id, seen);
                }
                _ => {
                    let Some(run) = runs.get_mut(&id) else { continue };
                    if kind == 3 {
                        run.last_seq = number(&row, 2)?;
                    } else {
                        run.rows.insert(number(&row, 2)?, text(&row, 3)?);
                    }
                }
            }
        }
        Ok(Seen { workers, runs, free: Free::read(held, turns).await? })
    }

    fn judge(&mut self, turn: &Turn, may_be_new: bool) -> Verdict {
        let run_id = turn.lease.run_id.as_ref();
        let run = self.runs.get(run_id);
        if run.is_some_and(|run| run.has_written(turn)) {
            return Verdict::Written;
        }
        if !may_be_new {
            return Verdict::Refuse(TurnOutcome::Exists);
        }
        if !self.workers.contains(&*turn.lease.worker) {
            return Verdict::Refuse(TurnOutcome::LostLease);
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
        self.is_held(&turn.lease) && is_next
    }

    fn is_held(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch && self.holder.as_deref() == Some(&*lease.worker) && !self.has_ended
    }

    fn can_write(&self, turn: &Turn) -> bool {
        let is_next = turn.records.is_empty() || turn.first_seq == self.last_seq + 1;
        self.is_held(&turn.lease) && is_next
    }

    /// Nobody can have gone on from a write that nobody was told of: the rows must be the last ones.
    fn has_written(&self, turn: &Turn) -> bool {
        let mut records = (turn.first_seq..).zip(&turn.records);
        let count = i64::try_from(turn.records.len()).expect("a batch fits in memory");
        let is_same_journal = turn.begins.as_ref().is_none_or(|begins| begins.generation == self.generation);
        // Who began a run and has let go of it must not go on with it.
        let is_beginning = turn.begins.as_ref().is_some_and(|begins| begins.generation == 1);
        let is_let_go = is_beginning && self.holder.as_deref() != batch::holder(turn);
        self.epoch == turn.lease.epoch
            && is_same_journal
            && !is_let_go
            && count > 0
            && self.last_seq == turn.first_seq - 1 + count
            && records.all(|(seq, record)| self.rows.get(&seq).is_some_and(|row| *row == record_text(record)))
    }
}
