//! The outbox in Postgres: the same as in the memory store, in statements.
//! It knows rows and their order, not what is done with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::postgres::PgRow;
use workflow_core::{OpId, Payload, Timestamp};

use super::pool::{Pool, run};
use super::read::{legible, number, optional, text};
use super::script::Script;
use crate::store::{
    OutboxChange, OutboxEntry, OutboxFilter, OutboxPage, Outgoing, StoreError, StoreFault, Turn,
};

macro_rules! columns {
    () => {
        "o.message_id, o.run_id, o.op, o.message, o.key, o.payload, o.publishes, o.sent_ms, o.attempts, o.due_ms, \
         o.cause, o.is_parked"
    };
}

/// A message before which its run has none. Asked for each by itself, and so that a server cannot plan it otherwise: it
/// would look at all messages of the outbox.
macro_rules! is_head {
    () => {
        "(SELECT e.number FROM workflow_outbox e WHERE e.run_id = o.run_id AND e.number < o.number LIMIT 1) IS NULL"
    };
}

/// Messages that may be handed over, of which each is the first one of its run.
macro_rules! heads {
    ($when:literal, $order:literal) => {
        concat!(
            "(SELECT o.run_id, o.number FROM workflow_outbox o WHERE NOT o.is_parked AND o.due_ms ",
            $when,
            " AND ",
            is_head!(),
            " AND o.run_id <> ALL ($2::text[]) ORDER BY ",
            $order,
            " LIMIT $3::int8)"
        )
    };
}

/// Zero is the time of those that nobody has tried yet: by it and by their numbers they come out of the index in order.
const DUE: &str = concat!(
    "SELECT 1, ",
    columns!(),
    " FROM (SELECT u.run_id FROM (",
    heads!("= 0", "o.number"),
    " UNION ALL ",
    heads!("> 0 AND o.due_ms <= $1::int8", "o.due_ms"),
    " UNION ALL ",
    heads!("< 0", "o.due_ms"),
    ") u ORDER BY u.number LIMIT $3::int8) h \
     CROSS JOIN LATERAL (SELECT * FROM workflow_outbox x WHERE x.run_id = h.run_id ORDER BY x.number LIMIT $4::int8) o \
     WHERE (SELECT p.number FROM workflow_outbox p WHERE p.run_id = o.run_id AND p.number <= o.number \
     AND p.is_parked LIMIT 1) IS NULL ORDER BY o.number"
);

const NEXT: &str = concat!(
    "SELECT 2, (SELECT o.due_ms FROM workflow_outbox o WHERE o.due_ms > $1::int8 AND NOT o.is_parked AND ",
    is_head!(),
    " ORDER BY o.due_ms LIMIT 1)"
);

const LIST: &str = concat!(
    "SELECT 1, ",
    columns!(),
    " FROM workflow_outbox o WHERE ($1::text IS NULL OR o.run_id = $1) AND (o.is_parked OR NOT $2::bool) \
     ORDER BY o.number LIMIT $3::int8"
);

/// Puts what these turns send into the outbox, in their order.
pub(super) fn put(script: &mut Script, turns: &[&Turn]) {
    let sends = turns.iter().flat_map(|turn| turn.changes.sends.iter().map(move |sent| (turn, sent)));
    let rows: Vec<_> = sends
        .map(|(turn, sent)| {
            let Outgoing { id, run_id, op, message, key, payload, publishes } = sent;
            (id, run_id.as_ref(), op.as_str(), message, key, payload.as_json(), *publishes, turn.at_ms)
        })
        .collect();
    script.push_rows(
        "INSERT INTO workflow_outbox (message_id, run_id, op, message, key, payload, publishes, sent_ms, due_ms) \
         SELECT b.message_id, b.run_id, b.op, b.message, b.key, b.payload, b.publishes, b.sent_ms, 0 \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::int8[]) \
         WITH ORDINALITY b (message_id, run_id, op, message, key, payload, publishes, sent_ms, position) \
         ORDER BY b.position",
        &rows,
    );
}

pub(super) async fn due(
    pool: &Arc<Pool>,
    now_ms: Timestamp,
    busy: &[Arc<str>],
    runs: usize,
    each: usize,
) -> Result<OutboxPage, StoreError> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let busy: Vec<_> = busy.iter().map(|run_id| (run_id.as_ref(),)).collect();
    let mut script = Script::default();
    script.push(DUE).bind_number(now_ms).bind_rows(&busy).bind_number(count(runs)).bind_number(count(each));
    script.push(NEXT).bind_number(now_ms);
    let (mut page, mut held_up) = (OutboxPage::default(), BTreeSet::new());
    for row in run(pool, &script).await? {
        match number(&row, 0)? {
            // The later ones of its run wait for it; all others can go.
            1 if held_up.contains(&text(&row, 2)?) => {}
            1 => match legible(read_entry(&row), || text(&row, 1).unwrap_or_default())? {
                Some(entry) => page.messages.push(entry),
                None => drop(held_up.insert(text(&row, 2)?)),
            },
            _ => page.next_due_ms = optional(&row, 1)?,
        }
    }
    Ok(page)
}

pub(super) async fn change(pool: &Arc<Pool>, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
    let rows = run(pool, &statements(changes).in_one_transaction()).await?;
    let ids = rows.iter().map(|row| text(row, 0)).collect::<Result<std::collections::BTreeSet<_>, _>>()?;
    Ok(changes.iter().map(|change| ids.contains(change.id())).collect())
}

/// The changes, in groups of one kind; each gives back the ids of the messages that are there.
fn statements(changes: &[OutboxChange]) -> Script {
    let (mut removed, mut failed, mut released) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match change {
            OutboxChange::Remove { id } => removed.push((id,)),
            OutboxChange::Fail { id, attempts, due_ms, cause, parks } => {
                failed.push((id, *attempts, *due_ms, cause, *parks));
            }
            OutboxChange::Release { id, due_ms } => released.push((id, *due_ms)),
        }
    }
    let mut script = Script::default();
    script.push_rows(
        "UPDATE workflow_outbox o SET attempts = b.attempts, due_ms = b.due_ms, cause = b.cause, \
         is_parked = b.is_parked FROM unnest($1::text[], $2::int4[], $3::int8[], $4::text[], $5::bool[]) \
         b (message_id, attempts, due_ms, cause, is_parked) WHERE o.message_id = b.message_id RETURNING o.message_id",
        &failed,
    );
    script.push_rows(
        "UPDATE workflow_outbox o SET attempts = 0, is_parked = false, due_ms = b.due_ms \
         FROM unnest($1::text[], $2::int8[]) b (message_id, due_ms) WHERE o.message_id = b.message_id \
         RETURNING o.message_id",
        &released,
    );
    script.push_rows(
        "DELETE FROM workflow_outbox WHERE message_id = ANY ($1::text[]) RETURNING message_id",
        &removed,
    );
    script
}

pub(super) async fn list(pool: &Arc<Pool>, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut script = Script::default();
    script.push(LIST).bind_optional(filter.run_id.as_deref()).bind_bool(filter.only_parked);
    script.bind_number(i64::from(filter.limit));
    let read = |row: &PgRow| match read_entry(row) {
        Err(error) if error.fault() == StoreFault::Corrupt => {
            Ok(OutboxEntry::unreadable(text(row, 1)?, text(row, 2)?.into(), error.to_string()))
        }
        read => read,
    };
    run(pool, &script).await?.iter().map(read).collect()
}

fn read_entry(row: &PgRow) -> Result<OutboxEntry, StoreError> {
    let id = text(row, 1)?;
    let payload = Payload::from_json(text(row, 6)?).map_err(|error| {
        let message = format!("the message `{id}` in the outbox cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })?;
    let outgoing = Outgoing {
        id,
        run_id: text(row, 2)?.into(),
        op: OpId::from_text(text(row, 3)?),
        message: text(row, 4)?,
        key: text(row, 5)?,
        payload,
        publishes: text(row, 7)? == "t",
    };
    Ok(OutboxEntry {
        outgoing,
        sent_ms: number(row, 8)?,
        attempts: number(row, 9)?,
        due_ms: number(row, 10)?,
        cause: optional(row, 11)?,
        is_parked: text(row, 12)? == "t",
    })
}
