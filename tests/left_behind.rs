//! What code leaves behind when it is dropped half way: losers of a `select!`, siblings of a branch that failed, scopes
//! in the midst of their undoing. Whatever comes in whichever order, nothing of it stays half done.
#![allow(missing_docs)]

mod driven;

use driven::Driven;
use serde::{Deserialize, Serialize};
use workflow_core::{Event, OpId, Payload};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum No {
    #[error("no")]
    No,
}

#[step(compensate = undo(name), timeout = "1s", retry(attempts = 2, initial = "1m", factor = 1.0, max = "1m"))]
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

#[step(read_only)]
pub async fn check() -> Result<u32, No> {
    Ok(1)
}

#[step(pivot)]
pub async fn commit() -> Result<u32, No> {
    Ok(1)
}

/// What the compiler refuses must be safe all the same: here it does not see that the step is a pivot.
mod unseen {
    use workflow_core::{Step, StepCall, StepDef, def_of, facts_of};
    use workflow_graph::{Effect, StepFacts};

    use super::No;

    pub(super) fn commit() -> StepCall<Commit> {
        StepCall::new(())
    }

    pub(super) struct Commit;

    impl Step for Commit {
        const NAME: &'static str = "commit";
        const LABEL: &'static str = "Commit";
        const FACTS: StepFacts = read_only(facts_of(super::commit));
        type Args = ();
        type Output = Result<u32, No>;
        const DEF: &'static StepDef = def_of(super::commit);
    }

    const fn read_only(mut facts: StepFacts) -> StepFacts {
        facts.effect = Effect::ReadOnly;
        facts
    }
}

#[subflow]
pub async fn three(name: &str) -> Result<u32, No> {
    act(name).await?;
    act(name).await?;
    act(name).await
}

#[workflow]
pub async fn nested() -> Result<u32, No> {
    let outcome = try_join!(
        async {
            let (three, _) = try_join!(three("inside"), check())?;
            Ok(three)
        },
        look(),
    );
    match outcome {
        Ok((three, _)) => Ok(three),
        Err(No::No) => check().await,
    }
}

#[workflow]
pub async fn side_by_side() -> Result<u32, No> {
    let (left, right) = join!(
        async {
            match try_join!(three("left"), check()) {
                Ok((three, _)) => Ok(three),
                Err(No::No) => check().await,
            }
        },
        async { try_join!(three("right"), look()).map(|(three, _)| three) },
    );
    match left.and(right) {
        Ok(sum) => Ok(sum),
        Err(No::No) => act("after").await,
    }
}

#[workflow]
pub async fn second_thoughts() -> Result<u32, No> {
    act("first").await?;
    act("second").await?;
    let outcome = try_join!(
        async {
            compensate().await;
            check().await
        },
        look(),
    );
    match outcome {
        Ok((seen, _)) => Ok(seen),
        Err(No::No) => check().await,
    }
}

#[workflow]
pub async fn first_offer() -> Result<u32, No> {
    let offer = select! {
        here = act("here") => here?,
        there = act("there") => there?,
    };
    commit().await?;
    Ok(offer + look().await.unwrap_or(0))
}

#[workflow]
pub async fn committed_beside() -> Result<u32, No> {
    act("before").await?;
    let outcome = try_join!(unseen::commit(), check());
    outcome.map(|(done, _)| done)
}

#[workflow]
pub async fn simple() -> Result<u32, No> {
    act("a").await?;
    act("b").await?;
    look().await
}

#[workflow]
pub async fn single_commit() -> Result<u32, No> {
    act("a").await?;
    commit().await
}

#[test]
fn a_scope_whose_undoing_is_left_is_still_undone() {
    let mut run = Driven::start(nested.definition(), &());
    run.asks(&["look", "check", "three.act"]);
    run.done("three.act").asks(&["three.act_2"]);
    run.done("three.act_2").asks(&["three.act_3"]);
    run.refused("check").asks(&["stop three.act_3"]);
    run.done("three.act_3").asks(&["three.act_3/undo"]);
    // Now the block around it fails, too.
    run.refused("look").asks(&[]);
    run.done("three.act_3/undo").asks(&["three.act_2/undo"]);
    run.done("three.act_2/undo").asks(&["three.act/undo"]);
    run.done("three.act/undo").asks(&["check_2"]);
    run.done("check_2").asks(&["completed 1"]);
}

#[test]
fn a_subflow_that_is_left_while_it_undoes_itself_is_still_undone() {
    let mut run = Driven::start(nested.definition(), &());
    run.done("three.act");
    run.done("three.act_2");
    run.refused("three.act_3").asks(&["three.act_2/undo"]);
    run.refused("look").asks(&["stop check"]);
    run.done("three.act_2/undo").asks(&[]);
    // What is under way comes to rest first, then what was left is undone.
    run.done("check").asks(&["three.act/undo"]);
    run.done("three.act/undo").asks(&["check_2"]);
}

#[test]
fn each_block_undoes_its_own_scopes_before_its_error_is_seen() {
    let mut run = Driven::start(side_by_side.definition(), &());
    run.asks(&["check", "three.act", "look", "three_2.act"]);
    run.done("three.act").asks(&["three.act_2"]);
    run.done("three_2.act").asks(&["three_2.act_2"]);
    run.refused("check").asks(&["stop three.act_2"]);
    run.refused("look").asks(&["stop three_2.act_2"]);
    // The right block comes to rest first: it leaves the scope of the left one alone.
    run.done("three_2.act_2").asks(&["three_2.act_2/undo"]);
    run.done("three_2.act_2/undo").asks(&["three_2.act/undo"]);
    run.done("three_2.act/undo").asks(&[]);
    run.done("three.act_2").asks(&["three.act_2/undo"]);
    run.done("three.act_2/undo").asks(&["three.act/undo"]);
    run.done("three.act/undo").asks(&["check_2"]);
    run.done("check_2").asks(&["act"]);
}

#[test]
fn an_undoing_on_purpose_that_was_begun_is_brought_to_its_end() {
    let mut run = Driven::start(second_thoughts.definition(), &());
    run.done("act");
    run.done("act_2").asks(&["look", "act_2/undo"]);
    run.refused("look").asks(&[]);
    run.done("act_2/undo").asks(&["act/undo"]);
    run.done("act/undo").asks(&["check_2"]);
}

#[test]
fn what_a_loser_did_is_undone_also_after_the_point_of_no_return() {
    let mut run = Driven::start(first_offer.definition(), &());
    run.asks(&["act", "act_2"]);
    run.done("act").asks(&["stop act_2", "commit"]);
    run.done("commit").asks(&["look"]);
    run.done("act_2").asks(&["act_2/undo"]);
    run.done("look").asks(&[]);
    run.done("act_2/undo").asks(&["completed 2"]);
}

#[test]
fn what_a_loser_did_waits_for_its_turn_across_the_point_of_no_return() {
    let mut run = Driven::start(first_offer.definition(), &());
    run.done("act").asks(&["stop act_2", "commit"]);
    run.done("act_2").asks(&["act_2/undo"]);
    run.done("commit").asks(&["look"]);
    run.done("look").asks(&[]);
    run.done("act_2/undo").asks(&["completed 2"]);
}

#[test]
fn a_loser_that_may_have_taken_effect_is_undone_at_once_and_keeps_no_incident_open() {
    let mut run = Driven::start(first_offer.definition(), &());
    run.times_out("act_2", 1, Some(60_000)).asks(&["act_2"]);
    run.done("act").asks(&["withdraw act_2", "commit", "act_2/undo"]);
    run.done("act_2/undo").asks(&[]);

    let mut run = Driven::start(first_offer.definition(), &());
    run.times_out("act_2", 1, None).asks(&["incident act_2"]);
    run.done("act").asks(&["withdraw act_2", "commit", "no incident act_2", "act_2/undo"]);
}

#[test]
fn a_pivot_in_doubt_is_asked_again_also_when_its_sibling_has_failed() {
    let mut run = Driven::start(committed_beside.definition(), &());
    run.done("act").asks(&["commit", "check"]);
    run.refused("check").asks(&["stop commit"]);
    run.times_out("commit", 1, Some(10)).asks(&["commit"]);
    run.times_out("commit", 2, None).asks(&["incident commit"]);
    // Nothing is undone before a person has said what became of it.
    let output = Payload::from_json(r#"{"Err":"No"}"#.to_owned()).unwrap();
    run.feed(Event::Skipped { op: OpId::from_text("commit"), output })
        .asks(&["no incident commit", "act/undo"]);
    run.done("act/undo").asks(&["failed No"]);
}

#[test]
fn a_pivot_in_doubt_that_waits_for_its_next_attempt_is_not_withdrawn() {
    let mut run = Driven::start(committed_beside.definition(), &());
    run.done("act");
    run.times_out("commit", 1, Some(60_000)).asks(&["commit"]);
    run.refused("check").asks(&[]);
    run.refused("commit").asks(&["act/undo"]);
}

#[test]
fn a_step_that_a_person_says_has_failed_did_not_take_effect() {
    let failed = || Payload::from_json(r#"{"Err":"No"}"#.to_owned()).unwrap();
    let mut run = Driven::start(simple.definition(), &());
    run.done("act");
    run.times_out("act_2", 1, None);
    let skipped = Event::Skipped { op: OpId::from_text("act_2"), output: failed() };
    // An attempt has timed out, and its undoing needs no output.
    run.feed(skipped).asks(&["no incident act_2", "act_2/undo"]);

    let mut run = Driven::start(single_commit.definition(), &());
    run.done("act");
    run.times_out("commit", 1, None);
    run.feed(Event::Skipped { op: OpId::from_text("commit"), output: failed() })
        .asks(&["no incident commit", "act/undo"]);
}
