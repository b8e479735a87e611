//! Turns and messages made by hand, for those who ask a store directly.
//! What they hold means nothing.

use std::sync::Arc;

use workflow_core::{Command, Conclusion, Event, OpId, Payload, Record, Timestamp};
use workflow_runtime::store::*;

/// Any store, asked for turns that nobody else has.
pub trait Write: Store {
    fn write(
        &self,
        turns: &[Turn],
        now_ms: Timestamp,
    ) -> impl Future<Output = Result<Vec<TurnOutcome>, StoreError>> + Send {
        let turns: Vec<Arc<Turn>> = turns.iter().cloned().map(Arc::new).collect();
        async move { self.commit(&turns, now_ms).await }
    }
}

impl<S: Store + ?Sized> Write for S {}

/// The worker that holds what these turns write to.
pub const WORKER: &str = "worker-1";

pub fn lease(run_id: &str, epoch: i64) -> Lease {
    Lease { run_id: run_id.into(), epoch, worker: WORKER.into() }
}

/// A worker with code for the runs of these turns.
pub fn worker(id: &str) -> Worker {
    Worker { id: id.into(), code: vec![("flow".into(), 2)], messages: Vec::new() }
}

pub fn op(id: &str) -> OpId {
    OpId::from_text(id)
}

pub fn record(at_ms: i64, text: &str) -> Record {
    let input = Payload::of(text).unwrap();
    Record::new(at_ms, Event::started(input), vec![Command::Withdraw { op: op("x") }])
}

pub fn turn(run_id: &str, epoch: i64, first_seq: i64, texts: &[&str]) -> Turn {
    Turn {
        lease: lease(run_id, epoch),
        begins: None,
        at_ms: 100 + first_seq,
        first_seq,
        records: texts.iter().map(|text| record(100 + first_seq, text)).collect(),
        changes: Changes::default(),
    }
}

pub fn begin(run_id: &str) -> Turn {
    let begins =
        Some(NewRun { workflow: "flow".into(), version: 2, generation: 1, parent: None, parks_until: None });
    Turn { begins, ..turn(run_id, 1, 1, &["input"]) }
}

pub fn begin_waiting(run_id: &str, since_ms: i64) -> Turn {
    let mut turn = begin(run_id);
    let wait = MessageWait { message: "Paid".into(), key: "k".into(), since_ms };
    turn.changes.begin_waits.insert(op("paid"), wait);
    turn
}

pub fn taking(run_id: &str, message_id: &str) -> Turn {
    let mut turn = turn(run_id, 1, 2, &["got it"]);
    turn.changes.take_messages.insert(message_id.into(), op("paid"));
    turn.changes.end_waits.insert(op("paid"));
    turn
}

pub fn ending(run_id: &str, first_seq: i64) -> Turn {
    let mut turn = turn(run_id, 1, first_seq, &["the end"]);
    turn.changes.conclusion = Some(Conclusion::Completed(Payload::of("done").unwrap()));
    turn
}

pub fn message(id: &str, expires_ms: i64) -> NewMessage {
    NewMessage::new(id, "Paid", "k", Payload::of(id).unwrap(), expires_ms)
}

pub fn event(id: &str, expires_ms: i64) -> NewMessage {
    NewMessage { is_event: true, ..message(id, expires_ms) }
}

pub fn written() -> TurnOutcome {
    TurnOutcome::Written(Vec::new())
}

pub fn offered(offers: &[Offer]) -> Vec<(&str, &str)> {
    offers.iter().map(|offer| (offer.run_id.as_ref(), offer.message_id.as_str())).collect()
}

/// A turn in which a run says that it cannot read a message.
pub fn refusing(run_id: &str, message_id: &str) -> Turn {
    let mut turn = turn(run_id, 1, 2, &[]);
    let misfit = Misfit { op: op("paid"), error: "no amount".into() };
    turn.changes.misfits.insert(message_id.into(), misfit);
    turn
}
