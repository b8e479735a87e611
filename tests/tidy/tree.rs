//! The files of the project, read once, or files made up in a test.
//! Knows paths and texts; must not know what is looked for in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// Folders that hold nothing a person wrote.
const LEFT_OUT: [&str; 5] = [".git", "target", "node_modules", "__pycache__", ".venv"];

pub(crate) struct Tree {
    /// Paths from the root, with `/` on every system; no text for a file that is not UTF-8.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    pub(crate) fn project() -> &'static Tree {
        static PROJECT: OnceLock<Tree> = OnceLock::new();
        PROJECT.get_or_init(|| {
            let mut files = BTreeMap::new();
            read_folder(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
            Tree { files }
        })
    }

    pub(crate) fn made_up(files: &[(&str, &str)]) -> Tree {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())));
        Tree { files: files.collect() }
    }

    /// All text files as `(path, text)`, in the order of their paths.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// All Rust files as `(path, text)`.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The Rust files of the crates' `src` folders: what is shipped.
    pub(crate) fn product(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rust().filter(|(path, _)| is_product(path))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// The paths of all files below a folder, which is given with its last `/`.
    pub(crate) fn below<'tree>(&'tree self, folder: &'tree str) -> impl Iterator<Item = &'tree str> {
        self.files.keys().map(String::as_str).filter(move |path| path.starts_with(folder))
    }

    /// Whether the path is a file or a folder with files; the empty path is the root.
    pub(crate) fn has(&self, path: &str) -> bool {
        path.is_empty() || self.files.contains_key(path) || self.below(&format!("{path}/")).next().is_some()
    }
}

fn is_product(path: &str) -> bool {
    path.starts_with("workflow-") && path.split('/').nth(1) == Some("src")
}

fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Option<String>>) {
    let entries = fs::read_dir(folder).expect("the folder was just listed by its parent");
    for entry in entries {
        let entry = entry.expect("a folder that opens can be read");
        let name = entry.file_name().into_string().expect("the project's file names are UTF-8");
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("the kind of a listed entry is known");
        if kind.is_dir() {
            if !LEFT_OUT.contains(&name.as_str()) {
                read_folder(&entry.path(), &format!("{path}/"), files);
            }
        } else {
            // A file that went away since it was listed, such as a database's log, is as good as one without a text.
            let text = fs::read(entry.path()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            files.insert(path, text);
        }
    }
}

#[test]
fn the_project_is_read_without_what_was_built() {
    let project = Tree::project();
    assert!(project.text("tests/tidy/tree.rs").is_some());
    assert!(project.has("workflow-graph/src"));
    assert!(!project.has("target"));
}

#[test]
fn a_folder_exists_when_a_file_is_in_it() {
    let tree = Tree::made_up(&[("docs/errors/WF001.md", "")]);
    assert!(tree.has("") && tree.has("docs/errors") && tree.has("docs/errors/WF001.md"));
    assert!(!tree.has("docs/err"));
}

#[test]
fn the_product_is_what_is_in_the_crates_sources() {
    assert!(is_product("workflow-core/src/replay.rs"));
    assert!(!is_product("workflow-core/tests/replay.rs") && !is_product("xtask/src/main.rs"));
}
