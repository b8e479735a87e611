//! Attempts of transactional steps: each runs inside of the transaction in which its answer is recorded.
//! They run one after the other and while nothing else of their run is written: the transaction holds the store's
//! one writer, and a turn that waited for it in here would wait for ever.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;
use workflow_core::{
    Answer, AttemptControl, AttemptOutcome, Failure, FailureKind, OpId, StepBody, StepContext, StepDef,
    StepFault, Timestamp,
};

use super::agenda::DueAttempt;
use super::attempts::{Attempted, abort_text, outcome, silence, time_limit};
use super::committer::{note_outcome, note_sends};
use super::live_run::LiveRun;
use super::parts::{Backoff, Parts};
use super::telemetry::attempt_span;
use crate::store::{Lease, StoreError, StoreTransaction, Turn, TurnOutcome};
use crate::tx::Tx;

/// An attempt that waits until nothing else is to be done.
pub(crate) struct Waiting {
    pub(crate) name: (OpId, u32),
    pub(crate) control: AttemptControl,
    pub(crate) cx: StepContext,
    pub(crate) def: &'static StepDef,
    pub(crate) due: DueAttempt,
    /// When it was asked for, by the clock of the engine.
    pub(crate) since_ms: Timestamp,
}

/// The attempts that wait, in the order in which they were asked for.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    /// They take turns with everything else that happens to the run, so that neither keeps the other from happening.
    is_their_turn: bool,
    /// The waits while the store is in trouble.
    trouble: Option<Backoff>,
    /// The attempt that was made last, until the store has it, and since when it has been asked for: one that is undone
    /// is asked for anew.
    last: Option<((OpId, u32), Timestamp)>,
}

/// What came of an attempt.
pub(crate) enum Transacted {
    /// It is over. If it took effect, the transaction waits for the turn that records it.
    Over(Attempted, Option<Box<dyn StoreTransaction>>),
    /// The store could not keep what it did. It is to be made again.
    Again,
    /// Another engine has the run.
    LostLease,
    /// The engine has stopped.
    Stopped,
}

/// What came of the turn that records an attempt.
pub(crate) enum Committed {
    /// The store has answered.
    Answered(TurnOutcome),
    /// Neither the turn nor what the attempt did is there. It may have failed for good.
    Undone(Option<Attempted>),
    Stopped,
}

impl Queue {
    pub(crate) fn push(&mut self, mut waiting: Waiting) {
        let since =
            self.last.as_ref().filter(|(name, _)| *name == waiting.name).map(|(_, since_ms)| *since_ms);
        waiting.since_ms = since.unwrap_or(waiting.since_ms);
        self.waiting.push_back(waiting);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter()
    }

    /// Makes the next attempt, if there is one and it is its turn.
    pub(crate) async fn transact(
        &mut self,
        parts: &Arc<Parts>,
        lease: &Lease,
        live: &mut LiveRun,
    ) -> Option<Transacted> {
        self.is_their_turn = !self.is_their_turn && !self.waiting.is_empty();
        if !self.is_their_turn {
            return None;
        }
        let waiting = self.waiting.pop_front()?;
        self.last = Some((waiting.name.clone(), waiting.since_ms));
        if !live.expects(&waiting.name.0, waiting.name.1) {
            return None;
        }
        let ran = tokio::select! {
            biased;
            () = parts.stopped() => return Some(Transacted::Stopped),
            ran = run(parts, lease, &waiting) => ran,
        };
        let (op, attempt) = waiting.name.clone();
        Some(match ran {
            Ran::Over(outcome, transaction) => {
                Transacted::Over(Attempted { op, attempt, outcome }, transaction)
            }
            Ran::LostLease => Transacted::LostLease,
            Ran::Fault(error) => {
                parts.telemetry.store_retries.increment(1);
                tracing::warn!(%error, step = %waiting.def.facts.name, "the store is not available; trying again");
                self.waiting.push_front(waiting);
                if self.wait(parts).await { Transacted::Again } else { Transacted::Stopped }
            }
        })
    }

    /// Has the turn written in the transaction of the attempt.
    pub(crate) async fn commit(
        &mut self,
        parts: &Parts,
        transaction: Box<dyn StoreTransaction>,
        turn: &Turn,
        (op, attempt): (OpId, u32),
    ) -> Committed {
        let committed = tokio::select! {
            biased;
            () = parts.stopped() => return Committed::Stopped,
            committed = transaction.commit(turn, parts.clock.now_ms()) => committed,
        };
        match committed {
            Ok(outcome) => {
                tracing::debug!(row = turn.first_seq, rows = turn.records.len(), "step and turn committed");
                note_sends(parts, [turn]);
                note_outcome(parts, turn, &outcome);
                (self.trouble, self.last) = (None, None);
                Committed::Answered(outcome)
            }
            Err(error) if error.is_transient() => {
                parts.telemetry.store_retries.increment(1);
                tracing::warn!(%error, "the store is not available; the step runs again unless it is recorded");
                if self.wait(parts).await { Committed::Undone(None) } else { Committed::Stopped }
            }
            Err(error) => Committed::Undone(Some(Attempted { op, attempt, outcome: refused(&error) })),
        }
    }

    async fn wait(&mut self, parts: &Parts) -> bool {
        self.trouble.get_or_insert_with(Backoff::new).wait(parts).await
    }
}

/// How an attempt ran.
enum Ran {
    Over(AttemptOutcome, Option<Box<dyn StoreTransaction>>),
    LostLease,
    Fault(StoreError),
}

/// Runs an attempt on a task of its own: a panic is the attempt's.
async fn run(parts: &Arc<Parts>, lease: &Lease, waiting: &Waiting) -> Ran {
    let Waiting { name: (op, _), control, cx, def, due, .. } = waiting;
    let span = attempt_span(op, cx);
    let running = attempt_of(Arc::clone(parts), lease.clone(), def, cx.clone(), control.clone(), due.clone());
    let mut task = JoinSet::new();
    task.spawn(running.instrument(span));
    match task.join_next().await {
        Some(Ok(ran)) => ran,
        Some(Err(error)) => Ran::Over(AttemptOutcome::panicked(abort_text(error)), None),
        None => unreachable!("one task was spawned"),
    }
}

async fn attempt_of(
    parts: Arc<Parts>,
    lease: Lease,
    def: &'static StepDef,
    cx: StepContext,
    control: AttemptControl,
    due: DueAttempt,
) -> Ran {
    let StepBody::Transactional(body) = def.run else {
        return Ran::Over(AttemptOutcome::of(Err(StepFault::NoTransaction)), None);
    };
    let mut tx = match parts.store.begin(&lease).await {
        Ok(Some(transaction)) => Tx::new(transaction),
        Ok(None) => return Ran::LostLease,
        Err(error) => return Ran::Fault(error),
    };
    // The time that it waited for the store does not count.
    let began = Instant::now();
    let answered = tokio::select! {
        biased;
        answer = body(cx, &parts.resources, &due.args, &mut tx) => outcome(answer, parts.payload_limit),
        timeout_ms = time_limit(due.timeout_ms.or(def.facts.timeout_ms)) => {
            control.cancel();
            AttemptOutcome::timed_out(timeout_ms)
        }
        heartbeat_ms = silence(def.facts.heartbeat_ms, &control) => {
            control.cancel();
            AttemptOutcome::silent(heartbeat_ms)
        }
    };
    parts.telemetry.attempt_over(def, &answered, began.elapsed());
    let mut transaction = tx.into_inner();
    let took_effect = matches!(answered, AttemptOutcome::Answered(Answer::Done(_)));
    match transaction.fault() {
        // The disk is full, say: that is no answer of the step, whatever its body made of it.
        Some(error) if error.is_transient() => Ran::Fault(error),
        Some(error) if took_effect => Ran::Over(refused(&error), None),
        None if took_effect => Ran::Over(answered, Some(transaction)),
        _ => Ran::Over(answered, None),
    }
}

/// The store does not take what the attempt did.
fn refused(error: &StoreError) -> AttemptOutcome {
    let message = format!("the database does not take what the step did: {error}");
    AttemptOutcome::Failed(Failure { kind: FailureKind::RolledBack, message })
}
