//! Where files of a test go: a path that begins with `target` means cargo's, wherever that is.
//! It only looks; folders are made by those who write.

use std::path::{Path, PathBuf};

/// The tag that cargo puts into its target folder.
const TAG: &str = "CACHEDIR.TAG";

/// This folder; `target/..` is taken from the target folder that the running test was built into, other relative paths
/// from the folder of the test's package.
pub(crate) fn target_folder(folder: &Path, package: Option<&Path>) -> PathBuf {
    let Ok(rest) = folder.strip_prefix("target") else {
        return package.map_or_else(|| folder.to_owned(), |package| package.join(folder));
    };
    let target = std::env::current_exe().ok().and_then(|test| {
        let above = test.ancestors().find(|folder| folder.join(TAG).is_file());
        above.map(Path::to_owned)
    });
    target.map_or_else(|| folder.to_owned(), |target| target.join(rest))
}
