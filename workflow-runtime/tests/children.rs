//! Children: what they return, how they are undone with their parents, and what becomes of those that cannot start.
//! It must not know how parents and children hear of each other.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_core::{Event, Record};
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Client, IncidentPlace, Memory, RunError, RunFilter};
use world::family::*;
use world::faulty::{Crash, Faulty};
use world::*;

on_every_lone_store! {
    async fn a_parent_gets_what_its_children_return(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(trip("t".into())).id("trip-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 2);
        assert_eq!(world.calls(), ["reserve t-1", "note t-1", "reserve t-2", "note t-2"]);
        assert_eq!(children_of(&client, "trip-1").await, ["trip-1/leg", "trip-1/leg_2"]);
        let child = client.status("trip-1/leg_2").await.unwrap();
        let parent = child.parent.unwrap();
        assert_eq!((parent.run_id.as_str(), parent.op.as_str(), parent.generation), ("trip-1", "leg_2", 1));
        assert_eq!(client.result::<u64>("trip-1/leg").await.unwrap(), 1);
    }

    async fn a_child_that_fails_has_undone_itself_before_its_parent_hears_of_it(store, world, clock) {
        world.script("note", [Behaviour::Fail(ShopError::Declined)]);
        let engine = family(store, &world, &clock).start().await.unwrap();
        let run = engine.start(trip("t".into())).id("trip-1").await.unwrap();
        assert_eq!(run.result().await.unwrap_err().into_failed(), Some(ShopError::Declined));
        assert_eq!(world.calls(), ["reserve t-1", "note t-1", "release t-1"]);
    }

    async fn a_parent_that_is_cancelled_waits_until_its_child_is_undone(store, world, clock) {
        world.script("release", [Behaviour::Wait]);
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(supervise("s".into())).id("s-1").await.unwrap();
        until(&client, "s-1/collect", "the child waits", |status| !status.waits.is_empty()).await;
        client.cancel("s-1", "enough").await.unwrap();
        eventually("the child is undone", async || (world.count("release") == 1).then_some(())).await;
        assert_eq!(world.calls(), ["reserve s", "reserve s-c", "release s-c"]);
        assert!(!client.status("s-1").await.unwrap().has_ended());
        world.open_gate(1);
        let error = run.result().await.unwrap_err();
        assert!(matches!(&error, RunError::Cancelled { reason } if reason == "enough"), "{error}");
        assert_eq!(world.calls().last().unwrap(), "release s", "the parent's own step, after the child's");
        let child = client.result::<u64>("s-1/collect").await.unwrap_err();
        assert!(child.to_string().contains("its parent `s-1` no longer waits for it"), "{child}");
    }

    async fn a_detached_child_goes_on_by_itself(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(hire("h".into())).id("h-1").await.unwrap();
        let hired = run.result().await.unwrap();
        assert_eq!(hired, "h-1/patient");
        assert!(!client.status(&hired).await.unwrap().has_ended());
        client.deliver(Paid { order: "h".into(), amount: 9 }).await.unwrap();
        assert_eq!(client.result::<u64>(&hired).await.unwrap(), 9);
    }

    async fn an_id_that_is_taken_is_an_incident_until_somebody_says_what_to_do(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        engine.start(leg("other".into())).id("taken").await.unwrap().result().await.unwrap();
        let run = engine.start(named("n".into(), "taken".into())).id("n-1").await.unwrap();
        let cause = incident(&client, "n-1").await;
        assert!(cause.contains("`taken` belongs to another run") && cause.contains("`.id(..)`"), "{cause}");
        assert_eq!(client.retry("n-1").await.unwrap(), 1, "tried again, in vain");
        incident(&client, "n-1").await;
        client.skip("n-1", "leg", &7_u64).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 7);

        let run = engine.start(named("n".into(), "taken".into())).id("n-2").await.unwrap();
        incident(&client, "n-2").await;
        client.fail("n-2", "leg", "no such luck").await.unwrap();
        let error = run.result().await.unwrap_err();
        assert!(error.is_cancelled() && error.to_string().contains("no such luck"), "{error}");
        assert_eq!(world.calls().last().unwrap(), "release n");
    }

    async fn two_calls_with_one_id_are_two_children_and_the_second_is_refused(store, world, clock) {
        let engine = family(store, &world, &clock).register(twins).start().await.unwrap();
        engine.start(twins("t".into())).id("t-1").await.unwrap();
        let cause = incident(&engine.client(), "t-1").await;
        assert!(cause.contains("`t-1-twin` belongs to another run"), "{cause}");
        assert_eq!(world.count("reserve"), 1);
    }

    async fn ids_and_inputs_that_are_not_taken_are_incidents_and_nothing_is_half_written(store, world, clock) {
        let engine = family(store, &world, &clock).register(swelling).payload_limit(10_100).start().await.unwrap();
        let client = engine.client();
        let long = "x".repeat(10_000);
        let cases = [
            ("line\nbreak", "control character"),
            ("", "its id is empty"),
            (long.as_str(), "its id has 10000 bytes"),
        ];
        for (number, (id, expected)) in cases.into_iter().enumerate() {
            let run = engine.start(named("n".into(), id.into())).id(format!("n-{number}")).await.unwrap();
            let cause = incident(&client, run.id()).await;
            assert!(cause.contains(expected) && cause.len() < 1_000, "{cause}");
        }
        let run = engine.start(swelling("x".repeat(6_000))).id("n-3").await.unwrap();
        let cause = incident(&client, run.id()).await;
        assert!(cause.contains("its input has 12004 bytes, more than the 10100"), "{cause}");
        let all = client.runs(&RunFilter::default()).await.unwrap();
        assert_eq!(all.len(), 4, "no child was written: {all:?}");
    }

    async fn a_child_that_somebody_cancelled_is_an_incident(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(supervise("s".into())).id("s-1").await.unwrap();
        until(&client, "s-1/collect", "the child waits", |status| !status.waits.is_empty()).await;
        client.cancel("s-1/collect", "by mistake").await.unwrap();
        let cause = incident(&client, "s-1").await;
        assert!(cause.contains("`s-1/collect` was cancelled: by mistake"), "{cause}");
        assert_eq!(client.retry("s-1").await.unwrap(), 1, "it has ended for good");
        incident(&client, "s-1").await;
        let misfit = client.skip("s-1", "collect", "text").await.unwrap_err();
        assert!(misfit.is_bad_input() && misfit.to_string().contains("nothing was changed"), "{misfit}");
        client.skip("s-1", "collect", &5_u64).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 5);
    }

    async fn a_workflow_may_be_its_own_child(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        let run = engine.start(nested(12)).id("nest").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 12);
        let all = engine.client().runs(&RunFilter::default()).await.unwrap();
        assert_eq!(all.len(), 13);
        assert!(all.iter().all(|run| run.run_id.len() <= 255));
    }

    async fn many_children_go_side_by_side_and_share_their_writes(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        let engine = family(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = engine.start(fleet(500)).id("f-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 500);
        assert_eq!((world.count("reserve"), world.count("note")), (500, 500));
        // Each of 500 children has three turns of its own, and its parent hears of each.
        assert!(store.writes() < 500, "{} writes", store.writes());
        let client = engine.client();
        let ids = client.status("f-1/leg[499]").await.unwrap();
        assert_eq!(ids.parent.unwrap().op.as_str(), "leg[499]");
    }

    async fn many_children_of_a_cancelled_parent_are_all_undone(store, world, clock) {
        world.always("note", Behaviour::Wait);
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = family(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(fleet(50)).id("f-1").await.unwrap();
        eventually("all are at it", async || (world.count("note") == 50).then_some(())).await;
        drop(engine);
        let engine = family(store, &world, &clock).start().await.unwrap();
        engine.client().cancel("f-1", "enough").await.unwrap();
        for child in children_of(&engine.client(), "f-1").await {
            eventually("it has heard of the cancel", async || {
                let journal = engine.client().journal(&child).await.unwrap();
                let hears = |record: &Record| matches!(record.event, Event::CancelRequested { .. });
                journal.iter().any(hears).then_some(())
            }).await;
        }
        world.open_gate(200);
        let error = engine.client().result::<u64>("f-1").await.unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        assert_eq!(world.count("release"), 50);
    }

    async fn a_child_that_loses_a_race_is_undone_before_its_parent_ends(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(race("r".into())).id("r-1").await.unwrap();
        until(&client, "r-1/collect", "the child waits", |status| !status.waits.is_empty()).await;
        clock.advance(Duration::from_secs(30));
        assert_eq!(run.result().await.unwrap(), 0);
        assert_eq!(world.calls(), ["reserve r", "release r"]);
        assert!(client.result::<u64>("r-1/collect").await.unwrap_err().is_cancelled());
    }

    async fn a_child_whose_version_is_gone_is_an_incident_until_it_is_back(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let plain = |store| {
            Engine::builder().store(store).clock(clock.clone()).resource(world.clone())
        };
        let dies = Faulty::new(Arc::clone(&store), Crash::After(0));
        let engine = plain(Arc::clone(&dies) as Arc<dyn Store>).register(old::caller).start().await.unwrap();
        let starting = engine.start(old::caller(7)).id("c").into_future();
        let _ = tokio::time::timeout(Duration::from_millis(50), starting).await;
        drop(engine);
        let engine = plain(Arc::clone(&store)).register(new::caller).start().await.unwrap();
        let cause = incident(&engine.client(), "c").await;
        assert!(cause.contains("version 1 of the workflow `callee` is not registered; registered is 2"), "{cause}");
        drop(engine);
        let engine = plain(store).register(new::caller).register(old::callee).start().await.unwrap();
        assert_eq!(engine.client().retry("c").await.unwrap(), 1);
        assert_eq!(engine.client().result::<u64>("c").await.unwrap(), 8, "the version that the journal names");
    }

    async fn what_a_child_came_to_is_recorded_once(store, world, clock) {
        let engine = family(store, &world, &clock).start().await.unwrap();
        engine.start(trip("t".into())).id("trip-1").await.unwrap().result().await.unwrap();
        let journal = engine.client().journal("trip-1").await.unwrap();
        let ended = journal.iter().filter(|record| matches!(record.event, Event::ChildEnded { .. }));
        assert_eq!((journal.len(), ended.count()), (3, 2));
    }
}

#[tokio::test]
async fn children_come_along_by_themselves_and_two_of_one_name_are_refused() {
    let (world, clock) = (World::new(), workflow_runtime::Clock::manual(0));
    let error = Engine::builder().store(Memory::new()).register(trip).start().await.err().unwrap();
    assert!(error.is_setup(), "{error}");
    assert!(error.to_string().contains("the step `note` of the workflow `leg` needs a resource"), "{error}");
    let error = family(Memory::new(), &world, &clock).register(impostor::leg).start().await.err().unwrap();
    assert!(error.to_string().contains("there are two workflows `leg`, version 1"), "{error}");
    family(Memory::new(), &world, &clock).register(leg).start().await.unwrap();
}

/// A parent whose own input is within the limit, and its child's is not.
#[workflow]
async fn swelling(name: String) -> Result<u64, ShopError> {
    leg(name.repeat(2)).await
}

#[workflow]
async fn twins(name: String) -> Result<u64, ShopError> {
    let first = leg(name.clone()).id(format!("{name}-1-twin")).await?;
    let second = leg(name.clone()).id(format!("{name}-1-twin")).await?;
    Ok(first + second)
}

mod old {
    use super::*;

    #[workflow]
    pub async fn callee(number: u64) -> u64 {
        number + 1
    }

    #[workflow]
    pub async fn caller(number: u64) -> u64 {
        callee(number).await
    }
}

mod new {
    use super::*;

    #[workflow(version = 2)]
    pub async fn callee(number: u64) -> u64 {
        number + 2
    }

    #[workflow]
    pub async fn caller(number: u64) -> u64 {
        callee(number).await
    }
}

mod impostor {
    use super::*;

    #[workflow]
    pub async fn leg(name: String) -> Result<u64, ShopError> {
        note(&name).await
    }
}

async fn children_of(client: &Client, parent: &str) -> Vec<String> {
    let filter = RunFilter { parent: Some(parent.into()), ..RunFilter::default() };
    client.runs(&filter).await.unwrap().iter().map(|run| run.run_id.to_string()).collect()
}

/// Waits for an incident at an operation, and gives its cause.
async fn incident(client: &Client, run_id: &str) -> String {
    let status = until(client, run_id, "an incident", |status| !status.incidents.is_empty()).await;
    assert!(matches!(status.incidents[0].place, IncidentPlace::Operation(_)), "{status:?}");
    status.incidents[0].cause.clone()
}
