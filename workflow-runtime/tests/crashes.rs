//! Crashes: the process dies before or after each single write; the next engine goes on as if nothing had happened.
//! A crash is an engine that is dropped while its store has stopped answering.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_core::Event;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Client, Clock, Memory, MessageFilter, MessageState, RunError};
use world::faulty::{Crash, Faulty};
use world::*;

/// What a client does from the beginning to the end; it may be repeated as a whole, since everything has an id.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scenario {
    /// The last step fails, so that everything is undone.
    Saga,
    /// A scope fails and is caught, the rest is undone on purpose, and the run ends with what is meant to stay.
    Scopes,
    /// Attempts fail and are repeated after a wait.
    Retries,
    /// Two messages, one after the other.
    Messages,
    /// A cancel while the run waits.
    Cancel,
    /// A message with which a run begins, then an event, then one it cannot read and the same once more, mended.
    Inbox,
}

impl Scenario {
    fn prepare(self, world: &World) {
        match self {
            Scenario::Saga | Scenario::Scopes => {
                world.always("ship", Behaviour::Fail(ShopError::Declined));
            }
            Scenario::Retries => world.script("charge", [Behaviour::Fail(ShopError::Busy)]),
            Scenario::Messages | Scenario::Cancel | Scenario::Inbox => {}
        }
    }

    async fn play(self, engine: Engine) {
        let client = engine.client();
        match self {
            Scenario::Saga => {
                let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
                let error = run.result().await.unwrap_err();
                assert!(matches!(error, RunError::Failed(ShopError::Declined)), "{error}");
            }
            Scenario::Scopes => {
                let run = engine.start(thinks_twice("o-1".into())).id("order-1").await.unwrap();
                let error = run.result().await.unwrap_err();
                assert!(matches!(error, RunError::Failed(ShopError::Declined)), "{error}");
            }
            Scenario::Retries => {
                let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
                assert_eq!(run.result().await.unwrap(), "order-1/charge");
            }
            Scenario::Messages => {
                let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
                for amount in [1, 2] {
                    let id = format!("m-{amount}");
                    client.deliver(Paid { order: "o-1".into(), amount }).message_id(id).await.unwrap();
                }
                assert_eq!(run.result().await.unwrap(), 102);
            }
            Scenario::Cancel => {
                let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
                let waits = |status: &workflow_runtime::RunStatus| {
                    !status.waits.is_empty() || status.has_ended() || status.cancel_reason.is_some()
                };
                until(&client, "order-1", "it waits", waits).await;
                client.cancel("order-1", "enough").await.unwrap();
                assert!(run.result().await.unwrap_err().is_cancelled());
            }
            Scenario::Inbox => {
                let placed = Placed { order: "o-1".into(), amount: 4 };
                client.deliver(placed).message_id("m-1").await.unwrap();
                let id = "open_order:m-1";
                assert!(client.status(id).await.is_ok(), "what was acknowledged is there");
                let waits =
                    |status: &workflow_runtime::RunStatus| !status.waits.is_empty() || status.has_ended();
                until(&client, id, "it waits", waits).await;
                let unreadable = other::Paid { order: "o-1".into(), amount: "two".into() };
                client.publish(unreadable).message_id("m-2").await.unwrap();
                if let MessageState::Parked(_) = judged(&client, "m-2").await {
                    let mended = client.redeliver("m-2").payload(&Paid { order: "o-1".into(), amount: 2 });
                    mended.await.unwrap();
                }
                assert_eq!(client.result::<u64>(id).await.unwrap(), 402);
            }
        }
    }

    fn run_id(self) -> &'static str {
        if self == Scenario::Inbox { "open_order:m-1" } else { "order-1" }
    }

    /// The calls of steps in their order, when nothing is repeated.
    fn calls(self) -> &'static [&'static str] {
        match self {
            Scenario::Saga => &["reserve", "charge", "ship", "refund", "release"],
            Scenario::Scopes => &["charge", "reserve", "ship", "release", "refund", "note", "reserve"],
            Scenario::Retries => &["reserve", "charge", "charge", "ship"],
            Scenario::Messages | Scenario::Inbox => &["reserve"],
            Scenario::Cancel => &["reserve", "release"],
        }
    }
}

/// What became of a message, once something has.
async fn judged(client: &Client, message_id: &str) -> MessageState {
    let only = MessageFilter { message_id: Some(message_id.into()), ..MessageFilter::default() };
    let began = std::time::Instant::now();
    loop {
        let found = client.messages(&only).await.unwrap().pop().expect("it was sent");
        if found.state != MessageState::Waiting {
            return found.state;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{found:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Crashes once, goes on with another engine, and says whether there was a write to crash at.
async fn crash_once(store: Arc<dyn Store>, scenario: Scenario, crash: Crash, idle: Duration) -> bool {
    let world = World::new();
    scenario.prepare(&world);
    let clock = Clock::manual(1_000_000);
    // Retries wait for a second of this clock; a deadline of a minute is never reached.
    let ticking = tokio::spawn({
        let clock = clock.clone();
        async move {
            for _ in 0..59 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                clock.advance(Duration::from_secs(if scenario == Scenario::Retries { 1 } else { 0 }));
            }
        }
    });
    let faulty = Faulty::new(Arc::clone(&store), crash);
    if idle.is_zero() {
        faulty.count_parks();
    }
    let engine = builder(Arc::clone(&faulty), &world, &clock).park_idle_after(idle).start().await.unwrap();
    let playing = tokio::spawn(scenario.play(engine.clone()));
    let ended = eventually("the end or the crash", async || {
        (playing.is_finished() || faulty.has_crashed()).then(|| playing.is_finished())
    });
    let ended = ended.await && !faulty.has_crashed();
    playing.abort();
    let _ = playing.await.map_err(|error| assert!(error.is_cancelled(), "{error}"));
    drop(engine);

    if !ended {
        let engine = builder(Arc::clone(&store), &world, &clock).park_idle_after(idle).start().await.unwrap();
        scenario.play(engine).await;
    }
    ticking.abort();
    let label = format!("{scenario:?}, {crash:?}, parked after {idle:?}");
    check_calls(&world, scenario, &label);
    check_journal(&store, scenario.run_id(), &label).await;
    !ended
}

/// Only what was under way at the crash is repeated, at once, and nothing is left out.
fn check_calls(world: &World, scenario: Scenario, label: &str) {
    let calls = world.calls();
    let mut notes: Vec<&String> = calls.iter().filter(|call| call.starts_with("note ")).collect();
    notes.dedup();
    assert!(notes.len() <= 1, "{label}: derived values differ: {notes:?}");
    let calls: Vec<&str> = calls.iter().map(|call| call.split(' ').next().unwrap()).collect();
    let expected = scenario.calls();
    let as_expected = calls == expected;
    let one_repeated = (0..expected.len()).any(|repeated| {
        let mut with_one_more = expected.to_vec();
        with_one_more.insert(repeated, expected[repeated]);
        calls == with_one_more
    });
    assert!(as_expected || one_repeated, "{label}: {calls:?}");
}

/// No answer of a step is recorded twice.
async fn check_journal(store: &Arc<dyn Store>, run_id: &str, label: &str) {
    let journal = store.journal(run_id).await.unwrap();
    let mut completed: Vec<String> = journal
        .iter()
        .filter_map(|record| match &record.event {
            Event::StepCompleted { op, .. } => Some(op.to_string()),
            Event::MessageReceived { message_id, .. } => Some(message_id.clone()),
            _ => None,
        })
        .collect();
    let count = completed.len();
    completed.sort();
    completed.dedup();
    assert_eq!(completed.len(), count, "{label}: {journal:?}");
    let status = store.run(run_id).await.unwrap().unwrap();
    assert!(status.has_ended() && status.timers.is_empty() && status.waits.is_empty(), "{label}: {status:?}");
}

async fn crash_everywhere(
    scenario: Scenario,
    idle: Duration,
    new_store: impl AsyncFn() -> (Arc<dyn Store>, Folder),
) {
    for crash in [Crash::Before as fn(usize) -> Crash, Crash::After as fn(usize) -> Crash] {
        let mut writes = 0;
        loop {
            let (store, _folder) = new_store().await;
            if !crash_once(store, scenario, crash(writes), idle).await {
                break;
            }
            writes += 1;
        }
        assert!(writes >= scenario.calls().len(), "only {writes} writes were attacked");
    }
}

macro_rules! crash_everywhere {
    ($($name:ident: $scenario:expr;)*) => {$(
        mod $name {
            use super::*;

            async fn memory_everywhere(idle: Duration) {
                crash_everywhere($scenario, idle, async || {
                    (Arc::new(Memory::new()) as Arc<dyn Store>, Folder::new())
                }).await;
            }

            async fn sqlite_everywhere(idle: Duration) {
                crash_everywhere($scenario, idle, async || {
                    let folder = Folder::new();
                    let store = Sqlite::open(folder.database()).await.unwrap();
                    (Arc::new(store) as Arc<dyn Store>, folder)
                }).await;
            }

            #[tokio::test]
            async fn memory() {
                memory_everywhere(Duration::MAX).await;
            }

            #[tokio::test]
            async fn sqlite() {
                sqlite_everywhere(Duration::MAX).await;
            }

            #[tokio::test]
            async fn memory_of_parked_runs() {
                memory_everywhere(Duration::ZERO).await;
            }

            #[tokio::test]
            async fn sqlite_of_parked_runs() {
                sqlite_everywhere(Duration::ZERO).await;
            }
        }
    )*};
}

crash_everywhere! {
    a_failing_saga_survives_a_crash_at_every_write: Scenario::Saga;
    scopes_and_values_survive_a_crash_at_every_write: Scenario::Scopes;
    retries_survive_a_crash_at_every_write: Scenario::Retries;
    messages_survive_a_crash_at_every_write: Scenario::Messages;
    a_cancel_survives_a_crash_at_every_write: Scenario::Cancel;
    what_comes_in_survives_a_crash_at_every_write: Scenario::Inbox;
}

on_every_lone_store! {
    async fn a_timer_survives_a_restart_and_fires_once(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(slow("o-1".into())).id("order-1").await.unwrap();
        until(&engine.client(), "order-1", "it sleeps", |status| !status.timers.is_empty()).await;
        drop(engine);
        clock.advance(Duration::from_secs(1_800));
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(world.count("note"), 1, "half an hour is left");
        drop(engine);
        clock.advance(Duration::from_secs(7_200));
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = engine.client().run(slow, "order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 2);
        assert_eq!(world.count("note"), 2);
    }

    async fn a_clock_that_went_back_does_not_take_the_run_back(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(slow("o-1".into())).id("order-1").await.unwrap();
        until(&engine.client(), "order-1", "it sleeps", |status| !status.timers.is_empty()).await;
        drop(engine);
        let earlier = Clock::manual(5);
        let engine = builder(Arc::clone(&store), &world, &earlier).start().await.unwrap();
        engine.client().cancel("order-1", "enough").await.unwrap();
        let run = engine.client().run(slow, "order-1").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        let times: Vec<_> = store.journal("order-1").await.unwrap().iter().map(|row| row.at_ms).collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    async fn many_runs_go_on_after_a_restart(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = builder(Arc::clone(&store), &world, &clock).park_idle_after(Duration::MAX).start().await.unwrap();
        for n in 0..200 {
            engine.start(patient(format!("o-{n}"))).id(format!("run-{n}")).await.unwrap();
        }
        drop(engine);
        let engine = builder(Arc::clone(&store), &world, &clock).park_idle_after(Duration::MAX).start().await.unwrap();
        assert_eq!(engine.live_runs(), 200);
        let client = engine.client();
        for n in 0..200 {
            client.deliver(Paid { order: format!("o-{n}"), amount: n }).await.unwrap();
        }
        for n in 0..200 {
            assert_eq!(client.result::<u64>(&format!("run-{n}")).await.unwrap(), n);
        }
        eventually("nothing stays in memory", async || (engine.live_runs() == 0).then_some(())).await;
    }
}

/// The same message by another hand.
mod other {
    use super::*;

    #[derive(Clone, Serialize, Deserialize, Message)]
    #[message(name = "Paid", key = order)]
    pub(crate) struct Paid {
        pub(crate) order: String,
        pub(crate) amount: String,
    }
}
