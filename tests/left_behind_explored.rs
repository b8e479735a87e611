//! Branches, scopes and losers in every order, with failures, unknown outcomes, crashes and cancels: what the oracles
//! of the kit say of flows that are made to leave something half done.
#![allow(missing_docs)]

use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_test::{Explore, complete, workflow_test};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum No {
    #[error("no")]
    No,
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = key)]
pub struct Word {
    key: u32,
}

#[step(compensate = undo(number), timeout = "1s", retry(attempts = 2, initial = "1m", factor = 1.0, max = "1m"))]
pub async fn act(number: u32) -> Result<u32, No> {
    Ok(number)
}

#[step(compensate = undo(output))]
pub async fn act_2(number: u32) -> Result<u32, No> {
    Ok(number)
}

#[step(retriable)]
pub async fn undo(number: u32) {
    let _ = number;
}

#[step(read_only)]
pub async fn check() -> Result<u32, No> {
    Ok(1)
}

#[step(pivot, timeout = "1s", retry(attempts = 2, initial = "1m", factor = 1.0, max = "1m"))]
pub async fn commit() -> Result<u32, No> {
    Ok(1)
}

#[subflow]
pub async fn two(number: u32) -> Result<u32, No> {
    act(number).await?;
    act_2(number + 1).await
}

#[subflow]
pub async fn pair(number: u32) -> Result<u32, No> {
    let (a, b) = try_join!(act(number), two(number + 10))?;
    Ok(a + b)
}

#[subflow]
pub async fn countdown(number: u32) -> Result<u32, No> {
    let done = act(number).await?;
    if number == 0 { Ok(done) } else { countdown(number - 1).await }
}

#[workflow]
pub async fn nested() -> Result<u32, No> {
    let outcome = try_join!(
        async {
            let (two, _) = try_join!(two(1), check())?;
            Ok(two)
        },
        act(5),
    );
    match outcome {
        Ok((two, _)) => act_2(two).await,
        Err(No::No) => check().await,
    }
}

#[workflow]
pub async fn caught_pairs() -> Result<u32, No> {
    let (left, right) = join!(pair(1), pair(2));
    match left.and(right) {
        Ok(sum) => act(sum).await,
        Err(No::No) => act_2(9).await,
    }
}

#[workflow]
pub async fn many_pairs(numbers: Vec<u32>) -> Result<u32, No> {
    let pairs = match try_join_all(numbers.iter().map(|number| two(*number))).limit(2).await {
        Ok(pairs) => pairs,
        Err(No::No) => Vec::new(),
    };
    act(pairs.len() as u32).await
}

#[workflow]
pub async fn rounds() -> Result<u32, No> {
    let mut sum = 0;
    for round in 0..2 {
        let numbers: Vec<u32> = (0..round).collect();
        for done in join_all(numbers.iter().map(|number| act(*number))).await {
            sum += done?;
        }
        sum += select! {
            done = act_2(round) => done?,
            word = receive::<Word>(round).forever() => word.key,
            _ = sleep(seconds(5)) => 0,
        };
    }
    commit().await?;
    Ok(sum)
}

#[workflow]
pub async fn raced_then_committed() -> Result<u32, No> {
    let first = select! {
        one = act(1) => one?,
        other = act_2(2) => other?,
    };
    commit().await?;
    Ok(first)
}

#[workflow]
pub async fn deep() -> Result<u32, No> {
    let (deep, _) = match try_join!(countdown(2), act(7)) {
        Ok(both) => both,
        Err(No::No) => (0, 0),
    };
    check().await.map(|seen| seen + deep)
}

#[workflow]
pub async fn child() -> Result<u32, No> {
    act(1).await?;
    check().await
}

#[workflow(deadline = "1h")]
pub async fn with_child() -> Result<u32, No> {
    act(3).await?;
    let (child, _) = match try_join!(child(), act_2(4)) {
        Ok(both) => both,
        Err(No::No) => (0, 0),
    };
    sleep(days(1)).await;
    Ok(child)
}

/// However busy the machine is: the same executions in every run.
const NO_LIMIT: Duration = Duration::from_secs(600);

fn mocks(kit: &Explore) {
    kit.on(act).then(|number| Ok(*number));
    kit.on(act_2).then(|number| Ok(*number));
    kit.on(check).returns(Ok(1));
    kit.on(commit).returns(Ok(1));
}

macro_rules! explored {
    ($($name:ident $call:expr;)*) => {$(
        #[workflow_test(explore)]
        fn $name(kit: Explore) {
            mocks(&kit);
            kit.workflow(|| $call)
                .each_step_fails()
                .pairs()
                .interleave()
                .crash_at_every_write()
                .message(|| Word { key: 1 })
                .budget(700, NO_LIMIT)
                .run();
        }
    )*};
}

explored! {
    blocks_in_blocks nested();
    pairs_beside_each_other caught_pairs();
    subflows_for_each many_pairs(vec![1, 2, 3]);
    empty_lists_and_races_in_a_loop rounds();
    a_race_before_the_pivot raced_then_committed();
    a_recursion_beside_a_step deep();
    a_child_beside_a_step with_child();
}

macro_rules! cancelled {
    ($($name:ident $call:expr $(, $demand:expr)?;)*) => {$(
        #[workflow_test(explore)]
        fn $name(kit: Explore) {
            mocks(&kit);
            let cancelled = kit.workflow(|| $call).each_step_fails().interleave().cancel_at_every_write();
            let _report = cancelled.budget(1_000, NO_LIMIT).run();
            $(_report.assert($demand);)?
        }
    )*};
}

cancelled! {
    cancelled_blocks_in_blocks nested(), complete();
    cancelled_pairs_beside_each_other caught_pairs();
    cancelled_subflows_for_each many_pairs(vec![1, 2, 3]);
    cancelled_race_before_the_pivot raced_then_committed(), complete();
    cancelled_recursion_beside_a_step deep(), complete();
    cancelled_child_beside_a_step with_child();
}
