//! Several engines on one store: who dies is taken over from, who wakes up late changes nothing, and what people and
//! runs tell each other reaches them. Time is tokio's paused time.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::{Fleet, Store};
use workflow_runtime::{
    Client, Clock, EngineBuilder, Memory, Outgoing, RunFilter, RunState, Transport, TransportError,
};
use world::family::*;
use world::faulty::{Crash, Faulty};
use world::*;

/// An engine of a fleet, on one clock with the others; its steps have a world of their own, to tell who did what.
fn member(store: impl Store, world: &World) -> EngineBuilder {
    builder(store, world, &Clock::manual(1_000_000))
        .register(supervise)
        .poll_interval(Duration::from_millis(100))
        .park_idle_after(Duration::MAX)
}

async fn attempted(world: &World, step: &str) {
    eventually("the attempt", async || (world.count(step) == 1).then_some(())).await;
}

async fn steps(store: &Memory, run_id: &str) -> usize {
    store.journal(run_id).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn the_runs_of_an_engine_that_dies_go_on_elsewhere_after_its_lease() {
    let store = Memory::shared();
    let (one, two) = (World::new(), World::new());
    one.script("charge", [Behaviour::Hang]);
    let first = member(store.clone(), &one).start().await.unwrap();
    let second = member(store.clone(), &two).start().await.unwrap();
    first.start(fulfil("o-1".into())).id("order-1").await.unwrap();
    first.start(patient("o-2".into())).id("order-2").await.unwrap();
    attempted(&one, "charge").await;
    drop(first);
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(second.live_runs(), 0, "nobody knows yet that it is gone");
    assert_eq!(second.client().result::<String>("order-1").await.unwrap(), "order-1/charge");
    assert_eq!((one.calls(), two.calls()), (calls(&["reserve", "charge"]), calls(&["charge", "ship"])));
    second.client().deliver(Paid { order: "o-2".into(), amount: 2 }).await.unwrap();
    assert_eq!(second.client().result::<u64>("order-2").await.unwrap(), 2);
}

fn calls(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| format!("{step} o-1")).collect()
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_leaves_is_taken_over_from_at_once() {
    let store = Memory::shared();
    let world = World::new();
    let first = member(store.clone(), &world).start().await.unwrap();
    let second = member(store.clone(), &world).start().await.unwrap();
    for n in 0..50 {
        first.start(patient(format!("o-{n}"))).id(format!("order-{n}")).await.unwrap();
    }
    first.shutdown().await;
    let began = tokio::time::Instant::now();
    eventually("it has all of them", async || (second.live_runs() == 50).then_some(())).await;
    assert!(began.elapsed() < Duration::from_secs(1), "by the paused clock: long before the lease is over");
    assert!(first.client().retry("order-1").await.unwrap_err().is_stopped());
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_sleeps_past_its_lease_wakes_up_and_changes_nothing() {
    let store = Memory::shared();
    let (one, two) = (World::new(), World::new());
    one.script("charge", [Behaviour::Wait]);
    let slow = Faulty::new(store.clone(), Crash::Never);
    let first = member(Arc::clone(&slow), &one).start().await.unwrap();
    let run = first.start(fulfil("o-1".into())).id("order-1").await.unwrap();
    attempted(&one, "charge").await;
    let name = first.worker();
    let second = member(store.clone(), &two).start().await.unwrap();
    assert_ne!(second.worker(), name);
    slow.freeze();
    // Its answer comes while nobody can write it down, and is lost with the lease.
    one.open_gate(1);
    assert_eq!(second.client().result::<String>("order-1").await.unwrap(), "order-1/charge");
    let before = store.journal("order-1").await.unwrap();
    slow.thaw();
    eventually("it has another name", async || (first.worker() != name).then_some(())).await;
    eventually("it lets go", async || (first.live_runs() == 0).then_some(())).await;
    assert_eq!(run.result().await.unwrap(), "order-1/charge", "its handles see what really happened");
    assert_eq!(store.journal("order-1").await.unwrap(), before);
    assert_eq!((one.count("charge"), one.count("ship"), two.count("charge")), (1, 0, 1));
    // It goes on as a member like any other.
    let run = first.start(fulfil("o-9".into())).id("order-9").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "order-9/charge");
    assert!(store.beat(&first.worker(), Duration::from_secs(30)).await.unwrap());
    assert_eq!(one.count("ship"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_not_sure_of_its_lease_begins_nothing_and_writes_nothing() {
    let store = Memory::shared();
    let world = World::new();
    world.script("reserve", [Behaviour::Wait]);
    let slow = Faulty::new(store.clone(), Crash::Never);
    let engine = member(Arc::clone(&slow), &world).start().await.unwrap();
    let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
    attempted(&world, "reserve").await;
    let name = engine.worker();
    slow.silence(true);
    tokio::time::sleep(Duration::from_secs(100)).await;
    world.open_gate(1);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!((world.calls().len(), steps(&store, "order-1").await), (1, 1), "others may hold the run");
    slow.silence(false);
    assert_eq!(run.result().await.unwrap(), "order-1/charge");
    assert_eq!(
        world.calls(),
        ["reserve o-1", "charge o-1", "ship o-1"],
        "nobody gave it up: nothing is repeated"
    );
    assert_eq!(engine.worker(), name);
}

#[workflow]
async fn nap(name: String) -> String {
    sleep(seconds(10)).await;
    name
}

#[tokio::test(start_paused = true)]
async fn what_comes_due_while_the_lease_is_not_sure_keeps_nobody_from_finding_out() {
    let store = Memory::shared();
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    let slow = Faulty::new(store.clone(), Crash::Never);
    let engine = builder(Arc::clone(&slow), &world, &clock).register(nap).park_idle_after(Duration::ZERO);
    let engine = engine.start().await.unwrap();
    let run = engine.start(nap("o-1".into())).id("nap-1").await.unwrap();
    eventually("it is parked", async || (engine.live_runs() == 0).then_some(())).await;
    slow.silence(true);
    tokio::time::sleep(Duration::from_secs(100)).await;
    clock.set(1_010_001);
    // This test has one thread: whoever looks for due runs without a pause would keep it for ever.
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(steps(&store, "nap-1").await, 1, "others may hold the run");
    slow.silence(false);
    assert_eq!(run.result().await.unwrap(), "o-1");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_meets_a_lost_lease_begins_under_the_next_name() {
    let store = Memory::shared();
    let world = World::new();
    let slow = Faulty::new(store.clone(), Crash::Never);
    let first = member(Arc::clone(&slow), &world).register(hire).start().await.unwrap();
    let parent = first.start(hire("h".into())).id("parent").await.unwrap();
    parent.result().await.unwrap();
    let name = first.worker();
    slow.freeze();
    let second = member(store.clone(), &world).start().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let starting = tokio::spawn(first.start(fulfil("o-1".into())).id("order-1").into_future());
    let placed = Placed { order: "o-2".into(), amount: 3 };
    let telling = tokio::spawn(first.client().deliver(placed).message_id("m-1").into_future());
    tokio::time::sleep(Duration::from_secs(60)).await;
    slow.thaw();
    let run = starting.await.unwrap().unwrap();
    assert_eq!(run.result().await.unwrap(), "order-1/charge");
    assert_eq!(telling.await.unwrap().unwrap(), workflow_runtime::Delivery::Started);
    second.client().deliver(Paid { order: "o-2".into(), amount: 4 }).await.unwrap();
    assert_eq!(first.client().result::<u64>("open_order:m-1").await.unwrap(), 304);
    assert_ne!(first.worker(), name);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_to_one_engine_reaches_runs_of_another() {
    let store = Memory::shared();
    let (one, two) = (World::new(), World::new());
    one.always("ship", Behaviour::Panic);
    one.script("note", [Behaviour::Wait]);
    let holder = member(store.clone(), &one).start().await.unwrap();
    let other = member(store.clone(), &two).start().await.unwrap();
    let elsewhere = other.client();
    let collecting = holder.start(collect("o-1".into())).id("order-1").await.unwrap();
    until(&elsewhere, "order-1", "it waits", |status| !status.waits.is_empty()).await;
    elsewhere.deliver(Paid { order: "o-1".into(), amount: 1 }).await.unwrap();
    elsewhere.deliver(Paid { order: "o-1".into(), amount: 2 }).await.unwrap();
    assert_eq!(collecting.result().await.unwrap(), 102);

    // An attempt under way is not disturbed by news.
    let noting = holder.start(slow("o-2".into())).id("order-2").await.unwrap();
    attempted(&one, "note").await;
    elsewhere.cancel("order-2", "enough").await.unwrap();
    until(&elsewhere, "order-2", "it has heard", |status| status.cancel_reason.is_none()).await;
    one.open_gate(1);
    assert!(noting.result().await.unwrap_err().is_cancelled());
    assert_eq!(one.count("note"), 1);

    for id in ["a", "b"] {
        holder.start(fulfil(id.into())).id(id).await.unwrap();
        until(&elsewhere, id, "an incident", |status| !status.incidents.is_empty()).await;
    }
    assert_eq!(elsewhere.retry("a").await.unwrap(), 1);
    eventually("it is tried again", async || (one.count("ship") == 3).then_some(())).await;
    until(&elsewhere, "a", "an incident", |status| !status.incidents.is_empty()).await;
    assert!(elsewhere.skip("a", "charge", "x").await.unwrap_err().is_not_stuck());
    assert!(elsewhere.skip("a", "ship", &7).await.unwrap_err().is_bad_input());
    elsewhere.skip("a", "ship", &()).await.unwrap();
    elsewhere.fail("b", "ship", "bankrupt").await.unwrap();
    assert_eq!(elsewhere.result::<String>("a").await.unwrap(), "a/charge");
    assert!(elsewhere.result::<String>("b").await.unwrap_err().is_cancelled());
    assert!(elsewhere.retry("b").await.unwrap_err().to_string().contains("has ended"));
    assert_eq!(two.calls(), [""; 0], "whoever holds a run drives it");
}

#[tokio::test(start_paused = true)]
async fn a_request_outlives_the_engine_that_holds_the_run() {
    let store = Memory::shared();
    let (one, two) = (World::new(), World::new());
    one.always("ship", Behaviour::Panic);
    let slow = Faulty::new(store.clone(), Crash::Never);
    let holder = member(Arc::clone(&slow), &one).start().await.unwrap();
    let other = member(store.clone(), &two).start().await.unwrap();
    holder.start(fulfil("a".into())).id("a").await.unwrap();
    until(&other.client(), "a", "an incident", |status| !status.incidents.is_empty()).await;
    slow.freeze();
    assert_eq!(other.client().retry("a").await.unwrap(), 1);
    assert_eq!(other.client().result::<String>("a").await.unwrap(), "a/charge");
    assert_eq!((one.count("ship"), two.count("ship")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_run_that_nobody_has_code_for_is_told_so() {
    let store = Memory::shared();
    let world = World::new();
    let holder = member(store.clone(), &world).start().await.unwrap();
    let stranger = Engine::builder().store(store.clone()).start().await.unwrap();
    holder.start(patient("o-1".into())).id("order-1").await.unwrap();
    let nothing = stranger.client().retry("order-1").await.unwrap_err();
    assert!(nothing.to_string().contains("nothing that is stuck"), "the holder answers: {nothing}");
    holder.shutdown().await;
    let nobody = stranger.client().retry("order-1").await.unwrap_err();
    let text = nobody.to_string();
    assert!(text.contains("not driven by any engine: is `patient`, version 1, registered?"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn parents_and_children_live_on_different_engines() {
    let store = Memory::shared();
    let world = World::new();
    let parents = member(store.clone(), &world).park_idle_after(Duration::ZERO).start().await.unwrap();
    let client = parents.client();
    for n in 0..10 {
        parents.start(supervise(format!("s-{n}"))).id(format!("r-{n}")).await.unwrap();
    }
    for n in 0..10 {
        let child = format!("r-{n}/collect");
        eventually("the child is there", async || client.status(&child).await.ok()).await;
        until(&client, &child, "it waits", |status| !status.waits.is_empty()).await;
    }
    parents.shutdown().await;
    // One that knows the children only, and ends some of them while nobody has code for their parents.
    let children =
        Engine::builder().store(store.clone()).clock(Clock::manual(1_000_000)).resource(world.clone());
    let children =
        children.register(collect).poll_interval(Duration::from_millis(100)).start().await.unwrap();
    for n in 0..5 {
        pay(&children.client(), n).await;
        assert_eq!(children.client().result::<u64>(&format!("r-{n}/collect")).await.unwrap(), 102);
    }
    assert!(store.orphans().await.unwrap().iter().any(|orphans| orphans.workflow == "supervise"));
    let parents = member(store.clone(), &world).start().await.unwrap();
    for n in 5..10 {
        pay(&parents.client(), n).await;
    }
    for n in 0..10 {
        assert_eq!(parents.client().result::<u64>(&format!("r-{n}")).await.unwrap(), 102);
    }
    assert_eq!(world.count("reserve"), 20, "ten parents and ten children, each step once");
}

async fn pay(client: &Client, n: u64) {
    for amount in [1, 2] {
        client.deliver(Paid { order: format!("s-{n}-c"), amount }).await.unwrap();
    }
}

mod releases {
    use super::*;

    pub(crate) mod first {
        use super::*;

        #[workflow]
        pub(crate) async fn billing(order: String) -> Result<u64, ShopError> {
            Ok(receive::<Paid>(&order).forever().await.amount)
        }
    }

    pub(crate) mod second {
        use super::*;

        #[workflow(version = 2)]
        pub(crate) async fn billing(order: String) -> Result<u64, ShopError> {
            let paid = receive::<Paid>(&order).forever().await;
            Ok(paid.amount + note(&order).await?)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn releases_work_side_by_side_and_each_takes_only_what_it_has_code_for() {
    let store = Memory::shared();
    let world = World::new();
    let empty = || {
        let engine = Engine::builder().store(store.clone()).clock(Clock::manual(1_000_000));
        engine.resource(world.clone()).poll_interval(Duration::from_millis(100))
    };
    let old = empty().register(releases::first::billing).start().await.unwrap();
    let new = empty().register(releases::second::billing).start().await.unwrap();
    for id in ["a", "b"] {
        old.start(releases::first::billing(id.into())).id(id).await.unwrap();
        let id = format!("{id}-new");
        new.start(releases::second::billing(id.clone())).id(id).await.unwrap();
    }
    let client = new.client();
    let paid = |order: &str| client.deliver(Paid { order: order.into(), amount: 5 });
    paid("a").await.unwrap();
    assert_eq!(client.result::<u64>("a").await.unwrap(), 5);
    old.shutdown().await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    paid("b").await.unwrap();
    paid("a-new").await.unwrap();
    paid("b-new").await.unwrap();
    for id in ["a-new", "b-new"] {
        assert_eq!(client.result::<u64>(id).await.unwrap(), 6);
    }
    assert_eq!(client.status("b").await.unwrap().state, RunState::Running);
    let [orphans] = &store.orphans().await.unwrap()[..] else { panic!("one version is left alone") };
    assert_eq!((orphans.workflow.as_str(), orphans.version, orphans.runs), ("billing", 1, 1));
    let old = empty().register(releases::first::billing).start().await.unwrap();
    assert_eq!(old.client().result::<u64>("b").await.unwrap(), 5);
}

/// Every hour, also those that were missed.
#[workflow(cron = "0 * * * *", catch_up = "all")]
async fn hourly() -> Result<u64, ShopError> {
    note("tick").await
}

#[tokio::test(start_paused = true)]
async fn a_tick_starts_one_run_whoever_sees_it_first() {
    let store = Memory::shared();
    let (world, clock) = (World::new(), Clock::manual(0));
    let mut engines = Vec::new();
    let start = || {
        let engine = builder(store.clone(), &world, &clock).register(hourly);
        engine.poll_interval(Duration::from_millis(100)).start()
    };
    for _ in 0..3 {
        engines.push(start().await.unwrap());
    }
    for hour in 1..=5 {
        clock.advance(Duration::from_secs(3_600));
        if hour == 3 {
            engines.remove(0).shutdown().await;
            engines.push(start().await.unwrap());
        }
        eventually("the tick has its run", async || {
            let runs = store.runs(&RunFilter::default()).await.unwrap();
            let ended = runs.iter().filter(|run| run.state != RunState::Running).count();
            (ended == hour).then_some(())
        })
        .await;
    }
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(world.count("note"), 5);
}

/// Remembers who handed what over.
#[derive(Clone)]
struct Ledger {
    name: &'static str,
    lines: Arc<std::sync::Mutex<Vec<(&'static str, Outgoing)>>>,
}

#[async_trait::async_trait]
impl Transport for Ledger {
    async fn hand_over(&self, message: &Outgoing) -> Result<(), TransportError> {
        // Somebody else would overtake this one.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.lines.lock().unwrap().push((self.name, message.clone()));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_run_leave_in_order_through_one_engine_at_a_time() {
    let store = Memory::shared();
    let world = World::new();
    let lines = Arc::default();
    let member = |name| {
        let engine = member(store.clone(), &world).register(announce);
        engine.transport(Ledger { name, lines: Arc::clone(&lines) }).start()
    };
    let (first, second) = (member("first").await.unwrap(), member("second").await.unwrap());
    for n in 0..10 {
        let engine = if n % 2 == 0 { &first } else { &second };
        engine.start(announce(format!("o-{n}"))).id(format!("r-{n}")).await.unwrap();
    }
    eventually("some have left", async || (lines.lock().unwrap().len() >= 5).then_some(())).await;
    first.shutdown().await;
    for n in 10..20 {
        second.start(announce(format!("o-{n}"))).id(format!("r-{n}")).await.unwrap();
    }
    eventually("all have left", async || (lines.lock().unwrap().len() >= 60).then_some(())).await;
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 60, "none leaves twice");
    assert!(
        lines.iter().any(|(name, _)| *name == "first") && lines.iter().any(|(name, _)| *name == "second")
    );
    let handover = lines.iter().position(|(name, _)| *name == "second").unwrap();
    assert!(lines[handover..].iter().all(|(name, _)| *name == "second"), "one at a time");
    for n in 0..20 {
        let of_run = lines.iter().filter(|(_, sent)| *sent.run_id == *format!("r-{n}"));
        let amounts: Vec<u64> = of_run.map(|(_, sent)| sent.payload.read::<Paid>().unwrap().amount).collect();
        assert_eq!(amounts, [1, 2, 3], "run {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_is_whoever_has_been_there_for_longest() {
    let store = Memory::shared();
    let lease = Duration::from_secs(30);
    for id in ["b", "a", "c"] {
        store.join(&turns::worker(id), lease).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let is_first = async |worker: &str| store.is_first(worker).await.unwrap();
    assert_eq!((is_first("a").await, is_first("b").await, is_first("c").await), (false, true, false));
    store.leave("b").await.unwrap();
    assert_eq!((is_first("a").await, is_first("b").await, is_first("c").await), (true, false, false));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(store.beat("c", lease).await.unwrap());
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!((is_first("a").await, is_first("c").await), (false, true), "whose lease is over is not there");
}

#[tokio::test(start_paused = true)]
async fn three_engines_that_come_and_go_lose_nothing() {
    let store = Memory::shared();
    let world = World::new();
    let start = || member(store.clone(), &world).park_idle_after(Duration::ZERO).start();
    let mut engines = vec![start().await.unwrap(), start().await.unwrap(), start().await.unwrap()];
    for n in 0..30_usize {
        let engine = &engines[n % 3];
        engine.start(collect(format!("o-{n}"))).id(format!("order-{n}")).await.unwrap();
        if n % 10 == 9 {
            let gone = engines.remove(0);
            if n == 19 {
                gone.shutdown().await;
            } else {
                drop(gone);
            }
            engines.push(start().await.unwrap());
        }
        let earlier = n / 2;
        let paid = Paid { order: format!("o-{earlier}"), amount: 1 };
        engines[n % 3].client().deliver(paid).message_id(format!("{earlier}-{}", n % 2)).await.unwrap();
    }
    for n in 15..30 {
        for half in 0..2 {
            let paid = Paid { order: format!("o-{n}"), amount: 1 };
            engines[n % 3].client().deliver(paid).message_id(format!("{n}-{half}")).await.unwrap();
        }
    }
    for n in 0..30 {
        assert_eq!(engines[0].client().result::<u64>(&format!("order-{n}")).await.unwrap(), 101);
    }
    let reserved = world.count("reserve");
    assert!((30..=32).contains(&reserved), "only what was under way is repeated: {reserved}");
}
