//! Deadlines of messages whose end the code looks at later: the way on is one that an engine can go without a message.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Told, Trouble, check, explored, look, take};

/// Wait for news
#[subflow]
pub async fn wait_for_news(number: u32) -> u32 {
    let told = receive::<Told>(number).within(hours(3)).await;
    /// Any news?
    if told.is_ok() { look(number).await } else { 0 }
}

#[workflow]
pub async fn looked_at_later(number: u32) -> Result<u32, Trouble> {
    take(number).await?;
    // As long as the deadline: the one is not taken for the other.
    sleep(hours(2)).await;
    let answer = receive::<Answer>(number).within(hours(2)).await;
    let seen = look(number).await;
    /// Answered?
    if answer.is_ok() { Ok(seen) } else { check(number).await }
}

#[workflow]
pub async fn again_and_again(number: u32) -> Result<u32, Trouble> {
    let mut rounds = 0;
    while rounds < 2 {
        let told = receive::<Told>(number).within(hours(1)).await;
        if told.is_ok() {
            break;
        }
        rounds += 1;
    }
    check(rounds).await
}

#[workflow]
pub async fn in_each_branch(number: u32) -> Result<u32, Trouble> {
    let (answer, told, seen, news) = join!(
        receive::<Answer>(number).within(hours(1)),
        receive::<Told>(number).within(minutes(90)),
        look(number),
        wait_for_news(number),
    );
    Ok(u32::from(answer.is_ok()) + u32::from(told.is_ok()) + seen + news)
}

#[workflow]
pub async fn behind_a_gateway(number: u32) -> Result<u32, Trouble> {
    let first = select! {
        answer = receive::<Answer>(number).within(days(1)) => match answer {
            Ok(answer) => answer.number,
            Err(TimedOut) => check(number).await?,
        },
        told = receive::<Told>(number).within(hours(30)) => told.map_or(0, |told| told.number),
        _ = sleep(days(2)) => 2,
    };
    take(first).await
}

#[workflow]
pub async fn beside_a_step(number: u32) -> Result<u32, Trouble> {
    let first = select! {
        answer = receive::<Answer>(number).within(minutes(5)) => u32::from(answer.is_ok()),
        taken = take(number) => taken?,
    };
    Ok(first + look(number).await)
}

#[workflow]
pub async fn one_for_each(number: u32) -> Result<u32, Trouble> {
    take(number).await?;
    let answers = join_all((0..number).map(|one| receive::<Answer>(number + one).within(days(1)))).await;
    let told = join_all((0..2).map(|one| receive::<Told>(number + one).within(hours(5)))).await;
    let came = answers.into_iter().flatten().count() + told.into_iter().flatten().count();
    check(came as u32).await
}

#[workflow]
pub async fn in_each_of_many_scopes(number: u32) -> Result<u32, Trouble> {
    let news = join_all((0..number).map(|one| wait_for_news(number + one))).await;
    Ok(news.into_iter().sum())
}

explored! {
    looked_at_later
    again_and_again
    in_each_branch
    behind_a_gateway
    beside_a_step
    one_for_each
    in_each_of_many_scopes
}
