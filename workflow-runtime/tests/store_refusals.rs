//! What a store does not take, whatever it is: one turn of many that it fails at again and again, statements that take
//! longer than an operator allows. None of it holds up anything else, and what could be too much comes in parts.

mod world;

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use workflow_runtime::{Clock, Memory};
use world::faulty::{Crash, Faulty};
use world::postgres::Schema;
use world::turns::*;
use world::*;

on_every_store! {
    async fn a_turn_that_the_store_fails_at_again_and_again_holds_up_no_other(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let gate = store.hold_writes();
        let start = |order: String| tokio::spawn(engine.start(five_notes(order.clone())).id(order).into_future());
        let first = start("first".into());
        eventually("it is on its way", async || (store.writes() > 0).then_some(())).await;
        // These meet in one batch, once the first one is answered.
        store.poison("poison");
        let mut all: Vec<_> = (0..20).map(|n| start(format!("o-{n}"))).collect();
        let poisoned = start("poison".into());
        all.push(first);
        tokio::time::sleep(Duration::from_millis(20)).await;
        gate.add_permits(100_000);
        for run in all {
            assert_eq!(run.await.unwrap().unwrap().result().await.unwrap(), 5);
        }
        let client = engine.client();
        let message = client.deliver(Paid { order: "poison".into(), amount: 1 }).message_id("poison");
        let message = tokio::spawn(message.into_future());
        assert_eq!(start("after".into()).await.unwrap().unwrap().result().await.unwrap(), 5);
        assert!(!poisoned.is_finished() && !message.is_finished(), "it is waited for");
        store.poison(None);
        assert_eq!(poisoned.await.unwrap().unwrap().result().await.unwrap(), 5);
        message.await.unwrap().unwrap();
        assert_eq!(world.calls().len(), 23 * 5, "no step ran twice");
    }
}

/// Each of them answers with a quarter of what one turn may take.
#[step]
async fn large(world: Resource<World>, n: u32) -> Result<String, ShopError> {
    world.call("large", &n.to_string()).await?;
    Ok("x".repeat(2 << 20))
}

#[workflow]
async fn many_large(count: u32) -> Result<usize, ShopError> {
    let answers = join_all((0..count).map(large)).await;
    let mut bytes = 0;
    for answer in answers {
        bytes += answer?.len();
    }
    Ok(bytes)
}

#[tokio::test]
async fn answers_that_come_together_are_written_a_few_at_a_time() {
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    world.always("large", Behaviour::Wait);
    let store = Faulty::new(Memory::new(), Crash::Never);
    let builder = builder(Arc::clone(&store), &world, &clock).register(many_large).payload_limit(4 << 20);
    let engine = builder.start().await.unwrap();
    let run = engine.start(many_large(24)).id("large").await.unwrap();
    eventually("all are called", async || (world.count("large") == 24).then_some(())).await;
    world.open_gate(24);
    assert_eq!(run.result().await.unwrap(), 24 * (2 << 20));
    let largest = store.largest_turn();
    assert!((2 << 20..16 << 20).contains(&largest), "{largest} bytes at once");
}

#[tokio::test]
async fn a_statement_that_takes_longer_than_the_operator_allows_is_refused() {
    let schema = Schema::new();
    let store = schema.connect().await;
    store.join(&worker(WORKER), Duration::from_secs(3_600)).await.unwrap();
    let mut other = PgConnection::connect(postgres_server::url()).await.unwrap();
    let lock = format!("BEGIN; LOCK TABLE {}.workflow_runs", schema.name());
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut other).await.unwrap();
    let url = postgres_server::url();
    let mark = if url.contains('?') { '&' } else { '?' };
    let hurried = format!("{url}{mark}options=-c%20statement_timeout%3D200");
    let hurried = schema.options().connect(&hurried).await.unwrap();
    let refused = hurried.write(&[begin("a")], 0).await.unwrap_err();
    assert_eq!(refused.fault(), StoreFault::Refused, "{refused}");
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(hurried.write(&[begin("a")], 0).await.unwrap(), [written()]);
}
