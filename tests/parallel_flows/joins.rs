//! `join!` and `try_join!` in loops, arms, tails and each other, with ways out of their branches.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Told, Trouble, check, explored, fetch, look, look_twice, take, take_two};

#[workflow]
pub async fn in_a_loop(number: u32) -> Result<u32, Trouble> {
    let mut sum = 0;
    'rounds: for round in 0..number {
        let (one, other) = join!(check(round), look(round + 1));
        sum += match one {
            Ok(0) => continue,
            Ok(2) => break 'rounds,
            Ok(one) => one + other,
            Err(Trouble::Gone) => return Ok(sum),
            Err(error) => return Err(error),
        };
    }
    Ok(sum)
}

#[workflow]
pub async fn as_the_condition(number: u32) -> u32 {
    let mut left = number;
    while join!(look(left), look(1)) != (0, 1) {
        left -= 1;
    }
    if let (0, seen) = join!(look(left), look(2)) { seen } else { 0 }
}

#[workflow]
pub async fn compared_in_the_tail(number: u32) -> bool {
    join!(look(number), look(1)) == (1, 1)
}

#[workflow]
pub async fn tail_of_a_match(number: u32) -> Result<(u32, u32), Trouble> {
    match number {
        0 => try_join!(take(1), check(2)),
        1 => {
            /// Both at once
            try_join!(
                /// The first
                take(1),
                /// The second
                take_two(2),
            )
        }
        _ => Ok(try_join!(take(number), fetch(number))?),
    }
}

#[workflow]
pub async fn nested(number: u32) -> Result<u32, Trouble> {
    let ((a, b), (c, d)) = try_join!(async { try_join!(take(number), take_two(number)) }, async {
        let (c, d) = join!(check(number), async {
            let (e, f) = join!(look(1), look_twice(&number));
            e + f
        });
        Ok((c?, d))
    },)?;
    Ok(a + b + c + d)
}

#[workflow]
pub async fn early_ways_out_of_branches(number: u32) -> Result<u32, Trouble> {
    let (one, two, three) = join!(
        async {
            for round in 0..number {
                let seen = check(round).await?;
                if seen == 1 {
                    return Ok(seen);
                }
            }
            Err(Trouble::Gone)
        },
        async {
            let Ok(seen) = check(number).await else { return 0 };
            'out: {
                if seen > 1 {
                    break 'out look(seen).await;
                }
                1
            }
        },
        async {
            match take(number).await {
                Ok(0) => None,
                Ok(taken) => Some(look(taken).await),
                Err(_) => return None,
            }
        },
    );
    let one: Result<u32, Trouble> = one;
    Ok(one.unwrap_or(two) + three.ok_or(Trouble::Gone)?)
}

#[workflow]
pub async fn errors_out_of_a_block(number: u32) -> Result<u32, Trouble> {
    let sums = try_join!(
        async {
            if number == 3 {
                return Err(Trouble::Code(3));
            }
            let answer = receive::<Answer>(number).within(days(1)).await?;
            Ok(answer.number)
        },
        async {
            take(number).await?;
            sleep(hours(1)).await;
            publish(Told { number }).await;
            Ok::<_, Trouble>(2)
        },
        take_two(number).label("Two of them"),
    );
    match sums {
        Ok((a, b, c)) => Ok(a + b + c),
        Err(Trouble::Code(code)) => Ok(code),
        Err(error) => Err(error),
    }
}

#[workflow]
pub async fn told_apart_at_once(number: u32) -> Result<u32, Trouble> {
    match try_join!(take(number), async { Ok(look(number).await) }, fetch(number)) {
        Ok((0, ..)) => Ok(0),
        Ok((a, b, c)) if a + b > 2 => Ok(c),
        Ok(_) => check(number).await,
        Err(Trouble::Gone) => {
            /// Undo all
            compensate().await;
            Ok(number)
        }
        Err(Trouble::Code(500..)) => Ok(1),
        Err(error) => Err(error),
    }
}

#[workflow]
pub async fn arguments_that_wait(number: u32) -> Result<u32, Trouble> {
    let (a, b) = try_join!(take(look(number).await), check(take(number).await? + 1))?;
    let (c, ()) = join!(look(check(a).await.unwrap_or(b)), async {});
    Ok(c)
}

#[workflow]
pub async fn let_else_and_if_let(number: u32) -> Result<u32, Trouble> {
    let Ok((one, _)) = try_join!(take(number), check(number)) else {
        return Ok(look(0).await);
    };
    if let Err(error) = try_join!(check(one), take_two(one)) {
        return Err(error);
    }
    try_join!(check(one), take(one))?;
    join!(look(1), look(2)).0;
    Ok(one)
}

#[workflow]
pub async fn moved_into_branches(number: u32) -> Result<String, Trouble> {
    let text = format!("text {number}");
    let list = vec![number; 2];
    let (text, sum) = try_join!(
        async move {
            let mut text = text;
            text.push_str(&take(number).await?.to_string());
            Ok::<_, Trouble>(text)
        },
        async move {
            let mut sum = 0;
            for one in list {
                sum += check(one).await?;
            }
            Ok(sum)
        },
    )?;
    Ok(format!("{text}{sum}"))
}

#[workflow]
pub async fn one_branch_only(number: u32) -> Result<u32, Trouble> {
    let (one,) = try_join!(take(number))?;
    let (two,) = join!(async { check(one).await });
    let (three, four) = join!(async { one + 1 }, async { two.map(|two| two + 1) });
    Ok(three + four?)
}

#[workflow]
pub async fn values_in_branches(number: u32) -> Result<u32, Trouble> {
    let (day, lot, known) = join!(now(), random(), async {
        if patched("new-way").await {
            progress(&number).await;
            check(number).await
        } else {
            Ok(look(number).await)
        }
    });
    let _ = (day, lot);
    known
}

explored! {
    in_a_loop
    as_the_condition
    compared_in_the_tail
    tail_of_a_match
    nested
    early_ways_out_of_branches
    errors_out_of_a_block
    told_apart_at_once
    arguments_that_wait
    let_else_and_if_let
    moved_into_branches
    one_branch_only
    values_in_branches
}
