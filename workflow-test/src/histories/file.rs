//! What a file of histories holds: runs with their journals, in the form in which an engine exports them.
//! It reads and writes text; it does not know what a journal means.

use std::path::Path;

use serde::{Deserialize, Serialize};
use workflow_core::{Command, Conclusion, Definition, Event, Parent, Record, Timestamp};

use crate::annals::Head;

/// The form of exported runs.
const FORMAT: u32 = 1;

/// A run with its journal. Fields of an exported run that a replay does not need are passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    format: u32,
    pub(crate) run_id: String,
    pub(crate) workflow: String,
    pub(crate) version: u32,
    #[serde(default = "first")]
    generation: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Parent>,
    started_ms: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_ms: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conclusion: Option<Conclusion>,
    pub(crate) journal: Vec<Record>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) journal_error: Option<String>,
}

fn first() -> u32 {
    1
}

impl History {
    /// A journal of an exploration.
    pub(crate) fn of(head: &Head, journal: &[&Record]) -> History {
        let parent = match journal.first().map(|record| &record.event) {
            Some(Event::Started { parent, .. }) => parent.clone(),
            _ => None,
        };
        let last = journal.last();
        let conclusion = last.and_then(|record| match record.commands.last()? {
            Command::Finish(conclusion) => Some(conclusion.clone()),
            _ => None,
        });
        History {
            format: FORMAT,
            run_id: head.run_id.to_string(),
            workflow: head.definition.name.to_owned(),
            version: head.definition.version,
            generation: head.generation,
            parent,
            started_ms: journal.first().map_or(0, |record| record.at_ms),
            ended_ms: last.filter(|_| conclusion.is_some()).map(|record| record.at_ms),
            conclusion,
            journal: journal.iter().map(|record| (*record).clone()).collect(),
            journal_error: None,
        }
    }

    pub(crate) fn is_of(&self, definition: &Definition) -> bool {
        self.workflow == definition.name && self.version == definition.version
    }

    /// How it ends, as a part of a file name.
    pub(crate) fn ending(&self) -> String {
        match &self.conclusion {
            Some(Conclusion::Completed(_)) => "completed".to_owned(),
            Some(Conclusion::Failed { code, .. }) => format!("failed-{code}"),
            Some(Conclusion::Cancelled { .. }) => "cancelled".to_owned(),
            None => "continued".to_owned(),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("text, numbers and JSON are JSON");
        text.push('\n');
        text
    }
}

/// The histories of a file: one, or one after the other.
pub(super) fn read(file: &Path) -> Result<Vec<History>, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("the histories in {} cannot be read: {error}", file.display()))?;
    let mut histories = Vec::new();
    for (number, history) in (1..).zip(serde_json::Deserializer::from_str(&text).into_iter::<History>()) {
        let history = history
            .map_err(|error| format!("history {number} in {} cannot be read: {error}", file.display()))?;
        if history.format != FORMAT {
            let (found, file) = (history.format, file.display());
            return Err(format!(
                "history {number} in {file} has the form {found}; this version reads {FORMAT}"
            ));
        }
        histories.push(history);
    }
    Ok(histories)
}
