//! How much of Postgres's tables is read for what engines ask all the time: what there is to do, never what is parked
//! or has ended. Counted by the server, in rows, so that no plan is prescribed.

mod world;

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use workflow_runtime::store::*;
use workflow_runtime::{Postgres, RunFilter};
use world::eventually;
use world::postgres::Schema;
use world::turns::*;

const LEASE: Duration = Duration::from_secs(3_600);

/// So many rows may be read for a few runs, whatever else there is.
const FEW: i64 = 1_000;

/// Thirty thousand runs have ended, twenty thousand are parked, and five thousand messages are tried again later.
const HISTORY: &str = "
    INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, ended_ms, conclusion, holder)
        SELECT 'ended-' || n, 'flow', 2, 1, 0, 10000 + n, '{\"Completed\":1}', 'worker-1'
        FROM generate_series(1, 30000) n;
    INSERT INTO workflow_events (run_id, seq, at_ms, record)
        SELECT 'ended-' || n, 1, 0, '{}' FROM generate_series(1, 30000) n;
    INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, wake_ms)
        SELECT 'asleep-' || n, 'flow', 2, 1, 0, 1000000000 + n FROM generate_series(1, 15000) n;
    INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, wake_ms)
        SELECT 'waiting-' || n, 'flow', 2, 1, 0, NULL FROM generate_series(1, 5000) n;
    INSERT INTO workflow_outbox (message_id, run_id, op, message, key, payload, publishes, sent_ms, due_ms, attempts)
        SELECT 'm-' || n, 'asleep-' || n, 'op', 'Paid', 'k', '1', false, 0, 1000000000 + n, 1
        FROM generate_series(1, 5000) n";

/// A little that there is to do, of each kind.
const TO_DO: &str = "
    UPDATE workflow_runs SET wake_ms = 5 WHERE run_id IN ('asleep-7', 'asleep-9000', 'waiting-3');
    INSERT INTO workflow_incidents VALUES ('asleep-8', 'op', 'stuck', 0), ('waiting-9', '', 'stuck', 0);
    UPDATE workflow_outbox SET due_ms = 5 WHERE message_id = 'm-4000';
    INSERT INTO workflow_outbox (message_id, run_id, op, message, key, payload, publishes, sent_ms, due_ms)
        VALUES ('new', 'waiting-1', 'op', 'Paid', 'k', '1', false, 0, 0);
    UPDATE workflow_runs SET ended_ms = 5 WHERE run_id IN ('ended-11', 'ended-29000')";

struct Tables {
    schema: Schema,
    other: PgConnection,
}

impl Tables {
    async fn filled() -> Tables {
        let schema = Schema::new();
        let store = schema.connect().await;
        store.join(&worker(WORKER), LEASE).await.unwrap();
        store.execute_batch(HISTORY).await.unwrap();
        store.execute_batch(TO_DO).await.unwrap();
        store.close().await;
        let other = PgConnection::connect(postgres_server::url()).await.unwrap();
        Tables { schema, other }
    }

    /// The rows of tables and indexes that the server has read for this, in sessions of its own.
    async fn rows_read(&mut self, what: impl AsyncFnOnce(&Postgres)) -> i64 {
        let before = self.count().await;
        let (name, url) = (format!("effort-of-{}", self.schema.name()), postgres_server::url());
        let mark = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{mark}application_name={name}");
        let store = self.schema.options().connect(&url).await.unwrap();
        what(&store).await;
        store.close().await;
        // What a session has counted is added up when it ends.
        eventually("its sessions are over", async || {
            let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
            let left: i64 = sqlx::query_scalar(left).bind(&name).fetch_one(&mut self.other).await.unwrap();
            (left == 0).then_some(())
        })
        .await;
        self.count().await - before
    }

    async fn count(&mut self) -> i64 {
        let sql = "SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables WHERE schemaname = $1)::int8 \
                   + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE schemaname = $1)::int8";
        sqlx::query_scalar(sql).bind(self.schema.name()).fetch_one(&mut self.other).await.unwrap()
    }

    async fn analyze(&mut self) {
        for table in ["runs", "events", "incidents", "outbox", "workers"] {
            let sql = format!("ANALYZE {}.workflow_{table}", self.schema.name());
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.other).await.unwrap();
        }
    }
}

fn claim(now_ms: i64, limit: usize) -> Claim {
    Claim { worker: WORKER.into(), code: vec![("flow".into(), 1), ("flow".into(), 2)], now_ms, limit }
}

/// Also while nobody has counted the rows: a server plans by what it believes then.
#[tokio::test]
async fn what_engines_ask_all_the_time_reads_neither_what_is_parked_nor_what_has_ended() {
    for is_analyzed in [false, true] {
        let mut tables = Tables::filled().await;
        if is_analyzed {
            tables.analyze().await;
        }
        let mut seen = Vec::new();
        let rows = tables
            .rows_read(async |store| {
                let claimed = store.claim(&claim(4, 100)).await.unwrap();
                assert_eq!((claimed.runs.len(), claimed.next_wake_ms), (0, Some(5)));
            })
            .await;
        seen.push(("a claim of nothing", rows));
        let rows = tables
            .rows_read(async |store| {
                let claimed = store.claim(&claim(5, 2)).await.unwrap();
                assert_eq!((claimed.runs.len(), claimed.next_wake_ms), (2, Some(5)));
                let claimed = store.claim(&claim(5, 100)).await.unwrap();
                assert_eq!((claimed.runs.len(), claimed.next_wake_ms), (1, Some(1_000_000_001)));
                let run = &claimed.runs[0];
                let parking = Parking {
                    lease: run.lease.clone(),
                    wake_ms: Some(1_000_000_000),
                    children: Vec::new(),
                    is_broken: false,
                };
                assert_eq!(store.park(&[parking], 5).await.unwrap(), [true]);
            })
            .await;
        seen.push(("claims of a few, and a park", rows));
        let rows = tables
            .rows_read(async |store| {
                let page = store.outbox_due(10, &[], 64, 32).await.unwrap();
                let due: Vec<_> = page.messages.iter().map(|entry| &*entry.outgoing.id).collect();
                assert_eq!((due, page.next_due_ms), (vec!["m-4000", "new"], Some(1_000_000_001)));
            })
            .await;
        seen.push(("the outbox", rows));
        let rows = tables
            .rows_read(async |store| {
                for only_unfinished in [false, true] {
                    let filter = RunFilter { only_incidents: true, only_unfinished, ..RunFilter::default() };
                    let stuck = store.runs(&filter).await.unwrap();
                    let stuck: Vec<_> = stuck.iter().map(|run| (&*run.run_id, run.incidents)).collect();
                    assert_eq!(stuck, [("asleep-8", 1), ("waiting-9", 1)]);
                }
            })
            .await;
        seen.push(("runs with incidents", rows));
        let rows = tables
            .rows_read(async |store| {
                let sweep = Sweep {
                    now_ms: 10,
                    messages_until_ms: 0,
                    runs_until_ms: Some(10),
                    only_runs: None,
                    limit: 500,
                };
                assert_eq!(store.sweep(&sweep).await.unwrap().runs, 2);
                assert_eq!(store.old_runs(10, 500).await.unwrap(), []);
            })
            .await;
        seen.push(("the sweep", rows));
        let rows = tables
            .rows_read(async |store| {
                let mut first = begin("new");
                first.changes.set_timers.insert(op("op"), 7);
                assert_eq!(store.write(&[first], 0).await.unwrap(), [written()]);
                assert_eq!(store.write(&[ending("new", 2)], 0).await.unwrap(), [written()]);
                assert!(store.run("new").await.unwrap().is_some());
            })
            .await;
        seen.push(("turns", rows));
        assert!(seen.iter().all(|(_, rows)| *rows <= FEW), "analyzed: {is_analyzed}: {seen:?}");
    }
}

/// Else the payload would come back as often as there are runs that wait for it.
#[tokio::test]
async fn of_many_runs_that_wait_only_those_of_the_worker_are_named() {
    let schema = Schema::new();
    let store = schema.connect().await;
    store.join(&worker(WORKER), LEASE).await.unwrap();
    let waiting = "
        INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms)
            SELECT 'waiting-' || n, 'flow', 2, 1, 0 FROM generate_series(1, 500) n;
        INSERT INTO workflow_waits (run_id, op, message, key, since_ms)
            SELECT 'waiting-' || n, 'paid', 'Paid', 'k', n FROM generate_series(1, 500) n";
    store.execute_batch(waiting).await.unwrap();
    let held = [begin_waiting("a", 7), begin_waiting("b", 3), begin_waiting("c", 900)];
    store.write(&held, 0).await.unwrap();
    let delivered = store.deliver(WORKER, &[event("e", 100), event("f", 100)], 0).await.unwrap();
    for delivered in &delivered {
        let expected = [("waiting-1", "e"), ("b", "e"), ("a", "e"), ("c", "e")];
        assert_eq!(offered(&delivered.offers), expected, "the oldest message, by who waits for longest");
        assert!(delivered.offers.iter().all(|offer| offer.payload.as_json() == "\"e\""));
    }
    let woken = "SELECT count(*) FROM workflow_runs WHERE wake_ms = 0";
    assert_eq!(store.query::<i64>(woken, ()).await.unwrap(), [500], "the others look for themselves");
}
