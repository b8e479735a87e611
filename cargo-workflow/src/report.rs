//! What the hidden tests left behind: a small file for each workflow.
//! Reading and telling; nothing is decided here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What became of the lock of one version of a workflow.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) lock: PathBuf,
    pub(crate) version: u32,
    /// `same`, `written`, `absent` or `refused`.
    pub(crate) outcome: String,
    why: String,
}

/// All entries, in the order of the paths.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn read(directory: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in fs::read_dir(directory).context("the reports of the tests")? {
        let text = fs::read_to_string(file?.path())?;
        let mut lines = text.splitn(4, '\n');
        if let (Some(outcome), Some(lock), Some(version)) = (lines.next(), lines.next(), lines.next())
            && let Ok(version) = version.parse()
        {
            let why = lines.next().unwrap_or_default().to_owned();
            entries.push(Entry { lock: lock.into(), version, outcome: outcome.to_owned(), why });
        }
    }
    entries.sort();
    Ok(entries)
}

/// What a person reads: what was written and what was refused, and how many there are.
pub(crate) fn told(entries: &[Entry]) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in entries {
        match entry.outcome.as_str() {
            "written" => lines.push(format!("wrote {}, version {}", entry.lock.display(), entry.version)),
            "refused" => lines.push(entry.why.clone()),
            _ => {}
        }
    }
    let same = entries.iter().filter(|entry| entry.outcome == "same").count();
    if same > 0 {
        lines.push(format!("{same} unchanged"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_and_refused_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write("b", "refused\n/p/b.lock\n1\nWF050: no\nand why");
        write("a", "written\n/p/a.lock\n2\n");
        write("c", "same\n/p/c.lock\n1\n");
        write("d", "");
        let entries = read(directory.path()).unwrap();
        assert_eq!(told(&entries), ["wrote /p/a.lock, version 2", "WF050: no\nand why", "1 unchanged"]);
    }
}
