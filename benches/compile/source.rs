//! The text of the crates that are measured: the same functions, once as steps and workflows, once as plain async code.
//! Text only; nothing here runs a compiler.

/// Whether the functions are durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Plain,
    Durable,
}

impl Kind {
    pub(crate) const ALL: [Kind; 2] = [Kind::Plain, Kind::Durable];

    /// The name of a crate with that many workflows.
    pub(crate) fn crate_name(self, workflows: usize) -> String {
        match self {
            Kind::Plain => format!("plain-{workflows}"),
            Kind::Durable => format!("durable-{workflows}"),
        }
    }
}

/// The crate's root: what all of its modules share.
pub(crate) fn root(kind: Kind, workflows: usize) -> String {
    let modules: String = (0..workflows).map(|index| format!("pub mod {};\n", module_name(index))).collect();
    format!("{}\n{modules}", of_kind(kind, include_str!("shared.rs.txt")))
}

pub(crate) fn module_name(index: usize) -> String {
    format!("order_{index}")
}

/// A module with a workflow of twenty steps, a subflow with four of them, and the compensations. `limit` stands in the
/// body of the workflow: another one is a change of one line.
pub(crate) fn module(kind: Kind, index: usize, limit: usize) -> String {
    let text = include_str!("module.rs.txt").replace("__INDEX__", &index.to_string());
    of_kind(kind, &text.replace("__LIMIT__", &limit.to_string()))
}

/// The text as one of the two kinds of code says it.
fn of_kind(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Durable => text.replace("__PRELUDE__", "workflow_runtime::prelude::*"),
        Kind::Plain => {
            let is_ours =
                |line: &&str| ["#[step", "#[workflow", "#[subflow"].iter().any(|of| line.starts_with(of));
            let lines: Vec<&str> = text.lines().filter(|line| !is_ours(line)).collect();
            lines
                .join("\n")
                .replace("__PRELUDE__", "serde::{Deserialize, Serialize};\nuse tokio::{join, try_join}")
                .replace(", StepError", "")
        }
    }
}
