//! What the committer writes, kind by kind: what the store is asked, and who hears of its answer.
//! Nothing here waits or tries again.

use std::sync::Arc;
use std::time::Duration;

use workflow_core::Timestamp;

use super::{Asker, Reply, Sender};
use crate::engine::live::{Input, Seat};
use crate::engine::parts::Parts;
use crate::store::{Delivered, NewMessage, OutboxChange, Parking, RunState, StoreError, Turn, TurnOutcome};

/// Things of one kind that are written together.
pub(super) trait Kind: 'static {
    type Item: Send + Sync + 'static;
    /// Who hears what became of an item.
    type Asker: Send + 'static;
    type Answer: Send;

    /// Has the store write them: all, or, with an error, none, as far as is known. May be called again.
    fn ask(
        parts: &Parts,
        items: &[Self::Item],
        now_ms: Timestamp,
    ) -> impl Future<Output = Result<Vec<Self::Answer>, StoreError>> + Send;

    /// They are written: everybody hears of it.
    fn answer(parts: &Parts, items: Vec<Self::Item>, askers: Vec<Self::Asker>, answers: Vec<Self::Answer>);

    /// The store does not take it.
    fn refuse(asker: Self::Asker, error: StoreError);

    /// How long it took until the store had answered, with repetitions.
    fn note(_parts: &Parts, _items: usize, _took: Duration) {}
}

pub(super) struct Turns;

impl Kind for Turns {
    type Item = Arc<Turn>;
    type Asker = Asker;
    type Answer = TurnOutcome;

    async fn ask(
        parts: &Parts,
        turns: &[Arc<Turn>],
        now_ms: Timestamp,
    ) -> Result<Vec<TurnOutcome>, StoreError> {
        parts.store.commit(turns, now_ms).await
    }

    fn answer(parts: &Parts, turns: Vec<Arc<Turn>>, askers: Vec<Asker>, outcomes: Vec<TurnOutcome>) {
        note_sends(parts, turns.iter().map(|turn| &**turn));
        for ((turn, (seat, reply)), outcome) in turns.into_iter().zip(askers).zip(outcomes) {
            note_outcome(parts, &turn, &outcome);
            let outcome = seated(parts, &turn, seat, outcome);
            // Before the answer: who asked frees it then, and takes the same pieces of memory for its next turn. One
            // task that frees those of all runs keeps the threads waiting for each other's heap.
            drop(turn);
            let _ = reply.send(Ok(outcome));
        }
    }

    fn refuse((_, reply): Asker, error: StoreError) {
        let _ = reply.send(Err(error));
    }

    fn note(parts: &Parts, turns: usize, took: Duration) {
        parts.telemetry.batch(turns, took);
    }
}

pub(super) struct Messages;

impl Kind for Messages {
    type Item = NewMessage;
    type Asker = Sender;
    type Answer = Delivered;

    async fn ask(
        parts: &Parts,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        parts.store.deliver(&parts.worker(), messages, now_ms).await
    }

    fn answer(parts: &Parts, messages: Vec<NewMessage>, senders: Vec<Sender>, delivered: Vec<Delivered>) {
        note_sends(parts, messages.iter().flat_map(|message| &message.starts));
        for ((message, mut delivered), (seats, reply)) in messages.iter().zip(delivered).zip(senders) {
            let starts = std::mem::take(&mut delivered.starts).into_iter().zip(&message.starts);
            // Those that begin for somebody else come last and have no seat.
            let seats = seats.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            delivered.starts = starts
                .zip(seats)
                .map(|((outcome, turn), seat)| {
                    note_outcome(parts, turn, &outcome);
                    seated(parts, turn, seat, outcome)
                })
                .collect();
            for offer in &delivered.offers {
                if !parts.live.send(&offer.run_id, Input::Offer(offer.clone())) {
                    parts.alarm.ring();
                }
            }
            let _ = reply.send(Ok(delivered));
        }
    }

    fn refuse((_, reply): Sender, error: StoreError) {
        let _ = reply.send(Err(error));
    }
}

pub(super) struct OutboxChanges;

impl Kind for OutboxChanges {
    type Item = Vec<OutboxChange>;
    type Asker = Reply<Vec<bool>>;
    type Answer = Vec<bool>;

    async fn ask(
        parts: &Parts,
        asked: &[Vec<OutboxChange>],
        _now_ms: Timestamp,
    ) -> Result<Vec<Vec<bool>>, StoreError> {
        let all: Vec<OutboxChange> = asked.iter().flatten().cloned().collect();
        let mut changed = parts.store.change_outbox(&all).await?.into_iter();
        Ok(asked.iter().map(|changes| changed.by_ref().take(changes.len()).collect()).collect())
    }

    fn answer(
        _parts: &Parts,
        _asked: Vec<Vec<OutboxChange>>,
        askers: Vec<Reply<Vec<bool>>>,
        changed: Vec<Vec<bool>>,
    ) {
        for (reply, changed) in askers.into_iter().zip(changed) {
            let _ = reply.send(Ok(changed));
        }
    }

    fn refuse(reply: Reply<Vec<bool>>, error: StoreError) {
        let _ = reply.send(Err(error));
    }
}

/// A cancel of a run, with its reason.
pub(super) struct Cancels;

impl Kind for Cancels {
    type Item = (Arc<str>, String);
    type Asker = Reply<Option<RunState>>;
    type Answer = Option<RunState>;

    async fn ask(
        parts: &Parts,
        cancels: &[(Arc<str>, String)],
        _now_ms: Timestamp,
    ) -> Result<Vec<Option<RunState>>, StoreError> {
        let (worker, mut states) = (parts.worker(), Vec::with_capacity(cancels.len()));
        for (run_id, reason) in cancels {
            states.push(parts.store.request_cancel(&worker, run_id, reason).await?);
        }
        Ok(states)
    }

    fn answer(
        parts: &Parts,
        cancels: Vec<(Arc<str>, String)>,
        askers: Vec<Reply<Option<RunState>>>,
        states: Vec<Option<RunState>>,
    ) {
        for (((run_id, reason), reply), state) in cancels.into_iter().zip(askers).zip(states) {
            let goes_on = matches!(state, Some(RunState::Running));
            if goes_on && !parts.live.send(&run_id, Input::Cancel(reason)) {
                parts.alarm.ring();
            }
            let _ = reply.send(Ok(state)); // Who no longer waits for the answer has lost interest.
        }
    }

    fn refuse(reply: Reply<Option<RunState>>, error: StoreError) {
        let _ = reply.send(Err(error));
    }
}

pub(super) struct Parkings;

impl Kind for Parkings {
    type Item = Parking;
    type Asker = Reply<bool>;
    type Answer = bool;

    async fn ask(parts: &Parts, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError> {
        parts.store.park(parkings, now_ms).await
    }

    fn answer(parts: &Parts, parkings: Vec<Parking>, parkers: Vec<Reply<bool>>, parked: Vec<bool>) {
        for ((parking, reply), is_parked) in parkings.iter().zip(parkers).zip(parked) {
            parts.telemetry.runs_parked.increment(u64::from(is_parked));
            if let Some(wake_ms) = parking.wake_ms.filter(|_| is_parked) {
                parts.alarm.set(wake_ms);
            }
            let _ = reply.send(Ok(is_parked));
        }
    }

    fn refuse(reply: Reply<bool>, error: StoreError) {
        let _ = reply.send(Err(error));
    }
}

/// Wakes whoever hands messages over, when there are any.
pub(in crate::engine) fn note_sends<'a>(parts: &Parts, written: impl IntoIterator<Item = &'a Turn>) {
    if written.into_iter().any(|turn| !turn.changes.sends.is_empty()) {
        parts.outbox_changed.notify_one();
    }
}

/// Counts what became of a turn.
pub(in crate::engine) fn note_outcome(parts: &Parts, turn: &Turn, outcome: &TurnOutcome) {
    match outcome {
        TurnOutcome::Written(_) => parts.telemetry.turn_written(turn),
        TurnOutcome::LostLease => parts.telemetry.leases_lost.increment(1),
        TurnOutcome::Exists | TurnOutcome::MessageTaken => {}
    }
}

/// Makes a run that has begun reachable, before anybody can ask for it: what somebody asks of it, such as a cancel, is
/// written only after this.
fn seated(parts: &Parts, turn: &Turn, seat: Option<Seat>, outcome: TurnOutcome) -> TurnOutcome {
    match (seat, outcome) {
        (Some(seat), TurnOutcome::Written(offers)) => {
            // A start that is repeated word for word looks written; the run has its driver already.
            let is_new = parts.live.insert(&turn.lease, seat);
            if let Some(begins) = turn.begins.as_ref().filter(|_| is_new) {
                parts.telemetry.run_started(&begins.workflow);
            }
            if is_new { TurnOutcome::Written(offers) } else { TurnOutcome::Exists }
        }
        (_, outcome) => {
            if let Some((begins, wake_ms)) =
                turn.begins.as_ref().and_then(|begins| Some((begins, begins.parks_until?)))
            {
                parts.alarm.set(wake_ms);
                if matches!(outcome, TurnOutcome::Written(_)) {
                    parts.telemetry.run_started(&begins.workflow);
                }
            }
            outcome
        }
    }
}
