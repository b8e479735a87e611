//! Writes that take more than one statement: batches of turns, messages, and the runs that begin with them.
//! The fast way is one message; what it refuses is looked at turn by turn, in a transaction of several.

use std::sync::Arc;

use workflow_core::Timestamp;

use super::hints::Hints;
use super::pool::{Attempts, Held, Pool, run};
use super::read::{assign_offers, offers_by_message, text};
use super::script::Script;
use super::{batch, fault, inbox, is_refusal, refuse};
use crate::store::codec::read_state;
use crate::store::{Delivered, KeptSchedule, NewMessage, RunState, StoreError, Turn, TurnOutcome};

/// How long the server waits for the next message of such a transaction: a process that stands still holds up nobody
/// for longer.
const IDLE_LIMIT: &str = "10s";

/// Nearly always all turns can be written: one message, in which a turn that cannot be breaks a constraint and with it
/// the whole. Only then is it looked at one by one who is refused.
pub(super) async fn commit(
    pool: &Arc<Pool>,
    turns: &[Arc<Turn>],
    now_ms: Timestamp,
) -> Result<Vec<TurnOutcome>, StoreError> {
    let outcomes = commit_all(pool, turns, now_ms).await?;
    if turns.iter().any(|turn| !turn.changes.sends.is_empty()) {
        Hints::tell_of_messages(pool);
    }
    Ok(outcomes)
}

async fn commit_all(
    pool: &Arc<Pool>,
    turns: &[Arc<Turn>],
    now_ms: Timestamp,
) -> Result<Vec<TurnOutcome>, StoreError> {
    let all: Vec<&Turn> = turns.iter().map(|turn| &**turn).collect();
    if !refuse::needs_a_look(&all) {
        let script = batch::turns(&all).in_one_transaction().then(batch::offers(&all, now_ms));
        match pool.run(&script).await {
            Ok(rows) => {
                let mut outcomes = vec![TurnOutcome::Written(Vec::new()); turns.len()];
                // Other statements give rows, too: one column, or nothing in the first one.
                let offers = rows.into_iter().filter(|row| sqlx::Row::len(row) == 4).collect::<Vec<_>>();
                assign_offers(&offers, &all, |index, offer| note(&mut outcomes[index], offer))?;
                return Ok(outcomes);
            }
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(fault(error)),
        }
    }
    let mut attempts = Attempts::default();
    loop {
        let mut held = pool.acquire().await.map_err(fault)?;
        match commit_one_by_one(&mut held, &all, now_ms).await {
            Err(error) if another_attempt(&mut attempts, &error, &mut held).await => {}
            done => return done,
        }
    }
}

async fn commit_one_by_one(
    held: &mut Held,
    turns: &[&Turn],
    now_ms: Timestamp,
) -> Result<Vec<TurnOutcome>, StoreError> {
    held.begin(IDLE_LIMIT).await.map_err(fault)?;
    let mut outcomes = refuse::write_what_is_not_refused(held, turns, |_| true).await?;
    let is_written = |index: &usize| matches!(outcomes[*index], TurnOutcome::Written(_));
    let positions: Vec<usize> = (0..turns.len()).filter(is_written).collect();
    let written: Vec<&Turn> = positions.iter().map(|position| turns[*position]).collect();
    let rows = held.commit(&batch::offers(&written, now_ms)).await.map_err(fault)?;
    assign_offers(&rows, &written, |index, offer| note(&mut outcomes[positions[index]], offer))?;
    Ok(outcomes)
}

fn note(outcome: &mut TurnOutcome, offer: crate::store::Offer) {
    if let TurnOutcome::Written(offers) = outcome {
        offers.push(offer);
    }
}

/// What was looked at may have changed before it was written, for what is not there yet cannot be locked.
async fn another_attempt(attempts: &mut Attempts, error: &StoreError, held: &mut Held) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<sqlx::Error>());
    let Some(error) = source else { return false };
    held.roll_back().await;
    if is_refusal(error) { attempts.once_more() } else { attempts.again(error, held) }
}

pub(super) async fn deliver(
    pool: &Arc<Pool>,
    worker: &str,
    messages: &[NewMessage],
    now_ms: Timestamp,
) -> Result<Vec<Delivered>, StoreError> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    if messages.iter().any(|message| message.is_redelivery || !message.starts.is_empty()) {
        let mut attempts = Attempts::default();
        loop {
            let mut held = pool.acquire().await.map_err(fault)?;
            match deliver_and_start(&mut held, worker, messages, now_ms).await {
                Err(error) if another_attempt(&mut attempts, &error, &mut held).await => {}
                done => return done,
            }
        }
    }
    let mut script = Script::default();
    inbox::keep(&mut script, messages, now_ms);
    inbox::lock_and_wake(&mut script, worker, messages, now_ms);
    let rows = run(pool, &script.in_one_transaction().then(told(worker, messages, now_ms))).await?;
    // The new ones have one column, the offers five, and the locks two.
    let (mut kept, mut offers) = (Vec::new(), Vec::new());
    for row in rows {
        match sqlx::Row::len(&row) {
            1 => kept.push(text(&row, 0)?),
            2 => {}
            _ => offers.push(row),
        }
    }
    let are_new = are_new(messages, kept);
    let offers = offers_by_message(&offers, messages.len())?;
    let delivered = are_new.into_iter().zip(offers);
    Ok(delivered
        .map(|(is_new, offers)| Delivered { is_duplicate: !is_new, offers, starts: Vec::new() })
        .collect())
}

/// Of two in one batch with the same id, the second is the duplicate.
fn are_new(messages: &[NewMessage], kept: Vec<String>) -> Vec<bool> {
    let mut kept: std::collections::BTreeSet<String> = kept.into_iter().collect();
    messages.iter().map(|message| kept.remove(&message.message_id)).collect()
}

/// After the commit: who waits for these messages, also since a moment ago.
fn told(worker: &str, messages: &[NewMessage], now_ms: Timestamp) -> Script {
    let mut script = batch::offers_to_all(worker, messages, now_ms);
    inbox::wake_waiting(&mut script, worker, messages, now_ms);
    script
}

/// The slower way, for messages that runs begin with and for those that come again.
async fn deliver_and_start(
    held: &mut Held,
    worker: &str,
    messages: &[NewMessage],
    now_ms: Timestamp,
) -> Result<Vec<Delivered>, StoreError> {
    held.begin(IDLE_LIMIT).await.map_err(fault)?;
    let starts = messages.iter().flat_map(|new| &new.starts);
    let workers = refuse::lock_workers(held, starts.map(|turn| &*turn.lease.worker)).await?;
    let can_begin = |new: &NewMessage| new.starts.iter().all(|turn| workers.contains(&*turn.lease.worker));
    if messages.iter().all(can_begin) {
        return deliver_and_start_all(held, worker, messages, now_ms).await;
    }
    // Else such a message would count as taken by runs that never began.
    let kept: Vec<NewMessage> = messages.iter().filter(|new| can_begin(new)).cloned().collect();
    let mut delivered = deliver_and_start_all(held, worker, &kept, now_ms).await?.into_iter();
    let refused = |new: &NewMessage| Delivered {
        is_duplicate: false,
        offers: Vec::new(),
        starts: vec![TurnOutcome::LostLease; new.starts.len()],
    };
    let delivered = messages.iter().map(|new| match can_begin(new) {
        true => delivered.next().expect("as many were delivered as can begin"),
        false => refused(new),
    });
    Ok(delivered.collect())
}

async fn deliver_and_start_all(
    held: &mut Held,
    worker: &str,
    messages: &[NewMessage],
    now_ms: Timestamp,
) -> Result<Vec<Delivered>, StoreError> {
    let mut script = Script::default();
    inbox::give_way(&mut script, messages.iter(), now_ms);
    inbox::keep(&mut script, messages, now_ms);
    let kept = held.run(&script).await.map_err(fault)?;
    let kept = kept.iter().map(|row| text(row, 0)).collect::<Result<_, _>>()?;
    let are_new = are_new(messages, kept);
    let mut script = Script::default();
    inbox::starts(
        &mut script,
        messages.iter().zip(&are_new).filter(|(_, is_new)| **is_new).map(|(new, _)| new),
    );
    held.run(&script).await.map_err(fault)?;
    let starts = messages.iter().zip(&are_new);
    let starts = starts.flat_map(|(new, is_new)| new.starts.iter().map(move |turn| (turn, *is_new)));
    let (turns, may_be_new): (Vec<&Turn>, Vec<bool>) = starts.unzip();
    let mut outcomes = refuse::write_what_is_not_refused(held, &turns, |index| may_be_new[index]).await?;
    let mut script = Script::default();
    inbox::lock_and_wake(&mut script, worker, messages, now_ms);
    held.run(&script).await.map_err(fault)?;
    let is_written = |index: &usize| matches!(outcomes[*index], TurnOutcome::Written(_));
    let positions: Vec<usize> = (0..turns.len()).filter(is_written).collect();
    let written: Vec<&Turn> = positions.iter().map(|position| turns[*position]).collect();
    let after = batch::offers(&written, now_ms).with(told(worker, messages, now_ms));
    let rows = held.commit(&after).await.map_err(fault)?;
    let (to_waits, to_all): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| sqlx::Row::len(row) == 4);
    assign_offers(&to_waits, &written, |index, offer| note(&mut outcomes[positions[index]], offer))?;
    let offers = offers_by_message(&to_all, messages.len())?;
    let mut outcomes = outcomes.into_iter();
    let delivered = messages.iter().zip(are_new).zip(offers);
    Ok(delivered
        .map(|((new, is_new), offers)| {
            let starts = outcomes.by_ref().take(new.starts.len()).collect();
            Delivered { is_duplicate: !is_new, offers, starts }
        })
        .collect())
}

pub(super) async fn discard(
    pool: &Arc<Pool>,
    message_id: &str,
    now_ms: Timestamp,
) -> Result<Option<bool>, StoreError> {
    let rows = run(pool, &inbox::discard(message_id, now_ms)).await?;
    rows.first().map(|row| Ok(text(row, 0)? == "t")).transpose()
}

pub(super) async fn request_cancel(
    pool: &Arc<Pool>,
    worker: &str,
    run_id: &str,
    reason: &str,
) -> Result<Option<RunState>, StoreError> {
    let mut script = Script::default();
    script
        .push(
            "UPDATE workflow_runs SET cancel_reason = CASE WHEN ended_ms IS NULL THEN $1 END, \
             wake_ms = CASE WHEN ended_ms IS NULL AND holder IS DISTINCT FROM $2 THEN 0 ELSE wake_ms END \
             WHERE run_id = $3 RETURNING conclusion",
        )
        .bind(reason)
        .bind(worker)
        .bind(run_id);
    let rows = run(pool, &script.in_one_transaction()).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Hints::tell(pool);
    let conclusion: Option<String> = super::read::optional(row, 0)?;
    read_state(run_id, conclusion.as_deref()).map(Some)
}

pub(super) async fn note_schedule(pool: &Arc<Pool>, schedule: &KeptSchedule) -> Result<(), StoreError> {
    let KeptSchedule { workflow, cron, timezone, kept_until_ms, last_tick_ms } = schedule;
    let mut script = Script::default();
    script.push_rows(
        "INSERT INTO workflow_schedules (workflow, cron, timezone, kept_until_ms, last_tick_ms) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[]) \
         ON CONFLICT (workflow) DO UPDATE SET cron = excluded.cron, timezone = excluded.timezone, \
         kept_until_ms = excluded.kept_until_ms, last_tick_ms = excluded.last_tick_ms",
        &[(workflow, cron, timezone, *kept_until_ms, *last_tick_ms)],
    );
    run(pool, &script.in_one_transaction()).await?;
    Ok(())
}
