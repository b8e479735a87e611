//! The connections to Postgres: what users ask beside an engine, however long it takes, a network that forgets them,
//! and what somebody has set for their role.

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

/// Else what was acknowledged could be lost with the server, without anybody having asked for that.
#[tokio::test]
async fn a_role_that_does_not_wait_for_the_disk_does_so_for_the_engine() {
    let schema = Schema::new();
    let store = schema.connect().await;
    let role = schema.name();
    let tables = format!(
        "CREATE ROLE {role} SUPERUSER LOGIN; ALTER ROLE {role} SET synchronous_commit = off;
         CREATE TABLE seen (run_id TEXT, setting TEXT);
         CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO seen VALUES (NEW.run_id, current_setting('synchronous_commit')); RETURN NEW; END $$;
         CREATE TRIGGER look BEFORE INSERT ON workflow_events FOR EACH ROW EXECUTE FUNCTION look()"
    );
    store.execute_batch(&tables).await.unwrap();
    let url: sqlx::postgres::PgConnectOptions = postgres_server::url().parse().unwrap();
    let url = postgres_server::url().replace(&format!("{}@", url.get_username()), &format!("{role}@"));
    let by_role = schema.options().connect(&url).await.unwrap();
    let asked_for = schema.options().synchronous_commit_off().connect(&url).await.unwrap();
    by_role.join(&worker(WORKER), LEASE).await.unwrap();
    assert_eq!(store.write(&[begin("as-usual")], 0).await.unwrap(), [written()]);
    assert_eq!(by_role.write(&[begin("by-role")], 0).await.unwrap(), [written()]);
    assert_eq!(asked_for.write(&[begin("asked-for")], 0).await.unwrap(), [written()]);
    let mut transaction = by_role.begin(&lease("by-role", 1)).await.unwrap().unwrap();
    transaction.execute("SELECT 1", Vec::new()).await.unwrap();
    assert_eq!(transaction.commit(&turn("by-role", 1, 2, &["step"]), 0).await.unwrap(), written());
    let seen: Vec<(String, String)> =
        store.query("SELECT run_id, setting FROM seen ORDER BY run_id", ()).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|(run_id, setting)| (run_id.as_str(), setting.as_str())).collect();
    let expected = [("as-usual", "on"), ("asked-for", "off"), ("by-role", "on"), ("by-role", "on")];
    assert_eq!(seen, expected);
    for store in [by_role, asked_for] {
        store.close().await;
    }
    store.execute_batch(&format!("DROP ROLE {role}")).await.unwrap();
}

#[tokio::test]
async fn reads_of_users_that_wait_for_long_keep_nobody_from_committing() {
    let schema = Schema::new();
    let store = Arc::new(schema.connect().await);
    store.join(&worker(WORKER), LEASE).await.unwrap();
    store
        .execute_batch("CREATE TABLE accounts (cents BIGINT); INSERT INTO accounts VALUES (7)")
        .await
        .unwrap();
    let mut other = PgConnection::connect(postgres_server::url()).await.unwrap();
    let lock = format!("BEGIN; LOCK TABLE {}.accounts", schema.name());
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut other).await.unwrap();
    let asked: Vec<_> = (0..20).map(|_| ask(&store, "SELECT cents FROM accounts")).collect();
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{}.accounts'::regclass",
        schema.name()
    );
    eventually("they wait for the table", async || {
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(waiting.clone())).fetch_one(&mut other).await.unwrap();
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
    let asked: Vec<_> =
        (0..8).map(|_| ask(&store, "SELECT count(*) FROM (SELECT pg_sleep(0.31)) x")).collect();
    let at_work =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%0.31%'";
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
