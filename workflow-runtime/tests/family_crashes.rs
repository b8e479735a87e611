//! Crashes around children, messages that leave and runs that begin anew: before or after each single write.
//! A crash is an engine that is dropped while its store has stopped answering.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_core::Event;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Client, Clock, EngineBuilder, Memory, OutboxFilter, RunFilter};
use world::family::*;
use world::faulty::{Crash, Faulty};
use world::*;

/// What a client does from the beginning to the end; it may be repeated as a whole, since everything has an id.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scenario {
    /// Two children, one after the other; the second one fails and is undone.
    Children,
    /// A parent is cancelled while it waits for its child.
    Cancel,
    /// A child of which only the start is waited for.
    Detached,
    /// A run sends to another one of the same engine.
    Messages,
    /// A child that begins anew twice.
    Generations,
    /// Three journals, each with both kinds of children and a message.
    Everything,
}

impl Scenario {
    async fn play(self, engine: Engine) {
        let client = engine.client();
        match self {
            Scenario::Children => {
                let run = engine.start(trip("t".into())).id("r").await.unwrap();
                assert_eq!(run.result().await.unwrap_err().into_failed(), Some(ShopError::Declined));
            }
            Scenario::Cancel => {
                let run = engine.start(supervise("s".into())).id("r").await.unwrap();
                until_the_child_waits(&client).await;
                client.cancel("r", "enough").await.unwrap();
                assert!(run.result().await.unwrap_err().is_cancelled());
            }
            Scenario::Detached => {
                let run = engine.start(hire("h".into())).id("r").await.unwrap();
                let hired = run.result().await.unwrap();
                client.deliver(Paid { order: "h".into(), amount: 3 }).message_id("m").await.unwrap();
                assert_eq!(client.result::<u64>(&hired).await.unwrap(), 3);
            }
            Scenario::Messages => {
                let first = engine.start(patient("a".into())).id("p-1").await.unwrap();
                let run = engine.start(announce("a".into())).id("r").await.unwrap();
                assert_eq!(run.result().await.unwrap(), 1);
                assert_eq!(first.result().await.unwrap(), 1);
                for (id, amount) in [("p-2", 2), ("p-3", 3)] {
                    let next = engine.start(patient("a".into())).id(id).await.unwrap();
                    assert_eq!(next.result().await.unwrap(), amount, "in order, and none twice");
                }
                until_the_outbox_is_empty(&client).await;
            }
            Scenario::Generations => {
                let run = engine.start(subscribe("s".into())).id("r").await.unwrap();
                assert_eq!(run.result().await.unwrap(), 3);
                assert_eq!(client.progress::<u64>("r/monthly").await.unwrap(), Some(3));
            }
            Scenario::Everything => {
                let run = engine.start(season("s".into(), 1)).id("r").await.unwrap();
                assert_eq!(run.result().await.unwrap(), 4);
                let hired = RunFilter { workflow: Some("patient".into()), ..RunFilter::default() };
                let mut amounts = Vec::new();
                for run in client.runs(&hired).await.unwrap() {
                    amounts.push(client.result::<u64>(&run.run_id).await.unwrap());
                }
                amounts.sort_unstable();
                assert_eq!(amounts, [1, 2, 3], "each heard from its own round");
                until_the_outbox_is_empty(&client).await;
            }
        }
    }

    /// The calls of steps in their order, when nothing is repeated.
    fn calls(self) -> &'static [&'static str] {
        match self {
            Scenario::Children => &["reserve t-1", "note t-1", "reserve t-2", "note t-2", "release t-2"],
            Scenario::Cancel => &["reserve s", "reserve s-c", "release s-c", "release s"],
            Scenario::Detached => &["note h"],
            Scenario::Messages => &["note a"],
            Scenario::Generations => &["charge s", "charge s", "charge s"],
            Scenario::Everything => {
                &["reserve s-1", "note s-1", "reserve s-2", "note s-2", "reserve s-3", "note s-3"]
            }
        }
    }

    fn runs(self) -> usize {
        match self {
            Scenario::Children => 3,
            Scenario::Cancel | Scenario::Detached | Scenario::Generations => 2,
            Scenario::Messages => 4,
            Scenario::Everything => 7,
        }
    }
}

/// Or all is over, or the cancel has been asked for before.
async fn until_the_child_waits(client: &Client) {
    loop {
        let child = client.status("r/collect").await.ok();
        let parent = client.status("r").await.unwrap();
        let waits = child.is_some_and(|child| !child.waits.is_empty() || child.has_ended());
        if waits || parent.has_ended() || parent.cancel_reason.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn until_the_outbox_is_empty(client: &Client) {
    while !client.outbox(&OutboxFilter::default()).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn engine(store: impl Store, world: &World) -> EngineBuilder {
    family(store, world, &Clock::manual(1_000_000)).register(patient)
}

/// Crashes once, goes on with another engine, and says whether there was a write to crash at.
async fn crash_once(store: Arc<dyn Store>, scenario: Scenario, crash: Crash, idle: Duration) -> bool {
    let world = World::new();
    if scenario == Scenario::Children {
        world.fail_for("note t-2");
    }
    let faulty = Faulty::new(Arc::clone(&store), crash);
    if idle.is_zero() {
        faulty.count_parks();
    }
    let first = engine(Arc::clone(&faulty), &world).park_idle_after(idle).start().await.unwrap();
    let playing = tokio::spawn(scenario.play(first.clone()));
    let ended = eventually("the end or the crash", async || {
        (playing.is_finished() || faulty.has_crashed()).then(|| playing.is_finished())
    });
    let ended = ended.await && !faulty.has_crashed();
    playing.abort();
    let _ = playing.await.map_err(|error| assert!(error.is_cancelled(), "{error}"));
    drop(first);

    let label = format!("{scenario:?}, {crash:?}, parked after {idle:?}");
    if !ended {
        let second = engine(Arc::clone(&store), &world).park_idle_after(idle).start().await.unwrap();
        let played = tokio::time::timeout(Duration::from_secs(20), scenario.play(second)).await;
        assert!(played.is_ok(), "{label}: {:?}", store.runs(&RunFilter::default()).await);
    }
    check_calls(&world, scenario, &label);
    check_runs(&store, scenario, &label).await;
    !ended
}

/// Only what was under way at the crash is repeated, at once, and nothing is left out.
fn check_calls(world: &World, scenario: Scenario, label: &str) {
    let (calls, expected) = (world.calls(), scenario.calls());
    let one_repeated = (0..expected.len()).any(|repeated| {
        let mut with_one_more = expected.to_vec();
        with_one_more.insert(repeated, expected[repeated]);
        calls == with_one_more
    });
    assert!(calls == expected || one_repeated, "{label}: {calls:?}");
}

/// All runs have ended, each was started once, and nothing is recorded twice.
async fn check_runs(store: &Arc<dyn Store>, scenario: Scenario, label: &str) {
    let runs = store.runs(&RunFilter::default()).await.unwrap();
    assert_eq!(runs.len(), scenario.runs(), "{label}: {runs:?}");
    for run in runs {
        let status = store.run(&run.run_id).await.unwrap().unwrap();
        assert!(
            status.has_ended() && status.timers.is_empty() && status.waits.is_empty(),
            "{label}: {status:?}"
        );
        let journal = store.journal(&run.run_id).await.unwrap();
        let done = journal.iter().filter_map(|record| match &record.event {
            Event::StepCompleted { op, .. } | Event::ChildEnded { op, .. } | Event::ChildStarted { op } => {
                Some(op.to_string())
            }
            Event::MessageReceived { message_id, .. } => Some(message_id.clone()),
            _ => None,
        });
        let mut done: Vec<String> = done.collect();
        let count = done.len();
        done.sort();
        done.dedup();
        assert_eq!(done.len(), count, "{label}: {journal:?}");
    }
}

/// Every second write is done and fails all the same: whoever repeats it must not do it twice.
async fn stutter(scenario: Scenario, store: Arc<dyn Store>) {
    let world = World::new();
    if scenario == Scenario::Children {
        world.fail_for("note t-2");
    }
    let faulty = Faulty::new(Arc::clone(&store), Crash::Never);
    faulty.stutter();
    let engine = engine(faulty, &world).start().await.unwrap();
    let played = tokio::time::timeout(Duration::from_secs(20), scenario.play(engine)).await;
    assert!(played.is_ok(), "{scenario:?}: {:?}", store.runs(&RunFilter::default()).await);
    assert_eq!(world.calls(), scenario.calls(), "{scenario:?}");
    check_runs(&store, scenario, "a store that stutters").await;
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
        assert!(writes > scenario.calls().len() + scenario.runs(), "only {writes} writes were attacked");
    }
}

macro_rules! crash_everywhere {
    ($($name:ident: $scenario:expr;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn memory_that_stutters() {
                stutter($scenario, Arc::new(Memory::new())).await;
            }

            #[tokio::test]
            async fn sqlite_that_stutters() {
                let folder = Folder::new();
                stutter($scenario, Arc::new(Sqlite::open(folder.database()).await.unwrap())).await;
            }

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
    children_survive_a_crash_at_every_write: Scenario::Children;
    a_cancelled_family_survives_a_crash_at_every_write: Scenario::Cancel;
    a_detached_child_survives_a_crash_at_every_write: Scenario::Detached;
    messages_that_leave_survive_a_crash_at_every_write: Scenario::Messages;
    generations_survive_a_crash_at_every_write: Scenario::Generations;
    all_of_it_together_survives_a_crash_at_every_write: Scenario::Everything;
}
