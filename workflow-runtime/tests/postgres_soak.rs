//! Many runs begin, end and are removed, round after round: the tables in Postgres and their indexes stay as large as
//! one round makes them. `WORKFLOW_ATTACK=long` goes through five times as many rounds.

mod world;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use postgres_server::Server;
use tokio::task::JoinSet;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, Postgres, RecordingTransport};
use world::family::announce;
use world::*;

/// So many in a round that each table has more dead rows afterwards than a vacuum waits for.
const RUNS: usize = 1_500;

/// How much larger a table may be, with its indexes, than after the larger of the first two rounds. Dead rows gather
/// until there are enough for a vacuum, so sizes go up and down: over 60 rounds by up to a factor of two. One that
/// keeps everything is five times as large after a dozen.
const FACTOR: i64 = 3;

/// Smaller than this, a table is a matter of single pages.
const SMALL: i64 = 512 << 10;

/// A vacuum comes when this many rows of a table are dead, and no sooner: see the migrations.
const DEAD: i64 = 2_500;

/// The bytes of each table with its indexes.
async fn sizes(store: &Postgres) -> BTreeMap<String, i64> {
    let sql = "SELECT relname::text, pg_total_relation_size(relid) FROM pg_stat_user_tables \
               WHERE relname LIKE 'workflow%'";
    store.query::<(String, i64)>(sql, ()).await.unwrap().into_iter().collect()
}

/// Waits until the server has cleaned up, as it does by itself with the settings of the migrations.
async fn vacuumed(store: &Postgres) {
    let began = Instant::now();
    loop {
        let sql = "SELECT relname::text, n_dead_tup FROM pg_stat_user_tables WHERE n_dead_tup > $1";
        let dead: Vec<(String, i64)> = store.query(sql, (DEAD,)).await.unwrap();
        if dead.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "no vacuum comes: {dead:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One run of each kind, from its beginning to its end.
async fn live(engine: Engine, id: String, kind: usize) {
    match kind {
        0 => drop(engine.start(five_notes(id.clone())).id(&id).await.unwrap().result().await.unwrap()),
        1 => drop(engine.start(announce(id.clone())).id(&id).await.unwrap().result().await.unwrap()),
        _ => {
            let run = engine.start(collect(id.clone())).id(&id).await.unwrap();
            for amount in [1, 2] {
                engine.client().deliver(Paid { order: id.clone(), amount }).await.unwrap();
            }
            run.result().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_stay_small_while_runs_come_and_go() {
    let rounds = if std::env::var("WORKFLOW_ATTACK").is_ok_and(|how| how == "long") { 60 } else { 12 };
    let server = Server::start().unwrap();
    // As often as may be, that the test need not wait; when it has something to do, the tables say.
    for sql in ["ALTER SYSTEM SET autovacuum_naptime = '1s'", "SELECT pg_reload_conf()"] {
        let mut psql = server.program("psql");
        assert!(psql.args([server.url(), "-c", sql]).output().unwrap().status.success());
    }
    let store = std::sync::Arc::new(Postgres::connect(server.url()).await.unwrap());
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    let builder = builder(std::sync::Arc::clone(&store), &world, &clock).register(announce);
    let builder = builder.transport(RecordingTransport::new());
    let kept = Duration::from_secs(1);
    let engine = builder.run_retention(kept).message_retention(kept).start().await.unwrap();
    let mut first: BTreeMap<String, i64> = BTreeMap::new();
    for round in 1..=rounds {
        let mut runs = JoinSet::new();
        for n in 0..RUNS {
            runs.spawn(live(engine.clone(), format!("{round}-{n}"), n % 3));
        }
        while let Some(run) = runs.join_next().await {
            run.unwrap();
        }
        let began = Instant::now();
        let left = "SELECT (SELECT count(*) FROM workflow_runs) + (SELECT count(*) FROM workflow_messages)";
        while store.query::<i64>(left, ()).await.unwrap() != [0] {
            assert!(began.elapsed() < Duration::from_secs(60), "they are not removed");
            clock.advance(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        vacuumed(&store).await;
        let now = sizes(&store).await;
        println!("round {round}: {now:?}");
        for (table, bytes) in now {
            if round <= 2 {
                // How much of a table is given back depends on the moment in which it is looked at.
                let largest = first.entry(table).or_default();
                *largest = bytes.max(*largest);
                continue;
            }
            let most = FACTOR * first[&table].max(SMALL);
            assert!(bytes <= most, "{table} has {bytes} bytes in round {round}: more than {most}");
        }
    }
    store.close().await;
}
