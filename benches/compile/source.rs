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
}

/// How much code the steps have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bodies {
    /// One line: what is compared is the cost of being a step.
    OneLine,
    /// Ten lines more, which ask a service or a database and look at the answer: what people write.
    TenLines,
}

impl Bodies {
    pub(crate) const ALL: [Bodies; 2] = [Bodies::OneLine, Bodies::TenLines];
}

/// The code of one crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code {
    pub(crate) workflows: usize,
    pub(crate) bodies: Bodies,
    pub(crate) kind: Kind,
}

impl Code {
    /// All crates with that many workflows.
    pub(crate) fn of_size(workflows: usize) -> impl Iterator<Item = Code> {
        let kinds = Bodies::ALL.into_iter().flat_map(|bodies| Kind::ALL.map(|kind| (bodies, kind)));
        kinds.map(move |(bodies, kind)| Code { workflows, bodies, kind })
    }

    /// The name of the crate.
    pub(crate) fn crate_name(self) -> String {
        let kind = match self.kind {
            Kind::Plain => "plain",
            Kind::Durable => "durable",
        };
        match self.bodies {
            Bodies::OneLine => format!("{kind}-{}", self.workflows),
            Bodies::TenLines => format!("{kind}-{}-real", self.workflows),
        }
    }

    /// The crate's root: what all of its modules share.
    pub(crate) fn root(self) -> String {
        let modules = (0..self.workflows).map(|index| format!("pub mod {};\n", module_name(index)));
        let modules: String = modules.collect();
        let services = match self.bodies {
            Bodies::OneLine => "",
            Bodies::TenLines => include_str!("services.rs.txt"),
        };
        format!("{}{services}\n{modules}", of_kind(self.kind, include_str!("shared.rs.txt")))
    }

    /// A module with a workflow of twenty steps, a subflow with four of them, and the compensations. `limit` stands in
    /// the body of the workflow: another one is a change of one line.
    pub(crate) fn module(self, index: usize, limit: usize) -> String {
        let text = match self.bodies {
            Bodies::OneLine => include_str!("module.rs.txt").to_owned(),
            Bodies::TenLines => with_bodies(include_str!("module.rs.txt")),
        };
        let text = text.replace("__INDEX__", &index.to_string());
        of_kind(self.kind, &text.replace("__LIMIT__", &limit.to_string()))
    }
}

pub(crate) fn module_name(index: usize) -> String {
    format!("order_{index}")
}

/// The text with ten lines more at the head of each step.
fn with_bodies(text: &str) -> String {
    let bodies: Vec<&str> = include_str!("bodies.rs.txt").split("====\n").collect();
    let mut longer =
        text.replace("use crate::{", "use std::collections::BTreeMap;\n\nuse crate::{Request, api, ");
    let mut turn = 0;
    for (attribute, function) in text.lines().zip(text.lines().skip(1)) {
        let name = function.strip_prefix("async fn ").and_then(|rest| rest.split('(').next());
        if let (true, Some(name)) = (attribute.starts_with("#[step"), name) {
            // The last body is the one that cannot fail; the others take turns.
            let body = if function.contains("Result<") { bodies[turn % 2] } else { bodies[2] };
            turn += 1;
            let longer_function = format!("{function}\n{}", body.replace("__STEP__", name));
            longer = longer.replace(&format!("{function}\n"), &longer_function);
        }
    }
    longer
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
