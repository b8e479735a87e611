//! `join_all` and `try_join_all` in every form in which they can be written.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Trouble, check, explored, fetch, look, look_twice, take, take_two};

#[workflow]
pub async fn every_form(number: u32) -> Result<u32, Trouble> {
    let list: Vec<u32> = (0..number).collect();
    let a = join_all(list.iter().map(|one| look(*one))).await;
    let b = join_all(list.iter().copied().map(look)).limit(1).await;
    let c = try_join_all([take(1), take(number)]).await?;
    let d = try_join_all(vec![check(1), check(2).timeout(minutes(1))]).limit(list.len()).await?;
    let e = join_all(list.iter().filter(|one| **one > 0).map(|&one| look(one)).take(1)).await;
    let f = join_all(list.iter().flat_map(|one| list.iter().map(move |other| look(one + other)))).await;
    let g = join_all((0..number).map(|one| {
        let more = one + 1;
        look(more).label("Look at one more")
    }))
    .await;
    Ok([a, b, c, d, e, f, g].concat().iter().sum())
}

#[workflow]
pub async fn of_scopes_and_children(number: u32) -> Result<u32, Trouble> {
    let seen = join_all((0..number).map(|one| look_twice(&one))).await;
    let twos = try_join_all((0..number).map(|one| take_two(one))).limit(2).await?;
    let children = join_all((0..number).map(|one| fetch(one))).await;
    let answers = join_all((0..1).map(|one| receive::<Answer>(number + one).within(days(1)))).await;
    try_join_all((0..1).map(|one| receive::<Answer>(number + one).within(days(1)))).await?;
    let good = children.into_iter().flatten().sum::<u32>();
    Ok(seen.len() as u32 + twos.len() as u32 + good + answers.into_iter().flatten().count() as u32)
}

#[workflow]
pub async fn told_apart(number: u32) -> Result<u32, Trouble> {
    for round in 0..2 {
        match try_join_all((0..number).map(take)).limit(2).await {
            Ok(taken) if taken.is_empty() => continue,
            Ok(taken) => return Ok(taken.len() as u32),
            Err(Trouble::Gone) if round == 0 => sleep(hours(1)).await,
            Err(Trouble::Gone) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(0)
}

#[workflow]
pub async fn in_branches_and_arms(number: u32) -> Result<u32, Trouble> {
    let (all, some) = try_join!(try_join_all((0..number).map(take)).limit(1), async {
        let some = join_all((0..number).map(|one| check(one))).await;
        some.into_iter().collect::<Result<Vec<u32>, Trouble>>()
    },)?;
    let more = select! {
        seen = look(number) => try_join_all((0..seen).map(|one| check(one))).await?,
        _ = sleep(days(1)) => vec![],
    };
    Ok((all.len() + some.len() + more.len()) as u32)
}

#[workflow]
pub async fn as_the_result(number: u32) -> Result<Vec<u32>, Trouble> {
    if number == 1 {
        return Ok(join_all([look(1)]).await);
    }
    try_join_all((0..number).map(|one| take(one))).await
}

explored! {
    every_form
    of_scopes_and_children
    told_apart
    in_branches_and_arms
    as_the_result
}
