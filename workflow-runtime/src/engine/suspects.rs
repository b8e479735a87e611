//! Runs that may take the process down: those whose holders were given up again and again without their getting on.
//! Who dies takes innocent runs along, which are struck as well. So suspects go on a few at a time, fewer with every
//! strike and the last time alone, until they have got on or have lived for a while; who is alone when it happens,
//! did it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::committer::persist;
use super::parts::Parts;
use super::recovery::recover;
use crate::store::{ClaimedRun, Parking};

/// With so many strikes a run is a suspect at the earliest: once may happen to anybody.
const EARLIEST: u32 = 2;

/// So many strikes before the last one a run becomes a suspect: before that, processes may have died of anything.
const TRIALS: u32 = 3;

/// With every strike so many times fewer suspects go on together.
const NARROWING: usize = 8;

/// With every strike a probation takes so many times longer: what dies late is found, too.
const LENGTHENING: u32 = 6;

/// How often it is looked whether a suspect has got on.
const LOOK: Duration = Duration::from_millis(100);

/// How often it is tried to put a run back that the store keeps because somebody has told it something.
const TRIES: u32 = 5;

/// See the module.
pub(crate) struct Suspects {
    /// After so many strikes nobody goes on with a run until a person asks for it.
    limit: u32,
    /// How long others wait for a suspect at the first time.
    probation: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that go on.
    on_probation: HashMap<Arc<str>, Trial>,
    /// Those that were put back and wait for a place.
    waiting: VecDeque<Arc<str>>,
}

/// A suspect that goes on.
struct Trial {
    /// How many suspects may go on at a time for its sake.
    width: usize,
    /// How long it has to live to be acquitted.
    length: Duration,
}

/// What is to be done with a run that was claimed.
#[derive(Debug, PartialEq)]
enum Standing {
    Innocent,
    OnProbation,
    /// Others are on probation.
    Waits,
    Accused,
}

impl Suspects {
    pub(crate) fn new(limit: u32, probation: Duration) -> Suspects {
        Suspects { limit: limit.max(1), probation, state: Mutex::default() }
    }

    /// From how many strikes on a run is a suspect.
    fn suspected_from(&self) -> u32 {
        self.limit.saturating_sub(TRIALS).max(EARLIEST)
    }

    fn judge(&self, run: &ClaimedRun) -> Standing {
        if run.strikes >= self.limit {
            return Standing::Accused;
        }
        if run.strikes < self.suspected_from() {
            return Standing::Innocent;
        }
        let before_last = self.limit - 1 - run.strikes;
        let width = NARROWING.saturating_pow(before_last);
        let mut state = self.state();
        let narrowest = state.on_probation.values().map(|trial| trial.width).fold(width, usize::min);
        if state.on_probation.len() < narrowest {
            let trial = Trial { width, length: self.length(run) };
            state.on_probation.insert(Arc::clone(&run.lease.run_id), trial);
            return Standing::OnProbation;
        }
        state.waiting.push_back(Arc::clone(&run.lease.run_id));
        Standing::Waits
    }

    /// How long the probation of a run takes.
    fn length(&self, run: &ClaimedRun) -> Duration {
        self.probation.saturating_mul(LENGTHENING.saturating_pow(run.strikes - self.suspected_from()))
    }

    /// How long it takes at most until those that go on now have been acquitted or have died.
    fn longest(&self) -> Duration {
        self.state().on_probation.values().map(|trial| trial.length).fold(self.probation, Duration::max)
    }

    /// The probation of a run is over, for whatever reason. Gives those that may try to take its place.
    fn release(&self, run_id: &str) -> Vec<Arc<str>> {
        let mut state = self.state();
        state.on_probation.remove(run_id);
        let next = state.waiting.len().min(NARROWING);
        state.waiting.drain(..next).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while this is locked")
    }
}

/// Gives the runs that go on now, those that do not with the reason. Of the others, some are put back, and only then
/// those on probation go on: whoever is held when one of them dies is struck, too.
pub(super) fn sort_out(parts: &Arc<Parts>, claimed: Vec<ClaimedRun>) -> Vec<(ClaimedRun, Option<String>)> {
    let (mut now, mut later) = (Vec::with_capacity(claimed.len()), Vec::new());
    let mut on_probation = Vec::new();
    for run in claimed {
        match parts.suspects.judge(&run) {
            Standing::Innocent => now.push((run, None)),
            Standing::OnProbation => {
                let (run_id, strikes) = (&run.lease.run_id, run.strikes);
                tracing::warn!(%run_id, strikes, "its holders died without its getting on: it is on probation");
                on_probation.push(run);
            }
            Standing::Waits => later.push(run),
            Standing::Accused => {
                let cause = accusation(&run);
                now.push((run, Some(cause)));
            }
        }
    }
    if !on_probation.is_empty() || !later.is_empty() {
        tokio::spawn(go_on_alone(Arc::clone(parts), on_probation, later));
    }
    now
}

async fn go_on_alone(parts: Arc<Parts>, on_probation: Vec<ClaimedRun>, later: Vec<ClaimedRun>) {
    if !later.is_empty() {
        put_back(&parts, later).await;
    }
    let seated = on_probation.iter().map(|run| (run.clone(), None)).collect();
    recover(&parts, seated);
    for run in on_probation {
        tokio::spawn(watch(Arc::clone(&parts), run));
    }
}

fn accusation(run: &ClaimedRun) -> String {
    format!(
        "{} workers in a row died while they held the run and before it got on, in the end with nobody else under \
         suspicion beside it: it probably takes the process down (a stack overflow, an abort, too much memory). Look \
         at what the workers said last and mend the code; a retry gives the run one more chance",
        run.strikes
    )
}

/// Acquits a run that lives through its probation, and makes room for the next ones. The first probation is short and
/// acquits nobody: else a run that dies a little later would never be found.
async fn watch(parts: Arc<Parts>, run: ClaimedRun) {
    let run_id = &run.lease.run_id;
    let trial = run.strikes - parts.suspects.suspected_from();
    let length = parts.suspects.length(&run);
    let began = tokio::time::Instant::now();
    loop {
        tokio::select! {
            biased;
            () = parts.leaving() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        // What has got on loses its strikes by that, and what has been let go of gets none.
        if parts.live.has_got_on(run_id).is_none_or(|has_got_on| has_got_on) {
            break;
        }
        if began.elapsed() >= length && trial == 0 {
            break;
        }
        if began.elapsed() >= length {
            let leases = std::slice::from_ref(&run.lease);
            match persist(&parts, || parts.store.acquit(leases)).await {
                Some(Ok(())) => tracing::info!(%run_id, "the run has lived through its probation"),
                Some(Err(error)) => tracing::warn!(%error, %run_id, "a run cannot be acquitted"),
                None => return,
            }
            break;
        }
    }
    let next = parts.suspects.release(run_id);
    if let Some(Err(error)) = persist(&parts, || parts.store.wake(&next)).await {
        tracing::warn!(%error, "suspects cannot be woken; they go on when their time comes");
    }
    parts.alarm.ring();
}

/// Lets go of suspects for which there is no room: nobody strikes them while nobody holds them.
async fn put_back(parts: &Arc<Parts>, mut runs: Vec<ClaimedRun>) {
    for _ in 0..TRIES {
        let now_ms = parts.clock.now_ms();
        // They are woken earlier, unless this process dies. Not sooner by themselves: who is claimed is held for a
        // moment, and if one on probation dies in that moment, all of them are struck.
        let wait_ms = i64::try_from(parts.suspects.longest().as_millis()).unwrap_or(i64::MAX);
        let wake_ms = Some(now_ms.saturating_add(wait_ms));
        // Whatever came meanwhile is read when they are taken again.
        let parking = |run: &ClaimedRun| Parking {
            lease: run.lease.clone(),
            wake_ms,
            children: Vec::new(),
            is_broken: true,
        };
        let parkings: Vec<Parking> = runs.iter().map(parking).collect();
        let Some(Ok(parked)) = persist(parts, || parts.store.park(&parkings, now_ms)).await else { break };
        wake_ms.into_iter().for_each(|wake_ms| parts.alarm.set(wake_ms));
        let kept = runs.into_iter().zip(parked).filter(|(_, is_parked)| !is_parked).map(|(run, _)| run);
        runs = kept.collect();
        if runs.is_empty() {
            return;
        }
        // What they were woken for is heard by whoever claims.
        parts.alarm.ring();
        tokio::select! {
            biased;
            () = parts.leaving() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    // Somebody waits for an answer of these, or the lease is lost, which their drivers find out.
    recover(parts, runs.into_iter().map(|run| (run, None)).collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Lease;

    fn run(id: usize, strikes: u32) -> ClaimedRun {
        let lease = Lease { run_id: format!("run-{id}").into(), epoch: 2, worker: "w".into() };
        ClaimedRun { lease, workflow: "flow".into(), version: 1, strikes }
    }

    fn on_probation(suspects: &Suspects, strikes: u32, runs: usize) -> usize {
        let judged = (0..runs).map(|id| suspects.judge(&run(id, strikes)));
        judged.filter(|standing| *standing == Standing::OnProbation).count()
    }

    #[test]
    fn the_circle_of_suspects_grows_smaller_with_every_strike() {
        let suspects = |limit| Suspects::new(limit, Duration::from_secs(10));
        for limit in [5, 10] {
            assert_eq!(suspects(limit).judge(&run(1, 0)), Standing::Innocent);
            assert_eq!(suspects(limit).judge(&run(1, limit - 4)), Standing::Innocent);
            assert_eq!(on_probation(&suspects(limit), limit - 3, 100), 64);
            assert_eq!(on_probation(&suspects(limit), limit - 2, 100), 8);
            assert_eq!(on_probation(&suspects(limit), limit - 1, 100), 1);
            assert_eq!(suspects(limit).judge(&run(1, limit)), Standing::Accused);
        }
        assert_eq!(suspects(0).judge(&run(1, 1)), Standing::Accused);
        assert_eq!(suspects(4).judge(&run(1, 1)), Standing::Innocent, "once may happen to anybody");
        assert_eq!(suspects(u32::MAX).judge(&run(1, 99)), Standing::Innocent);
    }

    #[test]
    fn who_was_alone_stays_alone_until_it_is_released() {
        let suspects = Suspects::new(5, Duration::from_secs(10));
        assert_eq!(suspects.judge(&run(1, 4)), Standing::OnProbation);
        assert_eq!(suspects.judge(&run(2, 2)), Standing::Waits);
        assert_eq!(suspects.release("run-1"), ["run-2".into()]);
        assert_eq!(suspects.judge(&run(2, 2)), Standing::OnProbation);
        assert_eq!(suspects.judge(&run(3, 4)), Standing::Waits, "it would not be alone");
    }
}
