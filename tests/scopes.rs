//! Scopes, values of the run and the ways to end, on the core alone: which commands the code asks for, event by event,
//! and that a replay of what was recorded asks for the same.
#![allow(missing_docs)]

mod driven;

use driven::Driven;
use serde::{Deserialize, Serialize};
use workflow_core::{Conclusion, Event, OpId, Payload, Run};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum No {
    #[error("no")]
    No,
}

#[step(compensate = undo(name))]
pub async fn act(name: &str) -> Result<u32, No> {
    let _ = name;
    Ok(1)
}

#[step(retriable)]
pub async fn undo(name: &str) -> Result<(), No> {
    let _ = name;
    Ok(())
}

#[step(read_only)]
pub async fn look() -> Result<u32, No> {
    Ok(1)
}

#[subflow]
pub async fn twice(name: &str) -> Result<u32, No> {
    let first = act(name).await?;
    let second = act(name).await?;
    Ok(first + second)
}

#[workflow]
pub async fn careful() -> Result<u32, No> {
    act("outside").await?;
    match twice("inside").await {
        Ok(sum) => Ok(sum),
        Err(No::No) => look().await,
    }
}

#[workflow]
pub async fn on_second_thought() -> Result<u32, No> {
    act("a").await?;
    act("b").without_compensation().await?;
    compensate().await;
    act("c").await?;
    look().await
}

#[workflow(deadline = "1h")]
pub async fn hurried() -> Result<u32, No> {
    act("a").await?;
    sleep(days(1)).await;
    look().await
}

#[workflow]
pub async fn monthly(month: u32) -> Result<u32, No> {
    act("charge").await?;
    if month == 12 {
        return Ok(month);
    }
    return continue_as_new(monthly(month + 1)).await;
}

#[workflow]
pub async fn valued() -> Result<(u64, u64, String), No> {
    let first = random().await;
    look().await?;
    let second = random().await;
    let id = uuid().await.to_string();
    look().await?;
    let _ = now().await;
    Ok((first, second, id))
}

#[subflow]
pub async fn bottomless(depth: u32) -> Result<u32, No> {
    if depth == 0 { look().await } else { bottomless(depth - 1).await }
}

#[workflow]
pub async fn dig(depth: u32) -> Result<u32, No> {
    bottomless(depth).await
}

#[workflow]
pub async fn astray() -> Result<u32, No> {
    look().await?;
    continue_as_new(dig(1)).await
}

#[test]
fn a_subflow_that_fails_has_undone_itself_and_nothing_else() {
    let mut run = Driven::start(careful.definition(), &());
    run.asks(&["act"]);
    run.done("act").asks(&["twice.act"]);
    run.done("twice.act").asks(&["twice.act_2"]);
    run.refused("twice.act_2").asks(&["twice.act/undo"]);
    run.done("twice.act/undo").asks(&["look"]);
    run.refused("look").asks(&["act/undo"]);
    run.done("act/undo").asks(&["failed No"]);
}

#[test]
fn a_subflow_that_succeeds_hands_its_compensations_on() {
    let mut run = Driven::start(careful.definition(), &());
    run.done("act");
    run.done("twice.act");
    run.feed(Event::CancelRequested { reason: "enough".into() }).asks(&["stop twice.act_2"]);
    run.done("twice.act_2").asks(&["twice.act_2/undo"]);
    run.done("twice.act_2/undo").asks(&["twice.act/undo"]);
    run.done("twice.act/undo").asks(&["act/undo"]);
    run.done("act/undo").asks(&["cancelled: enough"]);
}

#[test]
fn compensate_undoes_what_was_done_so_far_and_goes_on() {
    let mut run = Driven::start(on_second_thought.definition(), &());
    run.done("act");
    run.done("act_2").asks(&["act/undo"]);
    run.done("act/undo").asks(&["act_3"]);
    run.done("act_3").asks(&["look"]);
    run.refused("look").asks(&["act_3/undo"]);
}

#[test]
fn a_cancel_in_the_midst_of_an_undoing_undoes_the_rest_once() {
    let mut run = Driven::start(careful.definition(), &());
    run.done("act");
    run.done("twice.act");
    run.refused("twice.act_2").asks(&["twice.act/undo"]);
    run.feed(Event::CancelRequested { reason: "enough".into() }).asks(&[]);
    run.done("twice.act/undo").asks(&["act/undo"]);
    run.done("act/undo").asks(&["cancelled: enough"]);
}

#[test]
fn a_deadline_undoes_what_was_done() {
    let mut run = Driven::start(hurried.definition(), &());
    run.asks(&["timer *deadline 3600001", "act"]);
    run.done("act").asks(&["timer sleep 86400002"]);
    run.feed(Event::TimerFired { op: OpId::from_text("*deadline") }).asks(&["withdraw sleep", "act/undo"]);
    run.done("act/undo").asks(&["cancelled: the deadline of the workflow has passed"]);
}

#[test]
fn a_deadline_that_is_not_needed_is_withdrawn() {
    let mut run = Driven::start(hurried.definition(), &());
    run.refused("act").asks(&["withdraw *deadline", "failed No"]);
}

#[test]
fn what_continues_as_new_stays_done() {
    let mut run = Driven::start(monthly.definition(), &(3,));
    run.done("act").asks(&["continues as 1 with [4]"]);
    assert!(run.run.conclusion().is_none());
    assert_eq!(run.run.continuation().unwrap().1.as_json(), "[4]");
}

#[test]
fn values_of_the_run_are_the_same_in_every_replay_and_differ_from_each_other() {
    let mut run = Driven::start(valued.definition(), &());
    run.done("look");
    let run = run.done("look_2");
    let Some(Conclusion::Completed(value)) = run.run.conclusion() else { panic!("it completes") };
    let (first, second, id): (u64, u64, String) = value.read().unwrap();
    assert!(first != second && first.count_ones() > 8);
    assert_eq!(id.len(), 36);
}

#[test]
fn a_recursion_goes_deep_but_not_without_an_end() {
    let run = Driven::start(dig.definition(), &(99,));
    assert_eq!(run.commands.len(), 1);
    assert_eq!(run.commands[0].op().unwrap().as_str().matches("bottomless.").count(), 100);
    let mut run = Run::new(dig.definition(), "run");
    let error = run.feed(0, &Event::started(Payload::of(&(100,)).unwrap())).unwrap_err().to_string();
    assert!(error.contains("inside of more than 100 other subflows (WF106"), "{error}");
}

#[test]
fn a_run_continues_as_nothing_but_itself() {
    let mut run = Run::new(astray.definition(), "run");
    run.feed(0, &Event::started(Payload::null())).unwrap();
    let output = Payload::of(&Ok::<u32, No>(1)).unwrap();
    let done = Event::StepCompleted { op: OpId::from_text("look"), output, error: None };
    let error = run.feed(1, &done).unwrap_err().to_string();
    assert_eq!(
        error,
        "the code continues as the workflow `dig`, which is another one (WF107, docs/errors/WF107.md)"
    );
}
