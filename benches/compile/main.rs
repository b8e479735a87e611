//! How long the compiler takes for crates of 1, 10 and 50 workflows of twenty steps each, beside the same functions as
//! plain async code. `-- --workflows 50 --rounds 3` measures one size; nothing else should run meanwhile.

mod project;
mod source;
mod table;

use std::collections::BTreeMap;
use std::process::ExitCode;

use project::{Duration, Project};
use source::Kind;
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
}

/// All measurements: how many workflows, which task, in which kind of crate.
pub(crate) type Measured = BTreeMap<(usize, Task, Kind), Vec<Duration>>;

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
    let (sizes, rounds) = arguments(std::env::args().skip(1))?;
    let project = Project::write(&sizes)?;
    project.prepare(&sizes)?;
    let mut measured = Measured::new();
    for round in 1..=rounds {
        for &size in &sizes {
            for task in Task::ALL {
                // One after the other, the one first and then the other: what else the machine does hits both alike.
                let kinds =
                    if round % 2 == 0 { [Kind::Plain, Kind::Durable] } else { [Kind::Durable, Kind::Plain] };
                for kind in kinds {
                    let took = project.time(task, kind, size, round)?;
                    measured.entry((size, task, kind)).or_default().push(took);
                }
            }
            eprintln!("round {round} of {rounds}: {size} workflows measured");
        }
    }
    print!("{}", Table(&measured));
    Ok(())
}

/// The sizes and the number of rounds that were asked for.
fn arguments(mut given: impl Iterator<Item = String>) -> Result<(Vec<usize>, usize), String> {
    let (mut sizes, mut rounds) = (vec![1, 10, 50], 5);
    while let Some(name) = given.next() {
        let mut number = || {
            let value = given.next().and_then(|value| value.parse::<usize>().ok());
            value.filter(|&value| value > 0).ok_or_else(|| format!("`{name}` takes a number above zero"))
        };
        match name.as_str() {
            "--bench" => {} // Cargo says it to every benchmark.
            "--workflows" => sizes = vec![number()?],
            "--rounds" => rounds = number()?,
            _ => return Err(format!("`{name}` is neither `--workflows <n>` nor `--rounds <n>`")),
        }
    }
    Ok((sizes, rounds))
}
