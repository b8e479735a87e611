//! Incidents, and what people can say about them: try again, go on with this value, give it up.
//! It must not know how a verdict reaches the run.

mod world;

use std::sync::Arc;

use workflow_core::Event;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Client, Memory};
use world::*;

on_every_lone_store! {
    async fn a_stuck_step_is_skipped_with_the_value_that_it_should_have_given(store, world, clock) {
        world.always("ship", Behaviour::Panic);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        stuck(&client, "order-1").await;
        let misfit = client.skip("order-1", "ship", "done").await.unwrap_err();
        assert!(misfit.is_bad_input() && misfit.to_string().contains("nothing was changed"), "{misfit}");
        let elsewhere = client.skip("order-1", "charge", "key").await.unwrap_err();
        assert!(elsewhere.is_not_stuck() && elsewhere.to_string().contains("stuck is `ship`"), "{elsewhere}");
        client.skip("order-1", "ship", &()).await.unwrap();
        let recorded = client.journal("order-1").await.unwrap();
        assert!(recorded.iter().any(|record| matches!(&record.event, Event::Skipped { .. })), "it is on the disk");
        assert_eq!(run.result().await.unwrap(), "order-1/charge");
        assert!(client.status("order-1").await.unwrap().incidents.is_empty());
        let late = client.skip("order-1", "ship", &()).await.unwrap_err();
        assert!(late.to_string().contains("has ended"), "{late}");
    }

    async fn what_was_skipped_counts_as_done_and_is_undone(store, world, clock) {
        world.always("charge", Behaviour::Panic);
        world.always("ship", Behaviour::Fail(ShopError::Declined));
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        until(&client, "order-1", "it waits for another attempt", |s| !s.timers.is_empty()).await;
        clock.advance(std::time::Duration::from_secs(60));
        stuck(&client, "order-1").await;
        client.skip("order-1", "charge", "by hand").await.unwrap();
        assert_eq!(run.result().await.unwrap_err().into_failed(), Some(ShopError::Declined));
        assert_eq!(world.calls()[3..], ["ship o-1", "refund o-1", "release o-1"]);
    }

    async fn a_stuck_step_is_given_up_and_the_run_is_undone(store, world, clock) {
        world.always("ship", Behaviour::Panic);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        stuck(&client, "order-1").await;
        client.fail("order-1", "ship", "the carrier is bankrupt").await.unwrap();
        let error = run.result().await.unwrap_err();
        assert!(error.is_cancelled() && error.to_string().contains("the carrier is bankrupt"), "{error}");
        assert_eq!(world.calls()[3..], ["refund o-1", "release o-1"]);
    }

    async fn a_stuck_compensation_is_skipped_or_given_up_and_the_rest_is_undone(store, world, clock) {
        world.always("ship", Behaviour::Fail(ShopError::Declined));
        world.always("release", Behaviour::Fail(ShopError::Declined));
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        for (run_id, gives_up) in [("order-1", false), ("order-2", true)] {
            let run = engine.start(fulfil(run_id.into())).id(run_id).await.unwrap();
            until(&client, run_id, "it waits for another attempt", |s| !s.timers.is_empty()).await;
            clock.advance(std::time::Duration::from_secs(1));
            stuck(&client, run_id).await;
            let value = client.skip(run_id, "reserve/undo", &7).await.unwrap_err();
            assert!(value.is_bad_input() && value.to_string().contains("`&()`"), "{value}");
            if gives_up {
                client.fail(run_id, "reserve/undo", "the warehouse burnt down").await.unwrap();
            } else {
                client.skip(run_id, "reserve/undo", &()).await.unwrap();
            }
            let error = run.result().await.unwrap_err();
            assert_eq!(error.into_failed(), Some(ShopError::Declined), "it ends as it was about to");
        }
        assert_eq!(world.count("refund"), 2);
    }

    async fn a_verdict_where_nothing_is_stuck_is_refused_in_plain_words(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = builder(Arc::clone(&store), &world, &clock).payload_limit(1_000).start().await.unwrap();
        let client = engine.client();
        engine.start(patient("o-1".into())).id("order-1").await.unwrap();
        let before = store.journal("order-1").await.unwrap();
        let nothing = client.skip("order-1", "paid", &1).await.unwrap_err();
        assert!(nothing.is_not_stuck() && nothing.to_string().contains("nor anywhere else"), "{nothing}");
        let nothing = client.fail("order-1", "", "x").await.unwrap_err();
        assert!(nothing.is_not_stuck(), "{nothing}");
        let nobody = client.skip("nobody", "paid", &1).await.unwrap_err();
        assert!(nobody.is_unknown_run(), "{nobody}");
        let large = client.skip("order-1", "paid", &"x".repeat(1_000)).await.unwrap_err();
        assert!(large.is_too_large(), "{large}");
        let large = client.fail("order-1", "paid", "x".repeat(1_000)).await.unwrap_err();
        assert!(large.is_too_large(), "{large}");
        assert_eq!(store.journal("order-1").await.unwrap(), before);
        engine.shutdown().await;
        assert!(client.skip("order-1", "paid", &1).await.unwrap_err().is_stopped());
    }

    async fn a_run_whose_code_is_broken_is_mended_and_not_ruled(store, world, clock) {
        let engine = builder(store, &world, &clock).register(clumsy).start().await.unwrap();
        let client = engine.client();
        engine.start(clumsy("o-1".into())).id("order-1").await.unwrap();
        stuck(&client, "order-1").await;
        let refused = client.skip("order-1", "note", &1).await.unwrap_err();
        assert!(refused.is_not_stuck() && refused.to_string().contains("mend the code"), "{refused}");
    }

    async fn a_verdict_is_repeated_after_a_restart(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        world.always("ship", Behaviour::Panic);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(ship_and_note("o-1".into())).id("order-1").await.unwrap();
        stuck(&engine.client(), "order-1").await;
        drop(engine);
        world.script("note", [Behaviour::Wait]);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let ruled = engine.client().skip("order-1", "ship", &()).await;
        ruled.unwrap();
        eventually("it goes on", async || (world.count("note") == 1).then_some(())).await;
        drop(engine);
        let engine = builder(store, &world, &clock).start().await.unwrap();
        assert_eq!(engine.client().result::<u64>("order-1").await.unwrap(), 1);
        assert_eq!(world.count("ship"), 1);
    }
}

#[workflow]
async fn clumsy(order: String) -> Result<u64, ShopError> {
    note(&order).await?;
    assert!(order.is_empty(), "the fuse is lit");
    note(&order).await
}

async fn stuck(client: &Client, run_id: &str) {
    until(client, run_id, "an incident", |status| !status.incidents.is_empty()).await;
}
