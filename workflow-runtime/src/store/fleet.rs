//! What a store promises to several engines, and to one that lets go of runs that only wait.
//! Who holds a run, who may take it, and what reaches a run that somebody else holds; journals are not its affair.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use workflow_core::{Payload, Timestamp};

use super::{ClaimedRun, Lease, StoreError};

/// An engine among those that work on a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Another one for each start of an engine.
    pub id: Arc<str>,
    /// The workflows that it has code for, with their versions.
    pub code: Vec<(String, u32)>,
    /// The messages that they wait for or begin with.
    pub messages: Vec<KnownMessage>,
}

/// A message that a worker has code for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KnownMessage {
    /// The name of the message.
    pub message: String,
    /// A workflow that begins with it, with its version; `None` if runs only wait for it.
    pub starts: Option<(String, u32)>,
}

/// What a worker asks for when it looks for work.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who asks.
    pub worker: Arc<str>,
    /// The workflows to take runs of, with their versions.
    pub code: Vec<(String, u32)>,
    /// Runs whose time has come by then are due.
    pub now_ms: Timestamp,
    /// At most so many runs are taken.
    pub limit: usize,
}

/// What a worker gets when it looks for work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claimed {
    /// Runs that it holds from now on.
    pub runs: Vec<ClaimedRun>,
    /// Runs that it holds already and that somebody else has told something: a message, a cancel, a request, the end of
    /// a child. It is told once.
    pub news: Vec<Arc<str>>,
    /// When the next run is due that nobody holds and that the worker has code for; in the past when the limit was met.
    pub next_wake_ms: Option<Timestamp>,
}

/// A run that only waits, and that its holder wants to let go of.
#[derive(Clone, Debug, PartialEq)]
pub struct Parking {
    /// The right to it.
    pub lease: Lease,
    /// When somebody has to look at it; never, if only others can wake it.
    pub wake_ms: Option<Timestamp>,
    /// The children that it waits for.
    pub children: Vec<Arc<str>>,
    /// The code cannot go on with its journal: messages and cancels that are there do not keep it.
    pub is_broken: bool,
}

/// Something that a person asks of a run, whoever holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// By which a request that is repeated is known.
    pub id: String,
    /// The run.
    pub run_id: Arc<str>,
    /// What is asked.
    pub body: Payload,
}

/// Unfinished runs of a workflow that no worker has code for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphans {
    /// The workflow.
    pub workflow: String,
    /// The version of the code that is missing.
    pub version: u32,
    /// How many runs.
    pub runs: u64,
    /// One of them.
    pub example: Arc<str>,
}

/// The part of a [`Store`](super::Store) that says who holds which run. A run is held by one worker, or by nobody; then
/// it is due at some time, or waits until somebody wakes it.
///
/// A worker that is silent for longer than its lease is *given up*: nothing that it writes is taken any more, and what
/// it held is there for others. By whose clock that is judged is the store's affair, never the worker's.
#[async_trait]
pub trait Fleet: Send + Sync + 'static {
    /// Announces a worker, for this long unless it [beats](Fleet::beat). A store that serves one engine gives up all
    /// others at once.
    async fn join(&self, worker: &Worker, lease: Duration) -> Result<(), StoreError>;

    /// Says that the worker is still there, for another lease. `false` when it was given up: it has to join under
    /// another id.
    async fn beat(&self, worker: &str, lease: Duration) -> Result<bool, StoreError>;

    /// Takes leave: what the worker holds is due at once for others.
    async fn leave(&self, worker: &str) -> Result<(), StoreError>;

    /// Takes runs for a worker that it has code for: those whose holder was given up, and those that nobody holds and
    /// that are due. Each gets the next epoch.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError>;

    /// Lets go of runs. One is kept (`false`) when the lease is lost, or when there is something that it has to hear:
    /// it was woken, a cancel is noted, a request is open, a message is there that one of its waits can have, or one
    /// of its children has ended or is not there.
    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError>;

    /// These runs, which the worker holds, have run for long enough without taking it down: their strikes
    /// ([`ClaimedRun::strikes`](super::ClaimedRun::strikes)) are forgotten. One whose lease is lost is left as it is.
    async fn acquit(&self, leases: &[Lease]) -> Result<(), StoreError>;

    /// Has somebody look at these runs soon: their holders, or whoever takes them.
    async fn wake(&self, run_ids: &[Arc<str>]) -> Result<(), StoreError>;

    /// Wakes parked runs that wait for nothing that there is, which nobody would ever look at: a row of theirs is lost
    /// or garbled. Asked rarely; a store that cannot lose rows has nothing to do.
    async fn wake_lost(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Keeps a request until the run answers it ([`Changes::answers`](super::Changes::answers)), and wakes the run
    /// unless this worker holds it. `false` when there is no such run, or it has ended.
    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool, StoreError>;

    /// The requests to these runs that are open, oldest first.
    async fn requests(&self, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError>;

    /// What a run has answered: `None` when the request is not known (any more), `Some(None)` while it is open.
    async fn answer(&self, request_id: &str) -> Result<Option<Option<Payload>>, StoreError>;

    /// Unfinished runs that no worker has code for, by workflow and version.
    async fn orphans(&self) -> Result<Vec<Orphans>, StoreError>;

    /// What the workers that are there know of messages of this name; nothing, if nobody has heard of it. Asked only of
    /// a store that several engines share.
    async fn known_messages(&self, message: &str) -> Result<Vec<KnownMessage>, StoreError> {
        let _ = message;
        Ok(Vec::new())
    }

    /// Whether several engines may work on it at once; then each looks for work again and again. A store that serves
    /// one unless it says otherwise.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether this worker has been there for longest of those that have not been given up: it does what only one may
    /// do at a time, such as handing messages over in order.
    async fn is_first(&self, worker: &str) -> Result<bool, StoreError> {
        let _ = worker;
        Ok(true)
    }

    /// Returns when another worker may have told a run something. A hint that may be missed or come for nothing; a
    /// store that has none never returns.
    async fn woken(&self) {
        std::future::pending().await
    }
}

#[async_trait]
impl<S: Fleet + ?Sized> Fleet for Arc<S> {
    async fn join(&self, worker: &Worker, lease: Duration) -> Result<(), StoreError> {
        (**self).join(worker, lease).await
    }

    async fn beat(&self, worker: &str, lease: Duration) -> Result<bool, StoreError> {
        (**self).beat(worker, lease).await
    }

    async fn leave(&self, worker: &str) -> Result<(), StoreError> {
        (**self).leave(worker).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        (**self).claim(claim).await
    }

    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError> {
        (**self).park(parkings, now_ms).await
    }

    async fn acquit(&self, leases: &[Lease]) -> Result<(), StoreError> {
        (**self).acquit(leases).await
    }

    async fn wake(&self, run_ids: &[Arc<str>]) -> Result<(), StoreError> {
        (**self).wake(run_ids).await
    }

    async fn wake_lost(&self) -> Result<(), StoreError> {
        (**self).wake_lost().await
    }

    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool, StoreError> {
        (**self).ask(worker, request, now_ms).await
    }

    async fn requests(&self, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
        (**self).requests(run_ids).await
    }

    async fn answer(&self, request_id: &str) -> Result<Option<Option<Payload>>, StoreError> {
        (**self).answer(request_id).await
    }

    async fn orphans(&self) -> Result<Vec<Orphans>, StoreError> {
        (**self).orphans().await
    }

    async fn known_messages(&self, message: &str) -> Result<Vec<KnownMessage>, StoreError> {
        (**self).known_messages(message).await
    }

    fn is_shared(&self) -> bool {
        (**self).is_shared()
    }

    async fn is_first(&self, worker: &str) -> Result<bool, StoreError> {
        (**self).is_first(worker).await
    }

    async fn woken(&self) {
        (**self).woken().await;
    }
}
