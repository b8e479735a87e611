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
    let (mut backoff, mut round) = (Backoff::new(), 0);
    let error = loop {
        let began = Instant::now();
        let Some(answered) = ask(parts, Some(TRIES), || K::ask(parts, &items, now_ms)).await else { return };
        K::note(parts, items.len(), began.elapsed());
        match answered {
            Ok(answers) => return K::answer(parts, items, askers, answers),
            Err(error) if items.len() == 1 => return alone::<K>(parts, items, askers, error, now_ms),
            Err(error) if !error.is_transient() => break error,
            Err(error) => {
                let is_at_fault = !takes_one::<K>(parts, &mut items, &mut askers, round, now_ms).await;
                round += 1;
                if is_at_fault {
                    if !backoff.wait(parts).await {
                        return;
                    }
                } else if items.len() > 1 {
                    break error;
                }
            }
        }
    };
    tracing::warn!(%error, count = items.len(), "a batch is not taken; it is written in two");
    let half = items.len() / 2;
    let (later, their_askers) = (items.split_off(half), askers.split_off(half));
    Box::pin(write::<K>(parts, items, askers, now_ms)).await;
    Box::pin(write::<K>(parts, later, their_askers, now_ms)).await;
}

/// Whether the store takes one of a batch that it does not take: if not, the store is at fault, for a full disk answers
/// questions, too, and to ask for each by itself would be of no use. Another one is tried each time.
async fn takes_one<K: Kind>(
    parts: &Arc<Parts>,
    items: &mut Vec<K::Item>,
    askers: &mut Vec<K::Asker>,
    round: usize,
    now_ms: Timestamp,
) -> bool {
    let last = items.len() - 1;
    let at = match round {
        0 => 0,
        1 => last,
        _ => round % items.len(),
    };
    let one = vec![items.remove(at)];
    match K::ask(parts, &one, now_ms).await {
        Ok(answers) => {
            K::answer(parts, one, vec![askers.remove(at)], answers);
            true
        }
        Err(error) => {
            items.splice(at..at, one);
            // Then it is this one.
            !error.is_transient()
        }
    }
}

/// One thing that the store does not take.
fn alone<K: Kind>(
    parts: &Arc<Parts>,
    items: Vec<K::Item>,
    askers: Vec<K::Asker>,
    error: StoreError,
    now_ms: Timestamp,
) {
    if !error.is_transient() {
        return finish::<K>(parts, items, askers, Err(error));
    }
    let parts = Arc::clone(parts);
    tokio::spawn(async move {
        let _stops = StopsOnPanic(&parts);
        let answered = persist(&parts, || K::ask(&parts, &items, now_ms)).await;
        let Some(answered) = answered else { return };
        finish::<K>(&parts, items, askers, answered);
    });
}

/// Whoever asked would hear nothing, and the lease would be kept.
struct StopsOnPanic<'a>(&'a Parts);

impl Drop for StopsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(
                "what writes has panicked, and the engine stops: another one takes its runs over"
            );
            self.0.stop();
        }
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
