//! `select!` in loops, tails, branches and its own arms, with ways out of its arms.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Told, Trouble, check, explored, fetch, look, take, take_two};

#[workflow]
pub async fn in_a_loop(number: u32) -> Result<u32, Trouble> {
    let mut rounds = 0;
    let end = 'rounds: loop {
        rounds += 1;
        if rounds > 3 {
            break rounds;
        }
        select! {
            mut answer = receive::<Answer>(number).forever() => {
                answer.number += 1;
                if answer.number > 2 {
                    break 'rounds answer.number;
                }
                continue 'rounds;
            }
            _ = receive::<Told>(number).forever() => check(rounds).await?,
            /// Nobody cares
            () = sleep(days(1)) => return Err(Trouble::Late(TimedOut)),
        };
        if rounds == 2 {
            break rounds;
        }
    };
    Ok(end)
}

#[workflow]
pub async fn as_the_tail(number: u32) -> Result<u32, Trouble> {
    select! {
        taken = take(number) => taken,
        checked = check(number) => match checked {
            Ok(checked) => Ok(checked),
            Err(Trouble::Gone) => check(1).await,
            Err(error) => Err(error),
        },
        _ = sleep(minutes(1)) => Err(Trouble::Gone),
    }
}

#[workflow]
pub async fn with_a_question_mark(number: u32) -> Result<u32, Trouble> {
    let taken = select! {
        taken = take(number) => taken,
        fetched = fetch(number) => fetched,
    }?;
    let seen = select! {
        answer = receive::<Answer>(number).within(hours(1)) => answer?.number,
        _ = sleep(minutes(5)) => { take_two(number).await? }
    };
    Ok(taken + seen)
}

#[workflow]
pub async fn one_in_another(number: u32) -> Result<u32, Trouble> {
    let won = select! {
        seen = look(number) => {
            select! {
                answer = receive::<Answer>(number).forever() => answer.number,
                _ = sleep(minutes(seen.into())) => {
                    let (a, b) = try_join!(take(1), take(2))?;
                    a + b
                }
            }
        }
        _ = receive::<Told>(number).forever() => 0,
    };
    Ok(won)
}

#[workflow]
pub async fn in_branches(number: u32) -> Result<u32, Trouble> {
    let (one, other) = try_join!(
        async {
            select! {
                answer = receive::<Answer>(number).forever() => return Ok(answer.number),
                taken = take(number) => taken?,
                _ = sleep(days(2)) => return Err(Trouble::Gone),
            };
            check(number).await
        },
        async {
            let outcome = select! {
                checked = check(number) => checked,
                _ = sleep(minutes(1)) => Ok(0),
            };
            outcome
        },
    )?;
    Ok(one + other)
}

#[workflow]
pub async fn arms_that_tell(number: u32) -> Result<u32, Trouble> {
    select! {
        /// An answer
        Answer { number } = receive::<Answer>(number).forever() => publish(Told { number }).await,
        /// Too late
        _ = sleep(hours(2)) => {
            send(Told { number }).await;
            compensate().await;
        }
        checked = check(number) => {
            let _ = checked?;
            return continue_as_new(arms_that_tell(number + 1)).await;
        }
    }
    Ok(number)
}

#[workflow]
pub async fn as_an_argument(number: u32) -> Result<u32, Trouble> {
    let seen = look(select! {
        seen = look(number) => seen,
        _ = sleep(minutes(1)) => 7,
    })
    .await;
    Ok(check(seen).await? + select! { a = look(1) => a, b = look(2) => b })
}

#[workflow]
pub async fn decided_by_a_race(number: u32) -> Result<u32, Trouble> {
    if select! { answer = receive::<Answer>(number).forever() => answer.number > 1, _ = sleep(days(1)) => false }
    {
        return take(number).await;
    }
    let Some(seen) = (select! { seen = look(number) => Some(seen), _ = sleep(days(1)) => None }) else {
        return Ok(0);
    };
    match select! { taken = take(seen) => taken, checked = check(number) => checked } {
        Ok(taken) => check(taken).await,
        Err(Trouble::Gone) => Ok(3),
        Err(error) => Err(error),
    }
}

#[workflow]
pub async fn overrides_and_arguments(number: u32) -> Result<u32, Trouble> {
    let won = select! {
        taken = take(look(number).await).timeout(minutes(2)).label("Take it") => taken,
        checked = check(number).timeout(seconds(10)) => checked,
        fetched = fetch(number).id(format!("fetch-{number}")) => fetched,
        _ = sleep_until(now().await + days(1)) => Ok(0),
    };
    won.or_else(|error| if number > 1 { Ok(1) } else { Err(error) })
}

#[workflow]
pub async fn eight_arms(number: u32) -> u32 {
    select! {
        a = look(0) => a,
        b = look(1) => b,
        c = look(2) => if number > 1 { look(c).await } else { c }
        d = look(3) => d,
        e = look(4) => e,
        f = look(5) => f,
        _ = sleep(days(6)) => 6,
        _ = receive::<Answer>(number).forever() => { 7 }
    }
}

explored! {
    in_a_loop
    as_the_tail
    with_a_question_mark
    one_in_another
    in_branches
    arms_that_tell
    as_an_argument
    decided_by_a_race
    overrides_and_arguments
    eight_arms
}
