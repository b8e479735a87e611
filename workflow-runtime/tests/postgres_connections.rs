//! What users ask of Postgres beside an engine: however long it takes, the engine goes on, and a network that forgets
//! connections brings nothing to a standstill.

#[path = "attack/proxy.rs"]
mod proxy;
mod world;

use std::sync::Arc;
use std::time::Duration;

use proxy::{Network, Proxy};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use workflow_runtime::Postgres;
use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use world::eventually;
use world::postgres::Schema;
use world::turns::*;

const LEASE: Duration = Duration::from_secs(3_600);

/// Longer than anything here takes, unless it never comes.
const FOR_EVER: Duration = Duration::from_secs(20);

fn ask(store: &Arc<Postgres>, sql: &'static str) -> tokio::task::JoinHandle<Result<Vec<i64>, SqlError>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.query(sql, ()).await })
}

#[tokio::test]
async fn reads_of_users_that_wait_for_long_keep_nobody_from_committing() {
    let schema = Schema::new();
    let store = Arc::new(schema.connect().await);
    store.join(&worker(WORKER), LEASE).await.unwrap();
    store.execute_batch("CREATE TABLE accounts (cents BIGINT); INSERT INTO accounts VALUES (7)").await.unwrap();
    let mut other = PgConnection::connect(postgres_server::url()).await.unwrap();
    let lock = format!("BEGIN; LOCK TABLE {}.accounts", schema.name());
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut other).await.unwrap();
    let asked: Vec<_> = (0..20).map(|_| ask(&store, "SELECT cents FROM accounts")).collect();
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{}.accounts'::regclass",
        schema.name()
    );
    eventually("they wait for the table", async || {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(waiting.clone())).fetch_one(&mut other).await.unwrap();
        (count >= 5).then_some(())
    })
    .await;
    let goes_on = async {
        assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()]);
        assert!(store.beat(WORKER, LEASE).await.unwrap());
    };
    tokio::time::timeout(FOR_EVER, goes_on).await.expect("the engine has connections of its own");
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    for asked in asked {
        assert_eq!(asked.await.unwrap().unwrap(), [7]);
    }
}

/// Each of them asks over another connection whether the server is still at work on it.
#[tokio::test]
async fn reads_that_all_wait_for_an_answer_that_cannot_come_give_up() {
    let schema = Schema::new();
    let url: sqlx::postgres::PgConnectOptions = postgres_server::url().parse().unwrap();
    let proxy = Proxy::before(url.get_port());
    let url = postgres_server::url().replace(&format!(":{}", url.get_port()), &format!(":{}", proxy.port()));
    let options = schema.options().connections(4).answer_timeout(Duration::from_millis(500));
    let store = Arc::new(options.connect(&url).await.unwrap());
    store.join(&worker(WORKER), LEASE).await.unwrap();
    let asked: Vec<_> = (0..8).map(|_| ask(&store, "SELECT count(*) FROM (SELECT pg_sleep(0.31)) x")).collect();
    let at_work = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%0.31%'";
    let mut other = PgConnection::connect(postgres_server::url()).await.unwrap();
    eventually("the server is at work", async || {
        let count: i64 = sqlx::query_scalar(at_work).fetch_one(&mut other).await.unwrap();
        (count >= 1).then_some(())
    })
    .await;
    proxy.set(Network::Forgotten);
    let over = async {
        for asked in asked {
            // Whether it got its answer or lost it.
            let _ = asked.await.unwrap();
        }
        assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()]);
        assert!(store.beat(WORKER, LEASE).await.unwrap());
    };
    tokio::time::timeout(FOR_EVER, over).await.expect("nobody waits for ever");
}
