//! The messages of the store in memory: kept, offered, taken, set aside, forgotten.
//! Like the rest of it, this is the specification, and must not be clever.

use std::collections::BTreeMap;
use std::sync::Arc;

use workflow_core::{Letter, OpId, Timestamp, offered, place_in_line};

use super::{Row, Tables};
use crate::store::{
    MessageFilter, MessageState, MessageStatus, MessageWait, Misfit, NewMessage, Offer, ParkReason, RunState,
    Sweep, Swept, Taker, Turn, TurnOutcome,
};

pub(super) struct KeptMessage {
    message: NewMessage,
    delivered_ms: Timestamp,
    /// Since when nobody can take it any more.
    settled_ms: Option<Timestamp>,
    parked: Option<ParkReason>,
    /// Who took it; no operation for a run that began with it.
    takes: BTreeMap<Arc<str>, Option<OpId>>,
    /// The runs that could not read an event.
    misfits: BTreeMap<Arc<str>, Misfit>,
}

impl Letter for KeptMessage {
    fn is_for(&self, message: &str, key: &str) -> bool {
        self.message.message == message && self.message.key == key
    }

    fn expires_ms(&self) -> Timestamp {
        self.message.expires_ms
    }

    fn can_reach(&self, run_id: &str) -> bool {
        self.settled_ms.is_none() && !self.takes.contains_key(run_id) && !self.misfits.contains_key(run_id)
    }
}

impl KeptMessage {
    fn is_over(&self, now_ms: Timestamp) -> bool {
        self.settled_ms.is_some() || self.message.expires_ms <= now_ms
    }

    fn state(&self, now_ms: Timestamp) -> MessageState {
        if let Some(reason) = &self.parked {
            return MessageState::Parked(reason.clone());
        }
        if let Some((run_id, Misfit { op, error })) = self.misfits.first_key_value() {
            let (run_id, op, error) = (run_id.to_string(), op.clone(), error.clone());
            return MessageState::Parked(ParkReason::Misfit { run_id, op, error });
        }
        if !self.takes.is_empty() || (self.message.is_event && self.is_over(now_ms)) {
            let takes = self.takes.iter();
            let by = takes.map(|(run_id, op)| Taker { run_id: Arc::clone(run_id), op: op.clone() }).collect();
            return MessageState::Taken { by };
        }
        match self.settled_ms {
            Some(_) => MessageState::Discarded,
            None if self.is_over(now_ms) => MessageState::Parked(ParkReason::Expired),
            None => MessageState::Waiting,
        }
    }
}

impl Tables {
    /// Keeps a message and begins its runs; says whether it was there already, and which runs were refused.
    pub(super) fn keep(
        &mut self,
        message: &NewMessage,
        now_ms: Timestamp,
    ) -> (bool, Vec<Option<TurnOutcome>>) {
        let known = self.find(&message.message_id);
        let gives_way = known.is_some_and(|number| {
            let is_parked = matches!(self.messages[&number].state(now_ms), MessageState::Parked(_));
            message.is_redelivery && is_parked
        });
        if known.is_some() && !gives_way {
            let refuse = |turn: &Turn| if self.is_written(turn) { None } else { Some(TurnOutcome::Exists) };
            return (true, message.starts.iter().map(refuse).collect());
        }
        if message.starts.iter().any(|turn| !self.has_worker(&turn.lease.worker)) {
            // Kept, it would be taken by runs that never began.
            return (false, vec![Some(TurnOutcome::LostLease); message.starts.len()]);
        }
        // What an event has reached before, it does not reach again.
        let before = known.and_then(|number| self.messages.remove(&number));
        let mut takes = before.map(|before| before.takes).unwrap_or_default();
        takes.extend(message.starts.iter().map(|turn| (Arc::clone(&turn.lease.run_id), None)));
        let is_settled = message.parked.is_some() || (!message.is_event && !message.starts.is_empty());
        let kept = KeptMessage {
            message: message.clone(),
            delivered_ms: now_ms,
            settled_ms: is_settled.then_some(now_ms),
            parked: message.parked.clone(),
            takes,
            misfits: BTreeMap::new(),
        };
        self.last_number += 1;
        self.messages.insert(self.last_number, kept);
        (false, message.starts.iter().map(|turn| self.write(turn)).collect())
    }

    pub(super) fn can_take(&self, message_id: &str, run_id: &str) -> bool {
        self.find(message_id).is_some_and(|number| self.messages[&number].can_reach(run_id))
    }

    pub(super) fn take(&mut self, message_id: &str, run_id: &Arc<str>, op: &OpId, at_ms: Timestamp) {
        let Some(kept) = self.find_mut(message_id) else { return };
        kept.takes.insert(Arc::clone(run_id), Some(op.clone()));
        if !kept.message.is_event {
            kept.settled_ms = Some(at_ms);
        }
    }

    /// The run cannot read this message.
    pub(super) fn refuse(&mut self, message_id: &str, run_id: &Arc<str>, misfit: &Misfit, at_ms: Timestamp) {
        let Some(kept) = self.find_mut(message_id).filter(|kept| kept.can_reach(run_id)) else { return };
        if kept.message.is_event {
            kept.misfits.insert(Arc::clone(run_id), misfit.clone());
            return;
        }
        let Misfit { op, error } = misfit.clone();
        kept.parked = Some(ParkReason::Misfit { run_id: run_id.to_string(), op, error });
        kept.settled_ms = Some(at_ms);
    }

    pub(super) fn discard(&mut self, message_id: &str, now_ms: Timestamp) -> Option<bool> {
        let kept = self.find_mut(message_id)?;
        if kept.message.is_event {
            kept.misfits.clear();
            kept.parked = None;
            kept.settled_ms = kept.settled_ms.or(Some(now_ms));
        } else if kept.takes.is_empty() {
            kept.parked = None;
            kept.settled_ms = Some(now_ms);
        }
        Some(kept.message.is_event || kept.takes.is_empty())
    }

    fn find(&self, message_id: &str) -> Option<i64> {
        let mut kept = self.messages.iter();
        kept.find(|(_, kept)| kept.message.message_id == message_id).map(|(number, _)| *number)
    }

    fn find_mut(&mut self, message_id: &str) -> Option<&mut KeptMessage> {
        self.messages.values_mut().find(|kept| kept.message.message_id == message_id)
    }

    /// What the waits that the turn began can have, and those that could not read what they were offered.
    pub(super) fn offers_to(&self, turn: &Turn, now_ms: Timestamp) -> Vec<Offer> {
        let misfits = turn.changes.misfits.values().map(|misfit| &misfit.op);
        let mut ops: Vec<_> = turn.changes.begin_waits.keys().chain(misfits).collect();
        ops.sort();
        ops.dedup();
        self.offers(&turn.lease.run_id, ops.into_iter(), now_ms)
    }

    pub(super) fn offers<'a>(
        &self,
        run_id: &Arc<str>,
        ops: impl Iterator<Item = &'a OpId>,
        now_ms: Timestamp,
    ) -> Vec<Offer> {
        let row = self.runs.get(run_id);
        let waits = ops.filter_map(|op| Some((op, row?.waits.get(op)?)));
        waits.filter_map(|(op, wait)| self.offer(run_id, op, wait, now_ms)).collect()
    }

    /// The waits for such a message, longest wait first.
    pub(super) fn offers_for(&self, message: &NewMessage, now_ms: Timestamp) -> Vec<Offer> {
        let waits =
            self.runs.iter().flat_map(|(run_id, row)| row.waits.iter().map(move |wait| (run_id, wait)));
        let mut waits: Vec<_> = waits
            .filter(|(_, (_, wait))| wait.message == message.message && wait.key == message.key)
            .collect();
        waits.sort_by(|(run_id, (op, wait)), (other_id, (other_op, other))| {
            let other = place_in_line(other.since_ms, other_id, other_op);
            place_in_line(wait.since_ms, run_id, op).cmp(&other)
        });
        waits.iter().filter_map(|(run_id, (op, wait))| self.offer(run_id, op, wait, now_ms)).collect()
    }

    /// The oldest message that this wait can have.
    fn offer(&self, run_id: &Arc<str>, op: &OpId, wait: &MessageWait, now_ms: Timestamp) -> Option<Offer> {
        let kept = offered(self.messages.values(), run_id, &wait.message, &wait.key, now_ms)?;
        Some(Offer {
            run_id: Arc::clone(run_id),
            op: op.clone(),
            message_id: kept.message.message_id.clone(),
            payload: kept.message.payload.clone(),
        })
    }

    pub(super) fn list(&self, filter: &MessageFilter, now_ms: Timestamp) -> Vec<MessageStatus> {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        let concerns = |kept: &KeptMessage, run_id: &str| {
            let was_parked_by =
                matches!(&kept.parked, Some(ParkReason::Misfit { run_id: by, .. }) if by == run_id);
            kept.takes.contains_key(run_id) || kept.misfits.contains_key(run_id) || was_parked_by
        };
        let passes = |(number, kept): &(&i64, &KeptMessage)| {
            let state = kept.state(now_ms);
            filter.after.is_none_or(|after| **number > after)
                && is(&filter.message_id, &kept.message.message_id)
                && is(&filter.message, &kept.message.message)
                && is(&filter.key, &kept.message.key)
                && filter.run_id.as_deref().is_none_or(|run_id| concerns(kept, run_id))
                && (!filter.only_waiting || state == MessageState::Waiting)
                && (!filter.only_taken || matches!(state, MessageState::Taken { .. }))
                && (!filter.only_parked || matches!(state, MessageState::Parked(_)))
        };
        let listed = self.messages.iter().filter(passes).take(filter.limit as usize);
        listed
            .map(|(number, kept)| MessageStatus {
                number: *number,
                message_id: kept.message.message_id.clone(),
                message: kept.message.message.clone(),
                key: kept.message.key.clone(),
                payload: kept.message.payload.clone(),
                is_event: kept.message.is_event,
                delivered_ms: kept.delivered_ms,
                expires_ms: kept.message.expires_ms,
                state: kept.state(now_ms),
            })
            .collect()
    }

    pub(super) fn sweep(&mut self, sweep: &Sweep) -> Swept {
        let limit = sweep.limit as usize;
        let mut expired: Vec<_> = self
            .messages
            .iter()
            .filter(|(_, kept)| kept.settled_ms.is_none() && kept.message.expires_ms <= sweep.now_ms)
            .map(|(number, kept)| (kept.message.expires_ms, *number))
            .collect();
        expired.sort_unstable();
        expired.truncate(limit);
        for (expires_ms, number) in &expired {
            let kept = self.messages.get_mut(number).expect("looked at above");
            kept.settled_ms = Some(*expires_ms);
            kept.parked = (!kept.message.is_event).then_some(ParkReason::Expired);
        }
        let mut old: Vec<_> = self
            .messages
            .iter()
            .filter_map(|(number, kept)| Some((kept.settled_ms?, *number)))
            .filter(|(settled_ms, _)| *settled_ms <= sweep.messages_until_ms)
            .collect();
        old.sort_unstable();
        old.truncate(limit);
        self.messages.retain(|number, _| !old.iter().any(|(_, old)| old == number));
        self.sweep_requests(sweep.now_ms);
        let count = |count: usize| u32::try_from(count).expect("a sweep is small");
        Swept { expired: count(expired.len()), messages: count(old.len()), runs: self.sweep_runs(sweep) }
    }

    /// Then the row of the child is still what its parent may have to hear. A parent that has begun anew since waits
    /// for nothing from before: else the children of a run that goes on for ever would stay for ever.
    fn has_unfinished_parent(&self, row: &Row) -> bool {
        let Some(of) = &row.parent else { return false };
        let parent = self.runs.get(&*of.run_id);
        parent.is_some_and(|parent| parent.state == RunState::Running && parent.generation == of.generation)
    }

    /// Then the run stays: another one under its id would send messages with the same ids.
    fn has_something_to_hand_over(&self, run_id: &str) -> bool {
        self.outbox.iter().any(|entry| *entry.outgoing.run_id == *run_id)
    }

    fn sweep_runs(&mut self, sweep: &Sweep) -> u32 {
        let Some(until_ms) = sweep.runs_until_ms else { return 0 };
        let old = self.old_runs(until_ms, sweep.limit, sweep.only_runs.as_deref());
        old.iter().for_each(|run_id| drop(self.runs.remove(run_id)));
        u32::try_from(old.len()).expect("a sweep is small")
    }

    pub(super) fn old_runs(
        &self,
        until_ms: Timestamp,
        limit: u32,
        only: Option<&[Arc<str>]>,
    ) -> Vec<Arc<str>> {
        let ended = self.runs.iter().filter(|(_, row)| row.state != RunState::Running);
        let mut ended: Vec<_> = ended
            .filter(|(_, row)| row.ended_ms.is_some_and(|ended_ms| ended_ms <= until_ms))
            .filter(|(run_id, _)| only.is_none_or(|only| only.contains(run_id)))
            .filter(|(run_id, row)| {
                !self.has_unfinished_parent(row) && !self.has_something_to_hand_over(run_id)
            })
            .map(|(run_id, row)| (row.ended_ms, Arc::clone(run_id), row.journal.len()))
            .collect();
        ended.sort_unstable();
        let (mut rows, mut old) = (0, Vec::new());
        for (_, run_id, length) in ended {
            rows += length;
            if !old.is_empty() && rows > limit as usize {
                break;
            }
            old.push(run_id);
        }
        old
    }
}
