//! Messages that leave: in order, at least once, under a stable id; and what becomes of those that nobody takes.
//! It must not know how they are kept until then.

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{
    Client, Memory, OutboxFilter, Outgoing, RecordingTransport, Transport, TransportError,
};
use world::family::*;
use world::faulty::{Crash, Faulty};
use world::*;

on_every_lone_store! {
    async fn messages_leave_in_order_under_ids_of_their_own(store, world, clock) {
        let transport = RecordingTransport::new();
        let engine = family(store, &world, &clock).transport(transport.clone()).start().await.unwrap();
        let run = engine.start(announce("a".into())).id("a/1").await.unwrap();
        run.result().await.unwrap();
        let sent = handed_over(&transport, 3).await;
        let seen: Vec<_> =
            sent.iter().map(|sent| (sent.id.as_str(), amount(sent), sent.publishes, &*sent.run_id)).collect();
        let expected = [
            ("a%2F1/paid", 1, false, "a/1"),
            ("a%2F1/paid_2", 2, false, "a/1"),
            ("a%2F1/paid_3", 3, true, "a/1"),
        ];
        assert_eq!(seen, expected);
        assert!(sent.iter().all(|sent| sent.message == "Paid" && sent.key == "a"));
        emptied(&engine.client()).await;
    }

    async fn what_is_not_taken_is_tried_again_and_the_order_is_kept(store, world, clock) {
        let transport = RecordingTransport::new();
        transport.fail_next(3, TransportError::unavailable("no broker"));
        let engine = family(store, &world, &clock).transport(transport.clone()).start().await.unwrap();
        let client = engine.client();
        engine.start(announce("a".into())).id("a-1").await.unwrap().result().await.unwrap();
        for wait_s in [1, 2, 4] {
            let failed = eventually("an attempt failed", async || {
                let waiting = client.outbox(&OutboxFilter::default()).await.unwrap();
                let is_next = |due_ms| due_ms == clock.now_ms() + wait_s * 1_000;
                waiting.into_iter().next().filter(|first| is_next(first.due_ms))
            }).await;
            assert_eq!((failed.cause.as_deref(), failed.is_parked), (Some("no broker"), false));
            assert!(transport.handed_over().is_empty(), "the later ones wait");
            clock.advance(Duration::from_secs(wait_s.unsigned_abs()));
        }
        let sent = handed_over(&transport, 3).await;
        assert_eq!(sent.iter().map(amount).collect::<Vec<_>>(), [1, 2, 3]);
    }

    async fn what_is_refused_is_parked_and_holds_up_its_own_run_only(store, world, clock) {
        let transport = RecordingTransport::new();
        transport.fail_next(1, TransportError::refused("no such queue"));
        let engine = family(store, &world, &clock).transport(transport.clone()).start().await.unwrap();
        let client = engine.client();
        engine.start(announce("a".into())).id("a-1").await.unwrap().result().await.unwrap();
        let parked = parked(&client, 1).await;
        assert_eq!((parked[0].outgoing.id.as_str(), parked[0].attempts), ("a-1/paid", 1));
        assert_eq!(parked[0].cause.as_deref(), Some("no such queue"));
        engine.start(announce("b".into())).id("b-1").await.unwrap().result().await.unwrap();
        let sent = handed_over(&transport, 3).await;
        assert!(sent.iter().all(|sent| &*sent.run_id == "b-1"), "{sent:?}");
        let held = client.outbox(&OutboxFilter { run_id: Some("a-1".into()), ..OutboxFilter::default() }).await;
        assert_eq!(held.unwrap().len(), 3);

        client.resend("a-1/paid").await.unwrap();
        let sent = handed_over(&transport, 6).await;
        assert_eq!(sent[3..].iter().map(amount).collect::<Vec<_>>(), [1, 2, 3]);
        emptied(&client).await;
        let gone = client.resend("a-1/paid").await.unwrap_err();
        assert!(gone.is_unknown_message(), "{gone}");
    }

    async fn what_failed_too_often_is_parked_and_can_be_discarded(store, world, clock) {
        let transport = RecordingTransport::new();
        transport.fail_next(2, TransportError::unavailable("no broker"));
        let engine = family(store, &world, &clock).transport(transport.clone()).park_after(2);
        let engine = engine.start().await.unwrap();
        let client = engine.client();
        engine.start(announce("a".into())).id("a-1").await.unwrap().result().await.unwrap();
        eventually("the first attempt failed", async || {
            let waiting = client.outbox(&OutboxFilter::default()).await.unwrap();
            (waiting[0].attempts == 1).then_some(())
        }).await;
        clock.advance(Duration::from_secs(1));
        assert_eq!(parked(&client, 1).await[0].attempts, 2);
        client.discard_outgoing("a-1/paid").await.unwrap();
        let sent = handed_over(&transport, 2).await;
        assert_eq!(sent.iter().map(amount).collect::<Vec<_>>(), [2, 3]);
        let gone = client.discard_outgoing("a-1/paid").await.unwrap_err();
        assert!(gone.is_unknown_message(), "{gone}");
    }

    async fn the_next_engine_hands_over_what_the_last_one_could_not(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let closed = RecordingTransport::new();
        closed.fail_next(usize::MAX, TransportError::unavailable("closed"));
        let engine = family(Arc::clone(&store), &world, &clock).transport(closed).start().await.unwrap();
        engine.start(announce("a".into())).id("a-1").await.unwrap().result().await.unwrap();
        drop(engine);
        clock.advance(Duration::from_secs(3_600));
        let open = RecordingTransport::new();
        let engine = family(store, &world, &clock).transport(open.clone()).start().await.unwrap();
        let sent = handed_over(&open, 3).await;
        assert_eq!(sent.iter().map(amount).collect::<Vec<_>>(), [1, 2, 3]);
        emptied(&engine.client()).await;
    }

    async fn a_transport_that_panics_harms_no_other_run(store, world, clock) {
        let transport = RecordingTransport::new();
        let engine = family(store, &world, &clock).transport(Fragile(transport.clone())).start().await.unwrap();
        let client = engine.client();
        engine.start(tell("boom".into())).id("bad").await.unwrap();
        eventually("it panicked", async || {
            let waiting = client.outbox(&OutboxFilter::default()).await.unwrap();
            waiting.first().and_then(|first| first.cause.clone()).filter(|cause| cause.contains("panicked"))
        }).await;
        engine.start(tell("fine".into())).id("good").await.unwrap();
        assert_eq!(handed_over(&transport, 1).await[0].key, "fine");
    }

    async fn without_a_transport_messages_reach_the_runs_of_the_engine(store, world, clock) {
        let engine = family(store, &world, &clock).register(patient).start().await.unwrap();
        let waiting = engine.start(patient("a".into())).id("p-1").await.unwrap();
        engine.start(announce("a".into())).id("a-1").await.unwrap();
        assert_eq!(waiting.result().await.unwrap(), 1, "the one that was sent first");
        let late = engine.start(patient("a".into())).id("p-2").await.unwrap();
        assert_eq!(late.result().await.unwrap(), 2, "early messages wait");
        emptied(&engine.client()).await;
    }

    async fn a_command_that_no_workflow_knows_is_parked_and_an_event_is_not(store, world, clock) {
        // Where engines share a store, one that knows it might still come: that is tried again for a while.
        let builder = Engine::builder().store(store).clock(clock.clone()).resource(world.clone()).park_after(1);
        let engine = builder.register(announce).register(shout).start().await.unwrap();
        let client = engine.client();
        engine.start(announce("a".into())).id("a-1").await.unwrap().result().await.unwrap();
        let parked = parked(&client, 1).await;
        let cause = parked[0].cause.as_deref().unwrap();
        assert!(cause.contains("no registered workflow waits for the message `Paid`"), "{cause}");
        engine.start(shout("b".into())).id("b-1").await.unwrap().result().await.unwrap();
        eventually("the event is gone", async || {
            let filter = OutboxFilter { run_id: Some("b-1".into()), ..OutboxFilter::default() };
            client.outbox(&filter).await.unwrap().is_empty().then_some(())
        }).await;
    }

    async fn a_message_from_a_run_starts_the_workflow_that_begins_with_it(store, world, clock) {
        let engine = family(store, &world, &clock).register(on_paid).start().await.unwrap();
        engine.start(tell("k".into())).id("t/1").await.unwrap().result().await.unwrap();
        let client = engine.client();
        let id = "on_paid:t%2F1/paid";
        until(&client, id, "it has ended", |status| status.has_ended()).await;
        assert_eq!(client.result::<u64>(id).await.unwrap(), 1);
    }

    async fn many_runs_hand_over_side_by_side_and_each_in_order(store, world, clock) {
        let transport = RecordingTransport::new();
        let engine = family(store, &world, &clock).transport(transport.clone()).start().await.unwrap();
        let mut runs = Vec::new();
        for n in 0..100 {
            runs.push(engine.start(announce(format!("r-{n}"))).await.unwrap());
        }
        let sent = handed_over(&transport, 300).await;
        for run in &runs {
            let of_run: Vec<u64> =
                sent.iter().filter(|sent| &*sent.run_id == run.id()).map(amount).collect();
            assert_eq!(of_run, [1, 2, 3]);
        }
        emptied(&engine.client()).await;
    }

    async fn a_transport_that_never_returns_holds_up_no_shutdown(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let held = Held::new();
        // The store beneath stays open.
        let stuck = family(Faulty::new(Arc::clone(&store), Crash::Never), &world, &clock).transport(held.clone());
        let engine = stuck.grace_period(Duration::from_millis(50)).start().await.unwrap();
        engine.start(announce("a".into())).id("a-1").await.unwrap().result().await.unwrap();
        eventually("a message is under way", async || (held.is_called() == 1).then_some(())).await;
        let stopped = tokio::time::timeout(Duration::from_secs(5), engine.shutdown()).await;
        assert!(stopped.is_ok(), "the grace period is over");
        let transport = RecordingTransport::new();
        let _next = family(store, &world, &clock).transport(transport.clone()).start().await.unwrap();
        let sent: Vec<u64> = handed_over(&transport, 3).await.iter().map(amount).collect();
        assert_eq!(sent, [1, 2, 3], "none of them is lost");
    }

    async fn what_is_under_way_at_a_shutdown_is_handed_over_and_not_once_more(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let held = Held::new();
        // The store beneath stays open.
        let first = family(Faulty::new(Arc::clone(&store), Crash::Never), &world, &clock);
        let engine = first.transport(held.clone()).start().await.unwrap();
        engine.start(announce("a".into())).id("a-1").await.unwrap().result().await.unwrap();
        eventually("a message is under way", async || (held.is_called() == 1).then_some(())).await;
        let (stopped, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(5), engine.shutdown()), async {
            tokio::task::yield_now().await;
            held.gate.add_permits(1);
        });
        assert!(stopped.is_ok() && held.is_called() == 1, "the others are for the next engine");
        let transport = RecordingTransport::new();
        let second = family(Faulty::new(Arc::clone(&store), Crash::Never), &world, &clock);
        let engine = second.transport(transport.clone()).start().await.unwrap();
        emptied(&engine.client()).await;
        let sent: Vec<u64> = transport.handed_over().iter().map(amount).collect();
        assert_eq!(sent, [2, 3]);
    }

    async fn a_run_may_send_to_itself(store, world, clock) {
        let engine = family(store, &world, &clock).register(soliloquy).start().await.unwrap();
        let run = engine.start(soliloquy("me".into())).id("s-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 3);
        emptied(&engine.client()).await;
    }

    async fn a_message_that_nobody_could_take_is_an_incident_of_its_run(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let transport = RecordingTransport::new();
        let small = family(Arc::clone(&store), &world, &clock).register(tell_later);
        let small = small.transport(transport.clone()).payload_limit(90);
        let engine = small.start().await.unwrap();
        let client = engine.client();
        engine.start(tell("x".repeat(80))).id("large").await.unwrap_err();
        let refused = engine.start(tell("line\nbreak".into())).id("bad").await.unwrap_err();
        assert!(refused.to_string().contains("its key contains the control character"), "{refused}");
        engine.start(tell_later("x".repeat(80))).id("late").await.unwrap();
        let stuck = until(&client, "late", "an incident", |status| !status.incidents.is_empty()).await;
        let cause = &stuck.incidents[0].cause;
        assert!(cause.contains("`Paid` at `paid`") && cause.contains("`.payload_limit(..)`"), "{cause}");
        assert!(client.outbox(&OutboxFilter::default()).await.unwrap().is_empty());
        assert_eq!(world.count("note"), 1);
        drop(engine);
        let large = family(store, &world, &clock).register(tell_later).transport(transport.clone());
        let engine = large.start().await.unwrap();
        engine.client().result::<u64>("late").await.unwrap();
        assert_eq!(handed_over(&transport, 1).await.len(), 1);
        assert_eq!(world.count("note"), 1, "what had happened is not repeated");
    }
}

/// A transport that takes its time.
#[derive(Clone)]
struct Held {
    gate: Arc<Semaphore>,
    called: Arc<AtomicUsize>,
}

impl Held {
    fn new() -> Held {
        Held { gate: Arc::new(Semaphore::new(0)), called: Arc::default() }
    }

    fn is_called(&self) -> usize {
        self.called.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Transport for Held {
    async fn hand_over(&self, _message: &Outgoing) -> Result<(), TransportError> {
        self.called.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        Ok(())
    }
}

/// Hears what it says, in the order in which it says it.
#[workflow]
async fn soliloquy(name: String) -> u64 {
    send(Paid { order: name.clone(), amount: 1 }).await;
    send(Paid { order: name.clone(), amount: 2 }).await;
    let first = receive::<Paid>(&name).forever().await;
    let second = receive::<Paid>(&name).forever().await;
    publish(Paid { order: name.clone(), amount: first.amount + second.amount }).await;
    let third = receive::<Paid>(&name).forever().await;
    third.amount
}

/// A transport with a weak spot.
struct Fragile(RecordingTransport);

#[async_trait::async_trait]
impl Transport for Fragile {
    async fn hand_over(&self, message: &Outgoing) -> Result<(), TransportError> {
        assert!(message.key != "boom", "the fuse is lit");
        self.0.hand_over(message).await
    }
}

#[workflow(on = Paid)]
async fn on_paid(paid: Paid) -> u64 {
    paid.amount
}

#[workflow]
async fn shout(name: String) {
    publish(Paid { order: name, amount: 1 }).await;
}

#[workflow]
async fn tell_later(key: String) -> Result<u64, ShopError> {
    let noted = note("before").await?;
    send(Paid { order: key, amount: 1 }).await;
    Ok(noted)
}

fn amount(sent: &Outgoing) -> u64 {
    sent.payload.read::<Paid>().unwrap().amount
}

async fn handed_over(transport: &RecordingTransport, count: usize) -> Vec<Outgoing> {
    let sent = async || Some(transport.handed_over()).filter(|sent| sent.len() >= count);
    let sent = eventually("messages were handed over", sent).await;
    assert_eq!(sent.len(), count);
    sent
}

async fn parked(client: &Client, count: usize) -> Vec<workflow_runtime::OutboxEntry> {
    eventually("a message is parked", async || {
        let filter = OutboxFilter { only_parked: true, ..OutboxFilter::default() };
        Some(client.outbox(&filter).await.unwrap()).filter(|parked| parked.len() == count)
    })
    .await
}

async fn emptied(client: &Client) {
    eventually("the outbox is empty", async || {
        client.outbox(&OutboxFilter::default()).await.unwrap().is_empty().then_some(())
    })
    .await;
}
