//! The folder of a gallery on disk: written, or compared. The one place of this crate that touches files.
//! What the files hold is decided elsewhere.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::{Gallery, INDEX};

/// The environment variable that says what [`Gallery::keep`] does: with `write` it writes the folder, else it only
/// compares. `cargo workflow diagrams` sets it, and hears of the workflows whose diagrams are kept.
pub const VARIABLE: &str = "WORKFLOW_DIAGRAMS";

/// A file that does not say what the code draws.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stale {
    /// It holds something else.
    Changed(PathBuf),
    /// It is not there.
    Missing(PathBuf),
    /// Its workflow is gone.
    LeftOver(PathBuf),
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stale::Changed(path) => write!(f, "{} is not what the code draws", path.display()),
            Stale::Missing(path) => write!(f, "{} is missing", path.display()),
            Stale::LeftOver(path) => write!(f, "{} is left over: its workflow is gone", path.display()),
        }
    }
}

impl Gallery<'_> {
    /// Writes the folder and tells which files it has written or removed; what is right already is not touched.
    ///
    /// # Errors
    /// When a file cannot be read, written or removed, naming it.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        let stale = self.stale(folder)?;
        fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
        let mut done = Vec::new();
        for file in stale {
            let path = match file {
                Stale::LeftOver(path) => {
                    fs::remove_file(&path).map_err(|error| named(&path, &error))?;
                    path
                }
                Stale::Changed(path) | Stale::Missing(path) => path,
            };
            done.push(path);
        }
        for file in self.files() {
            let path = folder.join(&file.name);
            if done.contains(&path) {
                fs::write(&path, file.text).map_err(|error| named(&path, &error))?;
            }
        }
        Ok(done)
    }

    /// The files of the folder that do not say what the code draws; none when all is well.
    ///
    /// # Errors
    /// When a file cannot be read, naming it.
    pub fn stale(&self, folder: impl AsRef<Path>) -> Result<Vec<Stale>> {
        let folder = folder.as_ref();
        let files = self.files();
        let mut stale = Vec::new();
        for file in &files {
            let path = folder.join(&file.name);
            match read(&path)? {
                None => stale.push(Stale::Missing(path)),
                // A checkout may have made other ends of lines of ours.
                Some(text) if text.replace("\r\n", "\n") != file.text => stale.push(Stale::Changed(path)),
                Some(_) => {}
            }
        }
        let names: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let earlier = read(&folder.join(INDEX))?.map(|page| written_before(&page)).unwrap_or_default();
        let gone = earlier.iter().filter(|name| !names.contains(name.as_str())).map(|name| folder.join(name));
        stale.extend(gone.filter(|path| path.is_file()).map(Stale::LeftOver));
        Ok(stale)
    }

    /// For a test of your project, see [`Gallery`]: compares the folder with the code, or writes it when
    /// [`VARIABLE`] says so. Cargo runs tests in the folder of their package.
    ///
    /// # Panics
    /// When a diagram is stale, naming each file and the remedy, or when a file cannot be read or written.
    #[track_caller]
    pub fn keep(&self, folder: impl AsRef<Path>) {
        let folder = folder.as_ref();
        let asked = env::var(VARIABLE);
        if asked.is_ok() {
            let package = env::current_dir().unwrap_or_default();
            self.names(&package).iter().for_each(|line| println!("{line}"));
        }
        let done = if asked.is_ok_and(|what| what == "write") {
            self.write(folder).map(|written| {
                written.iter().for_each(|path| println!("wrote {}", path.display()));
                Vec::new()
            })
        } else {
            self.stale(folder)
        };
        match done {
            Ok(stale) if stale.is_empty() => {}
            Ok(stale) => {
                let told: Vec<String> = stale.iter().map(Stale::to_string).collect();
                panic!("{}\nrun `cargo workflow diagrams` and commit the folder", told.join("\n"));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

impl Gallery<'_> {
    /// Which workflows of this package have diagrams here, or need none, a line for each: `cargo workflow diagrams`
    /// compares them with those that have a lock.
    fn names(&self, package: &Path) -> Vec<String> {
        let drawn = self.graphs.iter().map(|graph| &*graph.workflow);
        let known = drawn.chain(self.left_out.iter().map(String::as_str));
        known.map(|name| format!("draws\t{}\t{name}", package.display())).collect()
    }
}

/// The names that a page says were written with it; only plain ones, whatever the page holds.
fn written_before(page: &str) -> Vec<String> {
    let content = page.split("<meta name=\"workflow-diagrams\" content=\"").nth(1);
    let names = content.and_then(|content| content.split('"').next()).unwrap_or_default();
    let is_ours = |name: &&str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
        name.chars().all(is_plain) && (name.ends_with(".bpmn") || name.ends_with(".svg"))
    };
    names.split(' ').filter(is_ours).map(str::to_owned).collect()
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // Something that is no text is something else than ours.
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(Some(String::new())),
        Err(error) => Err(named(path, &error)),
    }
}

fn named(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome};

    use super::*;

    #[test]
    fn the_command_hears_of_what_is_drawn_and_of_what_need_not_be() {
        let sell = Graph {
            nodes: vec![
                Node::new("started", NodeKind::Start),
                Node::new("sold", NodeKind::End(Outcome::Success)),
            ]
            .into(),
            flows: vec![Flow::new(0, 1, FlowKind::Next)].into(),
            ..Graph::named("sell")
        };
        let gallery = Gallery::of([&sell]).without("audit");
        assert_eq!(gallery.names(Path::new("shop")), ["draws\tshop\tsell", "draws\tshop\taudit"]);
    }
}
