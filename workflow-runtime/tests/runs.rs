//! Runs from their start to their end, on both stores: results, retries, timers, idempotent starts.
//! It must not know how the engine gets there.

mod world;

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{IncidentPlace, Memory, RunError, RunFilter, RunState};
use world::*;

on_every_lone_store! {
    async fn a_run_gives_its_result(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), "order-1/charge");
        assert_eq!(world.calls(), ["reserve o-1", "charge o-1", "ship o-1"]);
        let status = engine.client().status("order-1").await.unwrap();
        assert!(matches!(status.state, RunState::Ended(_)));
        assert_eq!((status.workflow.as_str(), status.version, status.incidents.len()), ("fulfil", 1, 0));
        assert!(status.timers.is_empty() && status.waits.is_empty());
        engine.shutdown().await;
    }

    async fn five_steps_are_six_rows_of_the_journal(store, world, clock) {
        let store = faulty::Faulty::new(store, faulty::Crash::Never);
        let engine = builder(std::sync::Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = engine.start(five_notes("x".into())).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 5);
        assert_eq!(engine.client().journal(run.id()).await.unwrap().len(), 6);
        assert_eq!(store.writes(), 6, "five sequential steps cost six commits");
    }

    async fn a_failure_undoes_what_was_done_in_reverse_order(store, world, clock) {
        world.script("ship", [Behaviour::Fail(ShopError::Declined)]);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        let error = run.result().await.unwrap_err();
        assert!(matches!(&error, RunError::Failed(ShopError::Declined)), "{error}");
        let calls = ["reserve o-1", "charge o-1", "ship o-1", "refund o-1", "release o-1"];
        assert_eq!(world.calls(), calls);
        let untyped = engine.client().result::<String>("order-1").await.unwrap_err();
        assert_eq!(untyped.into_failed().unwrap().code, "Declined");
    }

    async fn a_transient_error_is_retried_when_it_is_due_and_not_before(store, world, clock) {
        world.script("reserve", [Behaviour::Fail(ShopError::Busy), Behaviour::Fail(ShopError::Busy)]);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        let client = engine.client();
        until(&client, "order-1", "the second attempt is due", |status| status.timers.len() == 1).await;
        clock.advance(Duration::from_millis(999));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(world.count("reserve"), 1, "not a millisecond early");
        clock.advance(Duration::from_millis(1));
        eventually("the second attempt", async || (world.count("reserve") == 2).then_some(())).await;
        until(&client, "order-1", "the third attempt is due", |status| {
            status.timers.values().any(|due_ms| *due_ms == 1_003_000)
        }).await;
        clock.advance(Duration::from_secs(2));
        run.result().await.unwrap();
        assert_eq!(world.count("reserve"), 3);
    }

    async fn a_timer_fires_once_and_never_early(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(slow("o-1".into())).id("order-1").await.unwrap();
        until(&engine.client(), "order-1", "it sleeps", |status| status.timers.len() == 1).await;
        clock.advance(Duration::from_millis(3_599_999));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(world.count("note"), 1);
        clock.advance(Duration::from_millis(1));
        assert_eq!(run.result().await.unwrap(), 2);
        assert_eq!(engine.client().journal("order-1").await.unwrap().len(), 4);
    }

    async fn a_start_is_idempotent_by_its_id(store, world, clock) {
        world.script("reserve", [Behaviour::Wait]);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let first = engine.start(fulfil("o-1".into())).id("order-1");
        let second = engine.start(fulfil("o-1".into())).id("order-1");
        let (first, second) = tokio::join!(first.into_future(), second.into_future());
        world.open_gate(1);
        assert_eq!(first.unwrap().result().await.unwrap(), "order-1/charge");
        assert_eq!(second.unwrap().result().await.unwrap(), "order-1/charge");
        let third = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        assert_eq!(third.result().await.unwrap(), "order-1/charge");
        assert_eq!(world.count("reserve"), 1);
        let other = engine.start(fulfil("o-2".into())).id("order-1").await.unwrap_err();
        assert!(other.is_taken(), "{other}");
        let other = engine.start(slow("o-1".into())).id("order-1").await.unwrap_err();
        assert!(other.is_taken() && other.to_string().contains("`fulfil`, not of `slow`"), "{other}");
    }

    async fn a_cancel_undoes_what_was_done_in_reverse_order(store, world, clock) {
        world.script("charge", [Behaviour::Succeed]);
        world.script("ship", [Behaviour::Fail(ShopError::Busy)]);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
        let client = engine.client();
        until(&client, "order-1", "it waits", |status| !status.waits.is_empty()).await;
        client.cancel("order-1", "the customer changed her mind").await.unwrap();
        let error = run.result().await.unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        assert_eq!(world.calls(), ["reserve o-1", "release o-1"]);
        let status = client.status("order-1").await.unwrap();
        assert!(status.waits.is_empty() && status.timers.is_empty() && status.cancel_reason.is_none());
        let again = client.cancel("order-1", "again").await.unwrap();
        assert_eq!(again, workflow_runtime::Cancel::AlreadyEnded);
        assert!(client.cancel("nobody", "x").await.unwrap_err().is_unknown_run());
    }

    async fn exhausted_attempts_are_an_incident_that_a_retry_settles(store, world, clock) {
        world.script("charge", [Behaviour::Panic, Behaviour::Hang]);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        let client = engine.client();
        until(&client, "order-1", "the second attempt is due", |status| !status.timers.is_empty()).await;
        assert!(client.retry("order-1").await.unwrap_err().is_nothing_to_retry());
        clock.advance(Duration::from_secs(1));
        let status = until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        let [incident] = &status.incidents[..] else { panic!("{status:?}") };
        assert_eq!(incident.place, IncidentPlace::Operation(workflow_runtime::OpId::from_text("charge")));
        assert!(incident.cause.contains("took longer than 200 ms"), "{incident:?}");
        let stuck = RunFilter { only_incidents: true, ..RunFilter::default() };
        assert_eq!(client.runs(&stuck).await.unwrap().len(), 1);
        assert_eq!(client.retry("order-1").await.unwrap(), 1);
        assert_eq!(run.result().await.unwrap(), "order-1/charge");
        assert!(client.runs(&stuck).await.unwrap().is_empty());
        assert!(client.retry("order-1").await.unwrap_err().is_nothing_to_retry());
    }

    async fn after_the_point_of_no_return_a_cancel_is_an_incident_and_the_run_goes_on(store, world, clock) {
        world.script("note", [Behaviour::Wait]);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(ship_and_note("o-1".into())).id("order-1").await.unwrap();
        eventually("it has shipped", async || (world.count("note") == 1).then_some(())).await;
        let client = engine.client();
        client.cancel("order-1", "too late").await.unwrap();
        let status = until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        assert_eq!(status.incidents[0].place, IncidentPlace::Run);
        assert!(status.incidents[0].cause.contains("`ship`") && status.cancel_reason.is_none(), "{status:?}");
        world.open_gate(1);
        assert_eq!(run.result().await.unwrap(), 1);
        assert_eq!(world.calls(), ["reserve o-1", "ship o-1", "note o-1"]);
    }

    async fn runs_that_are_ready_together_share_a_transaction(store, world, clock) {
        let store = faulty::Faulty::new(store, faulty::Crash::Never);
        let engine = builder(std::sync::Arc::clone(&store), &world, &clock).start().await.unwrap();
        let starts = (0..100).map(|_| tokio::spawn(engine.start(five_notes("x".into())).into_future()));
        for start in starts.collect::<Vec<_>>() {
            assert_eq!(start.await.unwrap().unwrap().result().await.unwrap(), 5);
        }
        assert_eq!(world.calls().len(), 500);
        assert!(store.writes() < 200, "600 turns took {} transactions", store.writes());
    }
}
