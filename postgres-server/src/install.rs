//! Where the programs of Postgres are, and what to do where they are not.
//! It looks only; it installs nothing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What a person does who has no server.
pub const REMEDY: &str = "Install Postgres 15 or later (on Debian `apt-get install postgresql`), or set \
     WORKFLOW_TEST_POSTGRES to the URL of a server where tests may create databases.";

const OLDEST: u32 = 15;

/// The folder with `initdb`, `postgres` and `pg_ctl` of the newest Postgres here; `None` when there is none that is new
/// enough. Distributions keep the programs beside each other, by version, and off the path.
pub fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for parent in ["/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt"] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.strip_prefix("postgresql@").unwrap_or(&name).parse();
            if let Ok(version) = version {
                found.push((version, entry.path().join("bin")));
            }
        }
    }
    // `/usr/pgsql-15/bin`, and whoever put them on the path knows why.
    for entry in fs::read_dir("/usr").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(Ok(version)) = name.strip_prefix("pgsql-").map(str::parse) {
            found.push((version, entry.path().join("bin")));
        }
    }
    found.sort();
    let newest = found.into_iter().rev().find(|(version, folder)| *version >= OLDEST && is_whole(folder));
    newest
        .map(|(_, folder)| folder)
        .or_else(|| env::split_paths(&env::var_os("PATH")?).find(|folder| is_whole(folder)))
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_ctl"].iter().all(|program| folder.join(program).is_file())
}
