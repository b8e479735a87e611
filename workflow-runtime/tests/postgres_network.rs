//! What becomes of a question to Postgres when the network loses it, or its answer, and tells nobody. What whole fleets
//! make of that is in `attack/network.rs`.

#[path = "attack/proxy.rs"]
mod proxy;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proxy::{Network, Proxy};
use tokio::sync::Semaphore;
use workflow_runtime::Postgres;
use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use world::postgres::Schema;
use world::turns::*;

const LEASE: Duration = Duration::from_secs(3_600);

/// A proxy of its own, and the tables behind it.
async fn behind(schema: &Schema) -> (Proxy, Postgres) {
    behind_for(schema, Duration::from_millis(300)).await
}

/// The same; what is not answered within that time is lost.
async fn behind_for(schema: &Schema, answer_timeout: Duration) -> (Proxy, Postgres) {
    let url: sqlx::postgres::PgConnectOptions = postgres_server::url().parse().unwrap();
    let proxy = Proxy::before(url.get_port());
    let url = postgres_server::url().replace(&format!(":{}", url.get_port()), &format!(":{}", proxy.port()));
    let store = schema.options().answer_timeout(answer_timeout).connect(&url).await.unwrap();
    (proxy, store)
}

/// What waits for nothing else may wait longer than that.
#[tokio::test]
async fn a_heartbeat_that_is_not_answered_leaves_time_for_another_one() {
    let schema = Schema::new();
    let (proxy, store) = behind_for(&schema, Duration::from_secs(3_600)).await;
    let lease = Duration::from_secs(4);
    store.join(&worker(WORKER), lease).await.unwrap();
    proxy.set(Network::Forgotten);
    let unanswered = store.beat(WORKER, lease).await.unwrap_err();
    assert!(unanswered.is_transient() && unanswered.to_string().contains("within 1s"), "{unanswered}");
    assert!(store.beat(WORKER, lease).await.unwrap(), "over a connection of which the network knows");
}

/// Else the worker holds runs without knowing it, for as long as it lives.
#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_heard_of_all_the_same() {
    let schema = Schema::new();
    let (proxy, store) = behind(&schema).await;
    store.join(&worker(WORKER), LEASE).await.unwrap();
    let claim = || Claim { worker: WORKER.into(), code: vec![("flow".into(), 1)], now_ms: 10, limit: 10 };
    assert_eq!(store.claim(&claim()).await.unwrap(), Claimed::default());
    store
        .execute_batch(
            "INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, holder, wake_ms) \
         VALUES ('due', 'flow', 1, 1, 0, NULL, 5), ('told', 'flow', 1, 1, 0, 'worker-1', 0)",
        )
        .await
        .unwrap();
    proxy.set(Network::Unanswered);
    let claimed = store.claim(&claim()).await.unwrap();
    let taken: Vec<_> = claimed.runs.iter().map(|run| (&*run.lease.run_id, run.lease.epoch)).collect();
    assert_eq!((taken, claimed.news), (vec![("due", 2)], vec!["told".into()]));
    assert_eq!(store.claim(&claim()).await.unwrap(), Claimed::default(), "it is told once");
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum Trouble {
    #[error(transparent)]
    #[step_error(transient)]
    Sql(#[from] SqlError),
}

/// Says when a step is in its transaction, and lets it go on.
struct Gate {
    attempts: AtomicUsize,
    waits: Semaphore,
    goes_on: Semaphore,
}

fn gate() -> Gate {
    Gate { attempts: AtomicUsize::new(0), waits: Semaphore::new(0), goes_on: Semaphore::new(0) }
}

#[step(retry(attempts = 5, initial = "1ms", factor = 1.0, max = "1ms"))]
async fn book(tx: &mut Tx, gate: Resource<Arc<Gate>>) -> Result<u64, Trouble> {
    gate.attempts.fetch_add(1, Ordering::SeqCst);
    tx.execute("UPDATE accounts SET booked = booked + 1", ()).await?;
    gate.waits.add_permits(1);
    if let Ok(permit) = gate.goes_on.acquire().await {
        permit.forget();
    }
    // Longer than the engine waits for an answer to a question of its own.
    tx.query::<i64>("SELECT count(*) FROM (SELECT pg_sleep(0.8)) x", ()).await?;
    Ok(1)
}

#[workflow]
async fn booking() -> Result<u64, Trouble> {
    book().await
}

#[tokio::test]
async fn a_statement_of_a_step_may_take_long_but_waits_for_no_answer_that_cannot_come() {
    for lost in [None, Some(Network::Forgotten), Some(Network::Unanswered)] {
        let schema = Schema::new();
        let (proxy, store) = behind(&schema).await;
        store
            .execute_batch("CREATE TABLE accounts (booked BIGINT); INSERT INTO accounts VALUES (0)")
            .await
            .unwrap();
        let (store, gate) = (Arc::new(store), Arc::new(gate()));
        let engine =
            Engine::builder().store(Arc::clone(&store)).resource(Arc::clone(&gate)).register(booking);
        let engine = engine.start().await.unwrap();
        let run = engine.start(booking()).await.unwrap();
        gate.waits.acquire().await.unwrap().forget();
        lost.into_iter().for_each(|lost| proxy.set(lost));
        gate.goes_on.add_permits(2);
        // The second attempt changes the row that the first one had locked.
        assert_eq!(run.result().await.unwrap(), 1, "{lost:?}");
        let attempts = if lost.is_some() { 2 } else { 1 };
        assert_eq!(gate.attempts.load(Ordering::SeqCst), attempts, "{lost:?}");
        assert_eq!(store.query::<i64>("SELECT booked FROM accounts", ()).await.unwrap(), [1], "{lost:?}");
    }
}
