//! The folder of the golden histories of one workflow: read by every build, written on request only.
//! Nothing is ever removed from it by itself: a run may be in flight that began as an old history did.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use workflow_core::Definition;

use super::{Gallery, History, file, replay};
use crate::coverage::{Coverage, file_name};
use crate::oracle::walk::Walker;

/// The variable that has golden histories written: `WORKFLOW_HISTORIES=write`.
pub(crate) const HISTORIES: &str = "WORKFLOW_HISTORIES";

/// See the module.
pub(crate) struct Folder {
    path: PathBuf,
    definition: Definition,
}

impl Folder {
    pub(crate) fn of(path: &Path, definition: &Definition) -> Folder {
        let version = format!("v{}", definition.version);
        Folder { path: path.join(file_name(definition.name)).join(version), definition: *definition }
    }

    /// All files with their histories, in the order of their names; none when there is no such folder.
    pub(super) fn read(&self) -> Result<Vec<(PathBuf, Vec<History>)>, String> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Ok(Vec::new()) };
        let files: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut files =
            files.map_err(|error| format!("the folder {} cannot be read: {error}", self.path.display()))?;
        files.retain(|file| {
            file.extension().is_some_and(|extension| extension == "json" || extension == "jsonl")
        });
        files.sort();
        files.into_iter().map(|path| file::read(&path).map(|histories| (path, histories))).collect()
    }

    /// Holds the folder to what an exploration has found: all histories go through, and every way that was taken is in
    /// one of them. Writes those that are missing if the environment asks for it.
    ///
    /// # Errors
    /// What does not hold, and what to do about it.
    pub(crate) fn hold(
        &self,
        gallery: &Gallery,
        coverage: &Coverage,
        walker: &Walker,
        test: &str,
    ) -> Result<(), String> {
        let writes = std::env::var(HISTORIES).is_ok_and(|what| what == "write");
        let _lock = if writes { Some(self.lock()?) } else { None };
        let mut kept = Vec::new();
        for (file, histories) in self.read()? {
            for history in histories {
                replay::check(&self.definition, &history).map_err(|text| {
                    format!(
                        "{}: {text}\n  when no run can be in flight any more that began like this, remove the file",
                        file.display()
                    )
                })?;
                kept.push(history);
            }
        }
        if writes {
            return gallery.choose(&kept, walker).into_iter().try_for_each(|history| self.write(history));
        }
        let missing = gallery.missing(&kept, coverage, walker);
        if missing.is_empty() {
            return Ok(());
        }
        let mut text = format!("no history in {} takes what was taken now", self.path.display());
        for way in &missing {
            let way = way.replacen("never taken: ", "", 1).replacen("never undone: ", "undoing ", 1);
            text.push_str(&format!("\n  {way}"));
        }
        let again = format!("{HISTORIES}=write cargo test {test}");
        Err(format!("{text}\n  write what is missing with `{}`, and commit it", again.trim_end()))
    }

    /// Tests write one after the other.
    fn lock(&self) -> Result<File, String> {
        let locked = fs::create_dir_all(&self.path).and_then(|()| {
            let lock = File::create(
                std::env::temp_dir().join(format!("workflow-{}.lock", file_name(self.definition.name))),
            )?;
            lock.lock()?;
            Ok(lock)
        });
        locked.map_err(|error| format!("histories cannot be written to {}: {error}", self.path.display()))
    }

    /// Under a name that tells how it ends.
    fn write(&self, history: &History) -> Result<(), String> {
        let ending = file_name(&history.ending());
        let names =
            (1..).map(
                |number| {
                    if number == 1 { format!("{ending}.json") } else { format!("{ending}-{number}.json") }
                },
            );
        let mut files = names.map(|name| self.path.join(name));
        let file = files.find(|file| !file.exists()).expect("there is always another number");
        fs::write(&file, history.to_json())
            .map_err(|error| format!("the history {} cannot be written: {error}", file.display()))
    }
}
