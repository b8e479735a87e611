//! Runs as JSON lines, with all that is known about them: to keep them elsewhere, and to look at them there.
//! It reads the store and changes nothing in it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use workflow_core::{Conclusion, Event, Parent, Payload, Record, Timestamp};

use crate::store::{RunState, Store, StoreError, StoreFault};

/// The form of the lines; another number means that they have to be read otherwise.
const FORMAT: u32 = 1;

/// A run with its journal, as [`Client::export`](crate::Client::export) and
/// [`EngineBuilder::export_to`](crate::EngineBuilder::export_to) give it. Read back with `serde_json::from_str`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedRun {
    /// The form of the line: 1.
    pub format: u32,
    /// The run.
    pub run_id: String,
    /// Its workflow.
    pub workflow: String,
    /// The version of its code.
    pub version: u32,
    /// How often it has begun: more than once when it continued as new. The journal is that of the last time.
    pub generation: u32,
    /// The operation that started it, if it is a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// When it was started, in milliseconds since 1970.
    pub started_ms: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<Timestamp>,
    /// How it ended; `None` while it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// What it last told about how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Payload>,
    /// Every row of its journal, from the first on.
    pub journal: Vec<Record>,
    /// Why the journal cannot be read, if it cannot; then it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_error: Option<String>,
    /// Why what is kept of the run beside its journal cannot be read, if it cannot; then only the id and the journal
    /// are to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

impl ExportedRun {
    /// The run as one line, with its end.
    pub fn to_json_line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("text, numbers and JSON are JSON");
        line.push('\n');
        line
    }

    /// Reads a run; `None` when there is none of this id (any more).
    pub(crate) async fn read(store: &dyn Store, run_id: &str) -> Result<Option<ExportedRun>, StoreError> {
        // Whatever is garbled, the rest is worth keeping, and no run may keep others from being exported.
        let (status, unreadable) = match store.run(run_id).await {
            Ok(Some(status)) => (Some(status), None),
            Ok(None) => return Ok(None),
            Err(error) if error.fault() == StoreFault::Corrupt => (None, Some(error.to_string())),
            Err(error) => return Err(error),
        };
        let (journal, journal_error) = match store.journal(run_id).await {
            Ok(journal) => (journal, None),
            Err(error) if error.fault() == StoreFault::Corrupt => (Vec::new(), Some(error.to_string())),
            Err(error) => return Err(error),
        };
        let Some(status) = status else {
            return Ok(Some(ExportedRun::unreadable(run_id, journal, journal_error, unreadable)));
        };
        let conclusion = match status.state {
            RunState::Running => None,
            RunState::Ended(conclusion) => Some(conclusion),
        };
        Ok(Some(ExportedRun {
            format: FORMAT,
            run_id: status.run_id.to_string(),
            workflow: status.workflow,
            version: status.version,
            generation: status.generation,
            parent: status.parent,
            started_ms: status.started_ms,
            ended_ms: status.ended_ms,
            conclusion,
            progress: status.progress,
            journal,
            journal_error,
            unreadable,
        }))
    }

    /// A run of which nothing can be read but its id, and perhaps its journal.
    fn unreadable(
        run_id: &str,
        journal: Vec<Record>,
        journal_error: Option<String>,
        unreadable: Option<String>,
    ) -> ExportedRun {
        let started = journal.first();
        let (generation, parent) = match started.map(|record| &record.event) {
            Some(Event::Started { generation, parent, .. }) => (*generation, parent.clone()),
            _ => (0, None),
        };
        ExportedRun {
            format: FORMAT,
            run_id: run_id.to_owned(),
            workflow: String::new(),
            version: 0,
            generation,
            parent,
            started_ms: started.map_or(0, |record| record.at_ms),
            ended_ms: None,
            conclusion: None,
            progress: None,
            journal,
            journal_error,
            unreadable,
        }
    }
}

/// Takes runs that are about to be removed: [`EngineBuilder::export_to`](crate::EngineBuilder::export_to).
#[async_trait]
pub trait RunSink: Send + Sync + 'static {
    /// Keeps these runs. They are removed once this has returned `Ok`; until then they are handed over again and again,
    /// so that a run can come twice: know it by its id and its time of start.
    ///
    /// # Errors
    /// When they are not kept; nothing is removed then, and the engine tries again later.
    async fn keep(
        &self,
        runs: &[ExportedRun],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>>;
}

/// A file to which runs are appended, one line each, on the disk before they are removed from the store.
pub struct JsonLines {
    file: Arc<Mutex<File>>,
}

impl JsonLines {
    /// Opens a file, or makes it. A last line that a crash has cut off stays, and what follows begins on a line of its
    /// own: the run that was cut off comes again.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn append(path: impl AsRef<Path>) -> io::Result<JsonLines> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(JsonLines { file: Arc::new(Mutex::new(file)) })
    }
}

#[async_trait]
impl RunSink for JsonLines {
    async fn keep(
        &self,
        runs: &[ExportedRun],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
        let lines: String = runs.iter().map(ExportedRun::to_json_line).collect();
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().expect("nothing panics while this is locked");
            file.write_all(lines.as_bytes())?;
            file.sync_data()
        });
        Ok(written.await??)
    }
}
