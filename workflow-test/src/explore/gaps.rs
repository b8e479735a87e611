//! What an exploration came to and could not try: noted by its executions, told at its end.
//! It chooses nothing; what a test can say so that there is no gap is told by the plan.

use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Default)]
pub(crate) struct Gaps {
    /// Waits for which the test has no message, and whether a run sent one.
    waits: BTreeMap<Wanted, bool>,
    /// Workflows of mocked children whose errors were tried, as far as values of them are known.
    children: BTreeSet<String>,
    /// Workflows of detached children that went on and on.
    endless: BTreeSet<&'static str>,
}

/// A wait, wherever in the call tree of its workflow it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) workflow: &'static str,
    pub(crate) node: String,
    pub(crate) message: String,
    pub(crate) key: String,
}

impl Gaps {
    /// A wait that the test has no message for; it counts only if no run ever sends one.
    pub(crate) fn note_wait(&mut self, wait: Wanted, has_come: bool) {
        *self.waits.entry(wait).or_default() |= has_come;
    }

    pub(crate) fn note_child(&mut self, workflow: &str) {
        if !self.children.contains(workflow) {
            self.children.insert(workflow.to_owned());
        }
    }

    pub(crate) fn note_endless(&mut self, workflow: &'static str) {
        self.endless.insert(workflow);
    }

    /// The waits that nothing ever came to; of each place one key will do.
    pub(crate) fn waits_in_vain(&self) -> impl Iterator<Item = &Wanted> {
        let mut told = BTreeSet::new();
        let in_vain = self.waits.iter().filter(|(_, has_come)| !**has_come).map(|(wait, _)| wait);
        in_vain.filter(move |wait| told.insert((wait.workflow, &wait.node, &wait.message)))
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = &str> {
        self.children.iter().map(String::as_str)
    }

    pub(crate) fn endless(&self) -> impl Iterator<Item = &str> {
        self.endless.iter().copied()
    }
}
