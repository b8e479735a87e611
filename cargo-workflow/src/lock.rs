//! Runs the hidden tests that `#[workflow]` leaves behind and tells what became of each lock.
//! The tests do the work, with the graphs that the compiler has seen: there is no second reading of the source here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use workflow_graph::lock::files::{ACCEPT, MODE, NAMES, REPORT, WRITE};
use workflow_graph::lock::{Lock, VersionState};

use crate::arguments::Request;
use crate::diagrams::chooses_targets;
use crate::report::{self, Entry};

/// Whether all locks say what the code does now.
///
/// # Errors
/// When the tests cannot be built or run, or a lock cannot be read.
pub(crate) fn lock(request: &Request) -> Result<bool> {
    let reports = Reports::new()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--no-fail-fast"]);
    match request.passed_on.iter().position(|argument| argument == "--") {
        Some(_) => bail!("the arguments of the tests themselves are chosen here; name workflows instead"),
        None => cargo.args(&request.passed_on),
    };
    if !chooses_targets(&request.passed_on) {
        cargo.arg("--tests"); // Not the documentation tests, which take long and hold no workflow of the project.
    }
    cargo.args(["--", "workflow_lock_"]);
    for variable in [MODE, NAMES, ACCEPT] {
        cargo.env_remove(variable);
    }
    cargo.env(REPORT, &reports.0);
    if !request.check {
        let names = if request.all { "*".to_owned() } else { request.names.join(",") };
        cargo.env(MODE, WRITE).env(NAMES, names);
        if let Some(reason) = &request.accept {
            cargo.env(ACCEPT, reason);
        }
    }
    let output = cargo.stderr(Stdio::inherit()).output().context("cargo cannot be run")?;
    let entries = report::read(&reports.0)?;
    for line in report::told(&entries) {
        println!("{line}");
    }
    let has_refused = entries.iter().any(|entry| entry.outcome == "refused");
    if !output.status.success() && !has_refused {
        // What the compiler had to say is on the screen already; what a test said is not.
        print!("{}", String::from_utf8_lossy(&output.stdout));
        return Ok(false);
    }
    let looks_at_all = request.passed_on.is_empty() || request.passed_on == ["--workspace"];
    let orphans = if looks_at_all && request.names.is_empty() { orphans(&entries)? } else { Vec::new() };
    for orphan in &orphans {
        println!("{orphan}");
    }
    let unknown = unknown(request, &entries);
    for name in &unknown {
        println!("`{name}` is no workflow of these packages; look at the arguments after `--`");
    }
    let demanded = demanded(request, &entries);
    for path in &demanded {
        println!("{} is missing; write it with `cargo workflow lock --all` and commit it", path.display());
    }
    let is_told = !demanded.is_empty() || !orphans.is_empty();
    if entries.iter().all(|entry| entry.outcome == "absent") && !is_told {
        println!("no workflow has a lock here; write the first ones with `cargo workflow lock --all`");
    }
    Ok(!has_refused && orphans.is_empty() && unknown.is_empty() && demanded.is_empty())
}

/// The locks that a check asks for and nobody has written.
fn demanded<'e>(request: &Request, entries: &'e [Entry]) -> BTreeSet<&'e Path> {
    let names: BTreeSet<String> =
        request.names.iter().map(|name| workflow_graph::lock::files::file_name(name)).collect();
    let is_demanded = |lock: &Path| {
        let file = lock.file_name().unwrap_or_default().to_string_lossy();
        request.all || names.contains(&*file)
    };
    let absent = entries.iter().filter(|entry| request.check && entry.outcome == "absent");
    absent.map(|entry| &*entry.lock).filter(|lock| is_demanded(lock)).collect()
}

/// The names that were asked for and not found.
fn unknown(request: &Request, entries: &[Entry]) -> Vec<String> {
    let is_known = |name: &&String| {
        let file = workflow_graph::lock::files::file_name(name);
        entries.iter().any(|entry| entry.lock.file_name().is_some_and(|found| found == file.as_str()))
    };
    request.names.iter().filter(|name| !is_known(name)).cloned().collect()
}

/// Versions whose runs still need code that is no longer there.
fn orphans(entries: &[Entry]) -> Result<Vec<String>> {
    let directories: BTreeSet<&Path> = entries.iter().filter_map(|entry| entry.lock.parent()).collect();
    let mut orphans = Vec::new();
    for directory in directories {
        let Ok(files) = fs::read_dir(directory) else { continue };
        let mut files: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        files.sort();
        for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "lock"))
        {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let lock = Lock::read(&text).with_context(|| path.display().to_string())?;
            for version in lock.versions.iter().filter(|version| version.state != VersionState::Retired) {
                let is_there =
                    entries.iter().any(|entry| entry.lock == *path && entry.version == version.number);
                if !is_there {
                    let (name, number) = (&lock.workflow, version.number);
                    orphans.push(format!(
                        "{}:{}: version {number} of `{name}` is {} and its code is gone; keep the old function beside \
                         the new one, or say that no run is left: `cargo workflow lock --retire {name}@{number}`",
                        path.display(),
                        version.line,
                        version.state.word(),
                    ));
                }
            }
        }
    }
    Ok(orphans)
}

/// A directory for this run alone.
struct Reports(PathBuf);

impl Reports {
    fn new() -> Result<Reports> {
        let path = std::env::temp_dir().join(format!("cargo-workflow-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Reports(path))
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_of_all_or_by_name_demands_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        for (file, outcome, lock) in [("a", "absent", "sell"), ("b", "absent", "ship"), ("c", "same", "bill")]
        {
            let text = format!("{outcome}\n/p/workflows/{lock}.lock\n1\n");
            fs::write(directory.path().join(file), text).unwrap();
        }
        let entries = report::read(directory.path()).unwrap();
        let missing = |request: Request| {
            let missing = demanded(&request, &entries);
            missing.iter().map(|lock| lock.display().to_string()).collect::<Vec<_>>()
        };
        let (sell, ship) = ("/p/workflows/sell.lock", "/p/workflows/ship.lock");
        assert_eq!(missing(Request { check: true, all: true, ..Request::default() }), [sell, ship]);
        let names = vec!["ship".to_owned(), "bill".to_owned()];
        assert_eq!(missing(Request { check: true, names: names.clone(), ..Request::default() }), [ship]);
        // What is written, or not named, is not demanded.
        assert_eq!(missing(Request { names, ..Request::default() }), [] as [&str; 0]);
        assert_eq!(missing(Request { check: true, ..Request::default() }), [] as [&str; 0]);
    }
}
