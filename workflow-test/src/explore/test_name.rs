//! Which test explores: its name for people, and the folder of its package, where what is kept for it lies.
//! It touches no file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How often each test has explored each workflow.
static EXPLORED: Mutex<BTreeMap<(String, &str), usize>> = Mutex::new(BTreeMap::new());

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TestName {
    /// The function: what `cargo test` is given to run it alone.
    pub(crate) function: String,
    /// With the modules around it, as the test harness shows it.
    pub(crate) path: String,
    /// The folder of its package; `None` when cargo did not start it.
    pub(crate) package: Option<PathBuf>,
}

impl TestName {
    /// What the macro knows.
    pub(crate) fn of_macro(function: &str, module: &str, package: &str) -> TestName {
        let inside = module.split_once("::").map_or(String::new(), |(_, inside)| format!("{inside}::"));
        TestName {
            function: function.to_owned(),
            path: format!("{inside}{function}"),
            package: Some(PathBuf::from(package)),
        }
    }

    /// What the process knows of the test that is running: the harness names threads after tests, unless it runs them
    /// all on one, or is told to run one alone, as nextest does.
    pub(crate) fn of_thread() -> TestName {
        let thread = std::thread::current();
        let name = thread.name().filter(|name| *name != "main").map(str::to_owned);
        TestName::named(&name.or_else(|| only_test(std::env::args().skip(1))).unwrap_or_default())
    }

    pub(crate) fn named(path: &str) -> TestName {
        TestName {
            function: path.to_owned(),
            path: path.to_owned(),
            package: std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        }
    }

    /// The program that holds the test: one for each file in `tests/`.
    pub(crate) fn program(&self) -> String {
        let program = std::env::current_exe().unwrap_or_default();
        let stem = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // Cargo puts a hash behind the name that changes with every release of the compiler.
        stem.rsplit_once('-').map_or(stem.clone(), |(name, _)| name.to_owned())
    }

    /// Which of the explorations of this workflow in the test begins now, counted from 1.
    pub(crate) fn count(&self, workflow: &'static str) -> usize {
        let mut explored = EXPLORED.lock().unwrap_or_else(PoisonError::into_inner);
        let count = explored.entry((self.path.clone(), workflow)).or_insert(0);
        *count += 1;
        *count
    }

    /// With the program in front, to tell apart what stands in several.
    pub(crate) fn in_program(&self) -> String {
        let path = if self.path.is_empty() { "unnamed" } else { &self.path };
        format!("{}::{path}", self.program())
    }

    pub(crate) fn package(&self) -> Option<&Path> {
        self.package.as_deref()
    }
}

/// The test that these arguments of a harness name.
fn only_test(arguments: impl Iterator<Item = String>) -> Option<String> {
    let (flags, names): (Vec<String>, Vec<String>) =
        arguments.partition(|argument| argument.starts_with('-'));
    match &names[..] {
        [name] if flags.iter().any(|flag| flag == "--exact") => Some(name.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harness_that_runs_one_test_alone_names_it() {
        let named = |arguments: &str| only_test(arguments.split_whitespace().map(str::to_owned));
        assert_eq!(named("--exact shop::pays --nocapture").as_deref(), Some("shop::pays"));
        assert_eq!(named("shop::pays --test-threads=1"), None);
        assert_eq!(named("--exact shop::pays shop::ships"), None);
    }

    #[test]
    fn a_test_has_the_name_under_which_the_harness_shows_it() {
        let of = |module| TestName::of_macro("pays", module, "/here").path;
        assert_eq!(of("shop"), "pays");
        assert_eq!(of("shop::tests::orders"), "tests::orders::pays");
    }
}
