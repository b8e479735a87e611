//! The tables in Postgres: brought up to date when the store is opened, by whoever comes first.
//! It knows the order of the migrations, not what is in them.

use std::sync::Arc;

use sqlx::postgres::PgRow;

use super::fault;
use super::literal::identifier;
use super::pool::{Attempts, Held, Pool, code};
use super::read::number;
use crate::store::{StoreError, StoreFault};

struct Migration {
    sql: &'static str,
    /// The oldest release that can work with the tables as they are then, by the number of migrations that it knows.
    /// Where a migration only adds, those that ran before it go on.
    readable_by: usize,
}

/// The migrations, oldest first. The version of a database is how many of them it has seen.
const MIGRATIONS: &[Migration] = &[
    Migration { sql: include_str!("../migrations/postgres/0001_runs.sql"), readable_by: 1 },
    Migration { sql: include_str!("../migrations/postgres/0002_schedules.sql"), readable_by: 1 },
    Migration { sql: include_str!("../migrations/postgres/0003_inbox.sql"), readable_by: 1 },
    Migration { sql: include_str!("../migrations/postgres/0004_children.sql"), readable_by: 1 },
    Migration { sql: include_str!("../migrations/postgres/0005_fleet.sql"), readable_by: 5 },
    Migration { sql: include_str!("../migrations/postgres/0006_claims.sql"), readable_by: 5 },
    Migration { sql: include_str!("../migrations/postgres/0007_less_to_write.sql"), readable_by: 5 },
    Migration { sql: include_str!("../migrations/postgres/0008_what_is_due.sql"), readable_by: 5 },
    Migration { sql: include_str!("../migrations/postgres/0009_messages_of_workers.sql"), readable_by: 5 },
];

/// Brings the tables up to date.
///
/// # Errors
/// When a newer release has changed them in a way that this one cannot work with.
pub(super) async fn migrate(pool: &Arc<Pool>, schema: Option<&str>) -> Result<(), StoreError> {
    let mut attempts = Attempts::default();
    loop {
        let mut held = pool.acquire().await.map_err(fault)?;
        let done = migrate_once(&mut held, schema).await;
        let Err(error) = done else { return Ok(()) };
        let Failure::Database(error) = error else { return Err(error.into_error()) };
        // Two that create the same thing at once: the second one finds it when it looks again.
        let was_created = matches!(code(&error).as_deref(), Some("23505" | "42P06" | "42P07" | "42710"));
        let looks_again = attempts.again(&error, &held) || (was_created && attempts.once_more());
        if !looks_again {
            return Err(fault(error));
        }
    }
}

/// Why the tables could not be brought up to date.
enum Failure {
    Database(sqlx::Error),
    Ours(StoreError),
}

impl Failure {
    fn into_error(self) -> StoreError {
        match self {
            Failure::Database(error) => fault(error),
            Failure::Ours(error) => error,
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        Failure::Database(error)
    }
}

async fn migrate_once(held: &mut Held, schema: Option<&str>) -> Result<(), Failure> {
    // To bring large tables up to date takes its time.
    held.is_patient = true;
    if let Some(schema) = schema {
        // Asked before: whoever may not create schemas can use one that is there.
        let name = super::literal::quoted(schema);
        let there = held.fetch(format!("SELECT 1 FROM pg_namespace WHERE nspname = {name}")).await?;
        if there.is_empty() {
            held.fetch(format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(schema))).await?;
        }
    }
    held.begin("60s").await?;
    // A role may be held to less than an index of a large table takes.
    held.fetch("SET LOCAL statement_timeout = 0".to_owned()).await?;
    held.fetch("SET LOCAL lock_timeout = 0".to_owned()).await?;
    // In the schema where a new table would go, not in one behind it on the path.
    const THERE: &str =
        "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'workflow_schema'";
    if held.fetch(THERE.to_owned()).await?.is_empty() {
        held.fetch(
            "CREATE TABLE workflow_schema (version INTEGER NOT NULL PRIMARY KEY, readable_by INTEGER NOT NULL)"
                .to_owned(),
        )
        .await?;
    }
    let versions = "SELECT coalesce(max(version), 0), coalesce(max(readable_by), 0) FROM workflow_schema";
    let mut seen = read_versions(&held.fetch(versions.to_owned()).await?)?;
    if seen.0 < MIGRATIONS.len() {
        // Whoever comes at the same time waits here, and then looks again. Reading goes on.
        let message = format!("LOCK TABLE workflow_schema IN EXCLUSIVE MODE; {versions}");
        seen = read_versions(&held.fetch(message).await?)?;
    }
    let (version, readable_by) = seen;
    if readable_by > MIGRATIONS.len() {
        let message = format!(
            "the database was written by a newer release (its schema is {version}, which needs a release that knows \
             {readable_by} migrations; this one knows {}): use that release, or a copy of the data from before",
            MIGRATIONS.len()
        );
        return Err(Failure::Ours(StoreError::new(StoreFault::NewerSchema, message)));
    }
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        let Migration { sql, readable_by } = migration;
        let note = format!("INSERT INTO workflow_schema VALUES ({}, {readable_by})", number + 1);
        held.fetch(format!("{sql};\n{note}")).await?;
    }
    held.commit(&super::script::Script::default()).await?;
    Ok(())
}

/// How many migrations the tables have seen, and how many a release has to know to work with them.
fn read_versions(rows: &[PgRow]) -> Result<(usize, usize), Failure> {
    let Some(row) = rows.first() else { return Ok((0, 0)) };
    let read = |column| number(row, column).map_err(Failure::Ours);
    Ok((read(0)?, read(1)?))
}
