//! Runs that should get on and do not are named; those that merely wait are not.
//! It must not know how the watchdog looks.

mod world;

use std::time::Duration;

use workflow_runtime::{Clock, Memory, Sqlite};
use world::faulty::{Crash, Faulty};
use world::{
    Behaviour, Folder, World, builder, collect, eventually, five_notes, on_every_store, patient, postgres,
    slow, until,
};

const MINUTE: Duration = Duration::from_secs(60);

on_every_store! {
async fn an_attempt_that_takes_too_long_is_named_and_a_wait_is_not(store, world, clock) {
    world.script("note", [Behaviour::Wait]);
    let engine = builder(store, &world, &clock).watchdog(MINUTE).start().await.unwrap();
    let client = engine.client();
    let held_up = engine.start(five_notes("a".into())).id("held-up").await.unwrap();
    engine.start(patient("b".into())).id("patient").await.unwrap();
    eventually("the step is called", async || (world.count("note") == 1).then_some(())).await;
    let stalled = eventually("it is named", async || {
        clock.advance(MINUTE / 2);
        let stalled = client.stalled();
        (!stalled.is_empty()).then_some(stalled)
    })
    .await;
    assert_eq!(stalled.len(), 1, "{stalled:?}");
    assert_eq!(&*stalled[0].run_id, "held-up");
    assert!(stalled[0].cause.starts_with("attempt 1 of `note` has been under way for "), "{stalled:?}");
    world.open_gate(1);
    held_up.result().await.unwrap();
    eventually("it is no longer named", async || {
        clock.advance(MINUTE / 2);
        client.stalled().is_empty().then_some(())
    })
    .await;
}
}

/// On a store that several share, each looks after the runs that it holds.
#[tokio::test]
async fn of_several_engines_the_holder_names_its_runs() {
    let (schema, clock) = (postgres::Schema::new(), Clock::manual(1_000_000));
    let (one, two) = (World::new(), World::new());
    one.script("note", [Behaviour::Wait]);
    let holder = builder(schema.connect().await, &one, &clock).watchdog(MINUTE).start().await.unwrap();
    let other = builder(schema.connect().await, &two, &clock).watchdog(MINUTE).start().await.unwrap();
    let held_up = holder.start(five_notes("a".into())).id("held-up").await.unwrap();
    eventually("the step is called", async || (one.count("note") == 1).then_some(())).await;
    eventually("it is named", async || {
        clock.advance(MINUTE / 2);
        (holder.client().stalled().len() == 1).then_some(())
    })
    .await;
    assert_eq!(other.client().stalled(), []);
    one.open_gate(1);
    held_up.result().await.unwrap();
}

#[tokio::test]
async fn a_run_that_sleeps_or_waits_for_long_is_in_order() {
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    let engine = builder(Memory::new(), &world, &clock).watchdog(MINUTE).start().await.unwrap();
    let client = engine.client();
    engine.start(slow("a".into())).id("sleeps").await.unwrap();
    engine.start(collect("b".into())).id("waits").await.unwrap();
    until(&client, "sleeps", "it sleeps", |status| !status.timers.is_empty()).await;
    for _ in 0..20 {
        clock.advance(MINUTE / 2);
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(client.stalled(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_turn_is_not_written_is_named() {
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    world.script("note", [Behaviour::Wait]);
    let store = Faulty::new(Memory::new(), Crash::Never);
    let engine = builder(store.clone(), &world, &clock).watchdog(MINUTE).start().await.unwrap();
    let client = engine.client();
    let run = engine.start(five_notes("a".into())).id("unwritten").await.unwrap();
    eventually("the step is called", async || (world.count("note") == 1).then_some(())).await;
    let gate = store.hold_writes();
    world.open_gate(1);
    let stalled = eventually("it is named", async || {
        clock.advance(MINUTE / 2);
        let stalled = client.stalled();
        (!stalled.is_empty()).then_some(stalled)
    })
    .await;
    assert!(stalled[0].cause.starts_with("its driver does not answer"), "{stalled:?}");
    gate.add_permits(1_000);
    assert_eq!(run.result().await.unwrap(), 5);
}
