//! What all parts of one engine hold in common: the store, the clock, the code, the way to the committer.
//! It does nothing by itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use workflow_core::Resources;

use super::committer::{Job, Reply};
use super::endings::Endings;
use super::flow_control::FlowControl;
use super::live::{LiveRuns, Seat};
use super::membership::Membership;
use super::recovery::ReplayRoom;
use super::registry::Registry;
use super::requests::Answers;
use super::suspects::Suspects;
use super::telemetry::Telemetry;
use super::waker::Alarm;
use super::watchdog::Findings;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::store::{Delivered, Lease, NewMessage, OutboxChange, Parking, RunState, Store, Turn, TurnOutcome};
use crate::transport::Transport;

/// How far an engine is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Nothing new is begun; attempts under way are waited for.
    Draining,
    Stopped,
}

/// See the module.
pub(crate) struct Parts {
    pub(crate) membership: Membership,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) registry: Registry,
    pub(crate) resources: Resources,
    pub(crate) payload_limit: usize,
    /// How long a run that only waits stays in memory.
    pub(crate) park_idle_after: Duration,
    /// How many runs may be in memory before others wait until there is room.
    pub(crate) live_limit: usize,
    /// How often a store that others work on, too, is asked for news.
    pub(crate) poll_interval: Duration,
    /// The way out; `None` for the runs of this very engine.
    pub(crate) transport: Option<Arc<dyn Transport>>,
    /// After how many failed attempts a message is parked.
    pub(crate) park_after: u32,
    /// There may be something to hand over.
    pub(crate) outbox_changed: Notify,
    pub(crate) flow_control: Arc<FlowControl>,
    pub(crate) telemetry: Telemetry,
    pub(crate) suspects: Suspects,
    pub(crate) findings: Findings,
    pub(crate) live: LiveRuns,
    pub(crate) alarm: Alarm,
    pub(crate) replay_room: ReplayRoom,
    pub(crate) endings: Endings,
    pub(crate) answers: Answers,
    pub(crate) phase: watch::Sender<Phase>,
    jobs: mpsc::UnboundedSender<Job>,
    /// Every driver holds a clone; when all are gone, the drivers are. `None` once the engine drains.
    drivers: Mutex<Option<mpsc::Sender<()>>>,
}

/// What the parts are made of.
pub(crate) struct Materials {
    pub(crate) membership: Membership,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) registry: Registry,
    pub(crate) resources: Resources,
    pub(crate) payload_limit: usize,
    pub(crate) park_idle_after: Duration,
    pub(crate) live_limit: usize,
    pub(crate) poll_interval: Duration,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) park_after: u32,
    pub(crate) flow_control: Arc<FlowControl>,
    pub(crate) telemetry: Telemetry,
    pub(crate) suspects: Suspects,
}

impl Parts {
    pub(crate) fn new(
        materials: Materials,
    ) -> (Arc<Parts>, mpsc::UnboundedReceiver<Job>, mpsc::Receiver<()>) {
        let Materials {
            membership,
            store,
            clock,
            registry,
            resources,
            payload_limit,
            park_idle_after,
            live_limit,
            poll_interval,
            transport,
            park_after,
            flow_control,
            telemetry,
            suspects,
        } = materials;
        let (jobs, job_receiver) = mpsc::unbounded_channel();
        let (driver, drivers_gone) = mpsc::channel(1);
        let phase = watch::Sender::new(Phase::Running);
        let drivers = Mutex::new(Some(driver));
        let parts = Parts {
            membership,
            store,
            clock,
            registry,
            resources,
            payload_limit,
            park_idle_after,
            live_limit,
            poll_interval,
            transport,
            park_after,
            outbox_changed: Notify::new(),
            flow_control,
            telemetry,
            suspects,
            findings: Findings::default(),
            live: LiveRuns::default(),
            alarm: Alarm::default(),
            replay_room: ReplayRoom::default(),
            endings: Endings::default(),
            answers: Answers::default(),
            phase,
            jobs,
            drivers,
        };
        (Arc::new(parts), job_receiver, drivers_gone)
    }

    /// What this engine is called in the store. Another name after its lease was lost.
    pub(crate) fn worker(&self) -> Arc<str> {
        self.membership.worker()
    }

    /// The right to a run that begins here.
    pub(crate) fn first_lease(&self, run_id: Arc<str>) -> Lease {
        Lease { run_id, epoch: 1, worker: self.worker() }
    }

    /// Has every driver look at where the engine stands.
    pub(crate) fn tell_drivers(&self) {
        self.phase.send_modify(|_| {});
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// The right to drive a run, until it is dropped; `None` when the engine is on its way out.
    pub(crate) fn driver_permit(&self) -> Option<mpsc::Sender<()>> {
        self.drivers.lock().expect("nothing panics while this is locked").clone()
    }

    /// From now on no run gets a driver.
    pub(crate) fn drain(&self) {
        self.phase.send_if_modified(|phase| {
            let was_running = *phase == Phase::Running;
            if was_running {
                *phase = Phase::Draining;
            }
            was_running
        });
        self.drivers.lock().expect("nothing panics while this is locked").take();
    }

    pub(crate) fn stop(&self) {
        self.phase.send_replace(Phase::Stopped);
        self.drivers.lock().expect("nothing panics while this is locked").take();
    }

    /// Returns once the engine has stopped.
    pub(crate) async fn stopped(&self) {
        // The sender lives in these very parts, so it is not gone.
        let _ = self.phase.subscribe().wait_for(|phase| *phase == Phase::Stopped).await;
    }

    /// Returns once the engine is on its way out.
    pub(crate) async fn leaving(&self) {
        // The sender lives in these very parts, so it is not gone.
        let _ = self.phase.subscribe().wait_for(|phase| *phase != Phase::Running).await;
    }

    /// Has a turn written. Returns when it is on the disk, or refused. Whoever keeps a clone until then is the one who
    /// frees it.
    pub(crate) async fn commit(&self, turn: Arc<Turn>, seat: Option<Seat>) -> Result<TurnOutcome, Error> {
        self.ask(|reply| Job::Turn { turn, seat, reply }).await
    }

    pub(crate) async fn deliver(&self, message: NewMessage, seats: Vec<Seat>) -> Result<Delivered, Error> {
        self.refuse_when_leaving()?;
        self.ask(|reply| Job::Deliver { message: Box::new(message), seats, reply }).await
    }

    /// Lets go of a run; false when there is something that it has to hear first.
    pub(crate) async fn park(&self, parking: Parking) -> Result<bool, Error> {
        self.ask(|reply| Job::Park { parking: Box::new(parking), reply }).await
    }

    pub(crate) async fn request_cancel(
        &self,
        run_id: Arc<str>,
        reason: String,
    ) -> Result<Option<RunState>, Error> {
        self.refuse_when_leaving()?;
        self.ask(|reply| Job::Cancel { run_id, reason, reply }).await
    }

    /// Changes messages of the outbox; says of each change whether the message is there.
    pub(crate) async fn change_outbox(&self, changes: Vec<OutboxChange>) -> Result<Vec<bool>, Error> {
        let changed = self.ask(|reply| Job::Outbox { changes, reply }).await?;
        self.outbox_changed.notify_one();
        Ok(changed)
    }

    pub(crate) fn refuse_when_leaving(&self) -> Result<(), Error> {
        if self.phase() == Phase::Running { Ok(()) } else { Err(ErrorKind::Stopped.into()) }
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).map_err(|_| ErrorKind::Stopped)?;
        Ok(answer.await.map_err(|_| ErrorKind::Stopped)??)
    }
}

/// The waits between attempts to reach a store that is not available.
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Backoff {
        Backoff(Duration::from_millis(10))
    }

    /// Waits, each time twice as long, up to five seconds; false when the engine stopped meanwhile.
    pub(crate) async fn wait(&mut self, parts: &Parts) -> bool {
        let wait = self.0;
        self.0 = (wait * 2).min(Duration::from_secs(5));
        tokio::select! {
            biased;
            () = parts.stopped() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}
