//! The engine: takes runs, drives them, and lets them go again.
//! It puts the parts together; each of them is a file beside it.

mod agenda;
mod attempts;
mod builder;
mod children;
mod committer;
mod dispatcher;
mod driver;
mod elsewhere;
mod endings;
mod flow_control;
mod in_process;
pub(crate) mod inbound;
mod live;
mod live_run;
mod membership;
mod metric;
mod outgoing;
pub(crate) mod parts;
mod recovery;
mod registry;
pub(crate) mod requests;
mod retention;
mod scheduler;
mod schedules;
mod start;
mod stuck;
mod suspects;
mod telemetry;
mod transactional;
mod waited;
mod waits;
mod waker;
mod watchdog;
mod weight;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use workflow_core::{Workflow, WorkflowCall};

pub use builder::EngineBuilder;
pub use flow_control::{BreakerState, BreakerStatus, CircuitBreaker, Limit, LimitedStep, Limits};
pub use metric::{METRICS, Metric, MetricKind, MetricUnit};
pub use recovery::Orphan;
pub use start::Start;
pub use waited::{StartAndWait, Waited};
pub use watchdog::Stalled;

use self::parts::Parts;
use crate::client::Client;
use crate::store::EngineLock;

/// How long the last write may take when the engine stops.
const LAST_WRITE: Duration = Duration::from_secs(10);

/// Runs workflows. Clones are the same engine; when the last one is dropped, everything stops at once, as in a
/// crash: nothing is lost, and what is not finished goes on when an engine starts again. [`Engine::shutdown`]
/// stops in order.
///
/// ```
/// # use workflow_runtime::Memory;
/// # async fn f() -> Result<(), workflow_runtime::Error> {
/// use workflow_runtime::Engine;
/// let engine = Engine::builder().store(Memory::new()).start().await?;
/// assert!(engine.orphans().is_empty());
/// engine.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Engine {
    owner: Arc<Owner>,
}

/// What only the engine itself holds, not its clients.
struct Owner {
    parts: Arc<Parts>,
    orphans: Vec<Orphan>,
    grace: Duration,
    running: Mutex<Option<Running>>,
}

struct Running {
    _lock: EngineLock,
    committer: JoinHandle<()>,
    drivers_gone: mpsc::Receiver<()>,
}

impl Engine {
    /// An engine to be set up.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    /// Starts a run: `engine.start(fulfil_order(order)).id("order-42").await?`.
    ///
    /// When this returns, the run is on the disk and will reach its end, here or after a restart.
    pub fn start<W: Workflow>(&self, call: WorkflowCall<W>) -> Start<W> {
        Start::new(Arc::clone(&self.owner.parts), call)
    }

    /// Starts a run and waits for its end up to this long, for services that answer with the result when they can and
    /// with the id of the run when they cannot:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::Waited;
    /// # #[workflow] async fn greet(name: String) -> String { sleep(seconds(1)).await; name }
    /// # async fn f(engine: Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// let call = greet("Ada".into());
    /// match engine.start_and_wait(call, Duration::from_secs(2)).id("greeting-1").await? {
    ///     Waited::Ready(greeting) => println!("200: {greeting}"),
    ///     Waited::Running(run) => println!("202: see {}", run.id()),
    /// }
    /// # Ok(()) }
    /// # fn main() {}
    /// ```
    ///
    /// Whatever happens to whoever waits, the run goes on.
    pub fn start_and_wait<W: Workflow>(&self, call: WorkflowCall<W>, patience: Duration) -> StartAndWait<W> {
        StartAndWait::new(self.start(call), patience)
    }

    /// What may be asked of runs from outside. Clients are cheap and outlive the engine without holding it.
    pub fn client(&self) -> Client {
        Client::new(Arc::clone(&self.owner.parts))
    }

    /// Unfinished runs that this engine found at its start and that nobody had code for, by workflow and version. They
    /// are left alone.
    pub fn orphans(&self) -> &[Orphan] {
        &self.owner.orphans
    }

    /// How many attempts of the limited steps are under way and how many wait, and how the circuit breakers
    /// stand, at this moment.
    pub fn limits(&self) -> Limits {
        self.owner.parts.flow_control.status()
    }

    /// What this engine is called in the store and in logs. It takes another name after its lease was lost
    /// ([`EngineBuilder::lease`]).
    pub fn worker(&self) -> Arc<str> {
        self.owner.parts.worker()
    }

    /// How many runs are in memory. Those that only wait leave it after a while ([`EngineBuilder::park_idle_after`]).
    pub fn live_runs(&self) -> usize {
        self.owner.parts.live.count()
    }

    /// Stops in order: nothing new is begun, attempts under way may finish within the grace period and what
    /// they came to is recorded; the rest goes on when an engine starts again. Afterwards the store is closed.
    ///
    /// Who stops waiting for it stops the engine at once. A second call returns at once, whatever the first is at.
    pub async fn shutdown(&self) {
        let running = self.owner.running.lock().expect("nothing panics while this is locked").take();
        let Some(Running { _lock, committer, mut drivers_gone }) = running else { return };
        let parts = &self.owner.parts;
        let stops_if_dropped = StopsIfDropped(parts);
        parts.drain();
        if tokio::time::timeout(self.owner.grace, drivers_gone.recv()).await.is_err() {
            tracing::warn!("attempts are still under way after the grace period; they will be repeated");
        }
        drop(stops_if_dropped);
        // It finishes the write that is under way, unless the store does not come back from it.
        let abort = committer.abort_handle();
        if tokio::time::timeout(LAST_WRITE, committer).await.is_err() {
            tracing::error!("the store did not answer the last write; it may be on the disk or not");
            abort.abort();
        }
        // Otherwise whoever comes next finds out by itself.
        if let Ok(Err(error)) = tokio::time::timeout(LAST_WRITE, parts.store.leave(&parts.worker())).await {
            tracing::warn!(%error, "the store does not know that this engine has left in order");
        }
        parts.store.close().await;
    }
}

/// Whoever waits for a shutdown may lose patience: an engine that only drains would never let go of its runs.
struct StopsIfDropped<'a>(&'a Parts);

impl Drop for StopsIfDropped<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // The lock goes with this owner; what is still under way is refused by the epoch of whoever comes next.
        self.parts.stop();
    }
}
