//! Hints between engines on one Postgres database: what one tells the runs of another is heard long before that one
//! looks by itself, which it does here never.

mod world;

use std::time::Duration;

use postgres_server::{Pooler, Server};
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, EngineBuilder, RecordingTransport};
use world::family::{announce, supervise};
use world::postgres::Schema;
use world::*;

/// An engine that does not look by itself, and keeps its runs in memory.
fn member(store: impl Store, world: &World) -> EngineBuilder {
    let builder = builder(store, world, &Clock::manual(1_000_000)).park_idle_after(Duration::MAX);
    builder.register(supervise).register(announce).poll_interval(Duration::from_secs(3_600))
}

async fn pair(schema: &Schema, url: &str) -> (Engine, Engine, World) {
    let world = World::new();
    let first = member(schema.options().connect(url).await.unwrap(), &world).start().await.unwrap();
    let second = member(schema.options().connect(url).await.unwrap(), &world).start().await.unwrap();
    (first, second, world)
}

async fn ended(engine: &Engine, run_id: &str) {
    until(&engine.client(), run_id, "it ends", |status| status.has_ended()).await;
}

#[tokio::test]
async fn an_engine_hears_at_once_what_another_one_tells_its_runs() {
    let (holder, other, _) = pair(&Schema::new(), postgres_server::url()).await;
    let client = other.client();
    for n in 0..5 {
        let id = format!("order-{n}");
        holder.start(patient(id.clone())).id(&id).await.unwrap();
        client.deliver(Paid { order: id.clone(), amount: 1 }).await.unwrap();
        ended(&other, &id).await;
    }
    holder.start(slow("o-1".into())).id("cancelled").await.unwrap();
    until(&client, "cancelled", "it sleeps", |status| !status.timers.is_empty()).await;
    client.cancel("cancelled", "enough").await.unwrap();
    ended(&other, "cancelled").await;
}

#[tokio::test]
async fn who_leaves_in_order_is_taken_over_from_at_once() {
    let (first, second, _) = pair(&Schema::new(), postgres_server::url()).await;
    first.start(patient("o-1".into())).id("order-1").await.unwrap();
    first.shutdown().await;
    eventually("it is held", async || (second.live_runs() == 1).then_some(())).await;
}

#[tokio::test]
async fn messages_that_leave_reach_the_engine_that_hands_them_over() {
    let (schema, world, transport) = (Schema::new(), World::new(), RecordingTransport::new());
    let first = member(schema.connect().await, &world).transport(transport.clone()).start().await.unwrap();
    let second = member(schema.connect().await, &world).transport(transport.clone()).start().await.unwrap();
    second.start(announce("a".into())).id("a").await.unwrap().result().await.unwrap();
    eventually("they are handed over", async || (transport.handed_over().len() == 3).then_some(())).await;
    drop(first);
}

#[tokio::test]
async fn hints_come_again_after_the_server_was_away() {
    let server = Server::start().unwrap();
    let (holder, other, _) = pair(&Schema::new(), server.url()).await;
    holder.start(patient("o-1".into())).id("before").await.unwrap();
    holder.start(patient("o-2".into())).id("after").await.unwrap();
    other.client().deliver(Paid { order: "o-1".into(), amount: 1 }).await.unwrap();
    ended(&other, "before").await;
    server.crash().unwrap();
    server.start_again().unwrap();
    other.client().deliver(Paid { order: "o-2".into(), amount: 1 }).await.unwrap();
    ended(&other, "after").await;
}

#[tokio::test]
async fn behind_a_pooler_that_lets_no_hints_through_engines_look_by_themselves() {
    let server = Server::start().unwrap();
    let pooler = Pooler::start(&server, 4).unwrap();
    let (schema, world) = (Schema::new(), World::new());
    let connect = async || {
        let options = schema.options().answer_timeout(Duration::from_millis(300));
        options.connect(pooler.url()).await.unwrap()
    };
    let look = Duration::from_millis(50);
    let holder = member(connect().await, &world).poll_interval(look).start().await.unwrap();
    let other = member(connect().await, &world).poll_interval(look).start().await.unwrap();
    for n in 0..20 {
        let id = format!("order-{n}");
        holder.start(patient(id.clone())).id(&id).await.unwrap();
        other.client().deliver(Paid { order: id.clone(), amount: 1 }).await.unwrap();
        ended(&other, &id).await;
    }
}
