//! The oracles that need no assertion: every run of every test is held against them.
//! They know a definition and a journal, and nothing of how the journal came about.

pub(crate) mod replay;
pub(crate) mod saga;
#[cfg(test)]
mod tests;
pub(crate) mod walk;

use workflow_core::{Command, Conclusion, Definition, Record, StepDef};

use crate::violation::{Oracle, Violation};
use walk::{Path, Walker};

/// All oracles over journals of one workflow.
pub(crate) struct Oracles {
    definition: Definition,
    steps: Vec<&'static StepDef>,
    walker: Walker,
}

impl Oracles {
    /// Also looks at the graph itself.
    pub(crate) fn of(definition: Definition) -> Result<Oracles, Violation> {
        let graph = definition.graph();
        if let Some(defect) = graph.defects().first() {
            let text = format!("the graph of `{}` is broken: {defect}", definition.name);
            return Err(Violation::new(Oracle::Graph, text));
        }
        Ok(Oracles { definition, steps: definition.steps(), walker: Walker::new(graph) })
    }

    /// Holds a journal against all oracles; a run that has not ended is only held against those that can tell.
    /// Gives the path through the diagram.
    pub(crate) fn check(&self, run_id: &str, journal: &[Record]) -> Result<Path, Violation> {
        replay::check(self.definition, run_id, journal)?;
        if let Some(conclusion) = conclusion_of(journal) {
            saga::check(&self.steps, journal, conclusion)?;
        }
        self.walker.walk(journal)
    }
}

/// How the run of this journal ended, if it has.
pub(crate) fn conclusion_of(journal: &[Record]) -> Option<&Conclusion> {
    match journal.last()?.commands.last()? {
        Command::Finish(conclusion) => Some(conclusion),
        _ => None,
    }
}
