//! What was written in a test: the journals of a run, of its generations and its children, in one order.
//! It keeps the rows; what they mean is told elsewhere.

use std::sync::Arc;

use workflow_core::{Command, Conclusion, Definition, Event, OpId, Parent, Payload, Record, Run};

/// The place of a journal in [`Annals::journals`].
pub(crate) type JournalIndex = usize;

/// Whose journal it is.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) definition: Definition,
    pub(crate) run_id: Arc<str>,
    /// Counted from 1: a run that continues as new begins another journal.
    pub(crate) generation: u32,
    /// Who started the run, if it is a child.
    pub(crate) parent: Option<(JournalIndex, OpId)>,
    pub(crate) is_detached: bool,
    /// Changes of the code that the run passed before they were made.
    pub(crate) before_patches: Arc<[String]>,
}

/// One write.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) journal: JournalIndex,
    pub(crate) record: Record,
    /// Somebody outside did this: it does not follow from what was asked for.
    pub(crate) is_by_hand: bool,
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Annals {
    pub(crate) journals: Vec<Head>,
    pub(crate) rows: Vec<Row>,
    /// The event on which the code broke off, if it did: it is no row, since nothing was asked for in answer.
    pub(crate) broke_off: Option<Row>,
}

impl Annals {
    /// The rows of one journal.
    pub(crate) fn records(&self, journal: JournalIndex) -> impl Iterator<Item = &Record> {
        self.rows.iter().filter(move |row| row.journal == journal).map(|row| &row.record)
    }

    /// Each journal with its rows.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Head, Vec<&Record>)> {
        self.journals.iter().enumerate().map(|(index, head)| (head, self.records(index).collect()))
    }

    /// The journal in which a run is now.
    pub(crate) fn latest(&self, run_id: &str) -> Option<JournalIndex> {
        self.journals.iter().rposition(|head| &*head.run_id == run_id)
    }

    /// The journals of the run that the test started.
    pub(crate) fn of_root(&self) -> impl Iterator<Item = JournalIndex> {
        (0..self.journals.len()).filter(|&journal| self.journals[journal].run_id == self.journals[0].run_id)
    }

    /// The rows of all generations of the run that the test started.
    pub(crate) fn root_records(&self) -> impl Iterator<Item = &Record> {
        let is_root = |row: &&Row| self.journals[row.journal].run_id == self.journals[0].run_id;
        self.rows.iter().filter(is_root).map(|row| &row.record)
    }

    /// How the run of this journal ended, if it has.
    pub(crate) fn conclusion(&self, journal: JournalIndex) -> Option<&Conclusion> {
        let mut own = self.rows.iter().rev().filter(|row| row.journal == journal);
        own.find_map(|row| conclusion_in(&row.record))
    }

    /// The step behind an operation.
    pub(crate) fn step_at(&self, journal: JournalIndex, wanted: &OpId) -> Option<&str> {
        let mut commands = self.records(journal).flat_map(|record| &record.commands);
        commands.find_map(|command| match command {
            Command::StartStep { op, step, .. } if op == wanted => Some(&**step),
            _ => None,
        })
    }
}

impl Head {
    /// Its run, to which nothing has happened.
    pub(crate) fn fresh_run(&self) -> Run {
        let mut run = Run::new(self.definition, &self.run_id);
        for patch in self.before_patches.iter() {
            run.pass_before_patch(patch);
        }
        run
    }

    /// The first event of the journal; the parent's head is needed for a child.
    pub(crate) fn begin(&self, input: Payload, of_parent: Option<&Head>) -> Event {
        let parent = self.parent.as_ref().zip(of_parent);
        let parent = parent.map(|((_, op), head)| Parent {
            run_id: head.run_id.to_string(),
            op: op.clone(),
            generation: head.generation,
        });
        Event::Started { input, generation: self.generation, parent }
    }
}

/// How the run ended with this row, if it did.
pub(crate) fn conclusion_in(record: &Record) -> Option<&Conclusion> {
    match record.commands.last()? {
        Command::Finish(conclusion) => Some(conclusion),
        _ => None,
    }
}
