//! Messages: early, late, twice, expired, and racing with a deadline; each reaches a run exactly once.
//! It must not know how a message finds its run.

mod world;

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{Client, Delivery, Memory, RunError};
use world::*;

on_every_store! {
    async fn a_message_wakes_the_run_that_waits_for_it(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let run = engine.start(patient("o-1".into())).id("order-1").await.unwrap();
        let other = engine.start(patient("o-2".into())).id("order-2").await.unwrap();
        let client = engine.client();
        until(&client, "order-1", "it waits", |status| !status.waits.is_empty()).await;
        assert_eq!(client.deliver(paid("o-1", 7)).await.unwrap(), Delivery::Awaited);
        assert_eq!(run.result().await.unwrap(), 7);
        assert!(!client.status(other.id()).await.unwrap().has_ended());
    }

    async fn early_messages_are_kept_and_come_in_order(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        assert_eq!(client.deliver(paid("o-1", 1)).await.unwrap(), Delivery::Buffered);
        assert_eq!(client.deliver(paid("o-1", 2)).await.unwrap(), Delivery::Buffered);
        let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 102);
    }

    async fn a_duplicate_is_dropped_also_after_the_first_was_taken(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
        client.deliver(paid("o-1", 1)).message_id("m-1").await.unwrap();
        waiting_for(&client, "order-1", "paid_2").await;
        let again = client.deliver(paid("o-1", 9)).message_id("m-1").await.unwrap();
        assert_eq!(again, Delivery::Duplicate);
        client.deliver(paid("o-1", 2)).message_id("m-2").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 102);
    }

    async fn an_expired_message_is_not_delivered(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        client.deliver(paid("o-1", 1)).time_to_live(Duration::from_secs(10)).await.unwrap();
        client.deliver(paid("o-1", 2)).time_to_live(Duration::from_secs(11)).await.unwrap();
        clock.advance(Duration::from_secs(10));
        let run = engine.start(patient("o-1".into())).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 2);
    }

    async fn after_the_deadline_a_message_stays_for_somebody_else(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
        until(&client, "order-1", "it waits", |status| !status.waits.is_empty()).await;
        clock.advance(Duration::from_secs(60));
        let error = run.result().await.unwrap_err();
        assert!(matches!(error, RunError::Failed(ShopError::TimedOut)), "{error}");
        assert_eq!(client.deliver(paid("o-1", 3)).await.unwrap(), Delivery::Buffered);
        let heir = engine.start(patient("o-1".into())).await.unwrap();
        assert_eq!(heir.result().await.unwrap(), 3);
    }

    async fn when_deadline_and_message_race_exactly_one_wins(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        for round in 0..20 {
            let (order, id) = (format!("o-{round}"), format!("order-{round}"));
            let run = engine.start(collect(order.clone())).id(&id).await.unwrap();
            until(&client, &id, "it waits", |status| !status.waits.is_empty()).await;
            let deliver = tokio::spawn({
                let (client, order) = (client.clone(), order.clone());
                async move { client.deliver(paid(&order, 5)).await.unwrap() }
            });
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(60));
            deliver.await.unwrap();
            let waits_for_more = |status: &workflow_runtime::RunStatus| {
                status.waits.keys().any(|op| op.as_str() == "paid_2") || status.has_ended()
            };
            let status = until(&client, &id, "one has won", waits_for_more).await;
            if status.has_ended() {
                let heir = engine.start(patient(order)).await.unwrap();
                assert_eq!(heir.result().await.unwrap(), 5, "the deadline won, so the message is still there");
            } else {
                client.deliver(paid(&order, 6)).await.unwrap();
                assert_eq!(run.result().await.unwrap(), 506);
            }
        }
    }

    async fn of_two_runs_that_wait_for_the_same_each_message_reaches_one(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let mut runs = Vec::new();
        for n in 0..4 {
            let id = format!("run-{n}");
            runs.push(engine.start(patient("o-1".into())).id(&id).await.unwrap());
            until(&client, &id, "it waits", |status| !status.waits.is_empty()).await;
        }
        let sends = (0..4).map(|n| client.deliver(paid("o-1", 1 << n)).into_future());
        for sent in sends.map(tokio::spawn).collect::<Vec<_>>() {
            sent.await.unwrap().unwrap();
        }
        let mut sum = 0;
        for run in &runs {
            sum += run.result().await.unwrap();
        }
        assert_eq!(sum, 0b1111, "each message was received exactly once");
    }

    async fn messages_and_waits_that_meet_are_never_missed(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        for round in 0..50_u64 {
            let order = format!("o-{round}");
            let send = client.deliver(paid(&order, round)).into_future();
            let start = engine.start(patient(order)).into_future();
            let (sent, run) = tokio::join!(tokio::spawn(send), tokio::spawn(start));
            sent.unwrap().unwrap();
            assert_eq!(run.unwrap().unwrap().result().await.unwrap(), round);
        }
    }

    async fn a_wait_that_no_message_could_end_is_an_incident(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        for key in ["", "line\nbreak", &"x".repeat(256)] {
            let error = engine.start(patient(key.to_owned())).await.unwrap_err();
            assert!(error.to_string().contains("the wait for `Paid` at `paid`"), "{error}");
        }
        let client = engine.client();
        engine.start(collect("tab\there".into())).id("c-1").await.unwrap();
        let stuck = until(&client, "c-1", "an incident", |status| !status.incidents.is_empty()).await;
        let cause = &stuck.incidents[0].cause;
        assert!(cause.contains("its key contains the control character"), "{cause}");
        assert!(stuck.waits.is_empty() && stuck.timers.is_empty(), "nothing is half written: {stuck:?}");
        assert_eq!(world.count("reserve"), 1);
    }

    async fn hostile_ids_keys_and_sizes_are_refused_with_a_reason(store, world, clock) {
        let engine = builder(store, &world, &clock).payload_limit(100).start().await.unwrap();
        let client = engine.client();
        for bad in ["", "a\0b", "line\nbreak", &"x".repeat(256)] {
            let start = engine.start(patient("o-1".into())).id(bad).await.unwrap_err();
            assert!(start.is_bad_input(), "{start}");
            let deliver = client.deliver(paid("o-1", 1)).message_id(bad).await.unwrap_err();
            assert!(deliver.is_bad_input(), "{deliver}");
            let deliver = client.deliver(paid(bad, 1)).await.unwrap_err();
            assert!(deliver.is_bad_input(), "{deliver}");
        }
        let large = engine.start(patient("x".repeat(98))).await.unwrap_err();
        assert!(large.is_too_large() && large.to_string().contains("102 bytes"), "{large}");
        let large = client.deliver(paid(&"x".repeat(90), 1)).await.unwrap_err();
        assert!(large.is_too_large(), "{large}");
        let quoted = "o'; DROP TABLE runs; -- \"💥\" [1] {} % _";
        let run = engine.start(patient(quoted.into())).id(quoted).await.unwrap();
        client.deliver(paid(quoted, 4)).message_id(quoted).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 4);
        assert_eq!(client.status(quoted).await.unwrap().run_id.as_ref(), quoted);
    }
}

fn paid(order: &str, amount: u64) -> Paid {
    Paid { order: order.to_owned(), amount }
}

async fn waiting_for(client: &Client, run_id: &str, op: &str) {
    until(client, run_id, "it waits", |status| status.waits.keys().any(|wait| wait.as_str() == op)).await;
}
