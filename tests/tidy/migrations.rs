//! The migrations of the databases: one idea, one name, one file in each dialect.
//! Knows the folders; must not know SQL.

use super::rule::{Finding, Rule};
use super::tree::Tree;

const FOLDERS: [&str; 2] =
    ["workflow-runtime/src/store/migrations/sqlite/", "workflow-runtime/src/store/migrations/postgres/"];

pub(crate) const PAIRS: Rule = Rule {
    demand: "a migration of one database has its like, under the same name, for the other",
    remedy: "write the missing dialect; a change that one database does not need is a file with a comment that says so",
    find: |tree| {
        let [sqlite, postgres] = FOLDERS;
        // A dialect that does not exist yet lacks nothing.
        if tree.below(sqlite).next().is_none() || tree.below(postgres).next().is_none() {
            return Vec::new();
        }
        let mut findings = unpaired(tree, sqlite, postgres);
        findings.extend(unpaired(tree, postgres, sqlite));
        findings
    },
};

fn unpaired(tree: &Tree, folder: &str, other: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in tree.below(folder) {
        let like = path.replacen(folder, other, 1);
        if !tree.has(&like) {
            findings.push(Finding::new(path, 1, format!("there is no {like}")));
        }
    }
    findings
}

#[test]
fn a_migration_without_its_like_is_found() {
    let [sqlite, postgres] = FOLDERS;
    let paths = [
        format!("{sqlite}0001_runs.sql"),
        format!("{sqlite}0002_timers.sql"),
        format!("{postgres}0001_runs.sql"),
        format!("{postgres}0003_outbox.sql"),
    ];
    let files = paths.each_ref().map(|path| (path.as_str(), ""));
    let expected = [
        format!("{postgres}0003_outbox.sql:1: there is no {sqlite}0003_outbox.sql"),
        format!("{sqlite}0002_timers.sql:1: there is no {postgres}0002_timers.sql"),
    ];
    assert_eq!(PAIRS.finds(&files), expected);
    assert!(PAIRS.finds(&files[..2]).is_empty(), "one dialect alone lacks nothing");
}
