//! Setting up an engine: what it is given is checked before anything runs.
//! It starts the parts and hands out the engine; it drives nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use workflow_core::{Definition, ResourceNeed, Resources, StepFn, WorkflowFn, def_of};

use super::committer::{Job, commit_all};
use super::dispatcher::dispatch;
use super::flow_control::{CircuitBreaker, FlowControl, FlowSettings, Limit};
use super::membership::{Membership, keep_alive};
use super::parts::{Materials, Parts};
use super::recovery::{orphans, wake_stuck};
use super::registry::Registry;
use super::retention::{Retention, keep_in_order};
use super::suspects::Suspects;
use super::telemetry::Telemetry;
use super::{Engine, Orphan, Owner, Running, scheduler, waker, watchdog};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::export::RunSink;
use crate::store::Store;
use crate::transport::Transport;

/// The largest payload that is taken unless the builder says otherwise: 2 MiB.
const PAYLOAD_LIMIT: usize = 2 << 20;

/// How long the ids of messages are known unless the builder says otherwise: thirty days.
const MESSAGE_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long the store believes that an engine is there without hearing of it: longer than a restart of the database or
/// a slow disk, short enough that nobody is called at night for one machine.
const LEASE: Duration = Duration::from_secs(30);

/// How long a suspect has to live unless the builder says otherwise: most code that takes a process down does so at
/// once.
const PROBATION: Duration = Duration::from_secs(10);

/// After how long without progress a run is reported unless the builder says otherwise.
const WATCHDOG: Duration = Duration::from_secs(10 * 60);

/// How long a run that only waits stays in memory: long enough for somebody who answers at once, so that it is not
/// written and replayed for that, and so short that memory follows what happens now and not what is waited for.
const PARK_IDLE_AFTER: Duration = Duration::from_secs(1);

/// How many runs are in memory before those that come due wait: some tens of megabytes.
const LIVE_RUNS: usize = 10_000;

/// How often a store that others work on, too, is asked for news.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// After how many failed attempts a message is parked unless the builder says otherwise: about a day of them.
const PARK_AFTER: u32 = 300;

/// An engine to be set up: [`Engine::builder`].
#[must_use = "nothing runs until `.start().await`"]
pub struct EngineBuilder {
    store: Option<Arc<dyn Store>>,
    definitions: Vec<Definition>,
    resources: Resources,
    clock: Clock,
    payload_limit: usize,
    grace: Duration,
    retention: Retention,
    watchdog: Duration,
    strikes: u32,
    probation: Duration,
    transport: Option<Arc<dyn Transport>>,
    park_after: u32,
    flow: FlowSettings,
    park_idle_after: Duration,
    live_runs: usize,
    lease: Duration,
    poll_interval: Duration,
}

impl EngineBuilder {
    pub(super) fn new() -> EngineBuilder {
        EngineBuilder {
            store: None,
            definitions: Vec::new(),
            resources: Resources::default(),
            clock: Clock::system(),
            payload_limit: PAYLOAD_LIMIT,
            grace: Duration::from_secs(30),
            retention: Retention { messages: MESSAGE_RETENTION, runs: None, sink: None },
            watchdog: WATCHDOG,
            strikes: u32::MAX,
            probation: PROBATION,
            transport: None,
            park_after: PARK_AFTER,
            flow: FlowSettings::default(),
            park_idle_after: PARK_IDLE_AFTER,
            live_runs: LIVE_RUNS,
            lease: LEASE,
            poll_interval: POLL_INTERVAL,
        }
    }

    /// Where runs are kept.
    pub fn store(mut self, store: impl Store) -> EngineBuilder {
        self.store = Some(Arc::new(store));
        self
    }

    /// Makes a workflow known: `.register(fulfil_order)`, and with it the workflows that it starts as children. Several
    /// versions of one workflow may be registered: runs stay with theirs.
    pub fn register<A>(mut self, workflow: impl WorkflowFn<A>) -> EngineBuilder {
        self.definitions.push(workflow.definition());
        self
    }

    /// Supplies what steps ask for as `Resource<T>`; one value of each type.
    pub fn resource<T: Send + Sync + 'static>(mut self, resource: T) -> EngineBuilder {
        self.resources.insert(resource);
        self
    }

    /// The largest payload to take, in bytes of JSON: an input, a message, the answer of a step, what a run sends or
    /// tells of its progress. 2 MiB unless said otherwise.
    pub fn payload_limit(mut self, bytes: usize) -> EngineBuilder {
        self.payload_limit = bytes;
        self
    }

    /// The way that messages take which runs send and publish. Without one they go to the runs of this very engine.
    pub fn transport(mut self, transport: impl Transport) -> EngineBuilder {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// After how many failed attempts to hand a message over nobody tries again until somebody asks for it; at least
    /// one. 300 unless said otherwise, which takes about a day. A message that is refused is parked at once.
    pub fn park_after(mut self, attempts: u32) -> EngineBuilder {
        self.park_after = attempts.max(1);
        self
    }

    /// How long [`Engine::shutdown`] waits for attempts under way. 30 seconds unless said otherwise.
    pub fn grace_period(mut self, grace: Duration) -> EngineBuilder {
        self.grace = grace;
        self
    }

    /// How long a message is remembered after it was taken, parked or discarded: as long, a message with the same id
    /// is known as a duplicate, and a parked one can be redelivered. 30 days unless said otherwise;
    /// [`Duration::MAX`] for ever.
    pub fn message_retention(mut self, retention: Duration) -> EngineBuilder {
        self.retention.messages = retention;
        self
    }

    /// How long a run is kept after it has ended, with its journal. For ever unless said otherwise. A child stays
    /// until its parent has ended or begun anew, and a run whose messages have not left stays until they have.
    ///
    /// A start with the id of a run that is gone starts another one. Its steps have the same idempotency keys and its
    /// messages the same ids as those of the first: keep runs for longer than whoever is called remembers those.
    pub fn run_retention(mut self, retention: Duration) -> EngineBuilder {
        self.retention.runs = Some(retention);
        self
    }

    /// Hands ended runs over, with their journals, before they are removed, and removes only those that were taken:
    /// a file of JSON lines ([`JsonLines`](crate::JsonLines)), or whatever implements
    /// [`RunSink`](crate::RunSink). Needs [`run_retention`](EngineBuilder::run_retention).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use workflow_runtime::{Engine, JsonLines, Memory};
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// let a_month = Duration::from_secs(30 * 24 * 3_600);
    /// let archive = JsonLines::append("runs.jsonl")?;
    /// let builder = Engine::builder().run_retention(a_month).export_to(archive);
    /// # Ok(()) }
    /// ```
    pub fn export_to(mut self, sink: impl RunSink) -> EngineBuilder {
        self.retention.sink = Some(Arc::new(sink));
        self
    }

    /// After how long without a written turn a run in memory is looked at: whether an attempt has been under way for so
    /// long (beyond its timeout, if it has one), whether something is due, or whether its driver is held up. Such runs
    /// are logged and are in [`Client::stalled`](crate::Client::stalled); mere waits are not. 10 minutes unless said
    /// otherwise.
    pub fn watchdog(mut self, patience: Duration) -> EngineBuilder {
        self.watchdog = patience;
        self
    }

    /// After how many strikes a run is left alone: so many workers in a row died while they held it, before it got on
    /// by a single row of its journal. It gets an incident then, and a retry gives it one more chance. At least 1; no
    /// run is ever left alone unless this is said.
    ///
    /// During the last three strikes (but not before the second), a run is a suspect: suspects go on a few at a time,
    /// with each strike fewer, the last time one alone, so that those which only shared a process with the culprit are
    /// told apart from it. A process that is killed from outside, again and again and soon after it has started, leaves
    /// the same marks: then innocent runs get incidents, too. Say this where a run that takes the process down is the
    /// greater danger; 5 finds it quickly, 10 isolates nobody before the seventh death.
    pub fn strikes(mut self, strikes: u32) -> EngineBuilder {
        self.strikes = strikes;
        self
    }

    /// How long others wait for a new suspect ([`strikes`](EngineBuilder::strikes)) to get on; six times as long with
    /// each further strike, and who lives for that long is acquitted. 10 seconds unless said otherwise.
    pub fn probation(mut self, probation: Duration) -> EngineBuilder {
        self.probation = probation;
        self
    }

    /// How many attempts of a step this engine lets through, in place of what the step says:
    /// `.limit(charge_card, Limit::concurrency(4).rate(Rate::per_second(100)))`. The others wait until they may begin;
    /// [`Engine::limits`] tells how many.
    pub fn limit<A>(mut self, step: impl StepFn<A> + Copy, limit: Limit) -> EngineBuilder {
        self.flow.set_limit(def_of(step), limit);
        self
    }

    /// Guards a resource: when so many attempts in a row have failed whose steps take a `Resource<T>`, by a transient
    /// error, a timeout or a panic, it *opens*, and further attempts of all those steps wait, without using up
    /// attempts. After a while it is *half-open*: one attempt is the probe. If that succeeds it is *closed* again and
    /// the others go on, else it opens again. One for each type.
    ///
    /// ```
    /// # use workflow_runtime::{CircuitBreaker, Engine};
    /// # use std::time::Duration;
    /// # struct Gateway;
    /// let breaker = CircuitBreaker { failures: 5, open_for: Duration::from_secs(30) };
    /// let builder = Engine::builder().resource(Gateway).circuit_breaker::<Gateway>(breaker);
    /// ```
    pub fn circuit_breaker<T: Send + Sync + 'static>(mut self, breaker: CircuitBreaker) -> EngineBuilder {
        self.flow.set_breaker(ResourceNeed::of::<T>(), breaker);
        self
    }

    /// How long a run that only waits (for a time, a message, a child, a person) stays in memory: after that it is
    /// *parked*, and costs nothing but its rows until something happens. One that does nothing but sleep for longer
    /// than that is parked from the start. One second unless said otherwise; [`Duration::MAX`] for never. With more
    /// than 256 runs in memory it is less: with 1,024, a quarter.
    pub fn park_idle_after(mut self, idle: Duration) -> EngineBuilder {
        self.park_idle_after = idle;
        self
    }

    /// How many runs are in memory before parked ones that come due have to wait until there is room: when a hundred
    /// thousand timers end at once, they go through in turns. Those that only wait make room. Runs that are started
    /// here do not wait. 10,000 unless said otherwise; at least one.
    pub fn live_runs(mut self, limit: usize) -> EngineBuilder {
        self.live_runs = limit.max(1);
        self
    }

    /// How long the store believes that this engine is there without hearing of it, on a store that several engines
    /// share. It is heard of three times as often. After that, other engines take its runs over, and whatever it still
    /// writes is refused; it lets go of them and goes on under another name. 30 seconds unless said otherwise.
    pub fn lease(mut self, lease: Duration) -> EngineBuilder {
        self.lease = lease;
        self
    }

    /// How often a store that several engines share is asked for runs that are due and for news of those that this
    /// engine holds. A second unless said otherwise. A store that serves one engine needs none of it.
    pub fn poll_interval(mut self, interval: Duration) -> EngineBuilder {
        self.poll_interval = interval;
        self
    }

    /// What time it is; the system's clock unless a test says otherwise. Timeouts and limits of steps go by the system.
    pub fn clock(mut self, clock: Clock) -> EngineBuilder {
        self.clock = clock;
        self
    }

    /// Starts: takes the store for this engine, and goes on with every run that has not ended.
    ///
    /// # Errors
    /// When the set-up is wrong (no store, a workflow registered twice, a missing resource, a schedule that cannot be
    /// kept, a transactional step on a store without transactions, a limit or circuit breaker that concerns no step),
    /// when another engine works on the store, or when the store fails.
    pub async fn start(self) -> Result<Engine, Error> {
        // Without a store there is another defect to tell.
        let has_transactions = self.store.as_ref().is_none_or(|store| store.has_transactions());
        let code = Registry::of(self.definitions, &self.resources, has_transactions);
        let code = code.and_then(|registry| Ok((FlowControl::of(&registry.steps(), &self.flow)?, registry)));
        let no_removal = (self.retention.sink.is_some() && self.retention.runs.is_none()).then(|| {
            "runs are to be exported before they are removed, but none is ever removed: add `.run_retention(..)`"
                .to_owned()
        });
        let (store, (flow_control, registry)) = match (self.store, code) {
            (Some(store), Ok(code)) if no_removal.is_none() => (store, code),
            (store, code) => {
                let mut defects = code.err().unwrap_or_default();
                if store.is_none() {
                    defects.push("there is no store: hand one over with `.store(..)`".to_owned());
                }
                defects.extend(no_removal);
                return Err(ErrorKind::Setup(defects).into());
            }
        };
        let lock = store.lock()?;
        let telemetry = Telemetry::new(&registry.definitions(), &registry.steps());
        let worker = registry.worker(Membership::new_name());
        let began = Instant::now();
        store.join(&worker, self.lease).await?;
        let (parts, jobs, drivers_gone) = Parts::new(Materials {
            membership: Membership::new(worker.id, self.lease, store.is_shared(), began),
            store,
            clock: self.clock,
            registry,
            resources: self.resources,
            payload_limit: self.payload_limit,
            park_idle_after: self.park_idle_after,
            live_limit: self.live_runs,
            poll_interval: self.poll_interval,
            transport: self.transport,
            park_after: self.park_after,
            flow_control,
            telemetry,
            suspects: Suspects::new(self.strikes, self.probation),
        });
        // From here on, whatever fails: nothing may hold runs that nobody drives.
        let mut started = Started(Some(Arc::clone(&parts)));
        let (committer, orphans) = match begin_all(&parts, jobs, self.retention, self.watchdog).await {
            Ok(begun) => begun,
            Err(error) => {
                parts.stop();
                if let Err(error) = parts.store.leave(&parts.worker()).await {
                    tracing::warn!(%error, "the store does not know that this engine did not start");
                }
                return Err(error);
            }
        };
        started.0 = None;
        let running = Mutex::new(Some(Running { _lock: lock, committer, drivers_gone }));
        Ok(Engine { owner: Arc::new(Owner { parts, orphans, grace: self.grace, running }) })
    }
}

/// Whoever starts an engine may lose patience.
struct Started(Option<Arc<Parts>>);

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(parts) = &self.0 {
            parts.stop();
        }
    }
}

/// Begins everything that goes on in the background, and takes the runs that are due.
async fn begin_all(
    parts: &Arc<Parts>,
    jobs: mpsc::UnboundedReceiver<Job>,
    retention: Retention,
    patience: Duration,
) -> Result<(JoinHandle<()>, Vec<Orphan>), Error> {
    if parts.membership.is_shared() {
        tokio::spawn(keep_alive(Arc::clone(parts)));
    }
    // Before anybody hears that the engine runs: a new schedule begins now, not some time later.
    let kept = scheduler::open(parts).await?;
    if let Some(permit) = parts.driver_permit() {
        tokio::spawn(dispatch(Arc::clone(parts), permit));
    }
    let committer = tokio::spawn(commit_all(Arc::clone(parts), jobs));
    let orphans = orphans(parts).await?;
    watchdog::tell_orphans(parts, &orphans);
    wake_stuck(parts).await?;
    while waker::take_due(parts).await? {}
    tokio::spawn(waker::wake_all(Arc::clone(parts)));
    tokio::spawn(watchdog::watch(Arc::clone(parts), patience, orphans.clone()));
    tokio::spawn(keep_in_order(Arc::clone(parts), retention));
    if !kept.is_empty() {
        tokio::spawn(scheduler::fire_all(Arc::clone(parts), kept));
    }
    Ok((committer, orphans))
}
