//! The statements that write many rows at once.
//! Each takes its rows as one JSON argument: a hop to SQLite's thread costs fifty times what a row costs.

use std::collections::BTreeSet;

use serde::Serialize;
use workflow_core::Timestamp;

use super::{fleet, inbox, outbox};
use crate::store::codec::{conclusion_text, place_text, record_text};
use crate::store::{NewMessage, Turn};

/// Statements with their arguments; run in one go.
#[derive(Default)]
pub(super) struct Script {
    sql: String,
    statements: usize,
    arguments: Vec<Argument>,
}

pub(super) enum Argument {
    Text(String),
    Number(i64),
}

impl Script {
    pub(super) fn push(&mut self, statement: &str) -> &mut Script {
        if !self.sql.is_empty() {
            self.sql.push_str(";\n");
        }
        self.sql.push_str(statement);
        self.statements += 1;
        self
    }

    pub(super) fn bind(&mut self, text: impl Into<String>) -> &mut Script {
        self.arguments.push(Argument::Text(text.into()));
        self
    }

    pub(super) fn bind_number(&mut self, number: i64) -> &mut Script {
        self.arguments.push(Argument::Number(number));
        self
    }

    pub(super) fn bind_rows(&mut self, rows: &[impl Serialize]) -> &mut Script {
        self.bind(serde_json::to_string(rows).expect("rows consist of text and numbers"))
    }

    /// A statement that takes rows, unless there are none.
    pub(super) fn push_rows(&mut self, statement: &str, rows: &[impl Serialize]) {
        if !rows.is_empty() {
            self.push(statement).bind_rows(rows);
        }
    }

    /// One statement is a transaction of its own.
    pub(super) fn in_one_transaction(mut self) -> Script {
        if self.statements > 1 {
            self.sql = format!("BEGIN IMMEDIATE;\n{};\nCOMMIT", self.sql);
        }
        self
    }

    pub(super) fn and_offers(mut self, turns: &[&Turn], now_ms: Timestamp) -> Script {
        let waits = turns.iter().flat_map(|turn| {
            let misfits = turn.changes.misfits.values().map(|misfit| &misfit.op);
            let ops = turn.changes.begin_waits.keys().chain(misfits);
            ops.map(|op| (turn.lease.run_id.as_ref(), op.as_str()))
        });
        // The same beginning may be there twice; a wait is asked about once.
        let waits: Vec<_> = waits.collect::<BTreeSet<_>>().into_iter().collect();
        if !waits.is_empty() {
            self.push(OFFERS_TO_WAITS).bind_rows(&waits).bind_number(now_ms);
        }
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    pub(super) fn into_parts(self) -> (String, Vec<Argument>) {
        (self.sql, self.arguments)
    }
}

/// The messages that a wait `w` can have: not settled, not expired, and not known to the run.
macro_rules! fitting_messages {
    () => {
        "FROM workflow_messages x WHERE x.message = w.message AND x.key = w.key AND x.settled_ms IS NULL \
         AND x.expires_ms > ? AND (NOT x.is_event OR NOT EXISTS (SELECT 1 FROM workflow_takes t \
          WHERE t.message_id = x.message_id AND t.run_id = w.run_id))"
    };
}

/// What a wait can have: the oldest message that fits.
macro_rules! oldest_message {
    () => {
        concat!("JOIN workflow_messages m ON m.number = (SELECT min(x.number) ", fitting_messages!(), ")")
    };
}

/// Whether there is a message that the wait `w` can have.
pub(super) const MESSAGE_THERE: &str = concat!("EXISTS (SELECT 1 ", fitting_messages!(), ")");

pub(super) const OFFERS_TO_WAITS: &str = concat!(
    "SELECT w.run_id, w.op, m.message_id, m.payload FROM json_each(?) b \
     JOIN workflow_waits w ON w.run_id = b.value ->> 0 AND w.op = b.value ->> 1 ",
    oldest_message!()
);

pub(super) const OFFERS_TO_RUNS: &str = concat!(
    "SELECT w.run_id, w.op, m.message_id, m.payload FROM json_each(?) b \
     JOIN workflow_waits w ON w.run_id = b.value ",
    oldest_message!()
);

/// Also for messages that are duplicates: their first delivery may have been cut off before anybody was told.
const OFFERS_TO_ALL: &str = concat!(
    "SELECT w.run_id, w.op, m.message_id, m.payload, b.key AS position, NULL AS is_new FROM json_each(?) b \
     JOIN workflow_waits w ON w.message = b.value ->> 0 AND w.key = b.value ->> 1 ",
    oldest_message!(),
    " ORDER BY b.key, w.since_ms, w.run_id, w.op"
);

/// A row whose lease is lost has no number, which the table does not allow: the whole script fails.
const EVENTS: &str = "INSERT INTO workflow_events (run_id, seq, at_ms, record) \
     SELECT b.value ->> 0, CASE WHEN r.epoch = b.value ->> 1 AND r.holder IS b.value ->> 5 AND r.ended_ms IS NULL \
      THEN b.value ->> 2 END, \
     b.value ->> 3, b.value ->> 4 \
     FROM json_each(?) b LEFT JOIN workflow_runs r ON r.run_id = b.value ->> 0";

/// Everything that these turns write.
pub(super) fn turns(turns: &[&Turn]) -> Script {
    let mut script = Script::default();
    let runs: Vec<_> = turns
        .iter()
        .filter_map(|turn| {
            let begins = turn.begins.as_ref().filter(|begins| begins.generation == 1)?;
            let (lease, parent) = (&turn.lease, begins.parent.as_ref());
            let parent = parent.map(|parent| (&parent.run_id, parent.generation, parent.op.as_str()));
            let code = (&begins.workflow, begins.version);
            Some((
                lease.run_id.as_ref(),
                code,
                lease.epoch,
                turn.at_ms,
                parent,
                holder(turn),
                begins.parks_until,
            ))
        })
        .collect();
    script.push_rows(
        "INSERT INTO workflow_runs \
         (run_id, workflow, version, epoch, started_ms, parent_run, parent_generation, parent_op, holder, wake_ms) \
         SELECT value ->> 0, value ->> '$[1][0]', value ->> '$[1][1]', value ->> 2, value ->> 3, \
         value ->> '$[4][0]', value ->> '$[4][1]', value ->> '$[4][2]', value ->> 5, value ->> 6 FROM json_each(?)",
        &runs,
    );
    beginnings_anew(&mut script, turns);
    let events: Vec<_> = turns
        .iter()
        .flat_map(|turn| {
            (turn.first_seq..).zip(&turn.records).map(|(seq, record)| {
                let lease = &turn.lease;
                (lease.run_id.as_ref(), lease.epoch, seq, record.at_ms, record_text(record), holder(turn))
            })
        })
        .collect();
    script.push_rows(EVENTS, &events);
    inbox::takes(&mut script, turns);
    changes(&mut script, turns);
    outbox::put(&mut script, turns);
    fleet::tell(&mut script, turns);
    endings(&mut script, turns);
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
        "UPDATE workflow_runs SET version = b.value ->> 3, generation = CASE WHEN epoch = b.value ->> 1 \
         AND holder = b.value ->> 4 AND ended_ms IS NULL AND generation = (b.value ->> 2) - 1 THEN b.value ->> 2 END \
         FROM json_each(?) b WHERE run_id = b.value ->> 0",
        &anew,
    );
    let ids: Vec<_> = anew.iter().map(|(run_id, ..)| run_id).collect();
    script.push_rows("DELETE FROM workflow_events WHERE run_id IN (SELECT value FROM json_each(?))", &ids);
}

/// What changes beside the journal. Removals come first, so that what is set again stays.
fn changes(script: &mut Script, turns: &[&Turn]) {
    let cleared: Vec<_> = each(turns, |turn| &turn.changes.clear_timers)
        .map(|(turn, op)| (turn.lease.run_id.as_ref(), op.as_str()))
        .collect();
    script.push_rows(
        "DELETE FROM workflow_timers WHERE (run_id, op) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        &cleared,
    );
    let timers: Vec<_> = each(turns, |turn| &turn.changes.set_timers)
        .map(|(turn, (op, due_ms))| (turn.lease.run_id.as_ref(), op.as_str(), due_ms))
        .collect();
    script.push_rows(
        "INSERT OR REPLACE INTO workflow_timers (run_id, op, due_ms) \
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)",
        &timers,
    );
    let ended: Vec<_> = each(turns, |turn| &turn.changes.end_waits)
        .map(|(turn, op)| (turn.lease.run_id.as_ref(), op.as_str()))
        .collect();
    script.push_rows(
        "DELETE FROM workflow_waits WHERE (run_id, op) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        &ended,
    );
    let waits: Vec<_> = each(turns, |turn| &turn.changes.begin_waits)
        .map(|(turn, (op, wait))| {
            (turn.lease.run_id.as_ref(), op.as_str(), &wait.message, &wait.key, wait.since_ms)
        })
        .collect();
    script.push_rows(
        "INSERT OR REPLACE INTO workflow_waits (run_id, op, message, key, since_ms) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)",
        &waits,
    );
    let closed: Vec<_> = each(turns, |turn| &turn.changes.close_incidents)
        .map(|(turn, place)| (turn.lease.run_id.as_ref(), place_text(place)))
        .collect();
    script.push_rows(
        "DELETE FROM workflow_incidents WHERE (run_id, place) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        &closed,
    );
    let opened: Vec<_> = each(turns, |turn| &turn.changes.open_incidents)
        .map(|(turn, (place, cause))| (turn.lease.run_id.as_ref(), place_text(place), cause, turn.at_ms))
        .collect();
    script.push_rows(
        "INSERT OR REPLACE INTO workflow_incidents (run_id, place, cause, since_ms) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
        &opened,
    );
    let progress = turns.iter().filter_map(|turn| {
        let progress = turn.changes.progress.as_ref()?;
        Some((turn.lease.run_id.as_ref(), progress.as_json()))
    });
    let progress: Vec<_> = progress.collect();
    script.push_rows(
        "UPDATE workflow_runs SET progress = b.value ->> 1 FROM json_each(?) b WHERE run_id = b.value ->> 0",
        &progress,
    );
    let cancelled = turns.iter().filter(|turn| turn.changes.takes_cancel);
    let cancelled: Vec<_> = cancelled.map(|turn| turn.lease.run_id.as_ref()).collect();
    script.push_rows(
        "UPDATE workflow_runs SET cancel_reason = NULL WHERE run_id IN (SELECT value FROM json_each(?))",
        &cancelled,
    );
}

fn endings(script: &mut Script, turns: &[&Turn]) {
    let ended: Vec<_> = turns
        .iter()
        .filter_map(|turn| {
            let conclusion = turn.changes.conclusion.as_ref()?;
            Some((turn.lease.run_id.as_ref(), turn.at_ms, conclusion_text(conclusion)))
        })
        .collect();
    if ended.is_empty() {
        return;
    }
    script.push_rows(
        "UPDATE workflow_runs SET ended_ms = b.value ->> 1, conclusion = b.value ->> 2, cancel_reason = NULL \
         FROM json_each(?) b WHERE workflow_runs.run_id = b.value ->> 0",
        &ended,
    );
    let ids: Vec<_> = ended.iter().map(|(run_id, ..)| run_id).collect();
    for table in ["workflow_timers", "workflow_waits", "workflow_incidents"] {
        let statement = format!("DELETE FROM {table} WHERE run_id IN (SELECT value FROM json_each(?))");
        script.push_rows(&statement, &ids);
    }
}

/// Keeps messages and asks who waits for them. Each new message gives a row with its id.
pub(super) fn messages(messages: &[NewMessage], now_ms: Timestamp) -> Script {
    let mut script = Script::default();
    inbox::keep(&mut script, messages, now_ms);
    offers_to_all(&mut script, messages, now_ms);
    script
}

/// Asks who waits for such messages.
pub(super) fn offers_to_all(script: &mut Script, messages: &[NewMessage], now_ms: Timestamp) {
    let keys: Vec<_> = messages.iter().map(|new| (&new.message, &new.key)).collect();
    script.push(OFFERS_TO_ALL).bind_rows(&keys).bind_number(now_ms);
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
