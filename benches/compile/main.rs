//! How long the compiler takes for crates of 1, 10 and 50 workflows of twenty steps each, with bodies of one line and
//! of ten lines more, beside the same functions as plain async code.
//! `-- --workflows 50 --rounds 3 --only check` measures one size and one command; nothing else should run meanwhile.
//! `--optimized-macros` has cargo optimise procedural macros, as docs/performance.md recommends.

mod project;
mod source;
mod table;

use std::collections::BTreeMap;
use std::process::ExitCode;

use project::{Duration, Project};
use source::{Bodies, Code, Kind};
use table::Table;

/// What is measured of every crate, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// `cargo check` of a crate that was never checked; its dependencies were.
    Check,
    /// `cargo check` after a change of one line in the body of one workflow.
    CheckChange,
    /// `cargo build` of a crate that was never built; its dependencies were.
    Build,
    /// `cargo build` after a change of one line in the body of one workflow.
    BuildChange,
}

impl Task {
    const ALL: [Task; 4] = [Task::Check, Task::CheckChange, Task::Build, Task::BuildChange];

    /// What cargo is told to do.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Task::Check | Task::CheckChange => "check",
            Task::Build | Task::BuildChange => "build",
        }
    }
}

/// All measurements: how many workflows with which bodies, which task, in which kind of crate.
pub(crate) type Measured = BTreeMap<(usize, Bodies, Task, Kind), Vec<Duration>>;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), String> {
    let Asked { sizes, rounds, tasks, macros } = arguments(std::env::args().skip(1))?;
    let project = Project::write(&sizes, macros)?;
    project.prepare(&sizes, &tasks)?;
    let mut measured = Measured::new();
    for round in 1..=rounds {
        for &size in &sizes {
            for &task in &tasks {
                // One after the other, the one first and then the other: what else the machine does hits both alike.
                let mut crates: Vec<Code> = Code::of_size(size).collect();
                if round % 2 == 0 {
                    crates.reverse();
                }
                for code in crates {
                    let took = project.time(task, code, round)?;
                    measured.entry((size, code.bodies, task, code.kind)).or_default().push(took);
                }
            }
            eprintln!("round {round} of {rounds}: {size} workflows measured");
        }
    }
    print!("{}", Table(&measured));
    Ok(())
}

/// What is to be measured.
struct Asked {
    sizes: Vec<usize>,
    rounds: usize,
    tasks: Vec<Task>,
    macros: Macros,
}

/// How cargo builds the procedural macros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Macros {
    /// As it does by default: without optimisation.
    AsIs,
    /// With `[profile.dev.build-override] opt-level = 3`.
    Optimized,
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked =
        Asked { sizes: vec![1, 10, 50], rounds: 5, tasks: Task::ALL.to_vec(), macros: Macros::AsIs };
    while let Some(name) = given.next() {
        if name == "--only" {
            let command = given.next().unwrap_or_default();
            asked.tasks.retain(|task| task.command() == command);
            if asked.tasks.is_empty() {
                return Err("`--only` takes `check` or `build`".to_owned());
            }
            continue;
        }
        let mut number = || {
            let value = given.next().and_then(|value| value.parse::<usize>().ok());
            value.filter(|&value| value > 0).ok_or_else(|| format!("`{name}` takes a number above zero"))
        };
        match name.as_str() {
            "--bench" => {} // Cargo says it to every benchmark.
            "--optimized-macros" => asked.macros = Macros::Optimized,
            "--workflows" => asked.sizes = vec![number()?],
            "--rounds" => asked.rounds = number()?,
            _ => {
                return Err(format!(
                    "`{name}` is none of `--workflows <n>`, `--rounds <n>`, `--only <command>` and `--optimized-macros`"
                ));
            }
        }
    }
    Ok(asked)
}
