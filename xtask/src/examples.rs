//! The examples, and the diagrams that each of them draws of itself.
//! Knows the form `examples/<idea>/main.rs`; must not know how a diagram is made.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

use crate::process;
use crate::workspace::{Workspace, entries};

/// The folders of all examples, sorted.
///
/// # Errors
/// When the folder `examples` cannot be read.
pub(crate) fn folders(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let examples = workspace.root.join("examples");
    if !examples.is_dir() {
        return Ok(Vec::new());
    }
    Ok(entries(&examples)?.into_iter().filter(|folder| folder.join("main.rs").is_file()).collect())
}

/// Lets every example draw itself; one that fails does not keep the others from it.
///
/// # Errors
/// When there is no example, or one of them fails.
pub(crate) fn draw(workspace: &Workspace) -> Result<()> {
    let folders = folders(workspace)?;
    ensure!(!folders.is_empty(), "there is no examples/<idea>/main.rs to draw");
    let mut failures = Vec::new();
    for folder in folders {
        let name = folder.file_name().expect("an entry of a folder has a name");
        let drawn =
            process::run(workspace.cargo().args(["run", "--example"]).arg(name).args(["--", "diagram"]));
        failures.extend(drawn.err().map(|error| format!("{error:#}")));
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_folder_with_a_main_file_is_an_example() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: root.path().to_owned(), target: root.path().join("target") };
        assert!(folders(&workspace).unwrap().is_empty());

        let examples = root.path().join("examples");
        fs::create_dir_all(examples.join("order")).unwrap();
        fs::create_dir_all(examples.join("pictures")).unwrap();
        fs::write(examples.join("order/main.rs"), "").unwrap();
        fs::write(examples.join("README.md"), "").unwrap();
        assert_eq!(folders(&workspace).unwrap(), [examples.join("order")]);
    }

    #[test]
    fn no_example_at_all_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: root.path().to_owned(), target: root.path().join("target") };
        let error = draw(&workspace).unwrap_err();
        assert_eq!(error.to_string(), "there is no examples/<idea>/main.rs to draw");
    }
}
