//! What a test asks about a run that is over: what ran, what was undone, how it ended.
//! Read from the journals alone.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use workflow_core::{Command, Conclusion, Event, Message, Payload, Record, Step, StepFn, Timestamp};

use crate::annals::Annals;

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

/// A run that is over, as the predicates of an exploration see it: with its children and all its generations.
pub struct End<'a> {
    annals: &'a Annals,
    conclusion: &'a Conclusion,
    /// Whether somebody has asked in which order things happened.
    has_told_order: Cell<bool>,
}

impl<'a> End<'a> {
    pub(crate) fn new(annals: &'a Annals, conclusion: &'a Conclusion) -> End<'a> {
        End { annals, conclusion, has_told_order: Cell::new(false) }
    }

    /// Whether somebody has asked in which order things happened, and not only what.
    pub(crate) fn has_told_order(&self) -> bool {
        self.has_told_order.get()
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        outcome(self.conclusion)
    }

    /// Whether this step was called, as a step of the code or as a compensation.
    pub fn ran<A, F: StepFn<A>>(&self, _step: F) -> bool {
        let name = <F::Step as Step>::NAME;
        self.commands().any(|command| matches!(command, Command::StartStep { step, .. } if step == name))
    }

    /// How many calls of this step came back with success, as a step of the code or as a compensation.
    pub fn completed<A, F: StepFn<A>>(&self, _step: F) -> usize {
        let name = <F::Step as Step>::NAME;
        let completed = self.annals.rows.iter().filter(|row| match &row.record.event {
            Event::StepCompleted { op, error: None, .. } => {
                self.annals.step_at(row.journal, op) == Some(name)
            }
            _ => false,
        });
        completed.count()
    }

    /// Whether a call of this step was undone.
    pub fn compensated<A, F: StepFn<A>>(&self, _step: F) -> bool {
        compensated(self.annals).iter().any(|name| name == <F::Step as Step>::NAME)
    }

    /// What a person had to look at on the way, in order: each incident with its cause, also those that were settled.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_test::Explore;
    /// # #[step(retriable, retry(attempts = 3))]
    /// # async fn pack(item: u32) {}
    /// # #[workflow]
    /// # async fn deliver(item: u32) { pack(item).await; }
    /// let kit = Explore::new();
    /// kit.on(pack).returns(());
    /// let deliveries = kit.workflow(|| deliver(7)).each_step_fails();
    /// deliveries.sometimes("somebody has to look", |end| !end.incidents().is_empty()).run();
    /// ```
    pub fn incidents(&self) -> Vec<String> {
        self.has_told_order.set(true);
        let causes = self.commands().filter_map(|command| match command {
            Command::OpenIncident { cause, .. } => Some(cause.clone()),
            _ => None,
        });
        causes.collect()
    }

    /// The messages of this type that were sent to one receiver.
    pub fn sent<M: Message>(&self) -> Vec<M> {
        self.has_told_order.set(true);
        messages(self.annals, false)
    }

    /// The messages of this type that were published.
    pub fn published<M: Message>(&self) -> Vec<M> {
        self.has_told_order.set(true);
        messages(self.annals, true)
    }

    /// How often the run has begun: more than once when it continued as new.
    pub fn generation(&self) -> u32 {
        generation(self.annals)
    }

    /// Everything that was written, in order.
    pub fn writes(&self) -> impl Iterator<Item = Write<'a>> + use<'a> {
        self.has_told_order.set(true);
        let annals = self.annals;
        annals.rows.iter().map(|row| {
            let head = &annals.journals[row.journal];
            Write { run_id: &head.run_id, generation: head.generation, record: &row.record }
        })
    }

    /// How much virtual time passed until the run ended; its detached children may have gone on.
    pub fn elapsed(&self) -> std::time::Duration {
        elapsed(self.annals.root_records().last().map_or(0, |record| record.at_ms))
    }

    fn commands(&self) -> impl Iterator<Item = &Command> {
        self.annals.rows.iter().flat_map(|row| &row.record.commands)
    }
}

/// One row of a journal: of the run that the test started, or of a child.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Write<'a> {
    /// The id of the run.
    pub run_id: &'a str,
    /// How often that run had begun by then: another generation is another journal.
    pub generation: u32,
    /// What happened, and what the code asked for in answer.
    pub record: &'a Record,
}

/// A child that a run asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Child {
    /// The id of its run.
    pub run_id: String,
    /// The name of its workflow.
    pub workflow: String,
    /// Whether only its start was waited for.
    pub is_detached: bool,
    /// How it ended; `None` while it is under way, and for one that is mocked and detached.
    pub outcome: Option<Outcome>,
}

/// The children that were asked for, in that order; also those of children.
pub(crate) fn children(annals: &Annals) -> Vec<Child> {
    let mut children: Vec<Child> = Vec::new();
    for row in &annals.rows {
        for command in &row.record.commands {
            let Command::StartChild { op, workflow, run_id, detached, .. } = command else { continue };
            let ended = annals.latest(run_id).and_then(|journal| annals.conclusion(journal));
            let told = annals.records(row.journal).find_map(|record| match &record.event {
                Event::ChildEnded { op: ended, conclusion } if ended == op => Some(conclusion),
                _ => None,
            });
            let child = Child {
                run_id: run_id.clone(),
                workflow: workflow.clone(),
                is_detached: *detached,
                outcome: ended.or(told).map(outcome),
            };
            if !children.iter().any(|other| other.run_id == child.run_id) {
                children.push(child);
            }
        }
    }
    children
}

fn outcome(conclusion: &Conclusion) -> Outcome {
    match conclusion {
        Conclusion::Completed(_) => Outcome::Completed,
        Conclusion::Failed { code, .. } => Outcome::Failed(code.clone()),
        Conclusion::Cancelled { .. } => Outcome::Cancelled,
    }
}

/// How often the run of the test has begun.
pub(crate) fn generation(annals: &Annals) -> u32 {
    annals.of_root().last().map_or(1, |journal| annals.journals[journal].generation)
}

/// The messages of one type that left, in order.
pub(crate) fn messages<M: Message>(annals: &Annals, published: bool) -> Vec<M> {
    let commands = annals.rows.iter().flat_map(|row| &row.record.commands);
    let sent = commands.filter_map(|command| match command {
        Command::Send { message, payload, publishes, .. }
            if message == M::NAME && *publishes == published =>
        {
            Some(payload)
        }
        _ => None,
    });
    let read = |payload: &Payload| {
        payload.read().unwrap_or_else(|error| panic!("the message `{}` does not read back: {error}", M::NAME))
    };
    sent.map(read).collect()
}

/// What the run of the test has reported last.
pub(crate) fn progress(annals: &Annals) -> Option<&Payload> {
    let commands = annals.root_records().flat_map(|record| &record.commands);
    let reported = commands.filter_map(|command| match command {
        Command::ReportProgress { value } => Some(value),
        _ => None,
    });
    reported.last()
}

/// The steps that the code called, in the order of the calls.
pub(crate) fn executed(annals: &Annals) -> Names {
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for row in &annals.rows {
        for command in &row.record.commands {
            if let Command::StartStep { op, step, .. } = command
                && op.undoes().is_none()
                && seen.insert((row.journal, op))
            {
                names.push(step.to_string());
            }
        }
    }
    Names(names)
}

/// The steps that were undone, in the order in which their compensations were done.
pub(crate) fn compensated(annals: &Annals) -> Names {
    let undone = annals.rows.iter().filter_map(|row| match &row.record.event {
        Event::StepCompleted { op, .. } | Event::Skipped { op, .. } => {
            annals.step_at(row.journal, &op.undoes()?).map(str::to_owned)
        }
        _ => None,
    });
    Names(undone.collect())
}

/// The time since the beginning of a run.
pub(crate) fn elapsed(now_ms: Timestamp) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(now_ms).unwrap_or(0))
}
