//! What comes in, whole: workflows that begin with messages, events, parked messages, and what is forgotten.
//! It must not know how a message is kept.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{
    Client, Delivery, Memory, MessageFilter, MessageState, MessageStatus, ParkReason, RunFilter, RunStatus,
};
use world::faulty::{Crash, Faulty};
use world::*;

on_every_lone_store! {
    async fn every_message_starts_one_run_of_every_workflow_on_it(store, world, clock) {
        let engine = builder(store, &world, &clock).register(audit).start().await.unwrap();
        let client = engine.client();
        assert_eq!(client.deliver(placed("o-1", 1)).message_id("p-1").await.unwrap(), Delivery::Started);
        assert_eq!(client.deliver(placed("o-1", 1)).message_id("p-1").await.unwrap(), Delivery::Duplicate);
        assert_eq!(client.deliver(placed("o-1", 2)).message_id("p-2").await.unwrap(), Delivery::Started);
        assert_eq!(client.result::<u64>("audit:p-1").await.unwrap(), 1);
        assert_eq!(client.result::<u64>("audit:p-2").await.unwrap(), 2);
        client.deliver(paid("o-1", 7)).await.unwrap();
        client.deliver(paid("o-1", 8)).await.unwrap();
        let run = client.run(open_order, "open_order:p-1").await.unwrap();
        let sum = run.result().await.unwrap() + client.result::<u64>("open_order:p-2").await.unwrap();
        assert_eq!(sum, 100 + 200 + 7 + 8);
        assert_eq!(world.count("reserve"), 2);
        let taken = only(&client, "p-1").await;
        let MessageState::Taken { by } = taken.state else { panic!("{taken:?}") };
        let by: Vec<_> = by.iter().map(|taker| (taker.run_id.as_ref(), &taker.op)).collect();
        assert_eq!(by, [("audit:p-1", &None), ("open_order:p-1", &None)]);
    }

    async fn a_full_disk_is_waited_for_and_a_message_starts_one_run_all_the_same(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        let engine = builder(Arc::clone(&store), &world, &clock).register(audit).start().await.unwrap();
        let client = engine.client();
        for round in 0..5_i64 {
            store.fail_next(round);
            let id = format!("p-{round}");
            let delivery = client.deliver(placed("o-1", 3)).message_id(&id).await.unwrap();
            assert_eq!(delivery, Delivery::Started, "{round}");
            assert_eq!(client.result::<u64>(&format!("audit:{id}")).await.unwrap(), 3);
        }
        assert_eq!((world.count("note"), store.failures_left()), (5, 0), "no step ran twice");
    }

    async fn only_the_highest_version_starts(store, world, clock) {
        let engine = builder(store, &world, &clock).register(audit).register(second::audit).start().await.unwrap();
        let client = engine.client();
        client.deliver(placed("o-1", 5)).message_id("p-1").await.unwrap();
        assert_eq!(client.result::<u64>("audit:p-1").await.unwrap(), 1_005);
        assert_eq!(client.status("audit:p-1").await.unwrap().version, 2);
    }

    async fn a_long_message_id_still_gives_one_run(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let id = "x".repeat(255);
        assert_eq!(client.deliver(placed("o-1", 5)).message_id(&id).await.unwrap(), Delivery::Started);
        assert_eq!(client.deliver(placed("o-1", 5)).message_id(&id).await.unwrap(), Delivery::Duplicate);
        assert_eq!(engine.live_runs(), 1);
    }

    async fn who_loses_patience_does_not_lose_the_run_that_began(store, world, clock) {
        let engine = builder(store, &world, &clock).register(audit).start().await.unwrap();
        let client = engine.client();
        let impatient = client.deliver(placed("o-1", 5)).message_id("p-1").into_future();
        let _ = tokio::time::timeout(Duration::ZERO, impatient).await;
        client.deliver(placed("o-1", 5)).message_id("p-1").await.unwrap();
        assert_eq!(client.result::<u64>("audit:p-1").await.unwrap(), 5);
    }

    async fn a_delivered_message_that_starts_reaches_no_waiting_run_but_a_published_one_does(store, world, clock) {
        let engine = builder(store, &world, &clock).register(watch).start().await.unwrap();
        let client = engine.client();
        for id in ["watch-1", "watch-2"] {
            engine.start(watch("o-1".into())).id(id).await.unwrap();
            until(&client, id, "it waits", |status| !status.waits.is_empty()).await;
        }
        assert_eq!(client.deliver(placed("o-1", 1)).message_id("p-1").await.unwrap(), Delivery::Started);
        assert!(client.status("open_order:p-1").await.is_ok());
        assert_eq!(client.publish(placed("o-1", 2)).message_id("p-2").await.unwrap(), Delivery::Started);
        assert!(client.status("open_order:p-2").await.is_ok());
        assert_eq!(client.result::<u64>("watch-1").await.unwrap(), 2);
        assert_eq!(client.result::<u64>("watch-2").await.unwrap(), 2);
    }

    async fn an_event_reaches_each_run_once_and_those_who_come_later_in_time(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let twice = engine.start(collect("o-1".into())).id("twice").await.unwrap();
        until(&client, "twice", "it waits", |status| !status.waits.is_empty()).await;
        let minute = Duration::from_secs(60);
        let published = client.publish(paid("o-1", 1)).message_id("e-1").time_to_live(minute).await.unwrap();
        assert_eq!(published, Delivery::Awaited);
        assert_eq!(client.publish(paid("o-1", 9)).message_id("e-1").await.unwrap(), Delivery::Duplicate);
        let waits_again = |status: &RunStatus| status.waits.keys().any(|op| op.as_str() == "paid_2");
        until(&client, "twice", "it waits again", waits_again).await;
        clock.advance(minute - Duration::from_millis(1));
        let late = engine.start(patient("o-1".into())).await.unwrap();
        assert_eq!(late.result().await.unwrap(), 1);
        clock.advance(Duration::from_millis(1));
        engine.start(patient("o-1".into())).id("too-late").await.unwrap();
        client.publish(paid("o-1", 2)).message_id("e-2").await.unwrap();
        assert_eq!(twice.result().await.unwrap(), 102, "the first event did not come a second time");
        assert_eq!(client.result::<u64>("too-late").await.unwrap(), 2);
        assert_eq!(client.publish(unheard()).await.unwrap(), Delivery::Buffered, "nobody need know an event");
    }

    async fn an_event_reaches_a_thousand_waiting_runs_once_each(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let mut runs = Vec::new();
        for number in 0..1_000 {
            runs.push(engine.start(patient("all".into())).id(format!("p-{number}")).await.unwrap());
        }
        let published = client.publish(paid("all", 5)).message_id("e-1").await.unwrap();
        assert_eq!(published, Delivery::Awaited);
        for run in &runs {
            assert_eq!(run.result().await.unwrap(), 5);
        }
        assert_eq!(client.publish(paid("all", 5)).message_id("e-1").await.unwrap(), Delivery::Duplicate);
        let MessageState::Taken { by } = only(&client, "e-1").await.state else { panic!("it was taken") };
        assert_eq!(by.len(), 1_000);
    }

    async fn an_event_that_started_a_run_is_redelivered_to_the_one_that_could_not_read_it(store, world, clock) {
        let engine = builder(store, &world, &clock).register(strict::inspect).start().await.unwrap();
        let client = engine.client();
        engine.start(strict::inspect("o-1".into())).id("strict").await.unwrap();
        until(&client, "strict", "it waits", |status| !status.waits.is_empty()).await;
        assert_eq!(client.publish(placed("o-1", 2)).message_id("p-1").await.unwrap(), Delivery::Started);
        let parked = parked(&client).await;
        assert!(matches!(parked.state, MessageState::Parked(ParkReason::Misfit { .. })), "{parked:?}");
        let mended = strict::Placed { order: "o-1".into(), amount: 2, currency: "EUR".into() };
        assert_eq!(client.redeliver("p-1").payload(&mended).await.unwrap(), Delivery::Awaited);
        assert_eq!(client.result::<String>("strict").await.unwrap(), "EUR");
        let runs = client.runs(&RunFilter::default()).await.unwrap();
        assert_eq!(runs.len(), 2, "nothing started twice: {runs:?}");
    }

    async fn a_message_that_does_not_fit_is_parked_and_the_run_goes_on_waiting(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let run = engine.start(patient("o-1".into())).id("order-1").await.unwrap();
        until(&client, "order-1", "it waits", |status| !status.waits.is_empty()).await;
        client.deliver(wrong::Paid { order: "o-1".into(), amount: "two" .into() }).message_id("bad").await.unwrap();
        let parked = parked(&client).await;
        let MessageState::Parked(reason) = &parked.state else { panic!("{parked:?}") };
        let ParkReason::Misfit { run_id, op, error } = reason else { panic!("{reason:?}") };
        assert_eq!((run_id.as_str(), op.as_str()), ("order-1", "paid"));
        assert!(error.contains("expected u64"), "{error}");
        let status = client.status("order-1").await.unwrap();
        assert!(status.incidents.is_empty() && !status.waits.is_empty(), "{status:?}");
        assert_eq!(client.journal("order-1").await.unwrap().len(), 1, "the run has not heard of it");

        assert_eq!(client.redeliver("bad").payload(&paid("o-1", 2)).await.unwrap(), Delivery::Awaited);
        assert_eq!(run.result().await.unwrap(), 2);
        let again = client.redeliver("bad").await.unwrap_err();
        assert!(again.is_not_parked() && again.to_string().contains("it was taken"), "{again}");
        let unknown = client.redeliver("never sent").await.unwrap_err();
        assert!(unknown.is_unknown_message() && unknown.to_string().contains("`never sent`"), "{unknown}");
    }

    async fn the_next_message_comes_after_one_that_did_not_fit_also_after_a_restart(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let client = engine.client();
        client.deliver(wrong::Paid { order: "o-1".into(), amount: "two".into() }).await.unwrap();
        client.publish(wrong::Paid { order: "o-1".into(), amount: "two".into() }).message_id("event").await.unwrap();
        client.deliver(wrong::Paid { order: "o-1".into(), amount: "two".into() }).await.unwrap();
        client.deliver(paid("o-1", 3)).await.unwrap();
        drop(engine);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = engine.start(patient("o-1".into())).await.unwrap();
        assert_eq!(run.result().await.unwrap(), 3);
        let all = engine.client().messages(&MessageFilter { only_parked: true, ..MessageFilter::default() }).await;
        assert_eq!(all.unwrap().len(), 3);
    }

    async fn a_message_that_cannot_start_is_parked_until_it_is_mended(store, world, clock) {
        let engine = builder(store, &world, &clock).register(audit).start().await.unwrap();
        let client = engine.client();
        let bad = wrong::Placed { order: "o-1".into() };
        assert_eq!(client.deliver(bad).message_id("p-1").await.unwrap(), Delivery::Parked);
        let parked = parked(&client).await;
        let MessageState::Parked(reason) = &parked.state else { panic!("{parked:?}") };
        let reason = reason.to_string();
        assert!(reason.contains("the workflow `audit` cannot begin with it") && reason.contains("amount"), "{reason}");
        assert!(client.status("open_order:p-1").await.unwrap_err().is_unknown_run(), "none of them began");
        let again = client.redeliver("p-1").await.unwrap();
        assert_eq!(again, Delivery::Parked, "it is no better");
        assert_eq!(client.redeliver("p-1").payload(&placed("o-1", 3)).await.unwrap(), Delivery::Started);
        assert_eq!(client.result::<u64>("audit:p-1").await.unwrap(), 3);
        assert!(client.status("open_order:p-1").await.is_ok());
    }

    async fn what_nobody_claimed_is_parked_and_can_be_sent_elsewhere_or_thrown_away(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let day = Duration::from_secs(24 * 60 * 60);
        client.deliver(paid("typo", 4)).message_id("m-1").time_to_live(day).await.unwrap();
        client.deliver(paid("junk", 4)).message_id("m-2").time_to_live(day).await.unwrap();
        let waiting = client.redeliver("m-1").await.unwrap_err();
        assert!(waiting.is_not_parked() && waiting.to_string().contains("it still waits"), "{waiting}");
        clock.advance(day);
        assert_eq!(only(&client, "m-1").await.state, MessageState::Parked(ParkReason::Expired));
        let run = engine.start(patient("o-1".into())).await.unwrap();
        let moved = client.redeliver("m-1").key("o-1").time_to_live(day).await.unwrap();
        assert_eq!((moved, run.result().await.unwrap()), (Delivery::Awaited, 4));
        client.discard("m-2").await.unwrap();
        assert_eq!(only(&client, "m-2").await.state, MessageState::Discarded);
        assert!(client.discard("m-1").await.unwrap_err().is_not_parked());
        assert!(client.discard("m-9").await.unwrap_err().is_unknown_message());
        let discarded = client.redeliver("m-2").await.unwrap_err();
        assert!(discarded.to_string().contains("was discarded"), "{discarded}");
    }

    async fn messages_are_forgotten_when_their_time_is_over_and_runs_if_that_is_wanted(store, world, clock) {
        let day = Duration::from_secs(24 * 60 * 60);
        let engine = builder(store, &world, &clock).message_retention(2 * day).run_retention(5 * day);
        let engine = engine.start().await.unwrap();
        let client = engine.client();
        let run = engine.start(patient("o-1".into())).id("order-1").await.unwrap();
        client.deliver(paid("o-1", 1)).message_id("taken").await.unwrap();
        run.result().await.unwrap();
        engine.start(patient("o-2".into())).id("unfinished").await.unwrap();
        client.deliver(paid("lost", 1)).message_id("lost").time_to_live(day).await.unwrap();
        let ids = async || {
            let all = client.messages(&MessageFilter::default()).await.unwrap();
            all.into_iter().map(|message| message.message_id).collect::<Vec<_>>()
        };
        clock.advance(2 * day - Duration::from_millis(1));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(ids().await, ["taken", "lost"]);
        clock.advance(Duration::from_secs(60));
        eventually("the taken one is forgotten", async || (ids().await == ["lost"]).then_some(())).await;
        clock.advance(day);
        eventually("the parked one too", async || ids().await.is_empty().then_some(())).await;
        assert!(client.status("order-1").await.is_ok(), "two days are left");
        clock.advance(2 * day);
        let gone = async || client.status("order-1").await.err().filter(|error| error.is_unknown_run());
        eventually("the run is gone", gone).await;
        assert!(client.status("unfinished").await.is_ok());
    }

    async fn a_run_that_began_with_a_message_begins_once_even_when_its_id_is_forgotten(store, world, clock) {
        let engine = builder(store, &world, &clock).register(audit).message_retention(Duration::ZERO);
        let engine = engine.start().await.unwrap();
        let client = engine.client();
        client.deliver(placed("o-1", 1)).message_id("p-1").await.unwrap();
        client.result::<u64>("audit:p-1").await.unwrap();
        clock.advance(Duration::from_secs(60));
        let all = MessageFilter::default();
        let gone = async || client.messages(&all).await.unwrap().is_empty().then_some(());
        eventually("the message is forgotten", gone).await;
        assert_eq!(client.deliver(placed("o-1", 1)).message_id("p-1").await.unwrap(), Delivery::Duplicate);
    }

    async fn what_is_wrong_with_a_message_is_said_before_it_is_kept(store, world, clock) {
        let engine = builder(store, &world, &clock).payload_limit(100).start().await.unwrap();
        let client = engine.client();
        let unknown = client.deliver(misspelt::Payd { order: "o-1".into() }).await.unwrap_err();
        assert!(unknown.is_unknown_message() && unknown.to_string().contains("did you mean `Paid`?"), "{unknown}");
        let unknown = client.deliver(unheard()).await.unwrap_err();
        assert!(unknown.to_string().contains("is the workflow registered?"), "{unknown}");
        for bad in ["", "a\0b", "line\nbreak", &"x".repeat(10_000)] {
            for publish in [false, true] {
                let send = |message| if publish { client.publish(message) } else { client.deliver(message) };
                assert!(send(paid("o-1", 1)).message_id(bad).await.unwrap_err().is_bad_input());
                assert!(send(paid(bad, 1)).await.unwrap_err().is_bad_input());
            }
        }
        let zero = client.deliver(paid("o-1", 1)).time_to_live(Duration::ZERO).await.unwrap_err();
        assert!(zero.is_bad_input() && zero.to_string().contains("time to live"), "{zero}");
        let large = client.publish(paid(&"x".repeat(90), 1)).await.unwrap_err();
        assert!(large.is_too_large(), "{large}");
        assert!(client.messages(&MessageFilter::default()).await.unwrap().is_empty());
        client.deliver(paid("o-1", 1)).message_id("for ever").time_to_live(Duration::MAX).await.unwrap();
        client.deliver(paid("o-2", 1)).message_id("short").time_to_live(Duration::from_nanos(1)).await.unwrap();
        clock.advance(Duration::from_millis(1));
        assert_eq!(only(&client, "for ever").await.state, MessageState::Waiting);
        assert_eq!(only(&client, "short").await.state, MessageState::Parked(ParkReason::Expired));
        let bad_key = client.redeliver("short").key("line\nbreak").await.unwrap_err();
        assert!(bad_key.is_bad_input(), "{bad_key}");
        let large = client.redeliver("short").payload(&"x".repeat(200)).await.unwrap_err();
        assert!(large.is_too_large(), "{large}");
        engine.shutdown().await;
        assert!(client.publish(paid("o-1", 1)).await.unwrap_err().is_stopped());
        assert!(client.discard("short").await.unwrap_err().is_stopped());
    }
}

fn paid(order: &str, amount: u64) -> Paid {
    Paid { order: order.to_owned(), amount }
}

fn placed(order: &str, amount: u64) -> Placed {
    Placed { order: order.to_owned(), amount }
}

fn unheard() -> misspelt::Unheard {
    misspelt::Unheard { order: "o-1".into() }
}

async fn only(client: &Client, message_id: &str) -> MessageStatus {
    let filter = MessageFilter { message_id: Some(message_id.into()), ..MessageFilter::default() };
    client.messages(&filter).await.unwrap().pop().unwrap()
}

/// The first message that is parked, once one is.
async fn parked(client: &Client) -> MessageStatus {
    let filter = MessageFilter { only_parked: true, ..MessageFilter::default() };
    eventually("a message is parked", async || client.messages(&filter).await.unwrap().pop()).await
}

/// Begins with the same message as `open_order`, and only looks at it.
#[workflow(on = Placed)]
async fn audit(placed: Placed) -> Result<u64, ShopError> {
    note(&placed.order).await?;
    Ok(placed.amount)
}

/// Waits for a message with which other workflows begin.
#[workflow]
async fn watch(order: String) -> u64 {
    receive::<Placed>(&order).forever().await.amount
}

mod second {
    use super::*;

    #[workflow(on = Placed, version = 2)]
    pub async fn audit(placed: Placed) -> Result<u64, ShopError> {
        note(&placed.order).await?;
        Ok(placed.amount + 1_000)
    }
}

/// A receiver that wants more than the sender has.
mod strict {
    use super::*;

    #[derive(Clone, Serialize, Deserialize, Message)]
    #[message(name = "Placed", key = order)]
    pub(crate) struct Placed {
        pub(crate) order: String,
        pub(crate) amount: u64,
        pub(crate) currency: String,
    }

    #[workflow]
    pub(crate) async fn inspect(order: String) -> String {
        receive::<Placed>(&order).forever().await.currency
    }
}

/// The same messages by another hand.
mod wrong {
    use super::*;

    #[derive(Clone, Serialize, Deserialize, Message)]
    #[message(name = "Paid", key = order)]
    pub(crate) struct Paid {
        pub(crate) order: String,
        pub(crate) amount: String,
    }

    #[derive(Clone, Serialize, Deserialize, Message)]
    #[message(name = "Placed", key = order)]
    pub(crate) struct Placed {
        pub(crate) order: String,
    }
}

mod misspelt {
    use super::*;

    #[derive(Clone, Serialize, Deserialize, Message)]
    #[message(key = order)]
    pub(crate) struct Payd {
        pub(crate) order: String,
    }

    #[derive(Clone, Serialize, Deserialize, Message)]
    #[message(key = order)]
    pub(crate) struct Unheard {
        pub(crate) order: String,
    }
}
