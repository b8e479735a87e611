//! Messages in a fleet whose engines do not all have the same code: whoever takes one in, it begins the runs and
//! reaches the waits that any of them has code for.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, Delivery, EngineBuilder, Memory, OutboxFilter, RunFilter};
use world::*;

/// Somebody wants something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = order)]
struct Ordered {
    order: String,
}

/// Says so.
#[workflow]
async fn order(name: String) {
    publish(Ordered { order: name }).await;
}

/// Says so to one.
#[workflow]
async fn order_directly(name: String) {
    send(Ordered { order: name }).await;
}

/// Serves it.
#[workflow(on = Ordered)]
async fn serve(ordered: Ordered) -> Result<u64, ShopError> {
    note(&ordered.order).await
}

mod next {
    use super::*;

    /// Serves it twice.
    #[workflow(version = 2, on = Ordered)]
    pub(crate) async fn serve(ordered: Ordered) -> Result<u64, ShopError> {
        Ok(note(&ordered.order).await? + note(&ordered.order).await?)
    }
}

/// Waits for it.
#[workflow]
async fn expect(name: String) -> u64 {
    receive::<Ordered>(&name).forever().await.order.len() as u64
}

/// The engines of a fleet on one store.
struct Fleet<S> {
    store: S,
    world: World,
    clock: Clock,
}

impl<S: Store + Clone> Fleet<S> {
    fn on(store: S) -> Fleet<S> {
        Fleet { store, world: World::new(), clock: Clock::manual(1_000_000) }
    }

    fn member(&self) -> EngineBuilder {
        let engine = Engine::builder().store(self.store.clone()).clock(self.clock.clone());
        engine.resource(self.world.clone()).poll_interval(Duration::from_millis(20))
    }
}

/// The same test on all stores that several engines may share.
macro_rules! on_every_shared_store {
    ($(async fn $name:ident($fleet:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body<S: Store + Clone>($fleet: Fleet<S>) $body

            #[tokio::test]
            async fn memory() {
                body(Fleet::on(Memory::shared())).await;
            }

            #[tokio::test]
            async fn postgres() {
                body(Fleet::on(Arc::new(world::postgres::Schema::new().connect().await))).await;
            }
        }
    )*};
}

on_every_shared_store! {
    async fn a_workflow_begins_wherever_there_is_code_for_it(fleet) {
        // The first one hands messages over, and knows nothing of who begins with them.
        let first = fleet.member().register(order).start().await.unwrap();
        let _second = fleet.member().register(serve).start().await.unwrap();
        first.start(order("o-1".into())).id("run-1").await.unwrap();
        eventually("what a run published is served", async || (fleet.world.count("note") == 1).then_some(())).await;

        let (client, ordered) = (first.client(), |n: u32| Ordered { order: format!("o-{n}") });
        assert_eq!(client.publish(ordered(2)).message_id("m-2").await.unwrap(), Delivery::Started);
        assert_eq!(client.publish(ordered(2)).message_id("m-2").await.unwrap(), Delivery::Duplicate);
        assert_eq!(client.deliver(ordered(3)).message_id("m-3").await.unwrap(), Delivery::Started);
        for message in ["m-2", "m-3"] {
            assert_eq!(client.result::<u64>(&format!("serve:{message}")).await.unwrap(), 1);
        }
        assert_eq!(fleet.world.count("note"), 3, "each once");
    }

    async fn of_two_releases_one_begins(fleet) {
        let old = fleet.member().register(serve).start().await.unwrap();
        let new = fleet.member().register(next::serve).start().await.unwrap();
        for (engine, message) in [(&old, "m-1"), (&new, "m-2")] {
            let ordered = Ordered { order: message.into() };
            assert_eq!(engine.client().deliver(ordered).message_id(message).await.unwrap(), Delivery::Started);
        }
        assert_eq!(old.client().result::<u64>("serve:m-1").await.unwrap(), 1, "whoever takes it in, if it can");
        assert_eq!(old.client().result::<u64>("serve:m-2").await.unwrap(), 2);
        assert_eq!(fleet.store.runs(&RunFilter::default()).await.unwrap().len(), 2);
    }

    async fn a_message_reaches_a_run_whose_code_is_elsewhere(fleet) {
        let first = fleet.member().register(order_directly).start().await.unwrap();
        let second = fleet.member().register(expect).start().await.unwrap();
        second.start(expect("o-1".into())).id("expects").await.unwrap();
        first.start(order_directly("o-1".into())).id("orders").await.unwrap();
        assert_eq!(first.client().result::<u64>("expects").await.unwrap(), 3);
    }

    async fn a_message_that_nobody_knows_for_now_is_tried_again(fleet) {
        let first = fleet.member().register(order_directly).start().await.unwrap();
        first.start(order_directly("o-1".into())).id("orders").await.unwrap();
        let failed = eventually("it was tried", async || {
            let entries = first.client().outbox(&OutboxFilter::default()).await.unwrap();
            entries.into_iter().find(|entry| entry.attempts > 0)
        });
        let failed = failed.await;
        assert!(!failed.is_parked, "{failed:?}");
        let second = fleet.member().register(expect).start().await.unwrap();
        second.start(expect("o-1".into())).id("expects").await.unwrap();
        eventually("it is there", async || {
            fleet.clock.advance(Duration::from_secs(1));
            let status = second.client().status("expects").await.unwrap();
            status.has_ended().then_some(())
        })
        .await;
        assert_eq!(second.client().result::<u64>("expects").await.unwrap(), 3);
    }
}
