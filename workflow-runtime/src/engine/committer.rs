//! Group commit: the turns of all runs that are ready go into one transaction, or, when they are many, into two in
//! turn; stragglers are hardly waited for.
//! It knows nothing of workflows. Nothing leaves it as written before the store has said so.

mod kinds;
mod pace;
mod write;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

pub(super) use self::kinds::{note_outcome, note_sends};
pub(crate) use self::write::persist;

use self::kinds::{Cancels, Messages, OutboxChanges, Parkings, Turns};
use self::pace::Pace;
use self::write::write;
use super::live::Seat;
use super::parts::{Parts, Phase};
use super::weight;
use crate::store::{Delivered, NewMessage, OutboxChange, Parking, RunState, StoreError, Turn, TurnOutcome};

/// How much goes into one transaction: enough to make its cost small, little enough to answer soon.
const MOST_JOBS: usize = 1_000;
const MOST_BYTES: usize = 8 << 20;

/// Where the answer of the store goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to write.
pub(crate) enum Job {
    Turn {
        turn: Arc<Turn>,
        /// Where the run can be reached, if it begins with this turn.
        seat: Option<Seat>,
        reply: Reply<TurnOutcome>,
    },
    Deliver {
        message: Box<NewMessage>,
        /// Where the runs can be reached that begin with it.
        seats: Vec<Seat>,
        reply: Reply<Delivered>,
    },
    Outbox {
        changes: Vec<OutboxChange>,
        reply: Reply<Vec<bool>>,
    },
    Cancel {
        run_id: Arc<str>,
        reason: String,
        reply: Reply<Option<RunState>>,
    },
    Park {
        parking: Box<Parking>,
        reply: Reply<bool>,
    },
}

/// Who asked for a turn, and where the run can be reached if it begins with it.
type Asker = (Option<Seat>, Reply<TurnOutcome>);

/// Who sent a message, and where the runs can be reached that begin with it here: the first of its starts.
type Sender = (Vec<Seat>, Reply<Delivered>);

#[derive(Default)]
struct Batch {
    turns: Vec<Arc<Turn>>,
    askers: Vec<Asker>,
    messages: Vec<NewMessage>,
    senders: Vec<Sender>,
    outbox_changes: Vec<Vec<OutboxChange>>,
    changers: Vec<Reply<Vec<bool>>>,
    cancels: Vec<(Arc<str>, String)>,
    cancellers: Vec<Reply<Option<RunState>>>,
    parkings: Vec<Parking>,
    parkers: Vec<Reply<bool>>,
    bytes: usize,
}

/// Writes until the engine stops.
pub(crate) async fn commit_all(parts: Arc<Parts>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let _ends_all = EndsAll(Arc::clone(&parts));
    let mut pace = Pace::default();
    let mut under_way = UnderWay { batches: JoinSet::new(), most: parts.store.commits_at_once().max(1) };
    loop {
        if let Some(last) = under_way.make_room().await {
            pace = last.followed_by(&jobs);
        }
        let first = tokio::select! {
            biased;
            () = parts.stopped() => break,
            Some(last) = under_way.next() => {
                pace = last.followed_by(&jobs);
                continue;
            }
            job = jobs.recv() => job,
        };
        let Some(first) = first else { break };
        // Those who start runs that are parked at once are not among the runs in memory.
        if parts.live.count() > 1 || pace.expected > 1 {
            pace.gather(&jobs).await;
        }
        let mut batch = Batch::default();
        batch.add(first);
        while batch.has_room() {
            let Ok(job) = jobs.try_recv() else { break };
            batch.add(job);
        }
        if under_way.most > 1 && batch.keeps_to_its_runs() {
            under_way.begin(&parts, batch);
        } else {
            under_way.end_all().await;
            pace = batch.write(&parts).await.followed_by(&jobs);
        }
    }
    under_way.end_all().await;
}

/// An engine that writes nothing any more must not go on saying that it is there: it would hold its runs for ever.
struct EndsAll(Arc<Parts>);

impl Drop for EndsAll {
    fn drop(&mut self) {
        if self.0.phase() == Phase::Stopped {
            return;
        }
        // Otherwise the executor is gone, and everything with it.
        if std::thread::panicking() {
            tracing::error!(
                "what writes has panicked, and the engine stops: another one takes its runs over"
            );
        }
        self.0.stop();
    }
}

/// The batches that a store writes at once with others. Only turns are that touch nothing but their runs: no run has
/// two, but when two callers begin the same one. All else comes before or after.
struct UnderWay {
    batches: JoinSet<Pace>,
    most: usize,
}

impl UnderWay {
    fn begin(&mut self, parts: &Arc<Parts>, batch: Batch) {
        let parts = Arc::clone(parts);
        self.batches.spawn(async move { batch.write(&parts).await });
    }

    /// Waits until one more may begin, and gives what the last one that ended was like, if that took waiting.
    async fn make_room(&mut self) -> Option<Pace> {
        let mut last = None;
        while self.batches.len() >= self.most {
            last = self.next().await;
        }
        last
    }

    async fn end_all(&mut self) {
        while self.next().await.is_some() {}
    }

    /// The next one that ends; `None` when there is none.
    async fn next(&mut self) -> Option<Pace> {
        match self.batches.join_next().await? {
            Ok(pace) => Some(pace),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down, and this task with it.
                Err(_) => None,
            },
        }
    }
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Turn { turn, seat, reply } => {
                self.bytes += weight::of_turn(&turn);
                self.turns.push(turn);
                self.askers.push((seat, reply));
            }
            Job::Deliver { message, seats, reply } => {
                let starts = message.starts.iter().map(weight::of_turn).sum::<usize>();
                self.bytes += message.payload.as_json().len() + starts;
                self.messages.push(*message);
                self.senders.push((seats, reply));
            }
            Job::Outbox { changes, reply } => {
                self.outbox_changes.push(changes);
                self.changers.push(reply);
            }
            Job::Cancel { run_id, reason, reply } => {
                self.cancels.push((run_id, reason));
                self.cancellers.push(reply);
            }
            Job::Park { parking, reply } => {
                self.parkings.push(*parking);
                self.parkers.push(reply);
            }
        }
    }

    fn has_room(&self) -> bool {
        self.jobs() < MOST_JOBS && self.bytes < MOST_BYTES
    }

    fn jobs(&self) -> usize {
        let jobs = self.turns.len() + self.messages.len() + self.outbox_changes.len() + self.cancels.len();
        jobs + self.parkings.len()
    }

    /// Whether it writes turns only, and none of them touches what is another run's: two batches that lock the same
    /// rows, each in its own order, would wait for each other until the database notices.
    fn keeps_to_its_runs(&self) -> bool {
        let keeps_to_its_run = |turn: &Arc<Turn>| {
            let changes = &turn.changes;
            let hears_of_others = !changes.take_messages.is_empty() || !changes.misfits.is_empty();
            changes.wakes.is_empty() && changes.answers.is_empty() && !hears_of_others
        };
        self.jobs() == self.turns.len() && self.turns.iter().all(keeps_to_its_run)
    }

    /// Gives what it was like.
    async fn write(self, parts: &Arc<Parts>) -> Pace {
        let (expected, began) = (self.jobs(), Instant::now());
        self.write_all(parts).await;
        Pace { expected, took: began.elapsed() }
    }

    async fn write_all(self, parts: &Arc<Parts>) {
        let now_ms = parts.clock.now_ms();
        write::<Turns>(parts, self.turns, self.askers, now_ms).await;
        write::<Messages>(parts, self.messages, self.senders, now_ms).await;
        write::<OutboxChanges>(parts, self.outbox_changes, self.changers, now_ms).await;
        for (cancel, reply) in self.cancels.into_iter().zip(self.cancellers) {
            write::<Cancels>(parts, vec![cancel], vec![reply], now_ms).await;
        }
        write::<Parkings>(parts, self.parkings, self.parkers, now_ms).await;
    }
}
