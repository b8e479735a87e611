//! Who this engine is to the store, and for how long that is certain: the lease, its heartbeat, and a new name when the
//! lease was lost. It knows no runs; what becomes of those that were held is their drivers' affair.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::parts::{Backoff, Parts};
use crate::store::{StoreError, StoreFault};

/// How many heartbeats a lease has: two of them may be lost.
const BEATS: u32 = 3;

/// See the module.
pub(crate) struct Membership {
    lease: Duration,
    /// A store that serves one engine knows by its lock that nobody else is there.
    is_shared: bool,
    standing: Mutex<Standing>,
    /// The store refused something: perhaps this engine was given up.
    doubted: Notify,
}

struct Standing {
    worker: Arc<str>,
    /// By this machine's monotonic clock, from before the store was asked: so it is over here before it is there.
    certain_until: Option<Instant>,
}

impl Membership {
    /// Of an engine that joined under this name, and began to do so then.
    pub(super) fn new(worker: Arc<str>, lease: Duration, is_shared: bool, began: Instant) -> Membership {
        let standing = Standing { worker, certain_until: began.checked_add(lease) };
        Membership { lease, is_shared, standing: Mutex::new(standing), doubted: Notify::new() }
    }

    /// A name that no engine had before.
    pub(super) fn new_name() -> Arc<str> {
        Uuid::now_v7().to_string().into()
    }

    /// What this engine is called in the store.
    pub(crate) fn worker(&self) -> Arc<str> {
        Arc::clone(&self.standing().worker)
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether what was taken under this name may still be its own.
    pub(crate) fn is_called(&self, worker: &str) -> bool {
        !self.is_shared || *self.standing().worker == *worker
    }

    /// Whether nobody can have taken over from this engine. Else it begins nothing and writes nothing.
    pub(crate) fn is_certain(&self) -> bool {
        !self.is_shared || self.standing().certain_until.is_some_and(|until| Instant::now() < until)
    }

    /// Has the store asked at once whether this engine is still there.
    pub(crate) fn doubt(&self) {
        self.doubted.notify_one();
    }

    /// # Errors
    /// When the store serves one engine, and that is another one by now.
    pub(crate) fn can_join_anew(&self) -> Result<(), StoreError> {
        if self.is_shared {
            return Ok(());
        }
        Err(StoreError::new(StoreFault::Locked, "another engine has taken this store over"))
    }

    /// The store has taken a heartbeat that was sent then. Says whether that was late.
    fn renew(&self, sent: Instant) -> bool {
        let was_certain = self.is_certain();
        self.standing().certain_until = sent.checked_add(self.lease);
        !was_certain
    }

    fn rename(&self, worker: Arc<str>) {
        *self.standing() = Standing { worker, certain_until: None };
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().expect("nothing panics while this is locked")
    }
}

/// Says again and again that this engine is there, until it has stopped.
pub(super) async fn keep_alive(parts: Arc<Parts>) {
    let membership = &parts.membership;
    let pause = membership.lease / BEATS;
    let mut wait = pause;
    loop {
        tokio::select! {
            biased;
            () = parts.stopped() => return,
            () = membership.doubted.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
        let (worker, sent) = (membership.worker(), Instant::now());
        let beat = tokio::select! {
            biased;
            () = parts.stopped() => return,
            beat = parts.store.beat(&worker, membership.lease) => beat,
        };
        wait = pause;
        match beat {
            Ok(true) => {
                if membership.renew(sent) {
                    tracing::warn!(%worker, "the store was out of reach for a whole lease; this engine goes on");
                    parts.tell_drivers();
                    parts.alarm.ring();
                }
            }
            Ok(false) => {
                if !join_anew(&parts, &worker).await {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, %worker, "the store takes no heartbeat; trying again");
                wait = (pause / 10).max(Duration::from_millis(1));
            }
        }
    }
}

/// Others may have taken what this engine held: it lets go of all of it, and begins again under another name. False
/// when it has stopped.
async fn join_anew(parts: &Arc<Parts>, lost: &str) -> bool {
    let membership = &parts.membership;
    let worker = parts.registry.worker(Membership::new_name());
    tracing::error!(
        lost,
        worker = %worker.id,
        "this engine was silent for longer than its lease: it lets go of its runs and joins anew"
    );
    membership.rename(Arc::clone(&worker.id));
    parts.tell_drivers();
    let mut backoff = Backoff::new();
    loop {
        let sent = Instant::now();
        match parts.store.join(&worker, membership.lease).await {
            Ok(()) => {
                membership.renew(sent);
                parts.tell_drivers();
                parts.alarm.ring();
                return true;
            }
            Err(error) => tracing::warn!(%error, worker = %worker.id, "cannot join; trying again"),
        }
        if !backoff.wait(parts).await {
            return false;
        }
    }
}
