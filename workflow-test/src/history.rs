//! What a test asks about a run that is over: what ran, what was undone, how it ended.
//! Read from the journal alone.

use std::collections::BTreeSet;
use std::fmt;

use workflow_core::{Command, Conclusion, Event, OpId, Record, Step, StepFn, Timestamp};

/// The names of steps, in order. Comparable with an array of names, also with an empty one.
#[derive(Clone, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<const N: usize> PartialEq<[&str; N]> for Names {
    fn eq(&self, other: &[&str; N]) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Completed,
    /// With the error that has this code.
    Failed(String),
    /// On request.
    Cancelled,
}

/// A run that is over, as the predicates of an exploration see it.
pub struct End<'a> {
    journal: &'a [Record],
    conclusion: &'a Conclusion,
}

impl<'a> End<'a> {
    pub(crate) fn new(journal: &'a [Record], conclusion: &'a Conclusion) -> End<'a> {
        End { journal, conclusion }
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        match self.conclusion {
            Conclusion::Completed(_) => Outcome::Completed,
            Conclusion::Failed { code, .. } => Outcome::Failed(code.clone()),
            Conclusion::Cancelled { .. } => Outcome::Cancelled,
        }
    }

    /// Whether this step was called, as a step of the code or as a compensation.
    pub fn ran<A, F: StepFn<A>>(&self, _step: F) -> bool {
        let name = <F::Step as Step>::NAME;
        self.commands().any(|command| matches!(command, Command::StartStep { step, .. } if step == name))
    }

    /// How many calls of this step came back with success, as a step of the code or as a compensation.
    pub fn completed<A, F: StepFn<A>>(&self, _step: F) -> usize {
        let name = <F::Step as Step>::NAME;
        let completed = self.journal.iter().filter(|record| match &record.event {
            Event::StepCompleted { op, error: None, .. } => name_of(self.journal, op) == Some(name),
            _ => false,
        });
        completed.count()
    }

    /// Whether a call of this step was undone.
    pub fn compensated<A, F: StepFn<A>>(&self, _step: F) -> bool {
        compensated(self.journal).iter().any(|name| name == <F::Step as Step>::NAME)
    }

    /// How much virtual time passed.
    pub fn elapsed(&self) -> std::time::Duration {
        elapsed(self.journal.last().map_or(0, |record| record.at_ms))
    }

    fn commands(&self) -> impl Iterator<Item = &Command> {
        self.journal.iter().flat_map(|record| &record.commands)
    }
}

/// The steps that the code called, in the order of the calls.
pub(crate) fn executed(journal: &[Record]) -> Names {
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for command in journal.iter().flat_map(|record| &record.commands) {
        if let Command::StartStep { op, step, .. } = command
            && op.undoes().is_none()
            && seen.insert(op)
        {
            names.push(step.clone());
        }
    }
    Names(names)
}

/// The steps that were undone, in the order in which their compensations were done.
pub(crate) fn compensated(journal: &[Record]) -> Names {
    let undone = journal.iter().filter_map(|record| match &record.event {
        Event::StepCompleted { op, .. } => op.undoes(),
        _ => None,
    });
    Names(undone.filter_map(|op| name_of(journal, &op).map(str::to_owned)).collect())
}

/// The step behind an operation.
pub(crate) fn name_of<'a>(journal: &'a [Record], wanted: &OpId) -> Option<&'a str> {
    journal.iter().flat_map(|record| &record.commands).find_map(|command| match command {
        Command::StartStep { op, step, .. } if op == wanted => Some(step.as_str()),
        _ => None,
    })
}

/// The time since the beginning of a run.
pub(crate) fn elapsed(now_ms: Timestamp) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(now_ms).unwrap_or(0))
}
