//! What a run does outside of itself: attempts of steps, and children.
//! Everything here follows from what is on the disk; after a crash it is done once more.

use std::collections::BTreeMap;
use std::sync::Arc;

use workflow_core::OpId;

use super::Driver;
use crate::engine::attempts::{Attempt, Attempts};
use crate::engine::children::{self, Fate};
use crate::engine::live_run::{Happening, LiveRun};

impl Driver {
    /// Begins what has an effect outside of the run. Everything that led to it is on the disk.
    pub(super) fn carry_out(&mut self, live: &mut LiveRun, attempts: &mut Attempts) {
        let now_ms = live.tick(self.parts.clock.now_ms());
        let priority = self.definition.graph().priority;
        let alone = attempts.is_empty() && live.agenda.has_one_attempt_only();
        for (op, due, def) in live.start_due(now_ms) {
            // It is told of a cancel from before a crash only if it promises to heed it: of all others nobody knows
            // what they did then, unless they do it again.
            attempts.start(&self.parts, Attempt { def, run: &live.run, priority, op, due }, alone);
        }
        for (op, run_id, child) in live.agenda.children.start_due() {
            let parent = live.as_parent(op);
            self.starting.insert(Arc::clone(&run_id));
            match child {
                Some(child) => children::start(&self.parts, &self.lease.worker, parent, child),
                None => {
                    let never = "nobody waited for it any more before it was started".to_owned();
                    self.starting.remove(&run_id);
                    self.heard.push(Happening::Child(children::news(&parent, run_id, Fate::Refused(never))));
                }
            }
        }
        for run_id in live.agenda.children.cancel_unwanted() {
            children::cancel(&self.parts, &self.lease.run_id, run_id, Arc::clone(&self.cancelling));
        }
    }

    /// Looks up the children that the run waits for: those that are there need not be started, and those that have
    /// ended may have had nobody to tell. `None` when the engine stopped meanwhile.
    pub(super) async fn find_children(&mut self, live: &mut LiveRun) -> Option<()> {
        let waited_for = live.agenda.children.ids().map(|(op, run_id)| (Arc::clone(run_id), op.clone()));
        let waited_for: BTreeMap<Arc<str>, OpId> = waited_for.collect();
        if waited_for.is_empty() {
            return Some(());
        }
        let run_ids: Vec<Arc<str>> = waited_for.keys().cloned().collect();
        for known in children::look_up(&self.parts, &run_ids).await? {
            let Some(op) = waited_for.get(&known.run_id) else { continue };
            let parent = live.as_parent(op.clone());
            live.agenda.children.note_starting(op);
            let fate = children::fate_of(&known, &parent);
            self.heard.push(Happening::Child(children::news(&parent, known.run_id, fate)));
        }
        let starting = waited_for.iter().filter(|(run_id, _)| self.starting.contains(*run_id));
        starting.for_each(|(_, op)| live.agenda.children.note_starting(op));
        Some(())
    }
}
