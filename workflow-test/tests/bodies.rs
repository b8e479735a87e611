//! Blocking steps, heartbeats and the bodies of steps in the kit.
//! Only what users see; nothing here runs on an executor or a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Resources, edges, workflow_test};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum LabError {
    #[error("cold")]
    Cold,
    #[error("busy")]
    #[step_error(transient)]
    Busy,
}

struct Stove {
    hottest: u32,
}

#[step(compensate = cool_down(by), heartbeat = "10s", timeout = "1m",
       retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
fn heat_up(stove: Resource<Stove>, cx: StepContext, by: u32) -> Result<u32, LabError> {
    cx.heartbeat();
    assert!(by < 1_000, "the stove melts");
    match (cx.attempt(), by) {
        (1, 13) => Err(LabError::Busy),
        (_, 0) => Err(LabError::Cold),
        _ if cx.is_cancelled() => Err(LabError::Busy),
        _ => Ok(by.min(stove.hottest)),
    }
}

#[step(retriable)]
fn cool_down(_by: &u32) {}

#[step(read_only)]
async fn wait_for_ever() -> u32 {
    std::future::pending().await
}

#[workflow]
async fn experiment(by: u32) -> Result<u32, LabError> {
    let heat = heat_up(by).await?;
    if heat > 100 { Err(LabError::Cold) } else { Ok(heat) }
}

#[workflow]
async fn waiting() -> u32 {
    wait_for_ever().await
}

fn supplied() -> Resources {
    let mut resources = Resources::default();
    resources.insert(Stove { hottest: 200 });
    resources
}

fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test should fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[workflow_test]
fn a_blocking_step_is_mocked_like_any_other(kit: Kit) {
    kit.on(heat_up).returns_once(Err(LabError::Busy)).then(|by| Ok(*by)).takes(seconds(30));
    let run = kit.start(experiment(7));
    assert_eq!(run.ok(), 7);
    assert_eq!(run.elapsed(), seconds(31), "a mock that takes its time gives signs of life");
}

#[workflow_test]
fn a_body_runs_inline_with_what_it_is_supplied(kit: Kit) {
    kit.on(heat_up).runs(supplied());
    assert_eq!(kit.start(experiment(7)).ok(), 7);
    assert_eq!(kit.start(experiment(0)).err(), LabError::Cold);
    let run = kit.start(experiment(300));
    assert_eq!(run.err(), LabError::Cold);
    assert_eq!(run.compensated(), ["heat_up"]);
    let run = kit.start(experiment(13));
    assert_eq!(run.ok(), 13);
    assert_eq!(run.executed(), ["heat_up"]);
    assert_eq!(run.elapsed(), seconds(1), "its second attempt");
}

#[workflow_test]
fn a_body_that_panics_or_lacks_something_fails_as_in_production(kit: Kit) {
    kit.on(heat_up).runs_once(supplied()).then(|by| Ok(*by));
    let run = kit.start(experiment(1_000));
    run.run_to_end();
    assert!(run.transcript().contains("attempt 1 failed (panic), again at 1s"), "{}", run.transcript());
    kit.on(heat_up).runs(Resources::default());
    let run = kit.start(experiment(7));
    run.advance(seconds(1));
    assert!(run.incidents()[0].contains("Stove"), "{:?}", run.incidents());
    run.cancel("no stove");
}

#[workflow_test]
fn a_body_that_would_have_to_wait_says_so(kit: Kit) {
    kit.on(wait_for_ever).runs(Resources::default());
    let failure = failure_of(|| {
        kit.start(waiting()).run_to_end();
    });
    assert!(failure.contains("the body of `wait_for_ever` waits for something outside"), "{failure}");
}

#[workflow_test]
fn a_silent_attempt_times_out_when_its_heartbeat_is_missed(kit: Kit) {
    kit.on(heat_up).goes_silent_once().takes(seconds(20)).then(|by| Ok(*by));
    let run = kit.start(experiment(7));
    assert_eq!(run.ok(), 7);
    assert_eq!(run.elapsed(), seconds(20 + 10 + 1));
    kit.on(heat_up).goes_silent();
    let run = kit.start(experiment(7));
    run.advance(hours(1));
    assert!(run.incidents()[0].contains("was silent for longer than 10000 ms"), "{:?}", run.incidents());
    run.cancel("nobody answers");
}

#[workflow_test]
fn whichever_is_first_ends_the_attempt(kit: Kit) {
    kit.on(heat_up).goes_silent_once().takes(seconds(55)).then(|by| Ok(*by));
    let run = kit.start(experiment(7));
    assert_eq!(run.ok(), 7);
    assert_eq!(run.elapsed(), seconds(60 + 1), "the timeout comes before the end of the silence");
}

#[workflow_test]
fn a_step_without_a_heartbeat_cannot_go_silent(kit: Kit) {
    let failure = failure_of(|| {
        kit.on(wait_for_ever).goes_silent();
    });
    assert_eq!(failure, "`wait_for_ever` cannot go silent: it promises no heartbeat");
}

#[workflow_test(explore)]
fn a_silence_is_explored(kit: Explore) {
    kit.on(heat_up).runs(supplied());
    kit.workflow(|| experiment(7))
        .each_step_fails()
        .crash_at_every_write()
        .sometimes("an attempt is silent", |end| end.elapsed() == seconds(10 + 1))
        .always("it is warm, cold, or known to be neither", |end| end.completed(heat_up) <= 1)
        .run()
        .assert(edges(0.5));
}
