//! What a test asks about the story of a run so far: what ran, what was undone, what was sent, what was written.
//! Asking changes nothing, and lets nothing happen.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow_core::{Message, Record, Workflow};

use super::TestRun;
use crate::history::{self, Child, Names};
use crate::transcript;

impl<W: Workflow> TestRun<W> {
    /// How much virtual time has passed.
    pub fn elapsed(&self) -> Duration {
        history::elapsed(self.inside.borrow().driver.now_ms())
    }

    /// The names of the steps that have been called, in the order of the calls, also those of children; without
    /// compensations.
    pub fn executed(&self) -> Names {
        history::executed(self.inside.borrow().driver.annals())
    }

    /// The names of the steps that have been undone, in the order in which they were undone, also those of children.
    pub fn compensated(&self) -> Names {
        history::compensated(self.inside.borrow().driver.annals())
    }

    /// The messages of this type that the run and its children have sent to one receiver, in order. Where one of them
    /// waits for such a message, it gets it.
    #[track_caller]
    pub fn sent<M: Message>(&self) -> Vec<M> {
        history::messages(self.inside.borrow().driver.annals(), false)
    }

    /// The messages of this type that the run and its children have published, in order. All of them that wait for such
    /// a message get it.
    #[track_caller]
    pub fn published<M: Message>(&self) -> Vec<M> {
        history::messages(self.inside.borrow().driver.annals(), true)
    }

    /// What the run has reported last about how far it is.
    #[track_caller]
    pub fn progress<T: Serialize + DeserializeOwned>(&self) -> Option<T> {
        let value = history::progress(self.inside.borrow().driver.annals()).cloned();
        value.map(|value| self.read(&value, "the progress"))
    }

    /// The children that were asked for, in that order; also those of children.
    pub fn children(&self) -> Vec<Child> {
        history::children(self.inside.borrow().driver.annals())
    }

    /// How often the run has begun: more than once when it continued as new.
    pub fn generation(&self) -> u32 {
        history::generation(self.inside.borrow().driver.annals())
    }

    /// What a person has to look at now.
    pub fn incidents(&self) -> Vec<String> {
        let inside = self.inside.borrow();
        inside.driver.incidents().map(|incident| incident.cause.clone()).collect()
    }

    /// What has happened, one line per event: the virtual time, the node, what came of it. Stable text, made
    /// for snapshots.
    pub fn transcript(&self) -> String {
        transcript::text(self.inside.borrow().driver.annals())
    }

    /// The journal as the engine would have written it; the latest one, if the run has continued as new.
    pub fn journal(&self) -> Vec<Record> {
        let inside = self.inside.borrow();
        inside.driver.annals().records(inside.driver.root()).cloned().collect()
    }
}
