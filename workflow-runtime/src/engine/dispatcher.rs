//! Hands the messages of the outbox over: of each run one after the other, of many runs side by side.
//! It decides when to try again and when to give up; what is in the outbox is the store's affair.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use workflow_core::Timestamp;

use super::in_process;
use super::parts::{Backoff, Parts, Phase};
use super::telemetry::HandOver;
use crate::store::{OutboxChange, OutboxEntry};
use crate::transport::TransportError;

/// Of how many runs messages are under way at a time.
const MOST_LANES: usize = 64;

/// How many messages of one run are handed over before the outbox is asked again.
const MOST_OF_A_RUN: usize = 32;

/// How long a transport may take for one message.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The waits between attempts: twice as long each time, between these two.
const FIRST_WAIT_MS: Timestamp = 1_000;
const LONGEST_WAIT_MS: Timestamp = 5 * 60 * 1_000;

/// The runs whose messages are under way.
#[derive(Default)]
struct Lanes {
    tasks: JoinSet<()>,
    runs: HashMap<Id, Arc<str>>,
}

/// Works until the engine is on its way out; then what is under way may finish. The engine waits for `_permit`.
pub(super) async fn dispatch(parts: Arc<Parts>, _permit: mpsc::Sender<()>) {
    let mut phase = parts.phase.subscribe();
    let mut lanes = Lanes::default();
    let is_shared = parts.membership.is_shared();
    while *phase.borrow_and_update() == Phase::Running {
        let Some(next_due_ms) = lanes.fill(&parts).await else { break };
        tokio::select! {
            biased;
            _ = phase.changed() => {}
            Some(joined) = lanes.tasks.join_next_with_id() => {
                lanes.leave(joined);
                while let Some(joined) = lanes.tasks.try_join_next_with_id() {
                    lanes.leave(joined);
                }
            }
            () = parts.outbox_changed.notified() => {}
            () = tokio::time::sleep(parts.poll_interval), if is_shared => {}
            () = parts.clock.sleep_until(next_due_ms.unwrap_or_default()), if next_due_ms.is_some() => {}
        }
    }
    tokio::select! {
        biased;
        () = parts.stopped() => {}
        () = async { while lanes.tasks.join_next().await.is_some() {} } => {}
    }
}

impl Lanes {
    /// Begins with all that is due, as far as there is room, and gives the time of the next attempt that is not.
    /// `None` when the engine stopped.
    async fn fill(&mut self, parts: &Arc<Parts>) -> Option<Option<Timestamp>> {
        let mut backoff = Backoff::new();
        let room = MOST_LANES - self.runs.len();
        if room == 0 {
            return Some(None);
        }
        if !is_first(parts).await {
            return Some(None);
        }
        let busy: Vec<Arc<str>> = self.runs.values().cloned().collect();
        let page = loop {
            let now_ms = parts.clock.over_ms();
            match parts.store.outbox_due(now_ms, &busy, room, MOST_OF_A_RUN).await {
                Ok(page) => break page,
                Err(error) => tracing::warn!(%error, "the outbox cannot be read; trying again"),
            }
            if !backoff.wait(parts).await {
                return None;
            }
        };
        let mut by_run: Vec<Vec<OutboxEntry>> = Vec::new();
        for entry in page.messages {
            match by_run.iter_mut().find(|of_run| of_run[0].outgoing.run_id == entry.outgoing.run_id) {
                Some(of_run) => of_run.push(entry),
                None => by_run.push(vec![entry]),
            }
        }
        for of_run in by_run {
            let run_id = Arc::clone(&of_run[0].outgoing.run_id);
            let task = self.tasks.spawn(hand_over_in_order(Arc::clone(parts), of_run));
            self.runs.insert(task.id(), run_id);
        }
        Some(page.next_due_ms)
    }

    fn leave(&mut self, joined: Result<(Id, ()), tokio::task::JoinError>) {
        let id = joined.map_or_else(|error| error.id(), |(id, ())| id);
        self.runs.remove(&id);
    }
}

/// Whether this engine hands messages over: of several engines one does, so that those of a run leave in order. Which
/// one that is, the store knows.
async fn is_first(parts: &Parts) -> bool {
    if !parts.membership.is_shared() {
        return true;
    }
    if !parts.membership.is_certain() {
        return false;
    }
    match parts.store.is_first(&parts.worker()).await {
        Ok(is_first) => is_first,
        Err(error) => {
            tracing::warn!(%error, "the store does not say who hands messages over; asking again");
            false
        }
    }
}

/// Hands messages of one run over until one fails, and has noted what became of them.
async fn hand_over_in_order(parts: Arc<Parts>, messages: Vec<OutboxEntry>) {
    let mut changes = Vec::with_capacity(messages.len());
    for entry in messages {
        // Whoever takes over from a worker that is given up hands over what is left.
        if parts.phase() != Phase::Running || !parts.membership.is_certain() {
            break;
        }
        match hand_over(&parts, &entry).await {
            Ok(()) => {
                let lag_ms = parts.clock.now_ms().saturating_sub(entry.sent_ms);
                parts.telemetry.message_out(HandOver::Done(lag_ms));
                changes.push(OutboxChange::Remove { id: entry.outgoing.id });
            }
            // That the engine is on its way out is no fault of the message.
            Err(_) if parts.phase() != Phase::Running => break,
            Err(error) => {
                changes.push(failed(&parts, entry, &error));
                break;
            }
        }
    }
    if changes.is_empty() {
        return;
    }
    let mut backoff = Backoff::new();
    // Not asked for again before that: what was handed over would be handed over once more.
    while let Err(error) = parts.change_outbox(changes.clone()).await {
        if error.is_stopped() {
            return;
        }
        tracing::error!(%error, "the store does not take what became of messages; trying again");
        if !backoff.wait(&parts).await {
            return;
        }
    }
}

/// On a task of its own, so that a transport that panics harms one message only.
async fn hand_over(parts: &Arc<Parts>, entry: &OutboxEntry) -> Result<(), TransportError> {
    let Some(transport) = &parts.transport else {
        return in_process::hand_over(parts, &entry.outgoing).await;
    };
    let (transport, outgoing) = (Arc::clone(transport), entry.outgoing.clone());
    let mut task = JoinSet::new();
    task.spawn(async move { transport.hand_over(&outgoing).await });
    match tokio::time::timeout(TIMEOUT, task.join_next()).await {
        Ok(Some(Ok(handed_over))) => handed_over,
        Ok(_) => Err(TransportError::unavailable("the transport panicked")),
        Err(_) => Err(TransportError::unavailable(format!("the transport took longer than {TIMEOUT:?}"))),
    }
}

/// When to try again, or that nobody does until somebody asks for it.
fn failed(parts: &Parts, entry: OutboxEntry, error: &TransportError) -> OutboxChange {
    let OutboxEntry { outgoing, attempts, .. } = entry;
    let attempts = attempts + 1;
    let parks = error.is_refusal() || attempts >= parts.park_after;
    parts.telemetry.message_out(if parks { HandOver::Parked } else { HandOver::Failed });
    let (id, run_id, message, cause) = (outgoing.id, outgoing.run_id, outgoing.message, error.to_string());
    if parks {
        tracing::error!(id, %run_id, message, attempts, cause, "a message is parked: a person has to look");
    } else {
        tracing::warn!(id, %run_id, message, attempts, cause, "a message is not taken; trying again later");
    }
    let wait_ms = FIRST_WAIT_MS.saturating_mul(1 << (attempts - 1).min(20)).min(LONGEST_WAIT_MS);
    OutboxChange::Fail { id, attempts, due_ms: parts.clock.now_ms().saturating_add(wait_ms), cause, parks }
}
