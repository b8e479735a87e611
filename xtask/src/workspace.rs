//! Where the sources and the build products lie.
//! Knows folders; must not know which tool runs in them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds, and where the tools are installed; absolute.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// # Errors
    /// When the program was not started by cargo, or the current folder cannot be named.
    pub(crate) fn of_this_run() -> Result<Workspace> {
        // Read while running, not while compiling: a binary from a cache must not look at the folder it was built in.
        let own_folder = env::var_os("CARGO_MANIFEST_DIR").context("start this with `cargo xtask`")?;
        let root = Path::new(&own_folder).parent().context("xtask lies inside the workspace")?.to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            // Cargo takes a relative path from the folder it was started in; the stages start elsewhere.
            Some(folder) => {
                std::path::absolute(folder).context("CARGO_TARGET_DIR cannot be made absolute")?
            }
            None => root.join("target"),
        };
        Ok(Workspace { root, target })
    }

    /// The cargo that started this program, in the workspace's folder.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Another program, in the workspace's folder.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }
}

/// All files below a folder in the order of their paths; none when the folder does not exist.
///
/// Folders for which `enter` is false are left out.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn files_below(folder: &Path, enter: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for path in entries(folder)? {
        if path.is_dir() && !path.is_symlink() {
            if enter(&path) {
                files.extend(files_below(&path, enter)?);
            }
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// What lies directly in a folder, sorted, so that every run reports in the same order.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        paths.push(entry.with_context(cannot)?.path());
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_left_out_folders_are_not_entered() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["b/2", "b/1", "a", "deps/x"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let files = files_below(folder.path(), &|folder| !folder.ends_with("deps")).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("a"), Path::new("b/1"), Path::new("b/2")]);
    }

    #[test]
    fn a_folder_that_does_not_exist_has_no_files() {
        let folder = tempfile::tempdir().unwrap();
        assert!(files_below(&folder.path().join("none"), &|_| true).unwrap().is_empty());
    }
}
