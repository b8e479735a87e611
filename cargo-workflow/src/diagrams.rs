//! Runs the test of a project that keeps its folder of diagrams, and tells what became of it.
//! The test draws, with the graphs that the compiler has seen; here it is only called.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::arguments::DiagramsRequest;

/// What the test looks at, as `workflow_bpmn::VARIABLE` names it.
const VARIABLE: &str = "WORKFLOW_DIAGRAMS";

/// The name that the test has, or begins with.
const TEST: &str = "workflow_diagrams";

/// Whether all diagrams say what the code does now.
///
/// # Errors
/// When cargo cannot be run.
pub(crate) fn diagrams(request: &DiagramsRequest) -> Result<bool> {
    if request.passed_on.iter().any(|argument| argument == "--") {
        bail!("the arguments of the tests themselves are chosen here");
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--no-fail-fast"]).args(&request.passed_on);
    if !chooses_targets(&request.passed_on) {
        cargo.arg("--tests"); // Not the documentation tests, which take long and keep no folder.
    }
    cargo.args(["--", "--nocapture", TEST]).env_remove(VARIABLE);
    if !request.check {
        cargo.env(VARIABLE, "write");
    }
    let output = cargo.stderr(Stdio::piped()).output().context("cargo cannot be run")?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let written: Vec<&str> = out.lines().filter(|line| line.starts_with("wrote ")).collect();
    written.iter().for_each(|line| println!("{line}"));
    if !output.status.success() {
        eprint!("{err}");
        print!("{out}");
        return Ok(false);
    }
    match passed(&out) {
        0 => {
            println!(
                "no test keeps diagrams here; add one to your project, with the crate `workflow-bpmn`:\n\n    \
                 #[test]\n    fn {TEST}() {{\n        \
                 workflow_bpmn::Gallery::of([your_workflow.graph()]).keep(\"diagrams\");\n    }}\n"
            );
            Ok(false)
        }
        _ if written.is_empty() => {
            println!("all diagrams say what the code does");
            Ok(true)
        }
        _ => Ok(true),
    }
}

/// Whether these arguments say which targets of a package are tested.
pub(crate) fn chooses_targets(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| {
        let target = ["--lib", "--bin", "--test", "--example", "--all-targets"];
        target.iter().any(|target| argument.starts_with(target))
    })
}

/// How many tests ran and passed, by libtest's own words.
fn passed(out: &str) -> usize {
    let counts = out.lines().filter_map(|line| {
        let (_verdict, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        counts.split(" passed").next()?.trim().parse::<usize>().ok()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_ran_are_counted() {
        let out = "running 1 test\nwrote diagrams/sell.svg\ntest workflow_diagrams ... ok\n\n\
                   test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.01s\n\
                   test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s\n";
        assert_eq!(passed(out), 1);
        assert_eq!(passed("running 0 tests"), 0);
    }

    #[test]
    fn a_choice_of_targets_is_the_users() {
        let chooses = |line: &str| {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            chooses_targets(&arguments)
        };
        assert!(chooses("-p shop --examples") && chooses("--test=diagrams"));
        assert!(!chooses("-p shop"));
    }
}
