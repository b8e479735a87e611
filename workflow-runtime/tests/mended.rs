//! Runs whose code broke off, and what comes in before it is mended: messages, cancels, an order to stop.
//! It must not know how the engine keeps what it owes.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, Delivery, EngineBuilder, Memory};
use world::faulty::{Crash, Faulty};
use world::*;

on_every_lone_store! {
    async fn a_message_that_came_before_the_code_was_mended_is_not_forgotten(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = engine(&store, &world, &clock).register(clumsy::flow).start().await.unwrap();
        engine.start(clumsy::flow("o-1".into())).id("order-1").await.unwrap();
        let client = engine.client();
        until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        let early = Paid { order: "o-1".into(), amount: 7 };
        assert_eq!(client.deliver(early).await.unwrap(), Delivery::Buffered, "the code did not get so far");
        drop(engine);

        let engine = self::engine(&store, &world, &clock).register(mended::flow).start().await.unwrap();
        let run = engine.client().run(mended::flow, "order-1").await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), run.result()).await;
        assert_eq!(ended.expect("the message is taken").unwrap(), 7);
        assert_eq!(world.count("note"), 1);
    }

    async fn a_cancel_that_came_before_the_code_was_mended_is_not_forgotten(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = engine(&store, &world, &clock).register(clumsy::flow).start().await.unwrap();
        engine.start(clumsy::flow("o-1".into())).id("order-1").await.unwrap();
        let client = engine.client();
        until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        client.cancel("order-1", "enough").await.unwrap();
        drop(engine);

        let engine = self::engine(&store, &world, &clock).register(mended::flow).start().await.unwrap();
        let run = engine.client().run(mended::flow, "order-1").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        assert_eq!(world.count("note"), 1);
    }

    async fn a_run_that_breaks_off_while_the_engine_stops_does_not_hold_it_up(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        world.script("note", [Behaviour::Wait]);
        let engine = engine(&(Arc::clone(&store) as Arc<dyn Store>), &world, &clock).register(clumsy::flow);
        let engine = engine.grace_period(Duration::from_secs(3_600)).start().await.unwrap();
        engine.start(clumsy::flow("o-1".into())).id("order-1").await.unwrap();
        eventually("the attempt", async || (world.count("note") == 1).then_some(())).await;
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.shutdown().await }
        });
        eventually("it takes nothing new", async || {
            engine.start(clumsy::flow("o-2".into())).await.err().filter(|error| error.is_stopped())
        }).await;
        world.open_gate(1);
        let stopped = tokio::time::timeout(Duration::from_secs(5), stopping).await;
        stopped.expect("nobody waits for a run that waits for a person").unwrap();
        let status = store.run("order-1").await.unwrap().unwrap();
        assert_eq!(status.incidents.len(), 1, "it is known at once that somebody has to look");
    }
}

fn engine(store: &Arc<dyn Store>, world: &World, clock: &Clock) -> EngineBuilder {
    Engine::builder().store(Arc::clone(store)).clock(clock.clone()).resource(world.clone())
}

/// One name, two codes.
mod clumsy {
    use super::*;

    #[workflow]
    pub async fn flow(order: String) -> Result<u64, ShopError> {
        note(&order).await?;
        assert!(order.is_empty(), "the fuse is lit");
        let paid = receive::<Paid>(&order).forever().await;
        Ok(paid.amount)
    }
}

mod mended {
    use super::*;

    #[workflow]
    pub async fn flow(order: String) -> Result<u64, ShopError> {
        note(&order).await?;
        let paid = receive::<Paid>(&order).forever().await;
        Ok(paid.amount)
    }
}
