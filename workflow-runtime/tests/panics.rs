//! Panics where nobody expects any: in the values of users, in what drives a run, in the store. No run is held by
//! somebody who does not go on with it, and none of it stays unseen.

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, IncidentPlace, Memory};
use world::faulty::{Crash, Faulty};
use world::postgres::Schema;
use world::*;

/// Longer than anything here takes, unless it never comes.
const FOR_EVER: Duration = Duration::from_secs(20);

/// A value that panics when it is read, if it is not to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Picky(u64);

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Picky, D::Error> {
        let value = u64::deserialize(deserializer)?;
        assert_ne!(value, 13, "unlucky");
        Ok(Picky(value))
    }
}

#[step(retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"))]
async fn pick(world: Resource<World>, order: &str) -> Result<Picky, ShopError> {
    world.call("pick", order).await?;
    Ok(Picky(1))
}

#[workflow]
async fn picking(order: String) -> Result<u64, ShopError> {
    Ok(pick(&order).await?.0)
}

/// Panics when it goes, once, if that is not expected.
struct Bomb {
    is_armed: &'static AtomicBool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.is_armed.swap(false, Ordering::SeqCst), "the bomb goes off");
    }
}

static WHEN_A_MESSAGE_IS_TAKEN: AtomicBool = AtomicBool::new(false);

fn bomb_for_messages() -> Bomb {
    Bomb { is_armed: &WHEN_A_MESSAGE_IS_TAKEN }
}

/// Waits for a message that others wait for, too, then for one of its own.
#[workflow]
async fn competing(order: String) -> u64 {
    let _bomb = bomb_for_messages();
    let first = receive::<Paid>("shared").forever().await;
    let second = receive::<Paid>(&order).forever().await;
    first.amount + second.amount
}

static WHEN_PARKED: AtomicBool = AtomicBool::new(false);

fn bomb_for_parking() -> Bomb {
    Bomb { is_armed: &WHEN_PARKED }
}

#[workflow]
async fn parking(order: String) -> u64 {
    let _bomb = bomb_for_parking();
    receive::<Paid>(&order).forever().await.amount
}

on_every_store! {
    async fn a_value_that_panics_when_it_is_read_is_refused_like_any_that_does_not_fit(store, world, clock) {
        world.always("pick", Behaviour::Panic);
        let engine = builder(store, &world, &clock).register(picking).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(picking("o-1".into())).id("order-1").await.unwrap();
        until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        let skipped = tokio::time::timeout(FOR_EVER, client.skip("order-1", "pick", &13_u64)).await;
        let refused = skipped.expect("there is an answer").unwrap_err();
        assert!(refused.is_bad_input() && refused.to_string().contains("unlucky"), "{refused}");
        client.skip("order-1", "pick", &7_u64).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 7);
    }
}

fn paid(order: &str, amount: u64) -> Paid {
    Paid { order: order.into(), amount }
}

#[tokio::test]
async fn a_panic_of_what_drives_a_run_is_an_incident_of_that_run() {
    let (world, clock, folder) = (World::new(), Clock::manual(1_000_000), Folder::new());
    let store = Sqlite::open(folder.database()).await.unwrap();
    let builder = builder(store, &world, &clock).register(competing).park_idle_after(Duration::MAX);
    let engine = builder.start().await.unwrap();
    let client = engine.client();
    for id in ["a", "b"] {
        engine.start(competing(id.into())).id(id).await.unwrap();
        until(&client, id, "it waits", |status| !status.waits.is_empty()).await;
    }
    // Both want it, and whoever comes second is read again from the store: the values of its code go.
    WHEN_A_MESSAGE_IS_TAKEN.store(true, Ordering::SeqCst);
    client.deliver(paid("shared", 1)).await.unwrap();
    let loser = eventually("one of them has an incident", async || {
        for id in ["a", "b"] {
            if let Some(incident) = client.status(id).await.unwrap().incidents.first() {
                assert_eq!(incident.place, IncidentPlace::Journal);
                assert!(incident.cause.contains("has panicked: the bomb goes off"), "{incident:?}");
                return Some(id);
            }
        }
        None
    })
    .await;
    client.deliver(paid("shared", 2)).await.unwrap();
    assert_eq!(client.retry(loser).await.unwrap(), 1);
    for id in ["a", "b"] {
        client.deliver(paid(id, 10)).await.unwrap();
        let expected = if id == loser { 12 } else { 11 };
        assert_eq!(client.result::<u64>(id).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_run_whose_values_panic_when_it_is_let_go_of_has_left_all_the_same() {
    let (world, clock, folder) = (World::new(), Clock::manual(1_000_000), Folder::new());
    let store = Sqlite::open(folder.database()).await.unwrap();
    let builder = builder(store, &world, &clock).register(parking).park_idle_after(Duration::from_millis(50));
    let engine = builder.start().await.unwrap();
    WHEN_PARKED.store(true, Ordering::SeqCst);
    let run = engine.start(parking("o-1".into())).id("order-1").await.unwrap();
    eventually("it has left", async || {
        (!WHEN_PARKED.load(Ordering::SeqCst) && engine.live_runs() == 0).then_some(())
    })
    .await;
    engine.client().deliver(paid("o-1", 7)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 7);
}

/// Else it would say that it is there for as long as its process lives, and hold what it does not go on with.
#[tokio::test]
async fn an_engine_that_can_write_nothing_any_more_leaves_its_runs_to_others() {
    let (schema, world, clock) = (Schema::new(), World::new(), Clock::manual(1_000_000));
    let store = Faulty::new(schema.connect().await, Crash::Never);
    let fleet = |store: Arc<dyn Store>| {
        let builder = builder(store, &world, &clock).park_idle_after(Duration::MAX);
        builder.lease(Duration::from_millis(500)).poll_interval(Duration::from_millis(50))
    };
    let broken = fleet(store.clone()).start().await.unwrap();
    broken.start(patient("o-1".into())).id("order-1").await.unwrap();
    let sound = fleet(Arc::new(schema.connect().await)).start().await.unwrap();
    store.panic();
    let stopped = broken.start(patient("o-2".into())).id("order-2").await.err();
    let stopped = stopped.expect("nothing is written");
    assert!(stopped.is_stopped(), "{stopped}");
    let client = sound.client();
    client.deliver(paid("o-1", 7)).await.unwrap();
    let result = tokio::time::timeout(FOR_EVER, client.result::<u64>("order-1")).await;
    assert_eq!(result.expect("the other one takes it over").unwrap(), 7);
}
