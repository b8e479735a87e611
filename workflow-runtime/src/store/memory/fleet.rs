//! Who holds which run of the store in memory, and what reaches runs that others hold.
//! Like the rest of it, this is the specification, and must not be clever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use workflow_core::{Payload, Timestamp};

use super::{Memory, Row, Tables};
use crate::store::{
    Claim, Claimed, ClaimedRun, Fleet, KnownMessage, Lease, Orphans, Parking, Request, RunState, StoreError,
    Turn, Worker,
};

pub(super) struct Member {
    code: Vec<(String, u32)>,
    messages: Vec<KnownMessage>,
    joined: Instant,
    lease_ends: Instant,
}

pub(super) struct KeptRequest {
    request: Request,
    asked_ms: Timestamp,
    answer: Option<Payload>,
}

/// How long a request is kept that was answered, or whose run has ended.
const KEPT_MS: Timestamp = 60 * 60 * 1_000;

#[async_trait]
impl Fleet for Memory {
    async fn join(&self, worker: &Worker, lease: Duration) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !self.is_shared {
            tables.workers.clear();
        }
        let now = Instant::now();
        let (code, messages) = (worker.code.clone(), worker.messages.clone());
        let member = Member { code, messages, joined: now, lease_ends: now + lease };
        tables.workers.insert(Arc::clone(&worker.id), member);
        Ok(())
    }

    async fn beat(&self, worker: &str, lease: Duration) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(member) = tables.workers.get_mut(worker) else { return Ok(false) };
        member.lease_ends = Instant::now() + lease;
        Ok(true)
    }

    async fn leave(&self, worker: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.workers.remove(worker);
        for row in tables.runs.values_mut().filter(|row| row.is_held_by(worker)) {
            (row.holder, row.wake_ms) = (None, Some(0));
        }
        Ok(())
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let mut tables = self.tables();
        let Tables { workers, runs, .. } = &mut *tables;
        if self.is_shared {
            workers.retain(|_, member| member.lease_ends > Instant::now());
        }
        if !workers.contains_key(&claim.worker) {
            return Ok(Claimed::default());
        }
        let mut claimed = Claimed::default();
        for (run_id, row) in runs.iter_mut().filter(|(_, row)| row.is_held_by(&claim.worker)) {
            if row.wake_ms.is_some_and(|wake_ms| wake_ms <= claim.now_ms) {
                row.wake_ms = None;
                claimed.news.push(Arc::clone(run_id));
            }
        }
        let has_code = |row: &Row| claim.code.contains(&(row.workflow.clone(), row.version));
        let free = runs.iter_mut().filter(|(_, row)| row.state == RunState::Running && has_code(row));
        let mut free: Vec<_> = free
            .filter_map(|(run_id, row)| {
                let is_given_up = row.holder.as_ref().is_some_and(|holder| !workers.contains_key(holder));
                let wake_ms = if is_given_up { Some(Timestamp::MIN) } else { row.wake_ms };
                (is_given_up || row.holder.is_none()).then_some((wake_ms?, run_id, row))
            })
            .collect();
        free.sort_by_key(|(wake_ms, run_id, _)| (*wake_ms, Arc::clone(run_id)));
        for (wake_ms, run_id, row) in free {
            if wake_ms > claim.now_ms || claimed.runs.len() == claim.limit {
                claimed.next_wake_ms = Some(wake_ms);
                break;
            }
            claimed.runs.push(row.claim(run_id, &claim.worker));
        }
        Ok(claimed)
    }

    async fn park(&self, parkings: &[Parking], now_ms: Timestamp) -> Result<Vec<bool>, StoreError> {
        let mut tables = self.tables();
        let parked = parkings.iter().map(|parking| {
            let can_park = tables.can_park(parking, now_ms);
            if can_park {
                let row = tables.runs.get_mut(&parking.lease.run_id).expect("looked at above");
                (row.holder, row.wake_ms) = (None, parking.wake_ms);
            }
            can_park
        });
        Ok(parked.collect())
    }

    async fn wake(&self, run_ids: &[Arc<str>]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        run_ids.iter().for_each(|run_id| tables.wake(run_id, None));
        Ok(())
    }

    async fn ask(&self, worker: &str, request: &Request, now_ms: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if tables.requests.iter().any(|kept| kept.request.id == request.id) {
            return Ok(true);
        }
        if tables.runs.get(&request.run_id).is_none_or(|row| row.state != RunState::Running) {
            return Ok(false);
        }
        tables.wake(&request.run_id, Some(worker));
        tables.requests.push(KeptRequest { request: request.clone(), asked_ms: now_ms, answer: None });
        Ok(true)
    }

    async fn requests(&self, run_ids: &[Arc<str>]) -> Result<Vec<Request>, StoreError> {
        let tables = self.tables();
        Ok(run_ids.iter().flat_map(|run_id| tables.requests_to(run_id)).collect())
    }

    async fn answer(&self, request_id: &str) -> Result<Option<Option<Payload>>, StoreError> {
        let tables = self.tables();
        let kept = tables.requests.iter().find(|kept| kept.request.id == request_id);
        Ok(kept.map(|kept| kept.answer.clone()))
    }

    async fn acquit(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for lease in leases {
            let row = tables.runs.get_mut(&lease.run_id).filter(|row| row.is_held(lease));
            row.into_iter().for_each(|row| row.strikes = 0);
        }
        Ok(())
    }

    async fn orphans(&self) -> Result<Vec<Orphans>, StoreError> {
        let tables = self.tables();
        let has_code = |row: &Row| {
            let needed = (row.workflow.clone(), row.version);
            tables.workers.values().any(|member| member.code.contains(&needed))
        };
        let mut orphans: BTreeMap<(&str, u32), Orphans> = BTreeMap::new();
        let unfinished = tables.runs.iter().filter(|(_, row)| row.state == RunState::Running);
        for (run_id, row) in unfinished.filter(|(_, row)| !has_code(row)) {
            let found = orphans.entry((&row.workflow, row.version)).or_insert_with(|| Orphans {
                workflow: row.workflow.clone(),
                version: row.version,
                runs: 0,
                example: Arc::clone(run_id),
            });
            found.runs += 1;
        }
        Ok(orphans.into_values().collect())
    }

    async fn known_messages(&self, message: &str) -> Result<Vec<KnownMessage>, StoreError> {
        let tables = self.tables();
        let there = tables.workers.values().filter(|member| self.is_there(member));
        let known = there.flat_map(|member| &member.messages).filter(|known| known.message == message);
        Ok(known.cloned().collect())
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }

    async fn is_first(&self, worker: &str) -> Result<bool, StoreError> {
        let tables = self.tables();
        let there = tables.workers.iter().filter(|(_, member)| self.is_there(member));
        let first = there.min_by_key(|(id, member)| (member.joined, Arc::clone(id)));
        Ok(first.is_some_and(|(id, _)| **id == *worker))
    }
}

impl Memory {
    fn is_there(&self, member: &Member) -> bool {
        !self.is_shared || member.lease_ends > Instant::now()
    }
}

impl Tables {
    /// Whether a write of this worker is taken at all.
    pub(super) fn has_worker(&self, worker: &str) -> bool {
        self.workers.contains_key(worker)
    }

    /// Has somebody look at a run, unless this worker holds it.
    pub(super) fn wake(&mut self, run_id: &str, unless_held_by: Option<&str>) {
        let Some(row) = self.runs.get_mut(run_id) else { return };
        let is_told_in_memory = unless_held_by.is_some_and(|worker| row.is_held_by(worker));
        if row.state == RunState::Running && !is_told_in_memory {
            row.wake_ms = Some(0);
        }
    }

    /// What a turn tells others.
    pub(super) fn tell(&mut self, turn: &Turn) {
        for run_id in &turn.changes.wakes {
            self.wake(run_id, Some(&turn.lease.worker));
        }
        for (request_id, answer) in &turn.changes.answers {
            let kept = self.requests.iter_mut().find(|kept| kept.request.id == *request_id);
            kept.into_iter().for_each(|kept| kept.answer = Some(answer.clone()));
        }
    }

    pub(super) fn requests_to(&self, run_id: &str) -> Vec<Request> {
        let open = self.requests.iter().filter(|kept| kept.answer.is_none());
        open.filter(|kept| *kept.request.run_id == *run_id).map(|kept| kept.request.clone()).collect()
    }

    pub(super) fn sweep_requests(&mut self, now_ms: Timestamp) {
        let runs = &self.runs;
        let is_running = |run_id: &str| runs.get(run_id).is_some_and(|row| row.state == RunState::Running);
        self.requests.retain(|kept| {
            let is_open = kept.answer.is_none() && is_running(&kept.request.run_id);
            is_open || kept.asked_ms > now_ms.saturating_sub(KEPT_MS)
        });
    }

    fn can_park(&self, parking: &Parking, now_ms: Timestamp) -> bool {
        let lease = &parking.lease;
        let Some(row) = self.runs.get(&lease.run_id) else { return false };
        let is_held = row.epoch == lease.epoch && row.is_held_by(&lease.worker);
        let is_open = |child| self.runs.get(child).is_some_and(|row: &Row| row.state == RunState::Running);
        let has_news = row.cancel_reason.is_some()
            || !self.offers(&lease.run_id, row.waits.keys(), now_ms).is_empty()
            || !parking.children.iter().all(is_open);
        is_held
            && self.has_worker(&lease.worker)
            && row.wake_ms.is_none()
            && self.requests_to(&lease.run_id).is_empty()
            && (parking.is_broken || !has_news)
    }
}

impl Row {
    pub(super) fn is_held_by(&self, worker: &str) -> bool {
        self.state == RunState::Running && self.holder.as_deref() == Some(worker)
    }

    fn claim(&mut self, run_id: &Arc<str>, worker: &Arc<str>) -> ClaimedRun {
        let length = self.journal.len();
        let strikes = if self.strikes_at == length { self.strikes } else { 0 };
        self.strikes = strikes + u32::from(self.holder.is_some());
        self.strikes_at = length;
        self.epoch += 1;
        self.holder = Some(Arc::clone(worker));
        self.wake_ms = None;
        let lease = Lease { run_id: Arc::clone(run_id), epoch: self.epoch, worker: Arc::clone(worker) };
        let (workflow, version) = (self.workflow.clone(), self.version);
        ClaimedRun { lease, workflow, version, strikes: self.strikes }
    }
}
