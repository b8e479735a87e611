//! Hands every diagram of the project to judges that nobody here wrote.
//! Knows where diagrams lie and which scripts judge them; must not know what is in a diagram.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::workspace::{Workspace, files_below};
use crate::{examples, process, tools};

/// The name of the folders below the target folder where tests leave diagrams to be judged.
const SAMPLES: &str = "bpmn-samples";

/// The folder below the target folder where explorations leave diagrams with their scenarios.
const SCENARIOS: &str = "bpmn-scenarios";

/// Below it: the same workflows for engines and for other readers. They are judged, and not followed.
const JUDGED: &str = "bpmn-scenarios/judged";

/// Large folders of cargo and of the tools, where no test writes.
const LEFT_OUT: [&str; 6] = ["deps", "build", "incremental", ".fingerprint", "doc", "tools"];

/// The OMG's schemas, deadlocks, work that is never done.
///
/// # Errors
/// When the judge finds something, cannot be set up, or has nothing to judge.
pub(crate) fn judge_in_python(workspace: &Workspace) -> Result<()> {
    judge(workspace, "validate.py", tools::python)
}

/// Parsing without warnings, lints.
///
/// # Errors
/// When the judge finds something, cannot be set up, or has nothing to judge.
pub(crate) fn judge_in_node(workspace: &Workspace) -> Result<()> {
    judge(workspace, "validate.mjs", tools::node)
}

/// SpiffWorkflow goes the ways that the test kit has found.
///
/// # Errors
/// When it goes another way, can do what is listed as a limit, cannot be set up, or has nothing to follow.
pub(crate) fn follow_in_spiff(workspace: &Workspace) -> Result<()> {
    follow(workspace, "spiff.py", tools::python)
}

/// bpmn-engine goes the ways that the test kit has found.
///
/// # Errors
/// When it goes another way, can do what is listed as a limit, cannot be set up, or has nothing to follow.
pub(crate) fn follow_in_node(workspace: &Workspace) -> Result<()> {
    follow(workspace, "engine.mjs", tools::node)
}

/// Where explorations are told to leave their scenarios.
pub(crate) fn scenarios(workspace: &Workspace) -> PathBuf {
    workspace.target.join(SCENARIOS)
}

/// bpmn-auto-layout draws the same models no better.
///
/// # Errors
/// When ours are worse, or there is nothing to measure.
pub(crate) fn measure_layout(workspace: &Workspace) -> Result<()> {
    judge(workspace, "layout.mjs", tools::node)
}

/// bpmn-js draws them in a browser.
///
/// # Errors
/// When the judge finds something, cannot be set up, or has nothing to judge.
pub(crate) fn judge_in_browser(workspace: &Workspace) -> Result<()> {
    judge(workspace, "draw.mjs", tools::browser)
}

/// Removes what the tests of earlier runs left to be judged.
///
/// # Errors
/// When a sample cannot be removed.
pub(crate) fn clear_samples(workspace: &Workspace) -> Result<()> {
    for sample in samples(workspace)? {
        fs::remove_file(&sample).with_context(|| format!("cannot remove {}", sample.display()))?;
    }
    let scenarios = scenarios(workspace);
    if scenarios.exists() {
        fs::remove_dir_all(&scenarios).with_context(|| format!("cannot remove {}", scenarios.display()))?;
    }
    Ok(())
}

fn follow(
    workspace: &Workspace,
    script: &str,
    interpreter: fn(&Workspace) -> Result<std::process::Command>,
) -> Result<()> {
    let scenarios = scenarios(workspace);
    ensure!(
        scenarios.is_dir(),
        "there are no scenarios in {}; tests write them with WORKFLOW_SCENARIOS in their environment",
        scenarios.display()
    );
    let script = Path::new(tools::BPMN_TOOLS).join(script);
    process::run(interpreter(workspace)?.arg(script).arg(scenarios))
}

fn judge(
    workspace: &Workspace,
    script: &str,
    interpreter: fn(&Workspace) -> Result<std::process::Command>,
) -> Result<()> {
    let diagrams = diagrams(workspace)?;
    let script = Path::new(tools::BPMN_TOOLS).join(script);
    ensure!(workspace.root.join(&script).is_file(), "there is no {}", script.display());
    println!("    {} diagrams", diagrams.len());
    process::run(interpreter(workspace)?.arg(script).args(diagrams))
}

/// What an analyst drew, as analysts do: the compiler holds the code against it, and nobody judges how it is drawn.
const MODEL: &str = "model.bpmn";

/// The diagrams of the examples, and the samples that the tests wrote.
fn diagrams(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut drawn = bpmn_files(&workspace.root.join("examples"))?;
    drawn.retain(|file| !file.ends_with(MODEL));
    for example in examples::folders(workspace)? {
        ensure!(
            drawn.iter().any(|diagram| diagram.starts_with(&example)),
            "examples/{} has no diagram; draw it with `cargo xtask diagrams`",
            example.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    // A path from the workspace's folder is what a person wants to read in a finding.
    let mut diagrams: Vec<PathBuf> =
        drawn.iter().map(|path| path.strip_prefix(&workspace.root).unwrap_or(path).to_owned()).collect();
    diagrams.extend(samples(workspace)?);
    ensure!(
        !diagrams.is_empty(),
        "there is nothing to judge: no .bpmn file below examples/, none in a `{SAMPLES}` folder below {}",
        workspace.target.display()
    );
    Ok(diagrams)
}

fn samples(workspace: &Workspace) -> Result<BTreeSet<PathBuf>> {
    let mut samples = BTreeSet::new();
    // A test that does not look at CARGO_TARGET_DIR writes to the default place.
    for target in [workspace.target.clone(), workspace.root.join("target")] {
        let files = bpmn_files(&target)?;
        samples.extend(files.into_iter().filter(|file| {
            let is_in = |name: &&str| file.parent().is_some_and(|folder| folder.ends_with(name));
            [SAMPLES, SCENARIOS, JUDGED].iter().any(is_in)
        }));
    }
    Ok(samples)
}

fn bpmn_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = files_below(folder, &|folder| !LEFT_OUT.iter().any(|name| folder.ends_with(name)))?;
    Ok(files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "bpmn"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace_with(root: &Path, files: &[&str]) -> Workspace {
        for file in files {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        Workspace { root: root.to_owned(), target: root.join("elsewhere") }
    }

    #[test]
    fn diagrams_of_examples_and_samples_of_tests_are_judged() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            "examples/order/main.rs",
            "examples/order/diagram.bpmn",
            "elsewhere/tmp/bpmn-samples/loop.bpmn",
            "elsewhere/tmp/bpmn-samples/loop.svg",
            "elsewhere/tmp/other.bpmn",
            "elsewhere/bpmn-scenarios/race.bpmn",
            "elsewhere/bpmn-scenarios/race.json",
            "elsewhere/bpmn-scenarios/judged/race.camunda7.bpmn",
            "target/bpmn-samples/join.bpmn",
        ];
        let workspace = workspace_with(root.path(), &files);
        let expected = [
            PathBuf::from("examples/order/diagram.bpmn"),
            root.path().join("elsewhere/bpmn-scenarios/judged/race.camunda7.bpmn"),
            root.path().join("elsewhere/bpmn-scenarios/race.bpmn"),
            root.path().join("elsewhere/tmp/bpmn-samples/loop.bpmn"),
            root.path().join("target/bpmn-samples/join.bpmn"),
        ];
        assert_eq!(diagrams(&workspace).unwrap(), expected);
    }

    #[test]
    fn an_example_without_a_diagram_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let files =
            ["examples/a/main.rs", "examples/a/diagram.bpmn", "examples/b/main.rs", "examples/b/model.bpmn"];
        let error = diagrams(&workspace_with(root.path(), &files)).unwrap_err();
        assert_eq!(error.to_string(), "examples/b has no diagram; draw it with `cargo xtask diagrams`");
    }

    #[test]
    fn nothing_to_judge_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let error = diagrams(&workspace_with(root.path(), &[])).unwrap_err();
        assert!(error.to_string().starts_with("there is nothing to judge"), "{error}");
    }

    #[test]
    fn samples_of_an_earlier_run_are_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            "examples/a/diagram.bpmn",
            "elsewhere/tmp/bpmn-samples/loop.bpmn",
            "elsewhere/bpmn-scenarios/race.json",
            "elsewhere/tmp/other.bpmn",
        ];
        let workspace = workspace_with(root.path(), &files);
        clear_samples(&workspace).unwrap();
        assert!(!scenarios(&workspace).exists());
        assert!(samples(&workspace).unwrap().is_empty());
        assert!(root.path().join("elsewhere/tmp/other.bpmn").exists());
        assert!(root.path().join("examples/a/diagram.bpmn").exists());
    }

    #[test]
    fn engines_without_scenarios_are_an_error() {
        let root = tempfile::tempdir().unwrap();
        let error = follow_in_spiff(&workspace_with(root.path(), &[])).unwrap_err();
        assert!(error.to_string().starts_with("there are no scenarios in "), "{error}");
    }

    #[test]
    fn a_missing_judge_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let workspace = workspace_with(root.path(), &["examples/a/diagram.bpmn"]);
        let error = judge_in_python(&workspace).unwrap_err();
        assert_eq!(error.to_string(), "there is no tools/bpmn/validate.py");
    }
}
