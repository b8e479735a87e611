//! Group commit: the turns of all runs that are ready go into one transaction, or, when they are many, into two in
//! turn; stragglers are hardly waited for.
//! It knows nothing of workflows. Nothing leaves it as written before the store has said so.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use workflow_core::Timestamp;

use super::live::{Input, Seat};
use super::parts::{Backoff, Parts, Phase};
use crate::store::{Delivered, NewMessage, OutboxChange, Parking, RunState, StoreError, Turn, TurnOutcome};

/// How much goes into one transaction: enough to make its cost small, little enough to answer soon.
const MOST_JOBS: usize = 1_000;
const MOST_BYTES: usize = 8 << 20;

/// From how many on those that are expected are written in two batches, so that the one half goes on while the other is
/// written: about as many as take longer to write than the disk takes to have it.
const LARGE: usize = 32;

/// How long nobody has to come for a batch to be written although more were expected: about what a turn takes that is
/// under way on another thread.
const LULL: Duration = Duration::from_micros(25);

/// How long an engine that may have been given up waits before it looks whether it was.
const UNCERTAIN: Duration = Duration::from_millis(20);

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

/// Who sent a message, and where the runs can be reached that begin with it.
type Sender = (Vec<Seat>, Reply<Delivered>);

#[derive(Default)]
struct Batch {
    turns: Vec<Arc<Turn>>,
    askers: Vec<Asker>,
    messages: Vec<NewMessage>,
    senders: Vec<Sender>,
    outbox_changes: Vec<(Vec<OutboxChange>, Reply<Vec<bool>>)>,
    cancels: Vec<(Arc<str>, String, Reply<Option<RunState>>)>,
    parkings: Vec<Parking>,
    parkers: Vec<Reply<bool>>,
    bytes: usize,
}

/// Writes until the engine stops.
pub(crate) async fn commit_all(parts: Arc<Parts>, mut jobs: mpsc::UnboundedReceiver<Job>) {
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

/// What the last batch was like.
#[derive(Default)]
struct Pace {
    /// How many it has answered, and how many came meanwhile: those that may ask for something soon.
    expected: usize,
    took: Duration,
}

impl Pace {
    /// Who came while it was written is expected as well.
    fn followed_by(self, jobs: &mpsc::UnboundedReceiver<Job>) -> Pace {
        Pace { expected: self.expected + jobs.len(), ..self }
    }

    /// Not a wait for stragglers: whoever is ready to run has its say first, so that the runs that a batch has answered
    /// meet again in the next one, and do not follow each other with a transaction for each few. Those that another
    /// thread has taken over are looked out for as well, for a small part of what a transaction takes.
    async fn gather(&self, jobs: &mpsc::UnboundedReceiver<Job>) {
        let (began, mut count) = (Instant::now(), jobs.len());
        let mut grew = began;
        let enough = if self.expected < LARGE { self.expected } else { self.expected.div_ceil(2) };
        loop {
            let_the_others_go_on().await;
            let now = Instant::now();
            if jobs.len() > count {
                (count, grew) = (jobs.len(), now);
            }
            let is_lull = now - grew >= LULL.min(self.took / 10);
            // The first one is out of the queue already.
            if count + 1 >= enough || is_lull || now - began >= self.took / 2 {
                return;
            }
        }
    }
}

/// Goes to the end of the queue of tasks that are ready to run. Not tokio's `yield_now`: that one comes back only after
/// a look at what timers and sockets may have brought, which costs the threads of an executor a nap for each batch.
async fn let_the_others_go_on() {
    let mut has_gone = false;
    poll_fn(|context| {
        if has_gone {
            return Poll::Ready(());
        }
        has_gone = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Turn { turn, seat, reply } => {
                self.bytes += turn.records.iter().map(weight).sum::<usize>();
                self.turns.push(turn);
                self.askers.push((seat, reply));
            }
            Job::Deliver { message, seats, reply } => {
                let starts = message.starts.iter().flat_map(|turn| &turn.records);
                self.bytes += message.payload.as_json().len() + starts.map(weight).sum::<usize>();
                self.messages.push(*message);
                self.senders.push((seats, reply));
            }
            Job::Outbox { changes, reply } => self.outbox_changes.push((changes, reply)),
            Job::Cancel { run_id, reason, reply } => self.cancels.push((run_id, reason, reply)),
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
    async fn write(self, parts: &Parts) -> Pace {
        let (expected, began) = (self.jobs(), Instant::now());
        self.write_all(parts).await;
        Pace { expected, took: began.elapsed() }
    }

    async fn write_all(self, parts: &Parts) {
        let now_ms = parts.clock.now_ms();
        write_turns(parts, self.turns, self.askers, now_ms).await;
        deliver(parts, self.messages, self.senders, now_ms).await;
        change_outbox(parts, self.outbox_changes).await;
        for (run_id, reason, reply) in self.cancels {
            let worker = parts.worker();
            let state = persist(parts, || parts.store.request_cancel(&worker, &run_id, &reason)).await;
            let Some(state) = state else { return };
            if matches!(state, Ok(Some(RunState::Running)))
                && !parts.live.send(&run_id, Input::Cancel(reason))
            {
                parts.alarm.ring();
            }
            let _ = reply.send(state); // Who no longer waits for the answer has lost interest.
        }
        park(parts, self.parkings, self.parkers, now_ms).await;
    }
}

async fn park(parts: &Parts, parkings: Vec<Parking>, parkers: Vec<Reply<bool>>, now_ms: Timestamp) {
    if parkings.is_empty() {
        return;
    }
    match persist(parts, || parts.store.park(&parkings, now_ms)).await {
        None => {}
        Some(Ok(parked)) => {
            for ((parking, reply), is_parked) in parkings.iter().zip(parkers).zip(parked) {
                parts.telemetry.runs_parked.increment(u64::from(is_parked));
                if let Some(wake_ms) = parking.wake_ms.filter(|_| is_parked) {
                    parts.alarm.set(wake_ms);
                }
                let _ = reply.send(Ok(is_parked));
            }
        }
        Some(Err(error)) if parkings.len() == 1 => {
            let reply = parkers.into_iter().next().expect("one run has one who lets go of it");
            let _ = reply.send(Err(error));
        }
        Some(Err(_)) => {
            for (parking, reply) in parkings.into_iter().zip(parkers) {
                Box::pin(park(parts, vec![parking], vec![reply], now_ms)).await;
            }
        }
    }
}

async fn write_turns(parts: &Parts, turns: Vec<Arc<Turn>>, askers: Vec<Asker>, now_ms: Timestamp) {
    if turns.is_empty() {
        return;
    }
    let began = Instant::now();
    let Some(outcomes) = persist(parts, || parts.store.commit(&turns, now_ms)).await else { return };
    parts.telemetry.batch(turns.len(), began.elapsed());
    match outcomes {
        Ok(outcomes) => {
            note_sends(parts, turns.iter().map(|turn| &**turn));
            for ((turn, (seat, reply)), outcome) in turns.into_iter().zip(askers).zip(outcomes) {
                note_outcome(parts, &turn, &outcome);
                let outcome = seated(parts, &turn, seat, outcome);
                // Before the answer: who asked frees it then, and takes the same pieces of memory for its next turn.
                // One task that frees those of all runs keeps the threads waiting for each other's heap.
                drop(turn);
                let _ = reply.send(Ok(outcome));
            }
        }
        Err(error) if turns.len() == 1 => {
            let (_, reply) = askers.into_iter().next().expect("one turn has one asker");
            let _ = reply.send(Err(error));
        }
        Err(_) => {
            // One of them is at fault: it must not hold up the others.
            for (turn, asker) in turns.into_iter().zip(askers) {
                Box::pin(write_turns(parts, vec![turn], vec![asker], now_ms)).await;
            }
        }
    }
}

/// Wakes whoever hands messages over, when there are any.
pub(super) fn note_sends<'a>(parts: &Parts, written: impl IntoIterator<Item = &'a Turn>) {
    if written.into_iter().any(|turn| !turn.changes.sends.is_empty()) {
        parts.outbox_changed.notify_one();
    }
}

/// Counts what became of a turn.
pub(super) fn note_outcome(parts: &Parts, turn: &Turn, outcome: &TurnOutcome) {
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

async fn deliver(parts: &Parts, messages: Vec<NewMessage>, senders: Vec<Sender>, now_ms: Timestamp) {
    if messages.is_empty() {
        return;
    }
    let worker = parts.worker();
    let Some(delivered) = persist(parts, || parts.store.deliver(&worker, &messages, now_ms)).await else {
        return;
    };
    match delivered {
        Ok(delivered) => {
            note_sends(parts, messages.iter().flat_map(|message| &message.starts));
            for ((message, mut delivered), (seats, reply)) in messages.iter().zip(delivered).zip(senders) {
                let starts =
                    std::mem::take(&mut delivered.starts).into_iter().zip(seats).zip(&message.starts);
                delivered.starts = starts
                    .map(|((outcome, seat), turn)| {
                        note_outcome(parts, turn, &outcome);
                        seated(parts, turn, Some(seat), outcome)
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
        Err(error) if messages.len() == 1 => {
            let (_, reply) = senders.into_iter().next().expect("one message has one sender");
            let _ = reply.send(Err(error));
        }
        Err(_) => {
            for (message, sender) in messages.into_iter().zip(senders) {
                Box::pin(deliver(parts, vec![message], vec![sender], now_ms)).await;
            }
        }
    }
}

async fn change_outbox(parts: &Parts, asked: Vec<(Vec<OutboxChange>, Reply<Vec<bool>>)>) {
    if asked.is_empty() {
        return;
    }
    let all: Vec<OutboxChange> = asked.iter().flat_map(|(changes, _)| changes.iter().cloned()).collect();
    let Some(changed) = persist(parts, || parts.store.change_outbox(&all)).await else { return };
    match changed {
        Ok(changed) => {
            let mut changed = changed.into_iter();
            for (changes, reply) in asked {
                let _ = reply.send(Ok(changed.by_ref().take(changes.len()).collect()));
            }
        }
        Err(error) if asked.len() == 1 => {
            let (_, reply) = asked.into_iter().next().expect("one change has one who asked");
            let _ = reply.send(Err(error));
        }
        Err(_) => {
            for one in asked {
                Box::pin(change_outbox(parts, vec![one])).await;
            }
        }
    }
}

/// Asks the store until it answers: a full disk or a busy file is waited for, whatever depends on it waits too.
/// `None` when the engine has stopped: whoever comes next has taken all unfinished runs, and would not know of one that
/// begins now.
pub(crate) async fn persist<T, F>(parts: &Parts, mut ask: impl FnMut() -> F) -> Option<Result<T, StoreError>>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut backoff = Backoff::new();
    loop {
        if parts.phase() == Phase::Stopped {
            return None;
        }
        if !parts.membership.is_certain() {
            // Others may have taken over. Once that is known, the store refuses what is no longer this engine's.
            tokio::time::sleep(UNCERTAIN).await;
            continue;
        }
        match ask().await {
            Err(error) if error.is_transient() => {
                parts.telemetry.store_retries.increment(1);
                tracing::warn!(%error, "the store is not available; trying again");
                if !backoff.wait(parts).await {
                    return None;
                }
            }
            answer => return Some(answer),
        }
    }
}

/// About how many bytes a record has.
fn weight(record: &workflow_core::Record) -> usize {
    use workflow_core::{Command, Event};
    let event = match &record.event {
        Event::Started { input: payload, .. }
        | Event::StepCompleted { output: payload, .. }
        | Event::MessageReceived { payload, .. } => payload.as_json().len(),
        _ => 0,
    };
    let commands = record.commands.iter().map(|command| match command {
        Command::StartStep { args: payload, .. }
        | Command::StartChild { input: payload, .. }
        | Command::Send { payload, .. } => 100 + payload.as_json().len(),
        _ => 100,
    });
    100 + event + commands.sum::<usize>()
}
