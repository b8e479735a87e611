//! The statements that write turns, many rows at once, and those that say what waits can have.
//! What it knows of a row is where its values go; the rules are those of the memory store.

use std::collections::BTreeSet;

use workflow_core::Timestamp;

use super::literal::Values;
use super::script::Script;
use super::{fleet, inbox, outbox};
use crate::store::codec::{conclusion_text, place_text, record_text};
use crate::store::{NewMessage, Turn};

/// The messages that a wait `w` can have: not settled, not expired, and not known to the run. (`+ 0`: found by what
/// they are called, never by when they expire.)
macro_rules! fitting_messages {
    ($now_ms:literal) => {
        concat!(
            "FROM workflow_messages x WHERE x.message = w.message AND x.key = w.key AND x.settled_ms IS NULL \
             AND x.expires_ms + 0 > ",
            $now_ms,
            " AND (NOT x.is_event OR NOT EXISTS (SELECT 1 FROM workflow_takes t \
              WHERE t.message_id = x.message_id AND t.run_id = w.run_id))"
        )
    };
}
pub(super) use fitting_messages;

/// What a wait can have: the oldest message that fits.
macro_rules! oldest_message {
    ($now_ms:literal) => {
        concat!(
            "JOIN workflow_messages m ON m.number = (SELECT min(x.number) ",
            fitting_messages!($now_ms),
            ") "
        )
    };
}

const OFFERS_TO_WAITS: &str = concat!(
    "SELECT w.run_id, w.op, m.message_id, m.payload FROM unnest($1::text[], $2::text[]) b (run_id, op) \
     JOIN workflow_waits w ON w.run_id = b.run_id AND w.op = b.op ",
    oldest_message!("$3::int8")
);

pub(super) const OFFERS_TO_RUNS: &str = concat!(
    "SELECT 3, w.run_id, w.op, m.message_id, m.payload FROM unnest($1::text[]) WITH ORDINALITY b (run_id, position) \
     JOIN workflow_waits w ON w.run_id = b.run_id ",
    oldest_message!("$2::int8"),
    "ORDER BY b.position, w.op"
);

/// Who waits for these messages: all runs of this worker, and of others, and of those that nobody holds, only one,
/// which stands for all of them: they are woken. A payload comes once, however many wait for it. Also for messages that
/// are duplicates: their first delivery may have been cut off before anybody was told.
const OFFERS_TO_ALL: &str = concat!(
    "WITH o AS MATERIALIZED (SELECT w.run_id, w.op, w.since_ms, b.position, \
      r.holder IS NOT DISTINCT FROM $4 AS is_mine, (SELECT min(x.number) ",
    fitting_messages!("$3::int8"),
    ") AS number FROM unnest($1::text[], $2::text[]) WITH ORDINALITY b (message, key, position) \
      JOIN workflow_waits w ON w.message = b.message AND w.key = b.key JOIN workflow_runs r ON r.run_id = w.run_id), \
     n AS (SELECT o.*, row_number() OVER (PARTITION BY position, is_mine ORDER BY since_ms, run_id, op) AS nth \
      FROM o WHERE number IS NOT NULL), \
     k AS (SELECT n.*, row_number() OVER (PARTITION BY number ORDER BY position, since_ms, run_id, op) AS copy \
      FROM n WHERE is_mine OR nth = 1) \
     SELECT k.run_id, k.op, m.message_id, CASE WHEN k.copy = 1 THEN m.payload END, k.position \
     FROM k JOIN workflow_messages m ON m.number = k.number ORDER BY k.position, k.since_ms, k.run_id, k.op"
);

/// Locks the worker's own row against being given up until the transaction ends. Divides by zero when it is not there
/// any more.
const FENCE: &str = "SELECT 1 FROM (SELECT 1 FROM workflow_workers WHERE worker = $1 AND NOT is_gone FOR KEY SHARE) w \
     HAVING 1 / count(*) = 0";

const RUNS: &str = "INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, parent_run, \
     parent_generation, parent_op, holder, wake_ms) \
     SELECT * FROM unnest($1::text[], $2::text[], $3::int4[], $4::int8[], $5::int8[], $6::text[], $7::int4[], \
     $8::text[], $9::text[], $10::int8[])";

/// A row whose lease is lost has no number, which the table does not allow: the whole script fails.
const EVENTS: &str = "INSERT INTO workflow_events (run_id, seq, at_ms, record) \
     SELECT b.run_id, CASE WHEN (SELECT r.epoch = b.epoch AND r.holder IS NOT DISTINCT FROM b.holder \
      AND r.ended_ms IS NULL FROM workflow_runs r WHERE r.run_id = b.run_id) THEN b.seq END, b.at_ms, b.record \
     FROM unnest($1::text[], $2::int8[], $3::text[], $4::int8[], $5::int8[], $6::text[]) \
     b (run_id, epoch, holder, seq, at_ms, record)";

/// Everything that these turns of one worker write.
pub(super) fn turns(turns: &[&Turn]) -> Script {
    let mut script = Script::default();
    if let Some(turn) = turns.first() {
        script.push(FENCE).bind(&turn.lease.worker).often();
    }
    write(&mut script, turns);
    script
}

/// The same behind a lock that is held already.
pub(super) fn write(script: &mut Script, turns: &[&Turn]) {
    let mut runs: Vec<_> = turns
        .iter()
        .filter_map(|turn| {
            let begins = turn.begins.as_ref().filter(|begins| begins.generation == 1)?;
            let parent = begins.parent.as_ref();
            Some((
                turn.lease.run_id.as_ref(),
                &begins.workflow,
                begins.version,
                turn.lease.epoch,
                turn.at_ms,
                parent.map(|parent| &parent.run_id),
                parent.map(|parent| parent.generation),
                parent.map(|parent| parent.op.as_str()),
                holder(turn),
                begins.parks_until,
            ))
        })
        .collect();
    // Who begins the same runs meanwhile waits for the first of them, and not both for each other.
    runs.sort_unstable();
    script.push_rows(RUNS, &runs);
    beginnings_anew(script, turns);
    let events: Vec<_> = turns
        .iter()
        .flat_map(|turn| {
            (turn.first_seq..).zip(&turn.records).map(|(seq, record)| {
                let lease = &turn.lease;
                let text = record_text(record);
                (lease.run_id.as_ref(), lease.epoch, holder(turn), seq, record.at_ms, text)
            })
        })
        .collect();
    script.push_rows(EVENTS, &events);
    inbox::takes(script, turns);
    changes(script, turns);
    outbox::put(script, turns);
    fleet::tell(script, turns);
    endings(script, turns);
}

/// What the waits that these turns began can have.
pub(super) fn offers(turns: &[&Turn], now_ms: Timestamp) -> Script {
    let waits = turns.iter().flat_map(|turn| {
        let misfits = turn.changes.misfits.values().map(|misfit| &misfit.op);
        let ops = turn.changes.begin_waits.keys().chain(misfits);
        ops.map(|op| (turn.lease.run_id.as_ref(), op.as_str()))
    });
    // The same beginning may be there twice; a wait is asked about once.
    let waits: Vec<_> = waits.collect::<BTreeSet<_>>().into_iter().collect();
    let mut script = Script::default();
    if !waits.is_empty() {
        script.push(OFFERS_TO_WAITS).bind_rows(&waits).bind_number(now_ms);
    }
    script
}

/// Who waits for such messages, and what each can have.
pub(super) fn offers_to_all(worker: &str, messages: &[NewMessage], now_ms: Timestamp) -> Script {
    let keys: Vec<_> = messages.iter().map(|new| (&new.message, &new.key)).collect();
    let mut script = Script::default();
    script.push(OFFERS_TO_ALL).bind_rows(&keys).bind_number(now_ms).bind(worker);
    script
}

/// Who holds the run once the turn is written.
pub(super) fn holder(turn: &Turn) -> Option<&str> {
    let is_parked = turn.begins.as_ref().is_some_and(|begins| begins.parks_until.is_some());
    (!is_parked).then_some(&*turn.lease.worker)
}

/// The journals of runs that begin anew make room. A run that cannot has no generation, which the table does not
/// allow: the whole script fails.
fn beginnings_anew(script: &mut Script, turns: &[&Turn]) {
    let anew: Vec<_> = turns
        .iter()
        .filter_map(|turn| {
            let begins = turn.begins.as_ref().filter(|begins| begins.generation > 1)?;
            let lease = &turn.lease;
            Some((lease.run_id.as_ref(), lease.epoch, begins.generation, begins.version, &*lease.worker))
        })
        .collect();
    script.push_rows(
        "UPDATE workflow_runs r SET version = b.version, generation = CASE WHEN r.epoch = b.epoch \
         AND r.holder = b.worker AND r.ended_ms IS NULL AND r.generation = b.generation - 1 THEN b.generation END \
         FROM unnest($1::text[], $2::int8[], $3::int4[], $4::int4[], $5::text[]) \
         b (run_id, epoch, generation, version, worker) WHERE r.run_id = b.run_id",
        &anew,
    );
    let ids: Vec<_> = anew.iter().map(|(run_id, ..)| (*run_id,)).collect();
    script.push_rows("DELETE FROM workflow_events WHERE run_id = ANY ($1::text[])", &ids);
}

/// What changes beside the journal. Removals come first, so that what is set again stays.
fn changes(script: &mut Script, turns: &[&Turn]) {
    let cleared: Vec<_> = each(turns, |turn| &turn.changes.clear_timers)
        .map(|(turn, op)| (turn.lease.run_id.as_ref(), op.as_str()))
        .collect();
    script.push_rows(
        "DELETE FROM workflow_timers t USING unnest($1::text[], $2::text[]) b (run_id, op) \
         WHERE t.run_id = b.run_id AND t.op = b.op",
        &cleared,
    );
    let timers: Vec<_> = each(turns, |turn| &turn.changes.set_timers)
        .map(|(turn, (op, due_ms))| (turn.lease.run_id.as_ref(), op.as_str(), *due_ms))
        .collect();
    script.push_rows(
        "INSERT INTO workflow_timers (run_id, op, due_ms) SELECT * FROM unnest($1::text[], $2::text[], $3::int8[]) \
         ON CONFLICT (run_id, op) DO UPDATE SET due_ms = excluded.due_ms",
        &timers,
    );
    let ended: Vec<_> = each(turns, |turn| &turn.changes.end_waits)
        .map(|(turn, op)| (turn.lease.run_id.as_ref(), op.as_str()))
        .collect();
    script.push_rows(
        "DELETE FROM workflow_waits t USING unnest($1::text[], $2::text[]) b (run_id, op) \
         WHERE t.run_id = b.run_id AND t.op = b.op",
        &ended,
    );
    let waits: Vec<_> = each(turns, |turn| &turn.changes.begin_waits)
        .map(|(turn, (op, wait))| {
            (turn.lease.run_id.as_ref(), op.as_str(), &wait.message, &wait.key, wait.since_ms)
        })
        .collect();
    script.push_rows(
        "INSERT INTO workflow_waits (run_id, op, message, key, since_ms) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[]) \
         ON CONFLICT (run_id, op) DO UPDATE SET message = excluded.message, key = excluded.key, \
         since_ms = excluded.since_ms",
        &waits,
    );
    let closed: Vec<_> = each(turns, |turn| &turn.changes.close_incidents)
        .map(|(turn, place)| (turn.lease.run_id.as_ref(), place_text(place)))
        .collect();
    script.push_rows(
        "DELETE FROM workflow_incidents t USING unnest($1::text[], $2::text[]) b (run_id, place) \
         WHERE t.run_id = b.run_id AND t.place = b.place",
        &closed,
    );
    let opened: Vec<_> = each(turns, |turn| &turn.changes.open_incidents)
        .map(|(turn, (place, cause))| (turn.lease.run_id.as_ref(), place_text(place), cause, turn.at_ms))
        .collect();
    script.push_rows(
        "INSERT INTO workflow_incidents (run_id, place, cause, since_ms) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[]) \
         ON CONFLICT (run_id, place) DO UPDATE SET cause = excluded.cause, since_ms = excluded.since_ms",
        &opened,
    );
    let progress = turns.iter().filter_map(|turn| {
        let progress = turn.changes.progress.as_ref()?;
        Some((turn.lease.run_id.as_ref(), progress.as_json()))
    });
    let mut progress: Vec<_> = progress.collect();
    progress.sort_unstable();
    script.push_rows(
        "UPDATE workflow_runs r SET progress = b.progress FROM unnest($1::text[], $2::text[]) b (run_id, progress) \
         WHERE r.run_id = b.run_id",
        &progress,
    );
    let cancelled = turns.iter().filter(|turn| turn.changes.takes_cancel);
    let mut cancelled: Vec<_> = cancelled.map(|turn| (turn.lease.run_id.as_ref(),)).collect();
    cancelled.sort_unstable();
    script.push_rows(
        "UPDATE workflow_runs r SET cancel_reason = NULL FROM unnest($1::text[]) b (run_id) WHERE r.run_id = b.run_id",
        &cancelled,
    );
}

fn endings(script: &mut Script, turns: &[&Turn]) {
    let mut ended: Vec<_> = turns
        .iter()
        .filter_map(|turn| {
            let conclusion = turn.changes.conclusion.as_ref()?;
            Some((turn.lease.run_id.as_ref(), turn.at_ms, conclusion_text(conclusion)))
        })
        .collect();
    ended.sort_unstable();
    script.push_rows(
        "UPDATE workflow_runs r SET ended_ms = b.ended_ms, conclusion = b.conclusion, cancel_reason = NULL \
         FROM unnest($1::text[], $2::int8[], $3::text[]) b (run_id, ended_ms, conclusion) \
         WHERE r.run_id = b.run_id",
        &ended,
    );
    let ids: Vec<_> = ended.iter().map(|(run_id, ..)| (*run_id,)).collect();
    push_for_all(script, REMAINS, &ids);
}

/// What a run has beside its journal while it goes on.
const REMAINS: &[&str] = &[
    "DELETE FROM workflow_timers WHERE run_id = ANY ($1::text[])",
    "DELETE FROM workflow_waits WHERE run_id = ANY ($1::text[])",
    "DELETE FROM workflow_incidents WHERE run_id = ANY ($1::text[])",
];

fn push_for_all<R: Values>(script: &mut Script, statements: &[&'static str], rows: &[R]) {
    statements.iter().for_each(|statement| script.push_rows(statement, rows));
}

/// All pairs of a turn and one of the rows that it has of some kind.
pub(super) fn each<'a, C>(
    turns: &'a [&'a Turn],
    rows: impl Fn(&'a Turn) -> C + 'a,
) -> impl Iterator<Item = (&'a Turn, C::Item)> + 'a
where
    C: IntoIterator + 'a,
{
    turns.iter().flat_map(move |turn| rows(turn).into_iter().map(move |row| (*turn, row)))
}
