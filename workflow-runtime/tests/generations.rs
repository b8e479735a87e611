//! Runs that begin anew under their id, versions side by side, deadlines of whole runs, and waiting for a while.
//! It must not know how one journal takes the place of another.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_core::Event;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{
    Clock, EngineBuilder, IncidentPlace, Memory, MessageFilter, MessageState, RunError, Waited,
};
use world::family::*;
use world::faulty::{Crash, Faulty};
use world::*;

on_every_lone_store! {
    async fn a_run_that_continues_as_new_begins_a_fresh_journal_under_its_id(store, world, clock) {
        let engine = family(store, &world, &clock).register(keys).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(keys(1, vec![])).id("order/42").await.unwrap();
        let keys_used = run.result().await.unwrap();
        assert_eq!(keys_used, ["order%2F42/charge", "order%2F42/+2/charge", "order%2F42/+3/charge"]);
        let status = client.status("order/42").await.unwrap();
        assert_eq!((status.generation, status.version), (3, 1));
        let journal = client.journal("order/42").await.unwrap();
        assert!(matches!(journal[0].event, Event::Started { generation: 3, parent: None, .. }), "{journal:?}");
        assert_eq!(journal.len(), 2, "the journals before are gone");
        let again = engine.start(keys(1, vec![])).id("order/42").await.unwrap();
        assert_eq!(again.result().await.unwrap(), keys_used, "the same start gives the same run");
    }

    async fn a_child_that_continues_as_new_stays_the_child_of_its_parent(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(subscribe("s".into())).id("s-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 3);
        let child = client.status("s-1/monthly").await.unwrap();
        assert_eq!((child.generation, child.parent.unwrap().run_id.as_str()), (3, "s-1"));
    }

    async fn progress_is_seen_from_outside_and_stays(store, world, clock) {
        world.script("charge", [Behaviour::Succeed, Behaviour::Wait]);
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let quiet = engine.start(leg("l".into())).id("quiet").await.unwrap();
        quiet.result().await.unwrap();
        assert_eq!(client.progress::<u64>("quiet").await.unwrap(), None);
        assert!(client.progress::<u64>("nobody").await.unwrap_err().is_unknown_run());
        let run = engine.start(monthly("m".into(), 1)).id("m-1").await.unwrap();
        eventually("the second month", async || {
            (client.progress::<u64>("m-1").await.unwrap() == Some(2)).then_some(())
        }).await;
        world.open_gate(1);
        assert_eq!(run.result().await.unwrap(), 3);
        assert_eq!(client.progress::<u64>("m-1").await.unwrap(), Some(3));
        assert!(client.progress::<String>("m-1").await.is_err(), "it is a number");
    }

    async fn a_run_may_continue_as_another_version_that_is_registered(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let old = plain(Arc::clone(&store), &world, &clock).register(first::flow).start().await.unwrap();
        let client = old.client();
        let run = old.start(first::flow("f".into())).id("f-1").await.unwrap();
        let broken = until(&client, "f-1", "an incident", |status| !status.incidents.is_empty()).await;
        let cause = &broken.incidents[0].cause;
        assert_eq!(broken.incidents[0].place, IncidentPlace::Journal);
        assert!(cause.contains("version 2 of the workflow `flow` is not registered"), "{cause}");
        assert_eq!((broken.generation, world.count("note")), (1, 1));
        drop((old, run));
        let both = plain(Arc::clone(&store), &world, &clock).register(first::flow).register(second::flow);
        let engine = both.start().await.unwrap();
        assert_eq!(engine.client().result::<u64>("f-1").await.unwrap(), 2);
        let status = engine.client().status("f-1").await.unwrap();
        assert_eq!((status.generation, status.version, status.incidents.len()), (2, 2, 0));
        assert_eq!(world.calls(), ["note f", "reserve f"], "what was done before stays done");
    }

    async fn versions_live_side_by_side_and_runs_stay_on_theirs(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let both = || {
            let engine = plain(Arc::clone(&store), &world, &clock).register(one::steady);
            engine.register(two::steady).register(parent)
        };
        let engine = both().start().await.unwrap();
        let (old, new) = (one::steady("o".into()), two::steady("n".into()));
        engine.start(old).id("old").await.unwrap();
        engine.start(new).id("new").await.unwrap();
        let client = engine.client();
        for run_id in ["old", "new"] {
            until(&client, run_id, "it sleeps", |status| !status.timers.is_empty()).await;
        }
        drop(engine);
        clock.advance(Duration::from_secs(3_600));
        let engine = both().start().await.unwrap();
        let client = engine.client();
        assert_eq!(client.result::<u64>("old").await.unwrap(), 1);
        assert_eq!(client.result::<u64>("new").await.unwrap(), 2);
        assert_eq!(client.status("old").await.unwrap().version, 1);
        let again = engine.start(two::steady("other".into())).id("old").await.unwrap();
        assert_eq!(again.result().await.unwrap(), 1, "a start by id finds the run, whatever its version");
        let run = engine.start(parent("p".into())).id("p").await.unwrap();
        until(&client, "p/steady", "the child sleeps", |status| !status.timers.is_empty()).await;
        assert_eq!(client.status("p/steady").await.unwrap().version, 1, "the child goes where the call says");
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(run.result().await.unwrap(), 1);
    }

    async fn the_deadline_of_a_run_shows_survives_a_restart_and_cancels_it(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = family(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(hurried("h".into())).id("h-1").await.unwrap();
        let due_ms = clock.now_ms() + 3_600_000;
        let status = until(&engine.client(), "h-1", "it sleeps", |status| status.timers.len() == 2).await;
        let deadline = status.timers.iter().find(|(op, _)| op.as_str() == "*deadline");
        assert_eq!(deadline.map(|(_, due_ms)| *due_ms), Some(due_ms));
        drop(engine);
        clock.advance(Duration::from_secs(3_600));
        let engine = family(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let error = engine.client().result::<u64>("h-1").await.unwrap_err();
        assert!(error.is_cancelled() && error.to_string().contains("deadline"), "{error}");
        assert_eq!(world.calls(), ["reserve h", "release h"]);
    }

    async fn who_starts_and_waits_gets_the_result_or_a_handle(store, world, clock) {
        let engine = family(store, &world, &clock).register(patient).register(leg).start().await.unwrap();
        let long = Duration::from_secs(3_600);
        let waited = engine.start_and_wait(leg("l".into()), long).id("l-1").await.unwrap();
        assert!(matches!(waited, Waited::Ready(Ok(1))), "{waited:?}");
        world.script("note", [Behaviour::Fail(ShopError::Declined)]);
        let waited = engine.start_and_wait(leg("l".into()), long).await.unwrap();
        assert!(matches!(waited, Waited::Ready(Err(ShopError::Declined))), "{waited:?}");
        let waited = engine.start_and_wait(patient("p".into()), Duration::from_millis(20)).id("p-1").await.unwrap();
        let Waited::Running(run) = waited else { panic!("{waited:?}") };
        assert_eq!(run.id(), "p-1");
        engine.client().deliver(Paid { order: "p".into(), amount: 4 }).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 4);
        let waited = engine.start_and_wait(patient("p".into()), long).id("p-1").await.unwrap();
        assert!(matches!(waited, Waited::Ready(4)), "it has ended already: {waited:?}");
        engine.start(patient("q".into())).id("q-1").await.unwrap();
        engine.client().cancel("q-1", "enough").await.unwrap();
        let cancelled = engine.start_and_wait(patient("q".into()), long).id("q-1").await.unwrap_err();
        assert!(matches!(cancelled, RunError::Cancelled { .. }), "{cancelled}");
        let bad = engine.start_and_wait(patient("q".into()), long).id("x".repeat(10_000)).await.unwrap_err();
        assert!(matches!(&bad, RunError::Unavailable(error) if error.is_bad_input()), "{bad}");
    }

    async fn what_is_too_large_to_tell_or_to_go_on_with_is_an_incident(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let small = plain(Arc::clone(&store), &world, &clock).register(boast).register(swell).payload_limit(100);
        let engine = small.start().await.unwrap();
        let client = engine.client();
        for (run_id, what) in [("boast", "`the progress`"), ("swell", "`the arguments of continue_as_new`")] {
            let text = "x".repeat(60);
            if run_id == "boast" {
                engine.start(boast(text)).id(run_id).await.unwrap();
            } else {
                engine.start(swell(text)).id(run_id).await.unwrap();
            }
            let status = until(&client, run_id, "an incident", |status| !status.incidents.is_empty()).await;
            let cause = &status.incidents[0].cause;
            assert!(cause.contains(what) && cause.contains("`.payload_limit(..)`"), "{cause}");
            assert_eq!((status.generation, status.progress), (1, None), "nothing is half written");
        }
        drop(engine);
        let engine = plain(Arc::clone(&store), &world, &clock).register(boast).register(swell).start().await.unwrap();
        assert_eq!(engine.client().result::<u64>("boast").await.unwrap(), 1);
        assert_eq!(engine.client().result::<u64>("swell").await.unwrap(), 120);
        assert_eq!(world.count("note"), 2, "no step ran twice");
    }

    async fn a_message_for_a_wait_of_the_journal_before_does_not_reach_the_one_after(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        let engine = plain(Arc::clone(&store), &world, &clock).register(watch).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(watch("w".into())).id("w-1").await.unwrap();
        until(&client, "w-1", "it waits", |status| !status.waits.is_empty()).await;
        let gate = store.hold_writes();
        // The message is kept and offered to the wait; before the run hears of it, the minute is over.
        let delivering = tokio::spawn({
            let client = client.clone();
            async move { client.deliver(Paid { order: "w".into(), amount: 1 }).message_id("m-1").await }
        });
        let kept = MessageFilter { message_id: Some("m-1".into()), ..MessageFilter::default() };
        eventually("it is kept", async || (client.messages(&kept).await.unwrap().len() == 1).then_some(())).await;
        clock.advance(Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
        gate.add_permits(10);
        delivering.await.unwrap().unwrap();
        until(&client, "w-1", "it has begun anew", |status| status.generation == 2).await;
        client.deliver(Paid { order: "w+".into(), amount: 2 }).message_id("m-2").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 2, "the other key is the other order");
        let left = client.messages(&kept).await.unwrap();
        assert_eq!(left[0].state, MessageState::Waiting);
    }

    async fn a_cancel_reaches_a_run_whichever_journal_it_is_at(store, world, clock) {
        let engine = plain(store, &world, &clock).register(endless).start().await.unwrap();
        let client = engine.client();
        for round in 0..10 {
            let run = engine.start(endless(0)).id(format!("e-{round}")).await.unwrap();
            until(&client, run.id(), "it is at it", |status| status.generation > round).await;
            client.cancel(run.id(), "enough").await.unwrap();
            assert!(run.result().await.unwrap_err().is_cancelled());
        }
    }
}

#[tokio::test]
async fn an_id_that_the_call_itself_carries_counts() {
    let world = World::new();
    let engine = plain(Memory::new(), &world, &Clock::manual(0)).register(leg).start().await.unwrap();
    let run = engine.start(leg("l".into()).id("l-1")).await.unwrap();
    assert_eq!(run.id(), "l-1");
}

fn plain(store: impl Store, world: &World, clock: &Clock) -> EngineBuilder {
    Engine::builder().store(store).clock(clock.clone()).resource(world.clone())
}

/// Collects the keys under which its step is called.
#[workflow]
async fn keys(round: u64, mut known: Vec<String>) -> Result<Vec<String>, ShopError> {
    known.push(charge("k").await?);
    if round == 3 {
        return Ok(known);
    }
    return continue_as_new(keys(round + 1, known)).await;
}

#[workflow]
async fn endless(round: u64) -> u64 {
    sleep(std::time::Duration::ZERO).await;
    return continue_as_new(endless(round + 1)).await;
}

/// Waits for one order for a minute, then for the next.
#[workflow]
async fn watch(key: String) -> u64 {
    let paid = receive::<Paid>(&key).within(minutes(1)).await;
    if let Ok(paid) = paid {
        return paid.amount;
    }
    return continue_as_new(watch(format!("{key}+"))).await;
}

#[workflow]
async fn boast(text: String) -> Result<u64, ShopError> {
    let noted = note("boast").await?;
    progress(&text.repeat(2)).await;
    Ok(noted)
}

#[workflow]
async fn swell(text: String) -> Result<u64, ShopError> {
    if text.len() > 100 {
        return Ok(text.len() as u64);
    }
    note("swell").await?;
    return continue_as_new(swell(text.repeat(2))).await;
}

#[workflow]
async fn parent(name: String) -> Result<u64, ShopError> {
    one::steady(name).await
}

/// Continues as the version after it.
mod first {
    use super::*;

    #[workflow]
    pub async fn flow(name: String) -> Result<u64, ShopError> {
        note(&name).await?;
        return continue_as_new(second::flow(name)).await;
    }
}

mod second {
    use super::*;

    #[workflow(version = 2)]
    pub async fn flow(name: String) -> Result<u64, ShopError> {
        reserve(&name).await?;
        Ok(2)
    }
}

mod one {
    use super::*;

    #[workflow]
    pub async fn steady(name: String) -> Result<u64, ShopError> {
        sleep(hours(1)).await;
        note(&name).await
    }
}

mod two {
    use super::*;

    #[workflow(version = 2)]
    pub async fn steady(name: String) -> Result<u64, ShopError> {
        sleep(hours(1)).await;
        let noted = note(&name).await?;
        Ok(noted + 1)
    }
}
