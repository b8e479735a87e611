//! Starts a run at each tick of the schedules, and catches up what passed while no engine ran.
//! One task for the whole engine. A tick is known by the id of its run, so that starting it again starts nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use workflow_core::Timestamp;

use super::committer::persist;
use super::driver::Begun;
use super::live_run::Origin;
use super::parts::{Backoff, Parts, Phase};
use super::schedules::Scheduled;
use super::start::begin;
use crate::error::Error;
use crate::schedule::{Calendar, MOST_MISSED, tick_text};
use crate::store::KeptSchedule;

/// How many missed ticks of one schedule are started before the others have their turn.
const MOST_AT_ONCE: usize = 100;

/// A schedule and how far it has been kept.
pub(super) struct Kept {
    scheduled: Arc<Scheduled>,
    row: KeptSchedule,
    /// Of the expression that the last release had, until what it missed is caught up.
    former: Option<Calendar>,
    /// Ticks that are due and not started, earliest first.
    queue: VecDeque<Timestamp>,
    /// Up to when the queue was made.
    looked_until_ms: Timestamp,
}

/// What became of a look at a schedule.
enum Progress {
    /// There is nothing to do before its next tick.
    Waits,
    /// More is due already.
    IsBehind,
    Leave,
}

/// Reads how far the schedules of this engine have been kept; those that are new begin now.
pub(super) async fn open(parts: &Parts) -> Result<Vec<Kept>, Error> {
    let rows = parts.store.schedules().await?;
    let now_ms = parts.clock.now_ms();
    let mut kept = Vec::new();
    for scheduled in parts.registry.schedules() {
        let row = rows.iter().find(|row| row.workflow == scheduled.definition.name);
        let opened = Kept::of(Arc::clone(scheduled), row, now_ms);
        if row != Some(&opened.row) {
            parts.store.note_schedule(&opened.row).await?;
        }
        kept.push(opened);
    }
    for row in rows.iter().filter(|row| !row.cron.is_empty() && parts.registry.knows(&row.workflow)) {
        // Should it have a schedule again one day, then that one is new.
        if !kept.iter().any(|kept| kept.row.workflow == row.workflow) {
            let row = KeptSchedule { cron: String::new(), ..row.clone() };
            parts.store.note_schedule(&row).await?;
        }
    }
    Ok(kept)
}

/// Starts what is due until the engine leaves.
pub(super) async fn fire_all(parts: Arc<Parts>, mut schedules: Vec<Kept>) {
    let mut backoff = Backoff::new();
    loop {
        let (mut is_behind, mut has_failed) = (false, false);
        for kept in &mut schedules {
            match kept.advance(&parts).await {
                Ok(Progress::Waits) => {}
                Ok(Progress::IsBehind) => is_behind = true,
                Ok(Progress::Leave) => return,
                Err(error) => {
                    if parts.phase() != Phase::Running {
                        return;
                    }
                    let workflow = &kept.row.workflow;
                    tracing::error!(%error, workflow, "a schedule cannot be kept; trying again");
                    has_failed = true;
                }
            }
        }
        if has_failed {
            if !backoff.wait(&parts).await {
                return;
            }
            continue;
        }
        backoff = Backoff::new();
        if is_behind {
            // Catching up must not keep a runtime with one thread from everything else.
            tokio::task::yield_now().await;
            continue;
        }
        let now_ms = parts.clock.now_ms();
        let next_ms = schedules.iter().filter_map(|kept| kept.scheduled.calendar.next_after(now_ms)).min();
        tokio::select! {
            biased;
            () = parts.leaving() => return,
            () = parts.clock.nap_until(next_ms.unwrap_or(Timestamp::MAX)) => {}
        }
    }
}

impl Kept {
    fn of(scheduled: Arc<Scheduled>, row: Option<&KeptSchedule>, now_ms: Timestamp) -> Kept {
        let new = KeptSchedule {
            workflow: scheduled.definition.name.to_owned(),
            cron: scheduled.cron.clone(),
            timezone: scheduled.timezone.clone(),
            kept_until_ms: now_ms,
            last_tick_ms: row.and_then(|row| row.last_tick_ms),
        };
        let (row, former) = match row {
            None => (new, None),
            Some(row) if scheduled.is_kept_by(row) => (row.clone(), None),
            // What the former expression missed was promised. For the new one, the past did not happen.
            Some(row) => match Calendar::parse(&row.cron, &row.timezone) {
                Ok(former) => (row.clone(), Some(former)),
                Err(_) => (new, None),
            },
        };
        let mut kept = Kept { scheduled, row, former, queue: VecDeque::new(), looked_until_ms: now_ms };
        kept.go_back_with_the_clock(now_ms);
        kept
    }

    /// Starts what is due, but not too much at once, and notes how far it got.
    async fn advance(&mut self, parts: &Arc<Parts>) -> Result<Progress, Error> {
        if self.queue.is_empty() {
            self.look(parts.clock.now_ms());
            if !self.queue.is_empty() && parts.membership.is_shared() {
                self.catch_up_with_others(parts).await?;
            }
        }
        if self.queue.is_empty() && self.former.is_none() {
            return Ok(Progress::Waits);
        }
        for _ in 0..MOST_AT_ONCE {
            let Some(&tick_ms) = self.queue.front() else { break };
            if parts.phase() != Phase::Running {
                return Ok(Progress::Leave);
            }
            self.fire(parts, tick_ms).await?;
            self.queue.pop_front();
            self.row.kept_until_ms = tick_ms;
        }
        if self.queue.is_empty() {
            self.row.kept_until_ms = self.looked_until_ms;
            if self.former.take().is_some() {
                self.row.cron.clone_from(&self.scheduled.cron);
                self.row.timezone.clone_from(&self.scheduled.timezone);
            }
        }
        // Only now: whoever crashes before this starts the same ticks again, and finds their runs.
        let Some(noted) = persist(parts, || parts.store.note_schedule(&self.row)).await else {
            return Ok(Progress::Leave);
        };
        noted?;
        Ok(Progress::IsBehind) // Time has passed: look again before sleeping.
    }

    /// When the clock was set back, its ticks come again; those that have a run start nothing. Else a clock that
    /// was years ahead for a moment would silence the schedule for years.
    fn go_back_with_the_clock(&mut self, now_ms: Timestamp) {
        self.row.kept_until_ms = self.row.kept_until_ms.min(now_ms);
    }

    /// Leaves out what other engines have dealt with: one that slept for long would start ticks anew whose runs are
    /// gone by now.
    async fn catch_up_with_others(&mut self, parts: &Parts) -> Result<(), Error> {
        let rows = parts.store.schedules().await?;
        let same = |row: &&KeptSchedule| {
            (&row.workflow, &row.cron, &row.timezone)
                == (&self.row.workflow, &self.row.cron, &self.row.timezone)
        };
        let Some(row) = rows.iter().find(same) else { return Ok(()) };
        if row.kept_until_ms > self.row.kept_until_ms {
            self.row = row.clone();
            self.look(parts.clock.now_ms());
        }
        Ok(())
    }

    /// Finds what is due.
    fn look(&mut self, now_ms: Timestamp) {
        self.go_back_with_the_clock(now_ms);
        let calendar = self.former.as_ref().unwrap_or(&self.scheduled.calendar);
        let due = calendar.due(self.row.kept_until_ms, now_ms, self.scheduled.catch_up);
        let workflow = self.scheduled.definition.name;
        match due.ticks.front() {
            Some(&first_ms) if due.is_cut => tracing::warn!(
                workflow,
                since = tick_text(self.row.kept_until_ms),
                first = tick_text(first_ms),
                "more than {MOST_MISSED} ticks of a schedule were missed: only the latest are caught up"
            ),
            Some(&first_ms) if due.ticks.len() > 1 => {
                let (count, first) = (due.ticks.len(), tick_text(first_ms));
                tracing::info!(workflow, count, first, "missed ticks of a schedule are caught up");
            }
            _ => {}
        }
        self.queue = due.ticks;
        self.looked_until_ms = now_ms;
    }

    /// Starts the run of a tick, unless it has one.
    async fn fire(&mut self, parts: &Arc<Parts>, tick_ms: Timestamp) -> Result<(), Error> {
        let run_id = self.scheduled.run_id(tick_ms);
        let begun = begin(
            parts,
            self.scheduled.definition,
            &run_id,
            Origin::from_outside(self.scheduled.input(tick_ms)),
        )
        .await;
        match begun {
            Ok(Begun::Live(_) | Begun::Parked) => tracing::info!(%run_id, "a schedule has started a run"),
            Ok(_) => tracing::debug!(%run_id, "the tick of a schedule has its run already"),
            Err(error) if error.is_store() || error.is_stopped() => return Err(error),
            Err(error) => {
                // Trying again would hold up the ticks to come, and change nothing.
                tracing::error!(%run_id, %error, "the run of a schedule cannot begin; it is left out");
                return Ok(());
            }
        }
        self.row.last_tick_ms = Some(tick_ms);
        Ok(())
    }
}
