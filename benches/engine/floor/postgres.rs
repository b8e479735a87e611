//! The group commit of Postgres: one statement for all that has queued up, with an array for each column.
//! Two connections take turns, so that one batch is gathered while the other is being committed.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Change, Committer, Write};

const CONNECTIONS: usize = 2;

/// More than ever wait at once in a workload.
const LARGEST_BATCH: usize = 1_024;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS runs (run_id TEXT NOT NULL PRIMARY KEY, workflow TEXT NOT NULL, version BIGINT NOT NULL,
        epoch BIGINT NOT NULL, started_ms BIGINT NOT NULL, ended_ms BIGINT, conclusion TEXT);
    CREATE TABLE IF NOT EXISTS events (run_id TEXT NOT NULL, seq BIGINT NOT NULL, at_ms BIGINT NOT NULL,
        record TEXT NOT NULL, PRIMARY KEY (run_id, seq));
    CREATE TABLE IF NOT EXISTS timers (run_id TEXT NOT NULL, op TEXT NOT NULL, due_ms BIGINT NOT NULL,
        PRIMARY KEY (run_id, op));";

/// One round trip and one commit. No run ends in the batch in which it starts, so the parts do not need each other.
const WRITE: &str = "
    WITH started AS (INSERT INTO runs SELECT run_id, 'row', 1, 1, $8, NULL, NULL FROM unnest($1::text[]) run_id),
    timed AS (INSERT INTO timers SELECT run_id, 'sleep', due_ms
        FROM unnest($5::text[], $6::bigint[]) t(run_id, due_ms)),
    recorded AS (INSERT INTO events SELECT run_id, seq, $8, record
        FROM unnest($2::text[], $3::bigint[], $4::text[]) e(run_id, seq, record))
    UPDATE runs SET ended_ms = $8, conclusion = '{\"Completed\":5}' WHERE run_id = ANY($7::text[])";

#[derive(Clone)]
pub(super) struct Connections(UnboundedSender<Write>);

impl Committer for Connections {
    fn hand_over(&self, write: Write) {
        self.0.send(write).map_err(|_| ()).expect("the connections live as long as their callers");
    }
}

/// Opens the connections; of a database that a killed process left, reads every row of the runs that have not ended,
/// and gives how many each of them has.
pub(super) async fn open(url: &str, reads_runs: bool) -> (Connections, Vec<(String, u32)>) {
    let mut first = connect(url).await;
    sqlx::raw_sql(TABLES).execute(&mut first).await.expect("the database is ours");
    let rows =
        if reads_runs { unfinished(&mut first).await.expect("the tables are there") } else { Vec::new() };
    let (sender, receiver) = unbounded_channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let mut connection = Some(first);
    for _ in 0..CONNECTIONS {
        let own = match connection.take() {
            Some(first) => first,
            None => connect(url).await,
        };
        tokio::spawn(commit_all(own, Arc::clone(&receiver)));
    }
    (Connections(sender), rows)
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the server answers")
}

async fn unfinished(connection: &mut PgConnection) -> Result<Vec<(String, u32)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT e.run_id, e.record FROM events e JOIN runs r USING (run_id) WHERE r.ended_ms IS NULL \
         ORDER BY e.run_id, e.seq",
    );
    let mut runs: Vec<(String, u32)> = Vec::new();
    for row in rows.fetch_all(connection).await? {
        let (run, record): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        std::hint::black_box(record);
        match runs.last_mut() {
            Some((last, count)) if *last == run => *count += 1,
            _ => runs.push((run, 1)),
        }
    }
    Ok(runs)
}

async fn commit_all(mut connection: PgConnection, queue: Arc<Mutex<UnboundedReceiver<Write>>>) {
    let mut batch = Vec::new();
    while queue.lock().await.recv_many(&mut batch, LARGEST_BATCH).await > 0 {
        commit(&mut connection, &batch).await.expect("the database has room");
        for write in batch.drain(..) {
            // Only at the end of the process is there nobody any more who waits.
            let _ = write.done.send(());
        }
    }
}

async fn commit(connection: &mut PgConnection, batch: &[Write]) -> Result<(), sqlx::Error> {
    const NOW_MS: i64 = 1_795_000_000_000;
    let (mut started, mut ended) = (Vec::new(), Vec::new());
    let (mut event_runs, mut seqs, mut records) = (Vec::new(), Vec::new(), Vec::new());
    let (mut timer_runs, mut dues) = (Vec::new(), Vec::new());
    for change in batch.iter().flat_map(|write| &write.changes) {
        match change {
            Change::Start { run } => started.push(&**run),
            Change::Record { run, seq, record } => {
                event_runs.push(&**run);
                seqs.push(i64::from(*seq));
                records.push(&**record);
            }
            Change::Timer { run, due_ms } => {
                timer_runs.push(&**run);
                dues.push(NOW_MS + due_ms);
            }
            Change::End { run } => ended.push(&**run),
        }
    }
    let write = sqlx::query(WRITE).bind(started).bind(event_runs).bind(seqs).bind(records);
    write.bind(timer_runs).bind(dues).bind(ended).bind(NOW_MS).execute(connection).await?;
    Ok(())
}
