//! The tables of a SQLite file: brought up to date when it is opened.
//! It knows the order of the migrations, not what is in them.

use std::path::Path;

use rusqlite::Connection;

use super::trouble::Result;
use crate::store::{StoreError, StoreFault};

/// The migrations, oldest first. The version of a database is how many of them it has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_runs.sql"),
    include_str!("../migrations/sqlite/0002_schedules.sql"),
    include_str!("../migrations/sqlite/0003_inbox.sql"),
    include_str!("../migrations/sqlite/0004_children.sql"),
    include_str!("../migrations/sqlite/0005_fleet.sql"),
    include_str!("../migrations/sqlite/0006_claims.sql"),
    include_str!("../migrations/sqlite/0007_less_to_write.sql"),
    include_str!("../migrations/sqlite/0008_what_is_due.sql"),
    include_str!("../migrations/sqlite/0009_messages_of_workers.sql"),
];

/// Brings the tables up to date, in the transaction that is open.
///
/// # Errors
/// When the database was written by a newer release, whose tables this one would misread.
pub(super) fn migrate(db: &Connection, path: &Path) -> Result<()> {
    db.execute_batch("CREATE TABLE IF NOT EXISTS workflow_schema (version INTEGER NOT NULL PRIMARY KEY)")?;
    let version = "SELECT coalesce(max(version), 0) FROM workflow_schema";
    let version: i64 = db.query_row(version, (), |row| row.get(0))?;
    let ours = MIGRATIONS.len();
    let seen = usize::try_from(version).unwrap_or(0);
    if seen > ours {
        let message = format!(
            "the database `{}` was written by a newer release (its schema is {version}, this release knows \
             {ours}): use that release, or a copy of the file from before",
            path.display()
        );
        return Err(StoreError::new(StoreFault::NewerSchema, message).into());
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip(seen) {
        db.execute_batch(migration)?;
        db.execute("INSERT INTO workflow_schema (version) VALUES (?)", [version])?;
    }
    Ok(())
}
