//! What the outside still has to do for a run: attempts, timers, waits, each with its time.
//! It keeps them; what comes of them is decided elsewhere.

use std::collections::BTreeMap;

use workflow_core::{AttemptOutcome, OpId, Payload, Timestamp};

/// What is due for one operation.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// An attempt of a step begins.
    Begin { at_ms: Timestamp, attempt: u32, args: Payload },
    /// An attempt of a step comes back.
    Complete { at_ms: Timestamp, outcome: AttemptOutcome },
    /// A timer fires.
    Timer { at_ms: Timestamp },
    /// A message arrives, or the deadline passes.
    Wait { message: String, key: String, deadline_ms: Option<Timestamp>, delivery: Option<Delivery> },
}

/// A message on its way to a wait.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) at_ms: Timestamp,
    pub(crate) message_id: String,
    pub(crate) payload: Payload,
}

impl Due {
    /// When it happens by itself; `None` for a wait that nothing ends.
    pub(crate) fn at_ms(&self) -> Option<Timestamp> {
        match self {
            Due::Begin { at_ms, .. } | Due::Complete { at_ms, .. } | Due::Timer { at_ms } => Some(*at_ms),
            Due::Wait { deadline_ms, delivery, .. } => {
                delivery.as_ref().map(|delivery| delivery.at_ms).or(*deadline_ms)
            }
        }
    }
}

/// All that is due for a run; at most one thing per operation.
#[derive(Default)]
pub(crate) struct Agenda {
    due: BTreeMap<OpId, Due>,
}

impl Agenda {
    pub(crate) fn put(&mut self, op: OpId, due: Due) {
        self.due.insert(op, due);
    }

    pub(crate) fn remove(&mut self, op: &OpId) {
        self.due.remove(op);
    }

    /// Takes what happens next. At the same time, the order of the operation ids decides: it does not
    /// depend on what the driver remembers, so that it is the same after a crash.
    pub(crate) fn take_next(&mut self, not_after_ms: Timestamp) -> Option<(Timestamp, OpId, Due)> {
        let timed = self.due.iter().filter_map(|(op, due)| Some((due.at_ms()?, op)));
        let (at_ms, op) = timed.min().filter(|(at_ms, _)| *at_ms <= not_after_ms)?;
        let op = op.clone();
        let due = self.due.remove(&op)?;
        Some((at_ms, op, due))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OpId, &Due)> {
        self.due.iter()
    }

    /// The wait that takes this message.
    pub(crate) fn wait_for(&self, name: &str, wanted: Option<&str>) -> Option<&OpId> {
        let mut due = self.due.iter();
        due.find_map(|(op, due)| match due {
            Due::Wait { message, key, .. }
                if message == name && wanted.is_none_or(|wanted| wanted == key) =>
            {
                Some(op)
            }
            _ => None,
        })
    }
}
