//! The tables of a SQLite file: brought up to date when it is opened.
//! It knows the order of the migrations, not what is in them.

use std::path::Path;

use super::writer::Writer;
use crate::store::{StoreError, StoreFault};

/// The migrations, oldest first. The version of a database is how many of them it has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_runs.sql"),
    include_str!("../migrations/sqlite/0002_schedules.sql"),
    include_str!("../migrations/sqlite/0003_inbox.sql"),
    include_str!("../migrations/sqlite/0004_children.sql"),
    include_str!("../migrations/sqlite/0005_fleet.sql"),
];

/// Brings the tables up to date.
///
/// # Errors
/// When the database was written by a newer release, whose tables this one would misread.
pub(super) async fn migrate(writer: &mut Writer, path: &Path) -> Result<(), StoreError> {
    writer.begin().await?;
    writer
        .script("CREATE TABLE IF NOT EXISTS workflow_schema (version INTEGER NOT NULL PRIMARY KEY)")
        .await?;
    let version = writer.number("SELECT coalesce(max(version), 0) FROM workflow_schema").await?;
    let ours = MIGRATIONS.len();
    let seen = usize::try_from(version).unwrap_or(0);
    if seen > ours {
        let message = format!(
            "the database `{}` was written by a newer release (its schema is {version}, this release knows \
             {ours}): use that release, or a copy of the file from before",
            path.display()
        );
        return Err(StoreError::new(StoreFault::NewerSchema, message));
    }
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(seen) {
        writer.script(migration).await?;
        writer.script(&format!("INSERT INTO workflow_schema (version) VALUES ({})", number + 1)).await?;
    }
    writer.end().await
}
