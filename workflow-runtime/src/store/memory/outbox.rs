//! The outbox of the store in memory: the specification of what leaves when, and in which order.
//! It must not know who asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use workflow_core::Timestamp;

use crate::store::{OutboxChange, OutboxEntry, OutboxFilter, OutboxPage, Turn};

/// What a turn puts in.
pub(super) fn entries(turn: &Turn) -> impl Iterator<Item = OutboxEntry> {
    turn.changes.sends.iter().map(|outgoing| OutboxEntry {
        outgoing: outgoing.clone(),
        sent_ms: turn.at_ms,
        attempts: 0,
        due_ms: 0,
        cause: None,
        is_parked: false,
    })
}

pub(super) fn due(
    outbox: &[OutboxEntry],
    now_ms: Timestamp,
    busy: &[Arc<str>],
    runs: usize,
    each: usize,
) -> OutboxPage {
    let (mut seen, mut chosen) = (BTreeSet::new(), BTreeSet::new());
    let heads: Vec<&OutboxEntry> =
        outbox.iter().filter(|entry| seen.insert(&entry.outgoing.run_id)).filter(|h| !h.is_parked).collect();
    let free = heads.iter().filter(|head| head.due_ms <= now_ms && !busy.contains(&head.outgoing.run_id));
    chosen.extend(free.take(runs).map(|head| &head.outgoing.run_id));
    let mut messages: Vec<OutboxEntry> = Vec::new();
    for run_id in chosen {
        let of_run = outbox.iter().filter(|entry| entry.outgoing.run_id == *run_id);
        messages.extend(of_run.take(each).take_while(|entry| !entry.is_parked).cloned());
    }
    let place = |entry: &OutboxEntry| outbox.iter().position(|other| other.outgoing.id == entry.outgoing.id);
    messages.sort_by_key(place);
    let later = heads.iter().map(|head| head.due_ms).filter(|due_ms| *due_ms > now_ms);
    OutboxPage { messages, next_due_ms: later.min() }
}

/// Makes a change; says whether the message is there.
pub(super) fn change(outbox: &mut Vec<OutboxEntry>, change: &OutboxChange) -> bool {
    let Some(place) = outbox.iter().position(|entry| entry.outgoing.id == change.id()) else { return false };
    match change {
        OutboxChange::Remove { .. } => {
            outbox.remove(place);
        }
        OutboxChange::Fail { attempts, due_ms, cause, parks, .. } => {
            let entry = &mut outbox[place];
            (entry.attempts, entry.due_ms, entry.is_parked) = (*attempts, *due_ms, *parks);
            entry.cause = Some(cause.clone());
        }
        OutboxChange::Release { due_ms, .. } => {
            let entry = &mut outbox[place];
            (entry.attempts, entry.due_ms, entry.is_parked) = (0, *due_ms, false);
        }
    }
    true
}

pub(super) fn list(outbox: &[OutboxEntry], filter: &OutboxFilter) -> Vec<OutboxEntry> {
    let passes = |entry: &&OutboxEntry| {
        filter.run_id.as_ref().is_none_or(|run_id| **run_id == *entry.outgoing.run_id)
            && (!filter.only_parked || entry.is_parked)
    };
    outbox.iter().filter(passes).take(filter.limit as usize).cloned().collect()
}
