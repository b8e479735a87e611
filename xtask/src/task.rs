//! What a person can ask for on the command line.
//! Knows words only; must not know how a task is done.

use anyhow::{Result, bail};

/// Shown for `cargo xtask help` and after a command line that cannot be read.
pub(crate) const USAGE: &str = "\
usage: cargo xtask <task>

  test               set the tools up and run every check; ends with `N passed, M failed`
  bless              draw the diagrams again and rewrite every snapshot from what the code does now
  diagrams           draw the diagrams of all examples, of the gallery and of the guide again
  lock [argument..]  write the locks of the examples, or compare them with `--check`: see `cargo workflow lock`
  bench [argument..] time the engine and the test kit; one of them: `bench A B` (see `cargo xtask bench --help`),
                     `bench explore`; or another benchmark: `bench --bench compile`
  help               show this text";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Test,
    Bless,
    Diagrams,
    Lock { arguments: Vec<String> },
    Bench { arguments: Vec<String> },
    Help,
}

impl Task {
    /// Reads what follows `cargo xtask`.
    ///
    /// # Errors
    /// When there is no task, a task of another name, or an argument that the task would ignore.
    pub(crate) fn from_arguments(arguments: impl IntoIterator<Item = String>) -> Result<Task> {
        let mut arguments = arguments.into_iter();
        let Some(name) = arguments.next() else { bail!("no task is named") };
        let rest: Vec<String> = arguments.collect();
        let task = match name.as_str() {
            "test" => Task::Test,
            "bless" => Task::Bless,
            "diagrams" => Task::Diagrams,
            "lock" => return Ok(Task::Lock { arguments: rest }),
            "bench" => return Ok(Task::Bench { arguments: rest }),
            "help" | "--help" | "-h" => Task::Help,
            _ => bail!("there is no task `{name}`"),
        };
        if let Some(argument) = rest.first() {
            bail!("`{name}` takes no arguments, but `{argument}` was given");
        }
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Task, String> {
        Task::from_arguments(line.split_whitespace().map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_task_in_the_usage_can_be_asked_for() {
        assert_eq!(read("test"), Ok(Task::Test));
        assert_eq!(read("bless"), Ok(Task::Bless));
        assert_eq!(read("diagrams"), Ok(Task::Diagrams));
        assert_eq!(read("lock --check"), Ok(Task::Lock { arguments: vec!["--check".to_owned()] }));
        assert_eq!(read("bench"), Ok(Task::Bench { arguments: Vec::new() }));
        assert_eq!(read("--help"), Ok(Task::Help));
    }

    #[test]
    fn arguments_of_a_benchmark_are_handed_on() {
        let arguments = ["--bench", "engine", "--", "--quick"].map(str::to_owned).to_vec();
        assert_eq!(read("bench --bench engine -- --quick"), Ok(Task::Bench { arguments }));
    }

    #[test]
    fn an_unknown_task_is_named_in_the_error() {
        assert_eq!(read("tset"), Err("there is no task `tset`".to_owned()));
        assert_eq!(read(""), Err("no task is named".to_owned()));
    }

    #[test]
    fn an_argument_that_would_be_ignored_is_refused() {
        assert_eq!(read("test fast"), Err("`test` takes no arguments, but `fast` was given".to_owned()));
    }
}
