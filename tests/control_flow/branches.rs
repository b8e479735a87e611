//! `if`, `let else`, `&&` and `||`, `?` and early returns, blocks and labelled blocks.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Trouble, check, count, explored, find, take};

#[workflow]
pub async fn if_else_if(number: u32) -> u32 {
    if number > 3 {
        count(number).await
    } else if find(number).await.is_some() {
        count(1).await + count(2).await
    } else {
        0
    }
}

#[workflow]
pub async fn right_sides_that_wait(number: u32) -> Result<u32, Trouble> {
    let big = number > 2 && count(number).await > 3;
    let odd = find(number).await.is_none() || count(number).await > 3 || check(number).await? == 1;
    Ok(u32::from(big) + u32::from(odd))
}

#[workflow]
pub async fn conditions_that_wait(number: u32) -> Result<u32, Trouble> {
    if number > 1 && (check(number).await? > 4 || count(number).await == 2) {
        take(number).await?;
    } else if !(number > 2 && find(number).await.is_some()) {
        count(9).await;
    }
    Ok(number)
}

#[workflow]
pub async fn a_silent_condition_that_waits(number: u32) -> u32 {
    let mut sum = 0;
    if number > 2 && count(number).await > 4 {
        sum += 1;
    }
    sum + count(sum).await
}

#[workflow]
pub async fn chains_of_let(number: u32) -> u32 {
    if let Some(found) = find(number).await
        && found > 1
        && let Ok(checked) = check(found).await
        && checked < 4
    {
        count(checked).await
    } else {
        count(7).await
    }
}

#[workflow]
pub async fn a_chain_that_begins_with_an_outcome(number: u32) -> u32 {
    if let Ok(2 | 4) = check(number).await
        && number < 4
    {
        return count(number).await;
    }
    0
}

#[workflow]
pub async fn let_else_with_conditions(number: u32) -> Result<u32, Trouble> {
    let Some(found) = find(number).await else { return Err(Trouble::Gone) };
    let Ok(checked @ 1..) = check(found).await else {
        count(found).await;
        return Ok(0);
    };
    let Some(less) = checked.checked_sub(3) else { return take(checked).await };
    Ok(less)
}

#[workflow]
pub async fn question_marks(number: u32) -> Result<u32, Trouble> {
    let found = find(number).await.ok_or(Trouble::Gone)?;
    let less = found.checked_sub(2).ok_or_else(|| Trouble::Code(found))?;
    let more = check(less).await.map(|checked| checked + 1).map_err(|_| Trouble::Gone)?;
    take(more).await.or_else(|error| if more > 2 { Err(error) } else { Ok(0) })
}

#[workflow]
pub async fn gives_an_option(number: u32) -> Option<u32> {
    let found = find(number).await?;
    let less = found.checked_sub(3)?;
    let checked = check(less).await.ok()?;
    if checked > 3 {
        return None;
    }
    Some(count(checked).await)
}

#[workflow]
pub async fn always_fails(number: u32) -> Result<u32, Trouble> {
    if let Err(error) = check(number).await {
        Err(error)?;
    }
    if number > 3 { Err(Trouble::Gone)? } else { Ok(number) }
}

#[workflow]
pub async fn labelled_blocks(number: u32) -> Result<u32, Trouble> {
    let sum = 'sum: {
        if number > 4 {
            break 'sum 7;
        }
        let found = 'found: {
            if let Some(found) = find(number).await {
                break 'found found;
            }
            if number == 3 {
                break 'sum check(number).await?;
            }
            1
        };
        count(found).await
    };
    let quiet = 'quiet: {
        for one in 0..sum {
            if one == 2 {
                break 'quiet one;
            }
        }
        0
    };
    Ok(sum + quiet)
}

#[workflow]
pub async fn a_labelled_block_as_the_result(number: u32) -> Result<u32, Trouble> {
    'result: {
        if number == 1 {
            break 'result Err(Trouble::Gone);
        }
        for one in 0..number {
            if count(one).await == 2 {
                break 'result check(one).await;
            }
        }
        Ok(take(number).await?)
    }
}

#[workflow]
pub async fn local_functions_and_closures(number: u32) -> Result<u32, Trouble> {
    fn less(number: u32) -> Option<u32> {
        let less = number.checked_sub(1)?;
        if less > 3 {
            return None;
        }
        Some(less)
    }
    let checked = |number: u32| -> Result<u32, Trouble> {
        let less = less(number).ok_or(Trouble::Gone)?;
        if less == 1 {
            return Err(Trouble::Code(1));
        }
        Ok(less)
    };
    let mut sum = 0;
    'outer: for one in 0..number {
        for other in 0..one {
            if other == 2 {
                continue 'outer;
            }
            sum += checked(other).unwrap_or(1);
        }
    }
    let sum = checked(sum)?;
    Ok(count(sum).await)
}

#[workflow]
pub async fn early_returns(number: u32) -> Result<u32, Trouble> {
    if number == 0 {
        return Err(Trouble::Gone);
    }
    let number = { if number == 1 { return take(number).await } else { count(number).await } };
    let answer = receive::<Answer>(number).within(days(1)).await?;
    if answer.number > 3 {
        return if number > 4 { check(number).await } else { Ok(1) };
    }
    unsafe_free(number)
}

fn unsafe_free(number: u32) -> Result<u32, Trouble> {
    if number == 2 { Err(Trouble::Gone) } else { Ok(number) }
}

explored! {
    if_else_if
    right_sides_that_wait
    conditions_that_wait
    a_silent_condition_that_waits
    chains_of_let
    a_chain_that_begins_with_an_outcome ["answer `no` of `if_number_4`"]
    let_else_with_conditions
    question_marks ["answer `no` of `if_found_checked_sub_2_succeeded`"]
    gives_an_option ["answer `no` of `if_found_checked_sub_3_succeeded`" "answer `yes` of `if_checked_3`"]
    always_fails
    labelled_blocks ["answer `no` of `if_number_3`"]
    a_labelled_block_as_the_result
    local_functions_and_closures
    early_returns ["answer `yes` of `if_succeeded`"]
}
