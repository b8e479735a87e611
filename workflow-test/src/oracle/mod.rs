//! The oracles that need no assertion: every run of every test is held against them.
//! They know definitions and journals, and nothing of how the journals came about.

pub(crate) mod elsewhere;
mod leaving;
pub(crate) mod replay;
pub(crate) mod saga;
#[cfg(test)]
mod tests;
pub(crate) mod walk;

use workflow_core::{Conclusion, Definition, Record, StepDef, clashes};

use crate::annals::{Annals, Head, conclusion_in};
use crate::violation::{Oracle, Violation};
use replay::Replayed;
use walk::{Path, Walker};

/// All oracles over journals of these workflows.
pub(crate) struct Oracles {
    judges: Vec<Judge>,
}

/// The oracles of one workflow.
pub(crate) struct Judge {
    definition: Definition,
    pub(crate) steps: Vec<&'static StepDef>,
    pub(crate) walker: Walker,
}

impl Oracles {
    /// Also looks at the names and at the graphs themselves.
    pub(crate) fn of(known: &[Definition]) -> Result<Oracles, Violation> {
        let clashes = clashes(known);
        if !clashes.is_empty() {
            let text = format!("{} (WF070, docs/errors/WF070.md)", clashes.join("; "));
            return Err(Violation::new(Oracle::Setup, text));
        }
        let judges = known.iter().map(|definition| Judge::of(*definition));
        Ok(Oracles { judges: judges.collect::<Result<_, _>>()? })
    }

    /// The graphs of the workflow that the test is about, prepared for being walked.
    pub(crate) fn walker(&self) -> &Walker {
        &self.judges.first().expect("the workflow itself is known").walker
    }

    /// The graphs of this workflow.
    pub(crate) fn walker_of(&self, definition: &Definition) -> Option<&Walker> {
        let is = |judge: &&Judge| {
            (judge.definition.name, judge.definition.version) == (definition.name, definition.version)
        };
        self.judges.iter().find(is).map(|judge| &judge.walker)
    }

    /// Holds all journals against all oracles. Gives the paths through the diagram of the run that the test started:
    /// one per generation.
    pub(crate) fn check(&self, annals: &Annals) -> Result<Vec<Path>, Violation> {
        let mut paths = Vec::new();
        for (head, journal) in annals.each() {
            let is = |judge: &&Judge| {
                (judge.definition.name, judge.definition.version)
                    == (head.definition.name, head.definition.version)
            };
            let Some(judge) = self.judges.iter().find(is) else { continue };
            let path = judge.check(head, &journal)?;
            if head.run_id == annals.journals[0].run_id {
                paths.push(path);
            }
        }
        Ok(paths)
    }
}

impl Judge {
    pub(crate) fn of(definition: Definition) -> Result<Judge, Violation> {
        for graph in crate::atlas::graphs_of(definition.graph()) {
            if let Some(defect) = graph.defects().first() {
                let text = format!("the graph of `{}` is broken: {defect}", graph.workflow);
                return Err(Violation::new(Oracle::Graph, text));
            }
        }
        Ok(Judge { definition, steps: definition.steps(), walker: Walker::new(definition.graph()) })
    }

    /// Holds a journal against all oracles; a run that has not ended is only held against those that can tell.
    fn check(&self, head: &Head, journal: &[&Record]) -> Result<Path, Violation> {
        replay::check(head, journal, Replayed::Here)?;
        let walked = self.walker.walk(journal);
        if !is_over(journal) {
            return walked.map(first);
        }
        // What a saga has to undo depends on the subflows that failed, which only a way through the graph tells. One
        // that leaves the graph is told first only if the saga is in order without it.
        let paths = match walked {
            Ok(paths) => paths,
            Err(violation) => {
                saga::check(self, journal, &Path::default())?;
                return Err(violation);
            }
        };
        let mut verdict = Ok(());
        for path in paths {
            verdict = saga::check(self, journal, &path);
            if verdict.is_ok() {
                return Ok(path);
            }
        }
        verdict.map(|()| Path::default())
    }
}

fn first(paths: Vec<Path>) -> Path {
    paths.into_iter().next().unwrap_or_default()
}

fn is_over(journal: &[&Record]) -> bool {
    use workflow_core::Command::{Continue, Finish};
    // Whatever is written behind its end, it is over.
    let mut last = journal.iter().rev().filter_map(|record| record.commands.last());
    last.any(|command| matches!(command, Finish(_) | Continue { .. }))
}

/// How the run of this journal ended, if it has.
pub(crate) fn conclusion_of<'a>(journal: &[&'a Record]) -> Option<&'a Conclusion> {
    journal.iter().rev().find_map(|record| conclusion_in(record))
}
