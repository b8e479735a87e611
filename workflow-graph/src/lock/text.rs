//! The text of a lock file: one line for each node, in the order of the source, so that a change of one node is a
//! change of one line. Words stand bare or between quotation marks; whatever a name holds, it stays on its line.

mod read;
mod words;
mod write;

pub use read::{Line, Parts, Section};

use words::quoted;

use super::LockError;
use crate::Graph;

/// The format that is written; files of a later one are not read.
pub const FORMAT: u32 = 1;

const FIRST_LINES: &str = concat!(
    "# What runs in flight hold this workflow's code to (WF050). ",
    "Written by `cargo workflow lock`; commit it.\n"
);

/// What becomes of runs of a version of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionState {
    /// New runs start with it.
    Active,
    /// A later version is there; runs that began with this one go on.
    Draining,
    /// No unfinished run is left; its code may change and go.
    Retired,
}

impl VersionState {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            VersionState::Active => "active",
            VersionState::Draining => "draining",
            VersionState::Retired => "retired",
        }
    }
}

/// A lock file.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock {
    /// The name of the workflow.
    pub workflow: String,
    /// The versions of its code, the oldest first.
    pub versions: Vec<Version>,
}

/// A version of the code, as it was when it was locked.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its number.
    pub number: u32,
    /// What becomes of its runs.
    pub state: VersionState,
    /// The line of the file at which it begins, from 1 on; 0 when it was not read from a file.
    pub line: u32,
    /// The changes from before which no unfinished run is left.
    pub retired: Vec<String>,
    /// Why breaks of this version were accepted, the latest last.
    pub accepted: Vec<String>,
    /// What it is compared by: the lines about arguments, flows and nodes.
    pub lines: Vec<String>,
    /// The line of the file of each of [`Version::lines`].
    places: Vec<u32>,
}

impl Version {
    /// The version as the code has it, active.
    pub fn of(graph: &Graph) -> Version {
        let lines = write::lines(graph);
        Version {
            number: graph.version,
            state: VersionState::Active,
            line: 0,
            retired: Vec::new(),
            accepted: Vec::new(),
            places: vec![0; lines.len()],
            lines,
        }
    }

    /// What the lines say.
    ///
    /// # Errors
    /// When they do not say what a lock can say, with the line of the file.
    pub fn section(&self) -> Result<Section, LockError> {
        read::section(&self.lines, &self.places)
    }

    /// Whether the other one says the same. How a condition is spaced says nothing where its fingerprint stands beside.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn says_the_same(&self, other: &Version) -> Result<bool, LockError> {
        Ok(self.section()?.without_places() == other.section()?.without_places())
    }

    /// The changes that its flows ask for.
    pub fn patches(&self) -> Vec<String> {
        let section = self.section().ok();
        let lines = section.iter().flat_map(|section| &section.nodes);
        let mut patches: Vec<String> = lines.filter_map(Line::patch).map(str::to_owned).collect();
        patches.sort();
        patches.dedup();
        patches
    }
}

impl Lock {
    /// A lock of no version.
    pub fn named(workflow: &str) -> Lock {
        Lock { workflow: workflow.to_owned(), versions: Vec::new() }
    }

    /// The version of this number.
    pub fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The version of this number, to be changed.
    pub fn version_mut(&mut self, number: u32) -> Option<&mut Version> {
        self.versions.iter_mut().find(|version| version.number == number)
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// When it is no lock file, or one of a later format.
    ///
    /// ```
    /// use workflow_graph::lock::Lock;
    /// let error = Lock::read("format 9\n").unwrap_err();
    /// assert_eq!((error.line, error.text.contains("newer")), (1, true));
    /// ```
    pub fn read(text: &str) -> Result<Lock, LockError> {
        read::lock(text)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = format!("{FIRST_LINES}format {FORMAT}\nworkflow {}\n", quoted(&self.workflow));
        for version in &self.versions {
            text.push_str(&format!("\nversion {} {}\n", version.number, version.state.word()));
            for patch in version.patches() {
                let state = if version.retired.contains(&patch) { "retired" } else { "open" };
                text.push_str(&format!("patch {} {state}\n", quoted(&patch)));
            }
            for reason in &version.accepted {
                text.push_str(&format!("accepted {}\n", quoted(reason)));
            }
            for line in &version.lines {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    /// The same lock with this version of the code in it. A new version takes the place of those before it, whose runs
    /// go on.
    pub fn with(mut self, mut version: Version) -> Lock {
        match self.versions.iter_mut().find(|known| known.number == version.number) {
            Some(known) => {
                version.retired = known.retired.clone();
                version.accepted.splice(0..0, known.accepted.clone());
                if known.state == VersionState::Draining {
                    version.state = VersionState::Draining;
                }
                *known = version;
            }
            None => self.versions.push(version),
        }
        self.versions.sort_by_key(|version| version.number);
        let last = self.versions.len().saturating_sub(1);
        for older in &mut self.versions[..last] {
            if older.state == VersionState::Active {
                older.state = VersionState::Draining;
            }
        }
        self
    }
}
