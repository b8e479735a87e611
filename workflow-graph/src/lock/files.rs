//! Lock files on disk: where they are, and the hidden test that `#[workflow]` leaves behind, which holds a lock against
//! the code or writes it. A file is written beside its place and then moved there, so that it is never half written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::text::{Lock, Version, VersionState};
use super::{Owned, find_break, notice};
use crate::Graph;

/// The environment variable that says what the hidden tests do: [`WRITE`] locks; anything else only compares.
pub const MODE: &str = "WORKFLOW_LOCK";

/// The value of [`MODE`] under which locks are written.
pub const WRITE: &str = "write";

/// The environment variable with the names of the workflows to lock, separated by commas, or `*`; when it is empty,
/// those that have a lock.
pub const NAMES: &str = "WORKFLOW_LOCK_NAMES";

/// The environment variable with the reason for which breaks of active versions are accepted.
pub const ACCEPT: &str = "WORKFLOW_LOCK_ACCEPT";

/// The environment variable with a directory for a file of each workflow: what became of its lock.
pub const REPORT: &str = "WORKFLOW_LOCK_REPORT";

/// Where the locks of a package are, under its manifest.
pub const DIRECTORY: &str = "workflows";

/// The name of the lock file of a workflow, whatever the workflow is called.
///
/// ```
/// use workflow_graph::lock::files::file_name;
/// assert_eq!(file_name("fulfil_order"), "fulfil_order.lock");
/// assert_eq!(file_name("../Größe"), "%2e%2e%2fGr%c3%b6%c3%9fe.lock");
/// ```
pub fn file_name(workflow: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let escape =
        |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    let name: String = workflow.bytes().map(escape).collect();
    format!("{name}.lock")
}

/// What is asked of a lock.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Whether it is written when it does not say what the code does.
    pub writes: bool,
    /// Whether it is written when there is none.
    pub creates: bool,
    /// Why runs in flight may break.
    pub accept: Option<String>,
}

/// What became of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It says what the code does.
    Same,
    /// It was written.
    Written,
    /// There is none.
    Absent,
}

/// Holds the lock at this path against the code, or writes it.
///
/// # Errors
/// When it is stale and may not be written, when the code would break runs in flight, when it cannot be read or
/// written.
pub fn keep(graph: &Graph, path: &Path, request: &Request) -> Result<Kept, String> {
    let told = |what: String| format!("{}: {what}", path.display());
    let _turn = turn(path);
    let text = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(told(error.to_string())),
    };
    let lock = match &text {
        Some(text) => Lock::read(text).map_err(|error| told(error.to_string()))?,
        None if request.creates => Lock::named(&graph.workflow),
        None => return Ok(Kept::Absent),
    };
    if lock.workflow != graph.workflow {
        let (other, this) = (&lock.workflow, &graph.workflow);
        return Err(told(format!("this is the lock of the workflow `{other}`, not of `{this}`")));
    }
    let mut code = Version::of(graph);
    if let Some(known) = lock.version(code.number) {
        let is_same = known.says_the_same(&code).map_err(|error| told(error.to_string()))?;
        if is_same || known.state == VersionState::Retired {
            return Ok(Kept::Same);
        }
        if let Some(what) = break_of(known, graph, path)? {
            match &request.accept {
                Some(reason) if request.writes => code.accepted.push(reason.clone()),
                _ => {
                    let accept = "to lock it all the same: `cargo workflow lock --accept-break \"why\"`";
                    return Err(format!("{what}; {accept}"));
                }
            }
        }
    }
    if !request.writes {
        let (name, number) = (&graph.workflow, code.number);
        let what =
            format!("the lock of `{name}` is stale: version {number} of the code says more than it does");
        return Err(told(format!("{what}; run `cargo workflow lock` and commit the file")));
    }
    write(path, &lock.with(code).text()).map_err(|error| told(format!("cannot be written: {error}")))?;
    Ok(Kept::Written)
}

/// The first thing in the code that runs in flight cannot go on with.
fn break_of(known: &Version, graph: &Graph, path: &Path) -> Result<Option<String>, String> {
    let told = |error: super::LockError| format!("{}: {error}", path.display());
    let section = known.section().map_err(told)?;
    let parts = section.automaton(&known.retired).map_err(told)?;
    let owned = Owned::of(graph);
    let (old, new) = (parts.automaton(), owned.automaton());
    let file = path.display().to_string();
    Ok(find_break(old, new).map(|found| notice(old, new, found, &file).text().to_owned()))
}

/// Waits until nobody else is at this lock: two versions of a workflow share a file, and tests run side by side.
fn turn(path: &Path) -> Option<File> {
    let path = std::env::temp_dir().join(format!("workflow-lock-{:016x}", number_of(path)));
    // Without a place for such files nobody waits; what is moved into place is whole all the same.
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// A number for a path, in names of files elsewhere.
fn number_of(path: &Path) -> u64 {
    let add = |number: u64, byte: u8| (number ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    path.to_string_lossy().bytes().fold(0xcbf2_9ce4_8422_2325, add)
}

/// Writes a file as a whole or not at all.
///
/// # Errors
/// When the directory or the file cannot be written.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = directory.join(format!(".{name}.tmp"));
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// The hidden test behind a workflow: its lock says what the code does, or is written.
///
/// # Panics
/// When [`keep`] fails.
pub fn test(graph: &Graph, manifest_dir: &str, source: &str) {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (names, accept) = (variable(NAMES), variable(ACCEPT));
    let writes = variable(MODE) == WRITE;
    let is_named = names.split(',').any(|name| name == "*" || name == graph.workflow);
    let request = Request {
        writes: writes && (is_named || names.is_empty()),
        creates: writes && is_named,
        accept: Some(accept).filter(|reason| !reason.trim().is_empty()),
    };
    let path = Path::new(manifest_dir).join(DIRECTORY).join(file_name(&graph.workflow));
    let kept = if writes && !request.writes { Ok(Kept::Absent) } else { keep(graph, &path, &request) };
    if kept == Ok(Kept::Written) {
        touch(Path::new(manifest_dir), source, &path);
    }
    report(graph, &path, &kept);
    if let Err(why) = kept {
        panic!("{why}");
    }
}

/// Makes the compiler look at the source again, as if it had been saved together with the lock: it does not know of a
/// lock that was not there.
fn touch(manifest_dir: &Path, source: &str, lock: &Path) {
    // The compiler names files from the root of the workspace, or as they are.
    let found = manifest_dir.ancestors().map(|root| root.join(source)).find(|path| path.is_file());
    let written = fs::metadata(lock).and_then(|lock| lock.modified());
    if let (Some(source), Ok(written)) = (found, written)
        && let Ok(file) = File::options().append(true).open(source)
    {
        let _ = file.set_modified(written);
    }
}

fn report(graph: &Graph, path: &Path, kept: &Result<Kept, String>) {
    let Some(directory) = std::env::var_os(REPORT).map(PathBuf::from) else { return };
    let (word, why) = match kept {
        Ok(Kept::Same) => ("same", ""),
        Ok(Kept::Written) => ("written", ""),
        Ok(Kept::Absent) => ("absent", ""),
        Err(why) => ("refused", why.as_str()),
    };
    let name = format!("{:016x}@{}", number_of(path), graph.version);
    let text = format!("{word}\n{}\n{}\n{why}", path.display(), graph.version);
    let _ = fs::write(directory.join(name), text);
}
