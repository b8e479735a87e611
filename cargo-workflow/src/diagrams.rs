//! Runs the test of a project that keeps its folder of diagrams, and tells what became of it.
//! The test draws, with the graphs that the compiler has seen; here it is only called.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use workflow_graph::lock::files::DIRECTORY;
use workflow_graph::lock::{Lock, VersionState};

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
    let what = if request.check { "check" } else { "write" };
    cargo.args(["--", "--nocapture", TEST]).env(VARIABLE, what);
    let output = cargo.stderr(Stdio::piped()).output().context("cargo cannot be run")?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let written: Vec<&str> = said(&out).filter(|line| line.starts_with("wrote ")).collect();
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
        _ => {
            let looks_at_all = !chooses_targets(&request.passed_on);
            let forgotten = if looks_at_all { forgotten(&drawn(&out))? } else { Vec::new() };
            forgotten.iter().for_each(|line| println!("{line}"));
            if written.is_empty() && forgotten.is_empty() {
                println!("all diagrams say what the code does");
            }
            Ok(forgotten.is_empty() || !request.check)
        }
    }
}

/// What the tests said themselves. With one thread, libtest writes the name of a test before what that one says first.
fn said(out: &str) -> impl Iterator<Item = &str> {
    out.lines().map(|line| match line.split_once(" ... ") {
        Some((test, said)) if test.starts_with("test ") => said,
        _ => line,
    })
}

/// The workflows of which tests keep diagrams, or say that they need none, by the folder of their package.
fn drawn(out: &str) -> BTreeMap<PathBuf, BTreeSet<String>> {
    let mut drawn: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for line in said(out) {
        if let Some((package, name)) = line.strip_prefix("draws\t").and_then(|rest| rest.split_once('\t')) {
            drawn.entry(PathBuf::from(package)).or_default().insert(name.to_owned());
        }
    }
    drawn
}

/// The workflows of those packages that have a lock, and so are known, but neither a diagram nor the word that they
/// need none: whoever wrote them has forgotten the list.
fn forgotten(drawn: &BTreeMap<PathBuf, BTreeSet<String>>) -> Result<Vec<String>> {
    let mut forgotten = Vec::new();
    for (package, drawn) in drawn {
        let Ok(files) = fs::read_dir(package.join(DIRECTORY)) else { continue };
        let mut files: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "lock"));
        files.sort();
        for path in files {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let lock = Lock::read(&text).with_context(|| path.display().to_string())?;
            let is_used = lock.versions.iter().any(|version| version.state != VersionState::Retired);
            if is_used && !drawn.contains(&lock.workflow) {
                let name = &lock.workflow;
                forgotten.push(format!(
                    "`{name}` has a lock ({}) and no diagram: add its graph to the list of a test `{TEST}`, or say \
                     `.without({name:?})` there",
                    path.display()
                ));
            }
        }
    }
    Ok(forgotten)
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
    use workflow_graph::lock::Version;
    use workflow_graph::lock::files::{file_name, write};
    use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome};

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
    fn a_workflow_that_has_a_lock_and_is_in_no_list_is_told() {
        let package = tempfile::tempdir().unwrap();
        for (name, state) in [("sell", "active"), ("ship", "active"), ("bill", "active"), ("old", "retired")]
        {
            let version = Version::of(&graph(name));
            let text = Lock::named(name)
                .with(version)
                .text()
                .replace("version 1 active", &format!("version 1 {state}"));
            assert!(text.contains(state), "{text}");
            write(&package.path().join("workflows").join(file_name(name)), &text).unwrap();
        }
        let folder = package.path().display();
        // The first words of a test may stand behind its name.
        let out = format!(
            "running 1 test\ntest workflow_diagrams ... draws\t{folder}\tsell\ndraws\t{folder}\tbill\nok\n"
        );
        let told = forgotten(&drawn(&out)).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("`ship` has a lock (") && told[0].contains(".without(\"ship\")"),
            "{told:?}"
        );
        assert_eq!(
            said("test a ... wrote b.svg\nwrote c.svg").collect::<Vec<_>>(),
            ["wrote b.svg", "wrote c.svg"]
        );
    }

    fn graph(name: &str) -> Graph {
        let nodes =
            vec![Node::new("started", NodeKind::Start), Node::new("done", NodeKind::End(Outcome::Success))];
        let flows = vec![Flow::new(0, 1, FlowKind::Next)];
        Graph { nodes: nodes.into(), flows: flows.into(), ..Graph::named(name) }
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
