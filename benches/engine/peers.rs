//! Builds the peers from the registries, into a folder below the target folder: nothing of it is part of the sources.
//! Knows cargo and npm; must not know what the peers do.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::options::target_folder;

const RESTATE_SERVER: &str = "@restatedev/restate-server@1.7.12";

/// Builds those of the projects below `benches/peers/` that are not built yet.
///
/// # Errors
/// When the registries cannot be reached, or a peer does not build here.
pub(crate) fn build(peers: &BTreeSet<&str>) -> Result<(), Failure> {
    let sources = folder().join("sources");
    if peers.is_empty() {
        return Ok(());
    }
    // Built from a copy: their lock files belong to a build, not to this project.
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    copy(&benches.join("kit"), &sources.join("kit"))?;
    for peer in peers {
        let project = sources.join("peers").join(peer);
        copy(&benches.join("peers").join(peer), &project)?;
        println!("building {peer}");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "--quiet", "--target-dir"]).arg(folder().join("build"));
        succeed(command.current_dir(&project))?;
    }
    if peers.contains("restate") && restate_server().is_err() {
        println!("installing {RESTATE_SERVER}");
        let packages = folder().join("node");
        fs::create_dir_all(&packages)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&packages);
        succeed(npm.arg(RESTATE_SERVER))?;
    }
    Ok(())
}

/// The program of a peer.
pub(crate) fn program(peer: &str) -> PathBuf {
    folder().join("build/release").join(format!("peer-{peer}"))
}

/// The program of Restate's server, as npm has installed it for this machine.
///
/// # Errors
/// When it is not installed.
pub(crate) fn restate_server() -> Result<PathBuf, Failure> {
    let packages = folder().join("node/node_modules/@restatedev");
    for package in fs::read_dir(&packages).into_iter().flatten().flatten() {
        let program = package.path().join("bin/restate-server");
        if program.is_file() {
            return Ok(program);
        }
    }
    Err("the Restate server is not installed; `--peers` installs it".into())
}

fn folder() -> PathBuf {
    target_folder().join("peers")
}

/// Copies a folder; a file that has not changed stays as it is, so that nothing is built again for it.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            let text = fs::read(entry.path())?;
            if fs::read(&target).ok().as_ref() != Some(&text) {
                fs::write(&target, text)?;
            }
        }
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("cannot start `{program}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{program}` ended with {status}").into()) }
}
