//! Runs that only wait leave memory, and come back when something happens: whatever it is, and whenever it comes.
//! It must not know how the engine lets go of a run.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::{Fleet, NewMessage, Store};
use workflow_runtime::{Client, Clock, EngineBuilder, Memory, Payload, RunHandle};
use world::family::*;
use world::faulty::{Crash, Faulty};
use world::*;

/// Sleeps, then notes that.
#[workflow]
async fn nap(order: String) -> Result<u64, ShopError> {
    sleep(hours(1)).await;
    note(&order).await
}

/// Sleeps for longer.
#[workflow]
async fn siesta(order: String) -> Result<u64, ShopError> {
    sleep(days(1)).await;
    note(&order).await
}

/// An engine that lets go of runs as soon as they only wait.
fn forgetful(store: impl Store, world: &World, clock: &Clock) -> EngineBuilder {
    builder(store, world, clock)
        .register(nap)
        .register(siesta)
        .register(supervise)
        .park_idle_after(Duration::ZERO)
}

async fn parked(engine: &Engine) {
    eventually("no run is in memory", async || (engine.live_runs() == 0).then_some(())).await;
}

async fn waits(client: &Client, run_id: &str) {
    until(client, run_id, "it waits", |status| !status.waits.is_empty()).await;
}

on_every_lone_store! {
    async fn a_run_that_sleeps_is_never_in_memory_before_it_wakes(store, world, clock) {
        let engine = builder(store, &world, &clock).register(nap).start().await.unwrap();
        let run = engine.start(nap("o-1".into())).id("order-1").await.unwrap();
        assert_eq!(engine.live_runs(), 0);
        assert_eq!(engine.client().status("order-1").await.unwrap().timers.len(), 1);
        let again = engine.start(nap("o-1".into())).id("order-1").await.unwrap();
        let other = engine.start(nap("o-2".into())).id("order-1").await.unwrap_err();
        assert!(other.is_taken(), "{other}");
        assert_eq!((engine.live_runs(), world.count("note")), (0, 0));
        clock.advance(Duration::from_secs(3_600));
        assert_eq!((run.result().await.unwrap(), again.result().await.unwrap()), (1, 1));
        assert_eq!(world.count("note"), 1);
    }

    async fn a_parked_run_wakes_when_its_time_has_come_and_not_before(store, world, clock) {
        let engine = forgetful(store, &world, &clock).start().await.unwrap();
        let run = engine.start(slow("o-1".into())).id("order-1").await.unwrap();
        until(&engine.client(), "order-1", "it sleeps", |status| !status.timers.is_empty()).await;
        parked(&engine).await;
        // What is due later must not keep the waker from what is due sooner, whichever came first.
        engine.start(nap("o-2".into())).id("order-2").await.unwrap();
        clock.advance(Duration::from_secs(3_599));
        engine.start(nap("o-3".into())).id("order-3").await.unwrap();
        assert_eq!((engine.live_runs(), world.count("note")), (0, 1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(run.result().await.unwrap(), 2);
        assert_eq!(engine.client().result::<u64>("order-2").await.unwrap(), 1);
        assert_eq!(world.count("note"), 3);
        parked(&engine).await;
    }

    async fn a_parked_run_survives_a_restart_and_is_not_loaded_for_it(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = forgetful(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(nap("o-1".into())).id("order-1").await.unwrap();
        engine.start(collect("o-2".into())).id("order-2").await.unwrap();
        waits(&engine.client(), "order-2").await;
        parked(&engine).await;
        drop(engine);
        let engine = forgetful(Arc::clone(&store), &world, &clock).start().await.unwrap();
        assert_eq!(engine.live_runs(), 0);
        let client = engine.client();
        for amount in [1, 2] {
            client.deliver(Paid { order: "o-2".into(), amount }).await.unwrap();
        }
        assert_eq!(client.result::<u64>("order-2").await.unwrap(), 102);
        drop(engine);
        clock.advance(Duration::from_secs(3_600));
        let engine = forgetful(store, &world, &clock).start().await.unwrap();
        assert_eq!(engine.client().result::<u64>("order-1").await.unwrap(), 1);
        assert_eq!(world.calls(), ["reserve o-2", "note o-1"]);
    }

    async fn a_deadline_is_kept_by_a_parked_run(store, world, clock) {
        let engine = forgetful(store, &world, &clock).start().await.unwrap();
        let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
        waits(&engine.client(), "order-1").await;
        parked(&engine).await;
        clock.advance(Duration::from_secs(60));
        assert_eq!(run.result().await.unwrap_err().into_failed(), Some(ShopError::TimedOut));
        assert_eq!(world.calls(), ["reserve o-1", "release o-1"]);
    }

    async fn an_attempt_that_is_repeated_later_is_waited_for_parked(store, world, clock) {
        world.script("charge", [Behaviour::Fail(ShopError::Busy)]);
        let engine = forgetful(store, &world, &clock).start().await.unwrap();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        until(&engine.client(), "order-1", "another attempt is due", |s| !s.timers.is_empty()).await;
        parked(&engine).await;
        clock.advance(Duration::from_secs(1));
        assert_eq!(run.result().await.unwrap(), "order-1/charge");
        assert_eq!(world.calls(), ["reserve o-1", "charge o-1", "charge o-1", "ship o-1"]);
    }

    async fn a_cancel_wakes_a_parked_run(store, world, clock) {
        let engine = forgetful(store, &world, &clock).start().await.unwrap();
        let run = engine.start(collect("o-1".into())).id("order-1").await.unwrap();
        let nap = engine.start(nap("o-2".into())).id("order-2").await.unwrap();
        waits(&engine.client(), "order-1").await;
        parked(&engine).await;
        engine.client().cancel("order-1", "enough").await.unwrap();
        engine.client().cancel("order-2", "enough").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        assert!(nap.result().await.unwrap_err().is_cancelled());
        assert_eq!(world.calls(), ["reserve o-1", "release o-1"]);
    }

    async fn a_parked_parent_hears_of_its_child_and_the_child_of_its_parent(store, world, clock) {
        let engine = forgetful(store, &world, &clock).start().await.unwrap();
        let run = engine.start(supervise("s".into())).id("r-1").await.unwrap();
        let gone = engine.start(supervise("t".into())).id("r-2").await.unwrap();
        for child in ["r-1/collect", "r-2/collect"] {
            eventually("the child is there", async || engine.client().status(child).await.ok()).await;
            waits(&engine.client(), child).await;
        }
        parked(&engine).await;
        for amount in [1, 2] {
            engine.client().deliver(Paid { order: "s-c".into(), amount }).await.unwrap();
        }
        assert_eq!(run.result().await.unwrap(), 102);
        parked(&engine).await;
        engine.client().cancel("r-2", "enough").await.unwrap();
        assert!(gone.result().await.unwrap_err().is_cancelled());
        assert!(engine.client().result::<u64>("r-2/collect").await.unwrap_err().is_cancelled());
        parked(&engine).await;
    }

    async fn what_is_stuck_waits_for_people_without_memory(store, world, clock) {
        world.always("ship", Behaviour::Panic);
        let engine = forgetful(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        let runs = ["a", "b", "c"];
        for id in runs {
            engine.start(fulfil(id.into())).id(id).await.unwrap();
            until(&client, id, "an incident", |status| !status.incidents.is_empty()).await;
        }
        parked(&engine).await;
        assert_eq!(client.retry("a").await.unwrap(), 1);
        eventually("it is tried again", async || (world.count("ship") == 4).then_some(())).await;
        until(&client, "a", "an incident", |status| !status.incidents.is_empty()).await;
        client.skip("b", "ship", &()).await.unwrap();
        assert_eq!(client.result::<String>("b").await.unwrap(), "b/charge");
        let elsewhere = client.fail("c", "charge", "x").await.unwrap_err();
        assert!(elsewhere.is_not_stuck() && elsewhere.to_string().contains("stuck is `ship`"), "{elsewhere}");
        let misfit = client.skip("c", "ship", &7).await.unwrap_err();
        assert!(misfit.is_bad_input(), "{misfit}");
        client.fail("c", "ship", "bankrupt").await.unwrap();
        assert!(client.result::<String>("c").await.unwrap_err().is_cancelled());
        parked(&engine).await;
    }

    async fn a_run_with_broken_code_is_parked_and_mended(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = forgetful(Arc::clone(&store), &world, &clock).register(clumsy::tidy_up).start().await.unwrap();
        let client = engine.client();
        engine.start(clumsy::tidy_up("o-1".into())).id("order-1").await.unwrap();
        until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        parked(&engine).await;
        client.cancel("order-1", "too slow").await.unwrap();
        parked(&engine).await;
        let refused = client.skip("order-1", "note", &1).await.unwrap_err();
        assert!(refused.is_not_stuck() && refused.to_string().contains("mend the code"), "{refused}");
        assert_eq!(client.retry("order-1").await.unwrap(), 1, "tried, and broken again");
        parked(&engine).await;
        drop(engine);
        let engine = forgetful(store, &world, &clock).register(mended::tidy_up).start().await.unwrap();
        // The next engine has a look by itself: it may have the code that the run waits for, and here it has.
        assert!(engine.client().result::<u64>("order-1").await.unwrap_err().is_cancelled());
    }

    async fn many_that_come_due_at_once_go_through_in_turns(store, world, clock) {
        world.always("note", Behaviour::Wait);
        let engine = forgetful(store, &world, &clock).live_runs(8).start().await.unwrap();
        for n in 0..30 {
            engine.start(nap(format!("o-{n}"))).id(format!("order-{n}")).await.unwrap();
        }
        clock.advance(Duration::from_secs(3_600));
        eventually("as many as there is room for", async || (world.count("note") == 8).then_some(())).await;
        for finished in 1..=30 {
            assert!(engine.live_runs() <= 8, "{} runs are in memory", engine.live_runs());
            world.open_gate(1);
            let begun = (8 + finished).min(30);
            eventually("the next has its turn", async || (world.count("note") == begun).then_some(())).await;
        }
        for n in 0..30 {
            assert_eq!(engine.client().result::<u64>(&format!("order-{n}")).await.unwrap(), 1);
        }
        parked(&engine).await;
    }

    async fn runs_that_only_wait_make_room_for_those_that_are_due(store, world, clock) {
        let engine = forgetful(store, &world, &clock).park_idle_after(Duration::from_secs(3_600)).live_runs(3);
        let engine = engine.start().await.unwrap();
        // A day is further away than an hour, so that it is parked from the start.
        engine.start(siesta("o-0".into())).id("sleeps").await.unwrap();
        for n in 1..=4 {
            engine.start(patient(format!("o-{n}"))).id(format!("order-{n}")).await.unwrap();
        }
        assert_eq!(engine.live_runs(), 4, "starts do not wait for room, and nobody is in need of it");
        clock.advance(Duration::from_secs(24 * 3_600));
        assert_eq!(engine.client().result::<u64>("sleeps").await.unwrap(), 1);
        for n in 1..=4 {
            engine.client().deliver(Paid { order: format!("o-{n}"), amount: n }).await.unwrap();
            assert_eq!(engine.client().result::<u64>(&format!("order-{n}")).await.unwrap(), n);
        }
    }
}

/// What happens to a run, and how it is told from outside.
#[derive(Clone, Copy, Debug)]
enum News {
    Message,
    Cancel,
    Retry,
    Timer,
    ChildEnds,
}

/// When it comes, seen from the run that is let go of.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// It is in the store before the run is parked, and nobody in memory was told.
    JustBefore,
    /// After the store has parked the run, before the engine hears of that.
    During,
    After,
}

impl News {
    async fn start(self, engine: &Engine) -> RunHandle<Result<u64, ShopError>> {
        let client = engine.client();
        match self {
            News::Message => {
                let run = engine.start(open_ended("o-1".into())).id("r").await.unwrap();
                waits(&client, "r").await;
                run
            }
            News::Cancel | News::Timer => {
                let run = engine.start(slow("o-1".into())).id("r").await.unwrap();
                until(&client, "r", "it sleeps", |status| !status.timers.is_empty()).await;
                run
            }
            News::Retry => {
                let run = engine.start(stubborn("o-1".into())).id("r").await.unwrap();
                until(&client, "r", "an incident", |status| !status.incidents.is_empty()).await;
                run
            }
            News::ChildEnds => engine.start(guardian("o-1".into())).id("r").await.unwrap(),
        }
    }

    /// Puts it into the store, as a worker does that dies before it tells anybody in memory.
    async fn note(self, store: &Arc<dyn Store>, worker: &str, clock: &Clock) {
        let now_ms = clock.now_ms();
        match self {
            News::Message => {
                let paid = Payload::of(&Paid { order: "o-1".into(), amount: 7 }).unwrap();
                let message = NewMessage::new("m", "Paid", "o-1", paid, now_ms + 1_000_000);
                assert_eq!(store.deliver(worker, &[message], now_ms).await.unwrap()[0].offers.len(), 1);
            }
            News::Cancel => {
                store.request_cancel(worker, "r", "enough").await.unwrap().unwrap();
            }
            News::Retry => {
                let request = workflow_runtime::store::Request {
                    id: "q".into(),
                    run_id: "r".into(),
                    body: Payload::of("retry").unwrap(),
                };
                assert!(store.ask(worker, &request, now_ms).await.unwrap());
            }
            News::Timer => clock.advance(Duration::from_secs(3_600)),
            News::ChildEnds => {
                unreachable!("whoever ends a child writes through the committer, like whoever parks")
            }
        }
    }

    /// Tells it like anybody outside.
    async fn tell(self, client: Client, clock: Clock, world: World) {
        match self {
            News::Message => {
                client.deliver(Paid { order: "o-1".into(), amount: 7 }).await.unwrap();
            }
            News::Cancel => {
                client.cancel("r", "enough").await.unwrap();
            }
            News::Retry => {
                assert_eq!(client.retry("r").await.unwrap(), 1);
            }
            News::Timer => clock.advance(Duration::from_secs(3_600)),
            News::ChildEnds => world.open_gate(1),
        }
    }
}

/// Waits for one message for as long as it takes.
#[workflow]
async fn open_ended(order: String) -> Result<u64, ShopError> {
    Ok(receive::<Paid>(&order).forever().await.amount)
}

/// Stuck until somebody has it tried again.
#[workflow]
async fn stubborn(order: String) -> Result<u64, ShopError> {
    ship(&order).await?;
    Ok(1)
}

#[workflow]
async fn ward(order: String) -> Result<u64, ShopError> {
    note(&order).await
}

#[workflow]
async fn guardian(order: String) -> Result<u64, ShopError> {
    ward(order).await
}

async fn nothing_is_lost<S: Store>(store: S, news: News, moment: Moment) {
    let label = format!("{news:?}, {moment:?}");
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    if let News::Retry = news {
        world.script("ship", [Behaviour::Panic]);
    }
    if let News::ChildEnds = news {
        world.script("note", [Behaviour::Wait]);
    }
    let store: Arc<dyn Store> = Arc::new(store);
    let faulty = Faulty::new(Arc::clone(&store), Crash::Never);
    let held = faulty.hold_parks();
    let engine = builder(Arc::clone(&faulty), &world, &clock).park_idle_after(Duration::ZERO);
    let engine = engine.register(open_ended).register(stubborn).register(guardian).start().await.unwrap();
    let run = news.start(&engine).await;
    held.is_asked().await;
    let (client, teller) = (engine.client(), clock.clone());
    match moment {
        Moment::JustBefore => {
            news.note(&store, &engine.worker(), &clock).await;
            held.release();
        }
        Moment::During => {
            held.write().await;
            let telling = tokio::spawn(news.tell(client, teller, world.clone()));
            tokio::time::sleep(Duration::from_millis(5)).await;
            held.release();
            telling.await.unwrap();
        }
        Moment::After => {
            held.release();
            if !matches!(news, News::ChildEnds) {
                parked(&engine).await;
            }
            news.tell(client, teller, world.clone()).await;
        }
    }
    let ended = tokio::time::timeout(Duration::from_secs(10), run.result()).await;
    let ended = ended.unwrap_or_else(|_| panic!("{label}: it was not woken"));
    match news {
        News::Message => assert_eq!(ended.unwrap(), 7, "{label}"),
        News::Cancel => assert!(ended.unwrap_err().is_cancelled(), "{label}"),
        News::Timer => assert_eq!((ended.unwrap(), world.count("note")), (2, 2), "{label}"),
        News::Retry => assert_eq!((ended.unwrap(), world.count("ship")), (1, 2), "{label}"),
        News::ChildEnds => assert_eq!(ended.unwrap(), 1, "{label}"),
    }
    parked(&engine).await;
}

async fn nothing_is_lost_at_any_moment<S: Store>(new_store: impl AsyncFn() -> (S, Folder)) {
    for news in [News::Message, News::Cancel, News::Retry, News::Timer, News::ChildEnds] {
        for moment in [Moment::JustBefore, Moment::During, Moment::After] {
            if matches!((news, moment), (News::ChildEnds, Moment::JustBefore)) {
                continue;
            }
            let (store, _folder) = new_store().await;
            nothing_is_lost(store, news, moment).await;
        }
    }
}

mod whatever_comes_around_the_park_is_heard {
    use super::*;

    #[tokio::test]
    async fn memory() {
        nothing_is_lost_at_any_moment(async || (Memory::new(), Folder::new())).await;
    }

    #[tokio::test]
    async fn shared_memory() {
        nothing_is_lost_at_any_moment(async || (Memory::shared(), Folder::new())).await;
    }

    #[tokio::test]
    async fn sqlite() {
        nothing_is_lost_at_any_moment(async || {
            let folder = Folder::new();
            (Sqlite::open(folder.database()).await.unwrap(), folder)
        })
        .await;
    }
}

mod clumsy {
    use super::*;

    #[workflow]
    pub(crate) async fn tidy_up(order: String) -> Result<u64, ShopError> {
        note(&order).await?;
        assert!(order.is_empty(), "the fuse is lit");
        sleep(hours(1)).await;
        note(&order).await
    }
}

mod mended {
    use super::*;

    #[workflow]
    pub(crate) async fn tidy_up(order: String) -> Result<u64, ShopError> {
        note(&order).await?;
        sleep(hours(1)).await;
        note(&order).await
    }
}
