//! Forgets what nobody needs any more, in the background and a little at a time; what is to be kept elsewhere goes
//! there first. It decides when something is old; what belongs to it is the store's affair.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use workflow_core::Timestamp;

use super::parts::{Parts, Phase};
use crate::export::{ExportedRun, RunSink};
use crate::store::{StoreError, Sweep, Swept};

/// How often it is looked after.
const INTERVAL_MS: Timestamp = 60_000;

/// How much goes at once: whoever writes waits for it.
const BATCH: u32 = 500;

/// How long what is over is kept, and where it goes then.
#[derive(Clone)]
pub(crate) struct Retention {
    /// Messages that were taken, parked or discarded.
    pub(crate) messages: Duration,
    /// Runs that have ended; for ever when not said.
    pub(crate) runs: Option<Duration>,
    /// Who gets runs before they are removed.
    pub(crate) sink: Option<Arc<dyn RunSink>>,
}

/// Sweeps until the engine is on its way out.
pub(crate) async fn keep_in_order(parts: Arc<Parts>, retention: Retention) {
    let mut phase = parts.phase.subscribe();
    let mut next_ms = parts.clock.now_ms();
    loop {
        let now_ms = parts.clock.now_ms();
        // A clock that went back must not stop it for as long as it went back.
        next_ms = next_ms.min(now_ms.saturating_add(INTERVAL_MS));
        let is_time = now_ms >= next_ms;
        while is_time && parts.phase() == Phase::Running && sweep(&parts, &retention, now_ms).await {
            tokio::task::yield_now().await;
        }
        if is_time {
            next_ms = now_ms.saturating_add(INTERVAL_MS);
        }
        tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase != Phase::Running) => return,
            () = parts.clock.nap_until(next_ms) => {}
        }
    }
}

/// Whether there was something to do, and may be more.
async fn sweep(parts: &Parts, retention: &Retention, now_ms: Timestamp) -> bool {
    // One of several engines is enough.
    if !parts.store.is_first(&parts.worker()).await.unwrap_or(false) {
        return false;
    }
    let sweep = Sweep {
        now_ms,
        messages_until_ms: before(now_ms, retention.messages),
        runs_until_ms: retention.runs.map(|runs| before(now_ms, runs)),
        only_runs: None,
        limit: BATCH,
    };
    let swept = match &retention.sink {
        Some(sink) => export_and_sweep(parts, sink, sweep).await,
        None => parts.store.sweep(&sweep).await,
    };
    match swept {
        Ok(swept) => {
            parts.telemetry.runs_removed.increment(u64::from(swept.runs));
            if swept.is_anything() {
                let (expired, messages, runs) = (swept.expired, swept.messages, swept.runs);
                tracing::debug!(expired, messages, runs, "what is over was put away");
            }
            swept.is_anything()
        }
        Err(_) if parts.phase() != Phase::Running => false,
        Err(error) => {
            tracing::warn!(%error, "what is over could not be removed; trying again later");
            false
        }
    }
}

/// Removes only those runs that the sink has taken. Whatever becomes of them, messages go when their time has come.
async fn export_and_sweep(
    parts: &Parts,
    sink: &Arc<dyn RunSink>,
    mut sweep: Sweep,
) -> Result<Swept, StoreError> {
    if let Some(until_ms) = sweep.runs_until_ms.take() {
        match export(parts, sink, until_ms, sweep.limit).await {
            Ok(taken) if taken.is_empty() => {}
            Ok(taken) => (sweep.runs_until_ms, sweep.only_runs) = (Some(until_ms), Some(taken)),
            Err(error) => tracing::error!(%error, "ended runs cannot be exported, so they stay"),
        }
    }
    parts.store.sweep(&sweep).await
}

/// Hands over some runs that are old, and gives those that the sink has taken.
async fn export(
    parts: &Parts,
    sink: &Arc<dyn RunSink>,
    until_ms: Timestamp,
    limit: u32,
) -> Result<Vec<Arc<str>>, Box<dyn Error + Send + Sync>> {
    let old = parts.store.old_runs(until_ms, limit).await?;
    if old.is_empty() {
        return Ok(old);
    }
    let mut runs = Vec::with_capacity(old.len());
    for run_id in &old {
        runs.extend(ExportedRun::read(&*parts.store, run_id).await?);
    }
    let (sink, count) = (Arc::clone(sink), runs.len());
    // On a task of its own, so that a sink that panics removes nothing, and ends nothing either.
    let kept = tokio::spawn(async move { sink.keep(&runs).await }).await;
    kept.unwrap_or_else(|_| Err("the sink panicked".into()))?;
    parts.telemetry.runs_exported.increment(count as u64);
    Ok(old)
}

fn before(now_ms: Timestamp, duration: Duration) -> Timestamp {
    Timestamp::try_from(duration.as_millis()).map_or(Timestamp::MIN, |ms| now_ms.saturating_sub(ms))
}
