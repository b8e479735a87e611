//! Which test explores: its name for people, and the folder of its package, where what is kept for it lies.
//! It touches no file.

use std::path::{Path, PathBuf};

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
    /// all on one.
    pub(crate) fn of_thread() -> TestName {
        let thread = std::thread::current();
        TestName::named(thread.name().filter(|name| *name != "main").unwrap_or_default())
    }

    pub(crate) fn named(path: &str) -> TestName {
        TestName {
            function: path.to_owned(),
            path: path.to_owned(),
            package: std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        }
    }

    /// With the program in front, to tell apart what stands in several.
    pub(crate) fn in_program(&self) -> String {
        let program = std::env::current_exe().unwrap_or_default();
        let stem = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // Cargo puts a hash behind the name that changes with every release of the compiler.
        let name = stem.rsplit_once('-').map_or(stem.as_str(), |(name, _)| name);
        let path = if self.path.is_empty() { "unnamed" } else { &self.path };
        format!("{name}::{path}")
    }

    pub(crate) fn package(&self) -> Option<&Path> {
        self.package.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_the_name_under_which_the_harness_shows_it() {
        let of = |module| TestName::of_macro("pays", module, "/here").path;
        assert_eq!(of("shop"), "pays");
        assert_eq!(of("shop::tests::orders"), "tests::orders::pays");
    }
}
