//! How many runs of five no-op steps an engine finishes, beside the physical floor on the same disk.
//! SQLite at `synchronous=FULL` for both: the floor writes as many rows of as many bytes, in groups as large.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::task::JoinSet;
use workflow_runtime::prelude::*;

const RUNS: usize = 2_000;
const IN_FLIGHT: usize = 64;
const STEPS: usize = 5;
const ROUNDS: usize = 5;

#[step(read_only)]
async fn add_one(n: u64) -> u64 {
    n + 1
}

#[workflow]
async fn five_steps(start: u64) -> u64 {
    let one = add_one(start).await;
    let two = add_one(one).await;
    let three = add_one(two).await;
    let four = add_one(three).await;
    add_one(four).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&target)?;
    let mut rows = Vec::new();
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir_in(&target)?;
        let database = folder.path().join("bench.db");
        let engine = engine(&database, IN_FLIGHT).await?;
        let lone = lone_runs(&folder.path().join("lone.db")).await?;
        let record = average_record(&database).await?;
        let floor = floor(&folder.path().join("floor.db"), record, IN_FLIGHT).await?;
        println!(
            "round {}: {:>6.0} workflows/s, {:>6.0} steps/s; floor {:>6.0} workflows/s; {:.2} of it; \
             a lone run {:.2} ms; a row {record} bytes",
            round + 1,
            per_second(RUNS, engine),
            per_second(RUNS * STEPS, engine),
            per_second(RUNS, floor),
            floor.as_secs_f64() / engine.as_secs_f64(),
            lone.as_secs_f64() * 1_000.0,
        );
        rows.push((engine, floor));
    }
    // Each for itself: on a busy machine, a round may disturb one of the two only.
    let (mut engine, mut floor): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    engine.sort();
    floor.sort();
    for (name, at) in [("median", ROUNDS / 2), ("best", 0)] {
        let (engine, floor) = (engine[at], floor[at]);
        println!(
            "{name}: {:.0} workflows/s, {:.0} steps/s, {:.2} of the floor",
            per_second(RUNS, engine),
            per_second(RUNS * STEPS, engine),
            floor.as_secs_f64() / engine.as_secs_f64(),
        );
    }
    Ok(())
}

fn per_second(count: usize, duration: Duration) -> f64 {
    count as f64 / duration.as_secs_f64()
}

/// So many runs at a time, each awaited by its own client, until all are done.
async fn engine(database: &Path, in_flight: usize) -> Result<Duration, Box<dyn std::error::Error>> {
    let store = Sqlite::open(database).await?;
    let engine = Engine::builder().store(store).register(five_steps).start().await?;
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..in_flight {
        let engine = engine.clone();
        clients.spawn(async move {
            for n in (client..RUNS).step_by(in_flight) {
                let n = n as u64;
                let run = engine.start(five_steps(n)).await.expect("the disk has room");
                assert_eq!(run.result().await.expect("the steps do not fail"), n + STEPS as u64);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client?;
    }
    let took = began.elapsed();
    engine.shutdown().await;
    Ok(took)
}

/// How long one run takes when nothing else is going on.
async fn lone_runs(database: &Path) -> Result<Duration, Box<dyn std::error::Error>> {
    const LONE: u32 = 50;
    let store = Sqlite::open(database).await?;
    let engine = Engine::builder().store(store).register(five_steps).start().await?;
    let began = Instant::now();
    for n in 0..LONE {
        engine.start(five_steps(n.into())).await?.result().await?;
    }
    let took = began.elapsed() / LONE;
    engine.shutdown().await;
    Ok(took)
}

async fn average_record(database: &Path) -> Result<usize, sqlx::Error> {
    let mut connection = connect(database).await?;
    let bytes: i64 = sqlx::query_scalar("SELECT CAST(avg(length(record)) AS INTEGER) FROM workflow_events")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

async fn connect(database: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
}

/// The same number of rows of the same size, in groups of one row for each run in flight.
async fn floor(database: &Path, record: usize, in_flight: usize) -> Result<Duration, sqlx::Error> {
    let mut connection = connect(database).await?;
    sqlx::raw_sql(
        "CREATE TABLE events (run_id TEXT NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, \
         record TEXT NOT NULL, PRIMARY KEY (run_id, seq)) WITHOUT ROWID",
    )
    .execute(&mut connection)
    .await?;
    let record: Arc<str> = "x".repeat(record).into();
    let began = Instant::now();
    for group in 0..RUNS.div_ceil(in_flight) {
        for seq in 0..=STEPS {
            let runs = group * in_flight..((group + 1) * in_flight).min(RUNS);
            let rows: Vec<_> =
                runs.map(|run| (format!("0199-{run:032}"), seq, 1_700_000_000_000_i64, &*record)).collect();
            let rows = serde_json::to_string(&rows).expect("rows are text and numbers");
            sqlx::query(
                "INSERT INTO events SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
            )
            .bind(rows)
            .execute(&mut connection)
            .await?;
        }
    }
    let took = began.elapsed();
    connection.close().await?;
    Ok(took)
}
