//! Installs the interpreters' packages that judge diagrams, once per change of their lists.
//! Knows pip and npm; must not know what the scripts do with the packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process;
use crate::workspace::Workspace;

/// Where the scripts and the lists of their packages lie, from the workspace's folder.
pub(crate) const BPMN_TOOLS: &str = "tools/bpmn";

/// A Python that sees the packages of `requirements.txt`.
///
/// They go to a folder of their own with `pip install --target`, which needs no `venv` module (Debian splits it
/// off) and touches nothing outside of the target folder.
///
/// # Errors
/// When Python or pip is missing, naming what to install, or when pip fails.
pub(crate) fn python(workspace: &Workspace) -> Result<Command> {
    let program = python_program(workspace)?;
    let requirements = workspace.root.join(BPMN_TOOLS).join("requirements.txt");
    let packages = workspace.target.join("tools/python");
    let stamp = packages.join(".installed");
    // Compiled packages fit one version of the interpreter only.
    let version = process::text_of(workspace.command(program).arg("--version"))?;
    let wanted = format!("{version}\n{}", read(&requirements)?);
    if !is_installed(&stamp, &wanted) {
        ensure!(
            process::answers(workspace.command(program).args(["-m", "pip", "--version"])),
            "`{program}` has no pip; install it, on Debian with `apt-get install python3-pip`"
        );
        remove_folder(&packages)?;
        process::run(
            workspace
                .command(program)
                .env("PIP_ROOT_USER_ACTION", "ignore")
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
                .arg(&packages)
                .arg("--requirement")
                .arg(&requirements),
        )?;
        write(&stamp, &wanted)?;
    }
    let mut python = workspace.command(program);
    python.env("PYTHONPATH", &packages).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(python)
}

/// A Node whose scripts in the folder of the tools see the packages of `package-lock.json`.
///
/// # Errors
/// When Node or npm is missing, naming what to install, or when npm fails.
pub(crate) fn node(workspace: &Workspace) -> Result<Command> {
    for program in ["node", "npm"] {
        ensure!(
            process::answers(workspace.command(program).arg("--version")),
            "`{program}` is missing; install Node 20 or later with npm, on Debian with `apt-get install nodejs npm`"
        );
    }
    let tools = workspace.root.join(BPMN_TOOLS);
    // Inside of the folder that npm deletes before it installs: a broken installation has no stamp.
    let stamp = tools.join("node_modules/.installed");
    let version = process::text_of(workspace.command("node").arg("--version"))?;
    let wanted = format!(
        "{version}\n{}{}",
        read(&tools.join("package.json"))?,
        read(&tools.join("package-lock.json"))?
    );
    if !is_installed(&stamp, &wanted) {
        process::run(workspace.command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&tools))?;
        write(&stamp, &wanted)?;
    }
    Ok(workspace.command("node"))
}

/// The same Node, on a machine with a Chromium that the scripts find; it is installed where it is missing.
///
/// # Errors
/// When Node or npm is missing, naming what to install, when npm fails, or when there is no browser and none can be
/// installed from here.
pub(crate) fn browser(workspace: &Workspace) -> Result<Command> {
    // The same names that the script tries; it starts the browser itself, and ends it.
    let given = std::env::var("CHROMIUM").ok();
    let names: Vec<&str> = match &given {
        Some(name) => vec![name],
        None => vec!["chromium", "chromium-browser", "google-chrome"],
    };
    if !names.iter().any(|name| process::answers(workspace.command(name).arg("--version"))) {
        let has_apt = process::answers(workspace.command("apt-get").arg("--version"));
        ensure!(
            has_apt && given.is_none(),
            "there is no Chromium; install it, on Debian with `apt-get install chromium`, or name one in CHROMIUM"
        );
        let apt = || {
            let mut apt = workspace.command("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive");
            apt
        };
        process::run(apt().args(["update", "-qq"]))?;
        process::run(apt().args(["install", "-y", "-qq", "--no-install-recommends", "chromium"]))?;
    }
    node(workspace)
}

fn python_program(workspace: &Workspace) -> Result<&'static str> {
    const OLDEST: &str = "import sys; sys.exit(sys.version_info < (3, 11))";
    for program in ["python3", "python"] {
        if process::answers(workspace.command(program).args(["-c", OLDEST])) {
            return Ok(program);
        }
    }
    bail!("Python 3.11 or later is missing; install it, on Debian with `apt-get install python3 python3-pip`")
}

/// The stamp holds the whole text that the installation was made from: equal text, equal packages.
fn is_installed(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted)
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// An empty list of packages installs nothing, not even the folder.
fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().context("a stamp lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_list_is_installed_again() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join("python/.installed");
        assert!(!is_installed(&stamp, "lxml==6.0"));
        write(&stamp, "lxml==6.0").unwrap();
        assert!(is_installed(&stamp, "lxml==6.0"));
        assert!(!is_installed(&stamp, "lxml==6.1"));
    }

    #[test]
    fn a_missing_list_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(&folder.path().join("requirements.txt")).unwrap_err();
        assert!(error.to_string().ends_with("requirements.txt"), "{error}");
    }
}
