//! Looks from time to time whether every run in memory gets on, and says which does not and what it waits for.
//! It changes nothing: a run that merely waits for a time, a message or a person is in order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use workflow_core::Timestamp;

use super::attempts::UnderWaySince;
use super::live::Input;
use super::parts::{Parts, Phase};
use super::recovery::{Orphan, orphans};
use crate::store::RunFilter;

/// How long a driver may take to say what it waits for: it does so at once unless it is itself held up.
const ANSWER: Duration = Duration::from_secs(5);

/// How often it is looked whether runs get on: twice in the time after which they are reported, within these bounds.
const SHORTEST_MS: Timestamp = 1_000;
const LONGEST_MS: Timestamp = 60_000;

/// How often the store is asked for runs without code.
const ORPHANS_MS: Timestamp = 5 * 60 * 1_000;

/// How often the same is said again.
const REPEAT_MS: Timestamp = 60 * 60 * 1_000;

/// Of how many runs incidents are counted.
const MOST_COUNTED: usize = 10_000;

/// A run in memory that should get on and does not: [`Client::stalled`](crate::Client::stalled).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stalled {
    /// The run.
    pub run_id: Arc<str>,
    /// When it last got on, or was taken by this engine.
    pub since_ms: Timestamp,
    /// What it waits for.
    pub cause: String,
}

/// What a driver says about its run.
pub(crate) struct Situation {
    pub(crate) under_way: Vec<UnderWaySince>,
    /// When something comes due by itself next.
    pub(crate) next_due_ms: Option<Timestamp>,
}

/// What the watchdog found when it last looked.
#[derive(Default)]
pub(crate) struct Findings {
    stalled: Mutex<Vec<Stalled>>,
}

impl Findings {
    pub(crate) fn stalled(&self) -> Vec<Stalled> {
        self.stalled.lock().expect("nothing panics while this is locked").clone()
    }

    /// Gives those that are new.
    fn replace(&self, found: Vec<Stalled>) -> Vec<Stalled> {
        let mut stalled = self.stalled.lock().expect("nothing panics while this is locked");
        let is_new = |now: &&Stalled| !stalled.iter().any(|before| before.run_id == now.run_id);
        let new = found.iter().filter(is_new).cloned().collect();
        *stalled = found;
        new
    }
}

/// Looks after the runs of an engine until it is on its way out. `known` are the orphans that were told already.
pub(super) async fn watch(parts: Arc<Parts>, patience: Duration, mut known: Vec<Orphan>) {
    let patience_ms = Timestamp::try_from(patience.as_millis()).unwrap_or(Timestamp::MAX);
    let pause_ms = (patience_ms / 2).clamp(SHORTEST_MS, LONGEST_MS);
    let mut phase = parts.phase.subscribe();
    let began_ms = parts.clock.now_ms();
    let (mut next_count_ms, mut next_orphans_ms) = (began_ms, began_ms.saturating_add(ORPHANS_MS));
    let (mut told_ms, mut next_lost_ms) = (began_ms, began_ms);
    loop {
        let now_ms = parts.clock.now_ms();
        // A clock that went back must not stop this for as long as it went back.
        next_count_ms = next_count_ms.min(now_ms.saturating_add(LONGEST_MS));
        next_lost_ms = next_lost_ms.min(now_ms.saturating_add(REPEAT_MS));
        next_orphans_ms = next_orphans_ms.min(now_ms.saturating_add(ORPHANS_MS));
        told_ms = told_ms.min(now_ms);
        look(&parts, patience_ms, now_ms).await;
        if now_ms >= next_count_ms {
            count_incidents(&parts).await;
            next_count_ms = now_ms.saturating_add(LONGEST_MS);
        }
        if now_ms >= next_lost_ms {
            // Nothing waits for it: there may be many parked runs to look at.
            match parts.store.wake_lost().await {
                Ok(()) => parts.alarm.ring(),
                Err(error) => {
                    tracing::warn!(%error, "parked runs that nobody would wake are looked for later")
                }
            }
            next_lost_ms = now_ms.saturating_add(REPEAT_MS);
        }
        if now_ms >= next_orphans_ms {
            let is_time = now_ms >= told_ms.saturating_add(REPEAT_MS);
            if let Ok(found) = orphans(&parts).await {
                if !found.is_empty() && (is_time || found != known) {
                    tell_orphans(&parts, &found);
                    told_ms = now_ms;
                }
                known = found;
            }
            next_orphans_ms = now_ms.saturating_add(ORPHANS_MS);
        }
        tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase != Phase::Running) => return,
            () = parts.clock.nap_until(now_ms.saturating_add(pause_ms)) => {}
        }
    }
}

/// Says aloud which runs nobody has code for.
pub(super) fn tell_orphans(parts: &Parts, orphans: &[Orphan]) {
    for Orphan { run_id, workflow, version, runs } in orphans {
        tracing::warn!(
            count = runs,
            %run_id,
            workflow,
            version,
            why = parts.registry.explain_unknown(workflow, *version, None),
            "no worker has {workflow} v{version}: its unfinished runs are left alone; this is one of them"
        );
    }
}

async fn look(parts: &Parts, patience_ms: Timestamp, now_ms: Timestamp) {
    parts.telemetry.runs_live.set(u32::try_from(parts.live.count()).unwrap_or(u32::MAX));
    let silent = parts.live.silent_since(now_ms.saturating_sub(patience_ms), now_ms);
    let asked = silent.into_iter().map(|(run_id, since_ms, seat)| {
        let (reply, answer) = oneshot::channel();
        // A driver that is gone has ended its run, or let go of it.
        let _ = seat.inbox.send(Box::new(Input::Explain(reply)));
        (run_id, since_ms, answer)
    });
    let asked: Vec<_> = asked.collect();
    let until = tokio::time::Instant::now() + ANSWER;
    let mut stalled = Vec::new();
    for (run_id, since_ms, answer) in asked {
        let cause = tokio::select! {
            biased;
            () = parts.leaving() => return,
            answer = tokio::time::timeout_at(until, answer) => match answer {
                Ok(Ok(situation)) => cause(&situation, patience_ms, now_ms),
                // It waits for a person, or has gone meanwhile.
                Ok(Err(_)) => None,
                Err(_) => Some(
                    "its driver does not answer: it waits for the store, is inside of a transactional step, or \
                     the code of the workflow does not come back"
                        .to_owned(),
                ),
            },
        };
        stalled.extend(cause.map(|cause| Stalled { run_id, since_ms, cause }));
    }
    parts.telemetry.runs_stalled.set(u32::try_from(stalled.len()).unwrap_or(u32::MAX));
    for Stalled { run_id, since_ms, cause } in parts.findings.replace(stalled) {
        tracing::warn!(%run_id, silent_ms = now_ms - since_ms, cause, "a run does not get on");
    }
}

/// What keeps a run from getting on; `None` when it merely waits.
fn cause(situation: &Situation, patience_ms: Timestamp, now_ms: Timestamp) -> Option<String> {
    if let Some(due_ms) = situation.next_due_ms
        && due_ms.saturating_add(patience_ms) <= now_ms
    {
        return Some(format!("something has been due for {}", seconds(now_ms - due_ms)));
    }
    let too_long = situation.under_way.iter().filter(|attempt| {
        let own_ms = attempt.timeout_ms.and_then(|ms| Timestamp::try_from(ms).ok()).unwrap_or(0);
        // One that has to say that it is alive does so, or has timed out.
        let since_ms = attempt.since_ms.saturating_add(own_ms).saturating_add(patience_ms);
        !attempt.has_heartbeat && since_ms <= now_ms
    });
    let told: Vec<String> = too_long
        .map(|attempt| {
            let since = seconds(now_ms - attempt.since_ms);
            format!("attempt {} of `{}` has been under way for {since}", attempt.attempt, attempt.op)
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn seconds(ms: Timestamp) -> String {
    format!("{} s", ms / 1_000)
}

/// How many incidents are open in the whole store.
async fn count_incidents(parts: &Parts) {
    let mut filter = RunFilter { only_incidents: true, limit: 1_000, ..RunFilter::default() };
    let (mut incidents, mut runs) = (0_u32, 0);
    while runs < MOST_COUNTED {
        let Ok(page) = parts.store.runs(&filter).await else { return };
        incidents = page.iter().fold(incidents, |sum, run| sum.saturating_add(run.incidents));
        runs += page.len();
        let is_last = page.len() < filter.limit as usize;
        filter.after = page.last().map(|run| run.run_id.to_string());
        if is_last {
            break;
        }
    }
    parts.telemetry.incidents_open.set(incidents);
}

#[cfg(test)]
mod tests {
    use workflow_core::OpId;

    use super::*;

    fn attempt(since_ms: Timestamp, timeout_ms: Option<u64>, has_heartbeat: bool) -> UnderWaySince {
        let op = OpId::from_text("charge");
        UnderWaySince { op, attempt: 2, since_ms, timeout_ms, has_heartbeat }
    }

    #[test]
    fn a_mere_wait_is_in_order_and_a_long_attempt_is_not() {
        let minute = 60_000;
        let cause = |under_way, next_due_ms| cause(&Situation { under_way, next_due_ms }, minute, 600_000);
        assert_eq!(cause(vec![], None), None, "it waits for a message");
        assert_eq!(cause(vec![], Some(700_000)), None, "it sleeps");
        assert_eq!(cause(vec![], Some(560_000)), None, "it is late, but not for long");
        assert_eq!(cause(vec![], Some(500_000)).unwrap(), "something has been due for 100 s");
        let told = cause(vec![attempt(500_000, None, false), attempt(590_000, None, false)], None).unwrap();
        assert_eq!(told, "attempt 2 of `charge` has been under way for 100 s");
        assert_eq!(cause(vec![attempt(500_000, Some(300_000), false)], None), None, "it has a timeout");
        assert_eq!(cause(vec![attempt(500_000, None, true)], None), None, "it says that it is alive");
    }
}
