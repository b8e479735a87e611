//! What a step can hear and say while it runs: threads of their own, cancels, heartbeats; on both stores.
//! It must not know how the engine keeps track of attempts.

mod world;

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, EngineBuilder, Memory};
use world::{Folder, World, eventually, on_every_lone_store, until};

/// Where the steps of these tests write down what they see. Clones are the same place.
#[derive(Clone, Default)]
struct Lab {
    seen: Arc<Mutex<Vec<String>>>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Lab {
    fn note(&self, what: impl Into<String>) {
        self.seen.lock().unwrap().push(what.into());
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Keeps the thread until the gate is open.
    fn wait_at_the_gate(&self) {
        let (is_open, opened) = &*self.gate;
        let guard = opened.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap();
        drop(guard);
    }

    fn open_the_gate(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }

    async fn sees(&self, what: &str) {
        eventually(what, async || self.seen().iter().any(|seen| seen == what).then_some(())).await;
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum LabError {
    #[error("cold")]
    Cold,
    #[error("busy")]
    #[step_error(transient)]
    Busy,
}

#[step(read_only)]
fn hold_the_thread(lab: Resource<Lab>) -> String {
    lab.note("waits");
    lab.wait_at_the_gate();
    std::thread::current().name().unwrap_or_default().to_owned()
}

#[workflow]
async fn hold() -> String {
    hold_the_thread().await
}

/// Is busy, panics, gives its value.
#[step(compensate = cool_down(output), retry(attempts = 3, initial = "1s", factor = 1.0, max = "1s"))]
fn heat_up(lab: Resource<Lab>, cx: StepContext, by: u32) -> Result<u32, LabError> {
    lab.note(format!("{} {}", cx.idempotency_key(), cx.attempt()));
    match cx.attempt() {
        1 => Err(LabError::Busy),
        2 => panic!("the thread is told to panic"),
        _ => Ok(by),
    }
}

#[step(retriable)]
fn cool_down(lab: Resource<Lab>, by: &u32) -> Result<(), LabError> {
    lab.note(format!("cooled by {by}"));
    Ok(())
}

#[step(read_only)]
fn measure(by: &u32) -> Result<u32, LabError> {
    if *by > 100 { Ok(*by) } else { Err(LabError::Cold) }
}

#[workflow]
async fn experiment(by: u32) -> Result<u32, LabError> {
    let by = heat_up(by).await?;
    measure(&by).await
}

#[step(read_only)]
fn recite(length: usize) -> String {
    "x".repeat(length)
}

#[workflow]
async fn recital(length: usize) -> String {
    recite(length).await
}

/// The first attempt works on until it notices that nobody wants it any more; what it says then is late.
#[step(timeout = "400ms", retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
fn grind(lab: Resource<Lab>, cx: StepContext) -> u32 {
    while cx.attempt() == 1 && !cx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    lab.note(format!("attempt {} comes back", cx.attempt()));
    cx.attempt()
}

#[workflow]
async fn mill() -> u32 {
    grind().await
}

/// Leaves part of its work to a task, and hangs. That task is not ended with the attempt; it hears of its end.
#[step(timeout = "400ms", retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
async fn delegate(lab: Resource<Lab>, cx: StepContext) -> u32 {
    if cx.attempt() == 1 {
        tokio::spawn(async move {
            cx.cancelled().await;
            lab.note("the task has heard of it");
        });
        std::future::pending::<()>().await;
    }
    7
}

#[workflow]
async fn office() -> u32 {
    delegate().await
}

/// Works until it is told to stop, and says how far it got: that is undone.
#[step(compensate = cool_down(output))]
fn work_until_told(lab: Resource<Lab>, cx: StepContext) -> Result<u32, LabError> {
    lab.note("begins");
    while !cx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(3)
}

#[workflow]
async fn endless() -> Result<u32, LabError> {
    work_until_told().await
}

/// The same in a future that never lets go of the thread that polls it.
#[step(compensate = cool_down(output))]
async fn spin_until_told(lab: Resource<Lab>, cx: StepContext) -> Result<u32, LabError> {
    lab.note("begins");
    while !cx.is_cancelled() {
        std::thread::yield_now();
    }
    Ok(4)
}

#[workflow]
async fn spinning() -> Result<u32, LabError> {
    spin_until_told().await
}

/// The same without a thread, and without an effect.
#[step(compensate = cool_down(output))]
async fn wait_until_told(lab: Resource<Lab>, cx: StepContext) -> Result<u32, LabError> {
    lab.note("begins");
    cx.cancelled().await;
    lab.note("heard");
    Err(LabError::Busy)
}

#[workflow]
async fn waiting() -> Result<u32, LabError> {
    wait_until_told().await
}

/// Works until the engine goes; the second time it is quick.
#[step(read_only)]
fn work_on(lab: Resource<Lab>, cx: StepContext) -> usize {
    let times = lab.seen().iter().filter(|seen| *seen == "begins").count();
    lab.note("begins");
    while times == 0 && !cx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    lab.note("ends");
    times
}

#[workflow]
async fn shift() -> usize {
    work_on().await
}

/// The first attempt gives one sign of life, the second all it takes.
#[step(heartbeat = "400ms", timeout = "1m", retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
fn breathe(lab: Resource<Lab>, cx: StepContext) -> u32 {
    cx.heartbeat();
    while cx.attempt() == 1 && !cx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    lab.note(format!("attempt {} comes back", cx.attempt()));
    cx.attempt()
}

#[workflow]
async fn sleeper() -> u32 {
    breathe().await
}

/// Takes back what it did when it is told, and the first time the process is gone before it has.
#[step(retriable, cancellable)]
async fn keep_warm(lab: Resource<Lab>, cx: StepContext) {
    lab.note("warms");
    cx.cancelled().await;
    lab.note("cools");
    if lab.seen().len() == 2 {
        std::future::pending::<()>().await;
    }
}

#[workflow]
async fn stove() {
    keep_warm().await;
}

/// Promises nothing, so there is nothing to miss.
#[step(read_only)]
async fn chatter(cx: StepContext) -> u32 {
    cx.heartbeat();
    cx.heartbeat();
    u32::from(cx.is_cancelled())
}

#[workflow]
async fn chat() -> u32 {
    chatter().await
}

fn engine(store: impl Store, lab: &Lab, clock: &Clock) -> EngineBuilder {
    let engine = Engine::builder().store(store).clock(clock.clone()).resource(lab.clone());
    let engine = engine.register(hold).register(experiment).register(recital).register(mill);
    engine
        .register(office)
        .register(shift)
        .register(sleeper)
        .register(chat)
        .register(endless)
        .register(spinning)
        .register(waiting)
        .register(stove)
}

/// The run has nothing else to do; its engine has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_reaches_a_body_that_never_waits() {
    let lab = Lab::default();
    let engine = engine(Memory::new(), &lab, &Clock::manual(1_000_000)).start().await.unwrap();
    let run = engine.start(spinning()).id("run").await.unwrap();
    lab.sees("begins").await;
    engine.client().cancel("run", "enough").await.unwrap();
    assert!(run.result().await.unwrap_err().is_cancelled());
    assert_eq!(lab.seen(), ["begins", "cooled by 4"]);
    engine.shutdown().await;
}

/// Lets the next attempt of a run come due.
async fn next_attempt(client: &workflow_runtime::Client, run_id: &str, clock: &Clock) {
    until(client, run_id, "an attempt is due", |status| !status.timers.is_empty()).await;
    clock.advance(Duration::from_secs(1));
    until(client, run_id, "it is not any more", |status| {
        status.timers.values().all(|due_ms| *due_ms > clock.now_ms())
    })
    .await;
}

/// The failures in the journal of a run, as text.
async fn failures(client: &workflow_runtime::Client, run_id: &str) -> Vec<String> {
    let journal = client.journal(run_id).await.unwrap();
    let failed = journal.iter().filter_map(|record| match &record.event {
        workflow_core::Event::AttemptFailed { failure, .. } => {
            Some(format!("{:?}: {}", failure.kind, failure.message))
        }
        _ => None,
    });
    failed.collect()
}

on_every_lone_store! {
    async fn a_blocking_step_holds_up_nobody_else(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).start().await.unwrap();
        let first = engine.start(hold()).await.unwrap();
        let second = engine.start(hold()).await.unwrap();
        // On the one thread of this executor, neither would get so far.
        eventually("both wait", async || (lab.seen().len() == 2).then_some(())).await;
        assert_eq!(engine.start(chat()).await.unwrap().result().await.unwrap(), 0);
        lab.open_the_gate();
        let names = [first.result().await.unwrap(), second.result().await.unwrap()];
        let here = std::thread::current().name().unwrap_or_default().to_owned();
        assert!(!names.contains(&here), "{names:?}");
        engine.shutdown().await;
    }

    async fn a_blocking_step_is_retried_and_undone_like_any_other(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).start().await.unwrap();
        let run = engine.start(experiment(20)).id("run").await.unwrap();
        let client = engine.client();
        next_attempt(&client, "run", &clock).await;
        next_attempt(&client, "run", &clock).await;
        assert!(matches!(run.result().await.unwrap_err().into_failed(), Some(LabError::Cold)));
        let seen = ["run/heat_up 1", "run/heat_up 2", "run/heat_up 3", "cooled by 20"];
        assert_eq!(lab.seen(), seen);
        assert_eq!(failures(&client, "run").await, ["Error: busy", "Panic: the thread is told to panic"]);
        engine.shutdown().await;
    }

    async fn a_blocking_step_that_says_too_much_goes_to_a_person(store, _world, clock) {
        let engine = engine(store, &Lab::default(), &clock).payload_limit(1_000).start().await.unwrap();
        engine.start(recital(1_000)).id("run").await.unwrap();
        let client = engine.client();
        let status = until(&client, "run", "an incident", |status| !status.incidents.is_empty()).await;
        assert!(status.incidents[0].cause.contains("1002 bytes"), "{status:?}");
        assert_eq!(engine.start(recital(998)).await.unwrap().result().await.unwrap().len(), 998);
        engine.shutdown().await;
    }

    async fn a_blocking_attempt_that_times_out_can_notice_and_its_late_answer_is_dropped(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).start().await.unwrap();
        let run = engine.start(mill()).id("run").await.unwrap();
        let client = engine.client();
        lab.sees("attempt 1 comes back").await;
        next_attempt(&client, "run", &clock).await;
        assert_eq!(run.result().await.unwrap(), 2);
        assert_eq!(failures(&client, "run").await, ["Timeout: took longer than 400 ms"]);
        assert_eq!(client.journal("run").await.unwrap().len(), 3, "the late answer is in no row");
        engine.shutdown().await;
    }

    async fn what_an_attempt_left_behind_hears_that_it_timed_out(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).start().await.unwrap();
        let run = engine.start(office()).id("run").await.unwrap();
        lab.sees("the task has heard of it").await;
        next_attempt(&engine.client(), "run", &clock).await;
        assert_eq!(run.result().await.unwrap(), 7);
        engine.shutdown().await;
    }

    async fn an_engine_that_is_dropped_tells_those_under_way(store, _world, clock) {
        let lab = Lab::default();
        let store: Arc<dyn Store> = Arc::new(store);
        let first = engine(Arc::clone(&store), &lab, &clock).start().await.unwrap();
        first.start(shift()).id("run").await.unwrap();
        lab.sees("begins").await;
        assert_eq!(lab.seen(), ["begins"], "nobody tells it while the engine runs");
        drop(first);
        lab.sees("ends").await;
        let second = engine(store, &lab, &clock).start().await.unwrap();
        let run = second.client().run(shift, "run").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 1, "what was under way is done again");
        assert_eq!(lab.seen(), ["begins", "ends", "begins", "ends"]);
        second.shutdown().await;
    }

    async fn after_the_grace_period_those_under_way_are_told(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).grace_period(Duration::from_millis(50)).start().await.unwrap();
        engine.start(shift()).id("run").await.unwrap();
        lab.sees("begins").await;
        engine.shutdown().await;
        lab.sees("ends").await;
    }

    async fn a_cancel_of_the_run_reaches_a_thread_and_what_it_did_is_undone(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).start().await.unwrap();
        let run = engine.start(endless()).id("run").await.unwrap();
        lab.sees("begins").await;
        engine.client().cancel("run", "enough").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        assert_eq!(lab.seen(), ["begins", "cooled by 3"]);
        engine.shutdown().await;
    }

    async fn a_cancel_of_the_run_reaches_a_future_that_waits_for_it(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).start().await.unwrap();
        let run = engine.start(waiting()).id("run").await.unwrap();
        lab.sees("begins").await;
        engine.client().cancel("run", "enough").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        assert_eq!(lab.seen(), ["begins", "heard"], "an error says that there is nothing to undo");
        engine.shutdown().await;
    }

    async fn who_promised_to_heed_a_cancel_hears_of_it_again_after_a_crash(store, _world, clock) {
        let lab = Lab::default();
        let store: Arc<dyn Store> = Arc::new(store);
        let first = engine(Arc::clone(&store), &lab, &clock).start().await.unwrap();
        first.start(stove()).id("run").await.unwrap();
        lab.sees("warms").await;
        first.client().cancel("run", "enough").await.unwrap();
        lab.sees("cools").await;
        drop(first);
        let second = engine(store, &lab, &clock).start().await.unwrap();
        let run = second.client().run(stove, "run").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        assert_eq!(lab.seen(), ["warms", "cools", "warms", "cools"]);
        second.shutdown().await;
    }

    async fn an_attempt_that_goes_silent_has_timed_out(store, _world, clock) {
        let lab = Lab::default();
        let engine = engine(store, &lab, &clock).start().await.unwrap();
        let run = engine.start(sleeper()).id("run").await.unwrap();
        let client = engine.client();
        lab.sees("attempt 1 comes back").await;
        next_attempt(&client, "run", &clock).await;
        assert_eq!(run.result().await.unwrap(), 2);
        assert_eq!(failures(&client, "run").await, ["Timeout: was silent for longer than 400 ms"]);
        engine.shutdown().await;
    }
}
