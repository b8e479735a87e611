//! What a person can ask for on the command line.
//! Words only; what they lead to is done elsewhere.

use anyhow::{Result, bail};

/// Shown for `cargo workflow help` and after a command line that cannot be read.
pub(crate) const USAGE: &str = "\
usage: cargo workflow lock [options] [workflow..] [-- arguments of cargo test]
       cargo workflow diagrams [--check] [-- arguments of cargo test]
       cargo workflow explain <code>

`lock` writes workflows/<name>.lock for the named workflows, or anew for all that have one.

  --all                    also for workflows that have none yet
  --check                  write nothing; fail when a lock does not say what the code does, and with --all or a name
                           also when there is none
  --accept-break <reason>  lock code that runs in flight cannot go on with; the reason goes to the lock
  --retire <name>@<n>      version n has no unfinished run any more: its code may go
  --retire <name>:<patch>  no unfinished run is from before the change: its old way may go

`diagrams` writes the folder that your test `workflow_diagrams` keeps.

  --check                  write nothing; fail when a diagram does not say what the code does, and when a workflow that
                           has a lock is in no list

`explain` shows the page of an error: what is wrong, what is right, and why. Without a code it lists them all.

Arguments after `--` choose what is tested: `-- --package shop --examples`.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Lock(Request),
    Retire(String),
    Diagrams(DiagramsRequest),
    /// The page of this code, or a list of all.
    Explain(Option<String>),
    Help,
}

/// Which locks, and what becomes of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) names: Vec<String>,
    pub(crate) all: bool,
    pub(crate) check: bool,
    pub(crate) accept: Option<String>,
    /// For `cargo test`.
    pub(crate) passed_on: Vec<String>,
}

/// What becomes of the diagrams.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DiagramsRequest {
    pub(crate) check: bool,
    /// For `cargo test`.
    pub(crate) passed_on: Vec<String>,
}

impl Task {
    /// Reads what follows `cargo`.
    ///
    /// # Errors
    /// When there is no such task or option, or options contradict each other.
    pub(crate) fn from_arguments(arguments: impl IntoIterator<Item = String>) -> Result<Task> {
        let mut arguments = arguments.into_iter().peekable();
        arguments.next_if(|first| first == "workflow"); // Cargo says it, a person who calls the program does not.
        match arguments.next().as_deref() {
            Some("lock") => {}
            Some("diagrams") => return diagrams(arguments),
            Some("explain") => return explain(arguments),
            None | Some("help" | "--help" | "-h") => return Ok(Task::Help),
            Some(other) => bail!("there is no `cargo workflow {other}`"),
        }
        let (mut request, mut retired) = (Request::default(), None);
        while let Some(argument) = arguments.next() {
            let mut value = |name: &str, what: &str| match arguments.next() {
                Some(value) if !value.trim().is_empty() && !value.starts_with("--") => Ok(value),
                _ => bail!("`{name}` needs {what}"),
            };
            match argument.as_str() {
                "--all" => request.all = true,
                "--check" => request.check = true,
                "--accept-break" => request.accept = Some(value("--accept-break", "a reason")?),
                "--retire" => retired = Some(value("--retire", "a version or a change: `sell@1`")?),
                "--help" | "-h" => return Ok(Task::Help),
                "--" => request.passed_on = arguments.by_ref().collect(),
                option if option.starts_with('-') => bail!("there is no option `{option}`"),
                name => request.names.push(name.to_owned()),
            }
        }
        if let Some(retired) = retired {
            if request != Request::default() {
                bail!("`--retire` stands alone");
            }
            return Ok(Task::Retire(retired));
        }
        if request.check && request.accept.is_some() {
            bail!("`--check` writes nothing: leave `--accept-break` out");
        }
        Ok(Task::Lock(request))
    }
}

fn diagrams(mut arguments: impl Iterator<Item = String>) -> Result<Task> {
    let mut request = DiagramsRequest::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => request.check = true,
            "--help" | "-h" => return Ok(Task::Help),
            "--" => request.passed_on = arguments.by_ref().collect(),
            option if option.starts_with('-') => bail!("there is no option `{option}`"),
            name => bail!("your test chooses the workflows, so `{name}` says nothing here"),
        }
    }
    Ok(Task::Diagrams(request))
}

fn explain(mut arguments: impl Iterator<Item = String>) -> Result<Task> {
    match (arguments.next(), arguments.next()) {
        (Some(option), _) if option == "--help" || option == "-h" => Ok(Task::Help),
        (Some(option), _) if option.starts_with('-') => bail!("there is no option `{option}`"),
        (code, None) => Ok(Task::Explain(code)),
        (Some(_), Some(_)) => bail!("one code at a time"),
        (None, Some(_)) => unreachable!("nothing comes behind the end"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Task, String> {
        Task::from_arguments(line.split_whitespace().map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_asked_for_is_read_with_and_without_cargos_own_word() {
        let request = Request {
            names: vec!["sell".to_owned()],
            accept: Some("nobody-runs-it".to_owned()),
            passed_on: vec!["-p".to_owned(), "shop".to_owned()],
            ..Request::default()
        };
        assert_eq!(
            read("workflow lock sell --accept-break nobody-runs-it -- -p shop"),
            Ok(Task::Lock(request))
        );
        assert_eq!(read("lock --check"), Ok(Task::Lock(Request { check: true, ..Request::default() })));
        let request = Request { check: true, all: true, ..Request::default() };
        assert_eq!(read("lock --check --all"), Ok(Task::Lock(request)));
        let passed_on = vec!["-p".to_owned(), "shop".to_owned()];
        let request = DiagramsRequest { check: true, passed_on };
        assert_eq!(read("workflow diagrams --check -- -p shop"), Ok(Task::Diagrams(request)));
        assert_eq!(read("lock --retire sell@1"), Ok(Task::Retire("sell@1".to_owned())));
        assert_eq!(read("workflow explain WF033"), Ok(Task::Explain(Some("WF033".to_owned()))));
        assert_eq!(read("explain"), Ok(Task::Explain(None)));
        assert_eq!(read(""), Ok(Task::Help));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, why) in [
            ("graph", "there is no `cargo workflow graph`"),
            ("lock --chekc", "there is no option `--chekc`"),
            ("diagrams sell", "your test chooses the workflows, so `sell` says nothing here"),
            ("lock --accept-break", "`--accept-break` needs a reason"),
            ("lock --accept-break --all", "`--accept-break` needs a reason"),
            ("lock --check --accept-break so", "`--check` writes nothing: leave `--accept-break` out"),
            ("explain WF033 WF034", "one code at a time"),
            ("explain --all", "there is no option `--all`"),
            ("lock sell --retire sell@1", "`--retire` stands alone"),
        ] {
            assert_eq!(read(line), Err(why.to_owned()), "{line}");
        }
    }
}
