//! Has the store write what was gathered, and does not let one thing that it cannot write hold up all others.
//! It does not know what is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use workflow_core::Timestamp;

use super::kinds::Kind;
use crate::engine::parts::{Backoff, Parts, Phase};
use crate::store::StoreError;

/// How long an engine that may have been given up waits before it looks whether it was.
const UNCERTAIN: Duration = Duration::from_millis(20);

/// How often a store that answers other questions is asked to take something before others are let past it.
const TRIES: u32 = 3;

/// Writes things of one kind. Where the store does not take them together, it is asked for each half: something in them
/// may be at fault. One alone that the store keeps failing at is waited for elsewhere, and holds up nobody.
pub(super) async fn write<K: Kind>(
    parts: &Arc<Parts>,
    mut items: Vec<K::Item>,
    mut askers: Vec<K::Asker>,
    now_ms: Timestamp,
) {
    if items.is_empty() {
        return;
    }
    let began = Instant::now();
    let Some(answered) = ask(parts, Some(TRIES), || K::ask(parts, &items, now_ms)).await else { return };
    K::note(parts, items.len(), began.elapsed());
    match answered {
        Ok(answers) => K::answer(parts, items, askers, answers),
        Err(error) if items.len() > 1 => {
            tracing::warn!(%error, count = items.len(), "a batch is not taken; it is written in two");
            let half = items.len() / 2;
            let (later, their_askers) = (items.split_off(half), askers.split_off(half));
            Box::pin(write::<K>(parts, items, askers, now_ms)).await;
            Box::pin(write::<K>(parts, later, their_askers, now_ms)).await;
        }
        Err(error) if error.is_transient() => {
            let parts = Arc::clone(parts);
            tokio::spawn(async move {
                let answered = persist(&parts, || K::ask(&parts, &items, now_ms)).await;
                let Some(answered) = answered else { return };
                finish::<K>(&parts, items, askers, answered);
            });
        }
        Err(error) => finish::<K>(parts, items, askers, Err(error)),
    }
}

/// Tells whoever asked for one thing what became of it.
fn finish<K: Kind>(
    parts: &Parts,
    items: Vec<K::Item>,
    mut askers: Vec<K::Asker>,
    answered: Result<Vec<K::Answer>, StoreError>,
) {
    match answered {
        Ok(answers) => K::answer(parts, items, askers, answers),
        Err(error) => K::refuse(askers.pop().expect("whatever is asked has one who asked"), error),
    }
}

/// Asks the store until it answers: a full disk or a busy file is waited for, whatever depends on it waits too.
/// `None` when the engine has stopped: whoever comes next has taken all unfinished runs, and would not know of one that
/// begins now.
pub(crate) async fn persist<T, F>(parts: &Parts, ask_once: impl FnMut() -> F) -> Option<Result<T, StoreError>>
where
    F: Future<Output = Result<T, StoreError>>,
{
    ask(parts, None, ask_once).await
}

/// The same; with a number of tries it ends after so many, unless the store answers nothing else either.
async fn ask<T, F>(
    parts: &Parts,
    tries: Option<u32>,
    mut ask_once: impl FnMut() -> F,
) -> Option<Result<T, StoreError>>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let (mut backoff, mut failures) = (Backoff::new(), 0);
    loop {
        if parts.phase() == Phase::Stopped {
            return None;
        }
        if !parts.membership.is_certain() {
            // Others may have taken over. Once that is known, the store refuses what is no longer this engine's.
            tokio::time::sleep(UNCERTAIN).await;
            continue;
        }
        match ask_once().await {
            Err(error) if error.is_transient() => {
                parts.telemetry.store_retries.increment(1);
                tracing::warn!(%error, "the store is not available; trying again");
                failures += 1;
                if tries.is_some_and(|tries| failures >= tries) && answers(parts).await {
                    return Some(Err(error));
                }
                if !backoff.wait(parts).await {
                    return None;
                }
            }
            answer => return Some(answer),
        }
    }
}

/// Whether the store answers a question that costs nothing, about a run that there never is.
async fn answers(parts: &Parts) -> bool {
    parts.store.look_up(&["".into()]).await.is_ok()
}
