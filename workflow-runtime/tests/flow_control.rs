//! Limits of steps, priorities and circuit breakers in a running engine, and what becomes of those who wait.
//! That time is kept to the millisecond is shown beside the code, under a clock that can be paused.

mod world;

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use workflow_core::{Event, FailureKind};
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{
    BreakerState, CircuitBreaker, Clock, EngineBuilder, Limit, LimitedStep, Memory, Rate, RunHandle,
};
use world::{
    Behaviour, Folder, ShopError, World, charge, eventually, note, on_every_lone_store, reserve, until,
};

/// Where visitors are served, and where it is written down who was. Clones are the same place.
#[derive(Clone)]
struct Desk {
    seen: Arc<Mutex<Vec<String>>>,
    /// How many are at the desk, and how many were at most.
    at_it: Arc<Mutex<(usize, usize)>>,
    gate: Arc<Semaphore>,
    heavy_gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Desk {
    fn new() -> Desk {
        let (seen, at_it, gate) = (Arc::default(), Arc::default(), Arc::new(Semaphore::new(0)));
        Desk { seen, at_it, gate, heavy_gate: Arc::default() }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn note(&self, what: &str) {
        self.seen.lock().unwrap().push(what.to_owned());
    }

    fn most(&self) -> usize {
        self.at_it.lock().unwrap().1
    }
}

/// Takes until the test opens the gate.
#[step(read_only, concurrency = 3)]
async fn serve(desk: Resource<Desk>, name: &str) {
    desk.note(name);
    {
        let mut at_it = desk.at_it.lock().unwrap();
        at_it.0 += 1;
        at_it.1 = at_it.1.max(at_it.0);
    }
    desk.gate.acquire().await.unwrap().forget();
    desk.at_it.lock().unwrap().0 -= 1;
}

#[workflow]
async fn visit(name: String) {
    serve(&name).await;
}

#[workflow(priority = 10)]
async fn urgent_visit(name: String) {
    serve(&name).await;
}

#[workflow(priority = -10)]
async fn patient_visit(name: String) {
    serve(&name).await;
}

#[step(read_only, rate = "1000/h")]
async fn ring(desk: Resource<Desk>) {
    desk.note("ring");
}

#[workflow]
async fn bell() {
    ring().await;
}

/// Keeps its thread until the test opens the gate, whatever its timeout is.
#[step(
    read_only,
    concurrency = 1,
    timeout = "100ms",
    retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s")
)]
fn lift(desk: Resource<Desk>, cx: StepContext) -> u32 {
    desk.note(&format!("lift {}", cx.attempt()));
    let (is_open, opened) = &*desk.heavy_gate;
    let guard = opened.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap();
    drop(guard);
    cx.attempt()
}

#[workflow]
async fn gym() -> u32 {
    lift().await
}

#[workflow]
async fn one_note(text: String) -> Result<u64, ShopError> {
    note(&text).await
}

#[workflow]
async fn pay(order: String) -> Result<String, ShopError> {
    charge(&order).await
}

#[workflow]
async fn take(order: String) -> Result<(), ShopError> {
    reserve(&order).await
}

fn engine(store: impl Store, desk: &Desk, world: &World, clock: &Clock) -> EngineBuilder {
    let engine = Engine::builder().store(store).clock(clock.clone());
    let engine = engine.resource(desk.clone()).resource(world.clone());
    let engine = engine.register(visit).register(urgent_visit).register(patient_visit).register(bell);
    engine.register(gym).register(one_note).register(pay).register(take)
}

fn load(engine: &Engine, step: &str) -> (usize, usize) {
    let limits = engine.limits();
    let found = limits.steps.iter().find(|limited| limited.step == step);
    found.map_or((0, 0), |LimitedStep { running, waiting, .. }| (*running, *waiting))
}

async fn comes_to(engine: &Engine, step: &str, expected: (usize, usize)) {
    let what = format!("{expected:?} attempts of `{step}` run and wait");
    eventually(&what, async || (load(engine, step) == expected).then_some(())).await;
}

async fn breaker_is(engine: &Engine, state: BreakerState) {
    let is_so = async || (engine.limits().circuit_breakers[0].state == state).then_some(());
    eventually(&format!("the circuit breaker is {state:?}"), is_so).await;
}

async fn events(engine: &Engine, run_id: &str) -> Vec<Event> {
    let journal = engine.client().journal(run_id).await.unwrap();
    journal.into_iter().map(|record| record.event).collect()
}

async fn start(engine: &Engine, id: &str) -> RunHandle<()> {
    engine.start(visit(id.to_owned())).id(id).await.unwrap()
}

async fn note_fails(engine: &Engine, id: &str) {
    engine.start(one_note(id.to_owned())).id(id).await.unwrap();
    until(&engine.client(), id, "an attempt has failed", |status| !status.timers.is_empty()).await;
}

const AN_HOUR: Duration = Duration::from_secs(3_600);

on_every_lone_store! {
    async fn a_step_is_never_under_way_more_often_than_it_says(store, world, clock) {
        let desk = Desk::new();
        let engine = engine(store, &desk, &world, &clock).start().await.unwrap();
        let mut runs = Vec::new();
        for number in 0..30 {
            runs.push(start(&engine, &format!("visitor-{number}")).await);
        }
        comes_to(&engine, "serve", (3, 27)).await;
        assert_eq!(desk.seen().len(), 3);
        desk.gate.add_permits(30);
        for run in runs {
            run.result().await.unwrap();
        }
        assert_eq!((desk.most(), desk.seen().len()), (3, 30));
        comes_to(&engine, "serve", (0, 0)).await;
        engine.shutdown().await;
    }

    async fn the_runs_of_a_workflow_with_a_higher_priority_go_first(store, world, clock) {
        let desk = Desk::new();
        let engine = engine(store, &desk, &world, &clock).limit(serve, Limit::concurrency(1));
        let engine = engine.start().await.unwrap();
        let mut runs = vec![start(&engine, "at the desk").await];
        comes_to(&engine, "serve", (1, 0)).await;
        runs.push(engine.start(patient_visit("patient".to_owned())).await.unwrap());
        comes_to(&engine, "serve", (1, 1)).await;
        runs.push(start(&engine, "first").await);
        comes_to(&engine, "serve", (1, 2)).await;
        runs.push(start(&engine, "second").await);
        comes_to(&engine, "serve", (1, 3)).await;
        runs.push(engine.start(urgent_visit("urgent".to_owned())).await.unwrap());
        comes_to(&engine, "serve", (1, 4)).await;
        desk.gate.add_permits(5);
        for run in runs {
            run.result().await.unwrap();
        }
        assert_eq!(desk.seen(), ["at the desk", "urgent", "first", "second", "patient"]);
        engine.shutdown().await;
    }

    async fn no_more_attempts_begin_than_the_rate_allows(store, world, clock) {
        let desk = Desk::new();
        let rate = Rate { count: 4, per_ms: 150 };
        let engine = engine(store, &desk, &world, &clock).limit(ring, Limit::NONE.rate(rate));
        let engine = engine.start().await.unwrap();
        let began = Instant::now();
        let mut runs = Vec::new();
        for _ in 0..13 {
            runs.push(engine.start(bell()).await.unwrap());
        }
        for run in runs {
            run.result().await.unwrap();
        }
        assert!(began.elapsed() >= Duration::from_millis(3 * 150), "the thirteenth is in the fourth span");
        assert_eq!(desk.seen().len(), 13);
        engine.shutdown().await;
    }

    async fn who_waits_for_the_rate_waits_for_the_whole_span(store, world, clock) {
        let desk = Desk::new();
        let engine = engine(store, &desk, &world, &clock).limit(ring, Limit::NONE.rate(Rate::per_hour(2)));
        let engine = engine.start().await.unwrap();
        for _ in 0..5 {
            engine.start(bell()).await.unwrap();
        }
        comes_to(&engine, "ring", (0, 3)).await;
        assert_eq!(desk.seen().len(), 2);
        engine.shutdown().await;
    }

    async fn one_attempt_is_the_probe_of_a_half_open_breaker(store, world, clock) {
        let desk = Desk::new();
        let breaker = CircuitBreaker { failures: 1, open_for: Duration::from_millis(50) };
        let engine = engine(store, &desk, &world, &clock).circuit_breaker::<World>(breaker);
        let engine = engine.start().await.unwrap();
        world.script("note", [Behaviour::Fail(ShopError::Busy), Behaviour::Fail(ShopError::Busy)]);
        world.always("note", Behaviour::Wait);
        note_fails(&engine, "a").await;
        // It is the probe of the first time, and opens the breaker again.
        note_fails(&engine, "b").await;
        let mut runs = Vec::new();
        for id in ["c", "d", "e"] {
            runs.push(engine.start(one_note(id.to_owned())).id(id).await.unwrap());
        }
        comes_to(&engine, "note", (1, 2)).await;
        breaker_is(&engine, BreakerState::HalfOpen).await;
        assert_eq!(world.count("note"), 3);
        world.open_gate(1);
        breaker_is(&engine, BreakerState::Closed).await;
        comes_to(&engine, "note", (2, 0)).await;
        world.open_gate(2);
        for run in &runs {
            run.result().await.unwrap();
            let events = events(&engine, run.id()).await;
            assert!(!events.iter().any(|event| matches!(event, Event::AttemptFailed { .. })), "{events:?}");
        }
        engine.shutdown().await;
    }

    async fn timeouts_and_panics_open_a_breaker_and_final_errors_do_not(store, world, clock) {
        let desk = Desk::new();
        let breaker = CircuitBreaker { failures: 2, open_for: AN_HOUR };
        let engine = engine(store, &desk, &world, &clock).circuit_breaker::<World>(breaker);
        let engine = engine.start().await.unwrap();
        let client = engine.client();
        world.script("charge", [Behaviour::Panic]);
        world.script("note", [Behaviour::Fail(ShopError::Declined)]);
        engine.start(pay("a".to_owned())).id("a").await.unwrap();
        until(&client, "a", "it has panicked", |status| !status.timers.is_empty()).await;
        let declined = engine.start(one_note("b".to_owned())).await.unwrap().result().await;
        assert!(matches!(declined.unwrap_err().into_failed(), Some(ShopError::Declined)));
        world.script("charge", [Behaviour::Hang]);
        engine.start(pay("c".to_owned())).id("c").await.unwrap();
        until(&client, "c", "it has timed out", |status| !status.timers.is_empty()).await;
        assert_eq!(engine.limits().circuit_breakers[0].state, BreakerState::Closed, "not in a row");
        world.script("charge", [Behaviour::Panic]);
        engine.start(pay("d".to_owned())).id("d").await.unwrap();
        until(&client, "d", "it has panicked", |status| !status.timers.is_empty()).await;
        breaker_is(&engine, BreakerState::Open).await;
        engine.shutdown().await;
    }

    async fn who_waits_when_the_process_dies_goes_on_when_it_is_back(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let desk = Desk::new();
        let first = engine(Arc::clone(&store), &desk, &world, &clock).limit(serve, Limit::concurrency(1));
        let first = first.start().await.unwrap();
        start(&first, "a").await;
        comes_to(&first, "serve", (1, 0)).await;
        start(&first, "b").await;
        comes_to(&first, "serve", (1, 1)).await;
        drop(first);

        desk.gate.add_permits(2);
        let second = engine(store, &desk, &world, &clock).start().await.unwrap();
        for id in ["a", "b"] {
            second.client().run(visit, id).await.unwrap().result().await.unwrap();
            assert_eq!(events(&second, id).await.len(), 2, "begun, completed");
        }
        let calls = |name: &str| desk.seen().iter().filter(|seen| *seen == name).count();
        assert_eq!((calls("a"), calls("b")), (2, 1), "only what had begun is repeated");
        second.shutdown().await;
    }

    async fn who_is_cancelled_while_waiting_never_begins_and_holds_up_nobody(store, world, clock) {
        let desk = Desk::new();
        let engine = engine(store, &desk, &world, &clock).limit(serve, Limit::concurrency(1));
        let engine = engine.start().await.unwrap();
        let first = start(&engine, "a").await;
        comes_to(&engine, "serve", (1, 0)).await;
        let unwanted = start(&engine, "b").await;
        comes_to(&engine, "serve", (1, 1)).await;
        let last = start(&engine, "c").await;
        comes_to(&engine, "serve", (1, 2)).await;
        engine.client().cancel("b", "enough").await.unwrap();
        assert!(unwanted.result().await.unwrap_err().is_cancelled());
        comes_to(&engine, "serve", (1, 1)).await;
        desk.gate.add_permits(2);
        first.result().await.unwrap();
        last.result().await.unwrap();
        assert_eq!(desk.seen(), ["a", "c"]);
        let failed = events(&engine, "b").await.into_iter().find_map(|event| match event {
            Event::AttemptFailed { failure, .. } => Some(failure),
            _ => None,
        });
        let failed = failed.unwrap();
        assert!(!failed.kind.is_unknown_outcome() && failed.kind == FailureKind::Error, "{failed:?}");
        assert!(failed.message.contains("before it began"), "{failed:?}");
        engine.shutdown().await;
    }

    async fn what_never_began_is_not_undone(store, world, clock) {
        let desk = Desk::new();
        let breaker = CircuitBreaker { failures: 1, open_for: AN_HOUR };
        let engine = engine(store, &desk, &world, &clock).circuit_breaker::<World>(breaker);
        let engine = engine.start().await.unwrap();
        world.script("note", [Behaviour::Fail(ShopError::Busy)]);
        note_fails(&engine, "a").await;
        breaker_is(&engine, BreakerState::Open).await;
        let run = engine.start(take("b".to_owned())).id("b").await.unwrap();
        comes_to(&engine, "reserve", (0, 1)).await;
        engine.client().cancel("b", "enough").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        assert_eq!(world.calls(), ["note a"], "neither reserved nor released");
        engine.shutdown().await;
    }

    async fn a_thread_that_outlives_its_attempt_keeps_its_place(store, world, clock) {
        let desk = Desk::new();
        let engine = engine(store, &desk, &world, &clock).start().await.unwrap();
        let run = engine.start(gym()).id("run").await.unwrap();
        until(&engine.client(), "run", "it has timed out", |status| !status.timers.is_empty()).await;
        clock.advance(Duration::from_secs(1));
        comes_to(&engine, "lift", (1, 1)).await;
        assert_eq!(desk.seen(), ["lift 1"]);
        *desk.heavy_gate.0.lock().unwrap() = true;
        desk.heavy_gate.1.notify_all();
        assert_eq!(run.result().await.unwrap(), 2);
        engine.shutdown().await;
    }

    async fn settings_that_concern_no_step_are_refused(store, _world, clock) {
        let breaker = CircuitBreaker { failures: 1, open_for: AN_HOUR };
        let engine = Engine::builder().store(store).clock(clock).resource(7_u8);
        let engine = engine.circuit_breaker::<u8>(breaker).limit(serve, Limit::concurrency(1));
        let error = engine.start().await.err().unwrap().to_string();
        assert!(error.contains("circuit breaker for `u8`") && error.contains("the step `serve`"), "{error}");
    }
}

#[tokio::test]
async fn an_open_breaker_lets_nobody_through_and_uses_up_no_attempts() {
    let (folder, world, clock) = (Folder::new(), World::new(), Clock::manual(1_000_000));
    let store = Sqlite::open(folder.database()).await.unwrap();
    let desk = Desk::new();
    let breaker = CircuitBreaker { failures: 2, open_for: AN_HOUR };
    let first = engine(store, &desk, &world, &clock).circuit_breaker::<World>(breaker);
    let first = first.start().await.unwrap();
    world.script("note", [Behaviour::Fail(ShopError::Busy), Behaviour::Fail(ShopError::Busy)]);
    note_fails(&first, "a").await;
    assert_eq!(first.limits().circuit_breakers[0].state, BreakerState::Closed);
    note_fails(&first, "b").await;
    breaker_is(&first, BreakerState::Open).await;
    assert!(first.limits().circuit_breakers[0].resource.ends_with("World"));

    // A first attempt, second attempts, and another step that takes the same resource.
    first.start(one_note("c".to_owned())).id("c").await.unwrap();
    first.start(take("d".to_owned())).id("d").await.unwrap();
    clock.advance(Duration::from_secs(1));
    comes_to(&first, "note", (0, 3)).await;
    comes_to(&first, "reserve", (0, 1)).await;
    assert_eq!(world.calls(), ["note a", "note b"]);
    // Who does not take it is not held up.
    first.start(bell()).await.unwrap().result().await.unwrap();
    first.shutdown().await;

    let store = Sqlite::open(folder.database()).await.unwrap();
    let second = engine(store, &desk, &world, &clock).start().await.unwrap();
    for id in ["a", "b", "c"] {
        assert_eq!(second.client().run(one_note, id).await.unwrap().result().await.unwrap(), 1);
    }
    second.client().run(take, "d").await.unwrap().result().await.unwrap();
    assert_eq!(events(&second, "a").await.len(), 3, "begun, failed, completed");
    assert_eq!(events(&second, "c").await.len(), 2, "begun, completed");
    assert_eq!((world.count("note"), world.count("reserve")), (5, 1));
    second.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_waits_for_nobody_who_has_not_begun() {
    let (folder, world, clock) = (Folder::new(), World::new(), Clock::manual(1_000_000));
    let store = Sqlite::open(folder.database()).await.unwrap();
    let desk = Desk::new();
    let first = engine(store, &desk, &world, &clock).limit(serve, Limit::concurrency(1));
    let first = first.grace_period(AN_HOUR).start().await.unwrap();
    let at_the_desk = start(&first, "a").await;
    comes_to(&first, "serve", (1, 0)).await;
    start(&first, "b").await;
    start(&first, "c").await;
    comes_to(&first, "serve", (1, 2)).await;
    let leaving = tokio::spawn({
        let engine = first.clone();
        async move { engine.shutdown().await }
    });
    comes_to(&first, "serve", (1, 0)).await;
    desk.gate.add_permits(1);
    leaving.await.unwrap();
    at_the_desk.result().await.unwrap();
    assert_eq!(desk.seen(), ["a"]);

    desk.gate.add_permits(2);
    let store = Sqlite::open(folder.database()).await.unwrap();
    let second = engine(store, &desk, &world, &clock).start().await.unwrap();
    for id in ["b", "c"] {
        second.client().run(visit, id).await.unwrap().result().await.unwrap();
        assert_eq!(events(&second, id).await.len(), 2, "begun, completed");
    }
    assert_eq!(desk.seen().len(), 3);
    second.shutdown().await;
}
