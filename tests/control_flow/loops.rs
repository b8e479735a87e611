//! `loop`, `while`, `for`, their labels, `break` with and without a value, and `continue`.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Trouble, check, count, explored, find, take};

#[workflow]
pub async fn a_loop_with_values(number: u32) -> Result<u32, Trouble> {
    let mut tries = 0;
    let got = loop {
        tries += 1;
        match check(number).await {
            Ok(got) if got > 3 => break got,
            Ok(_) if tries < 2 => continue,
            Ok(got) => break count(got).await,
            Err(Trouble::Code(404)) => {}
            Err(error) => return Err(error),
        }
    };
    Ok(got)
}

#[workflow]
pub async fn a_loop_as_the_result(number: u32) -> Result<u32, Trouble> {
    loop {
        if find(number).await.is_none() {
            break Err(Trouble::Gone);
        }
        match take(number).await {
            Ok(0) => break take(7).await,
            Ok(taken) => break Ok(taken),
            Err(Trouble::Gone) => {}
            Err(error) => break Err(error),
        }
    }
}

#[workflow]
pub async fn while_with_outcomes(number: u32) -> Result<u32, Trouble> {
    let mut left = number;
    while let Ok(checked) = check(left).await {
        if checked == 0 {
            break;
        }
        left -= 1;
    }
    while let Some(found) = find(left).await
        && found < 4
    {
        left += 1;
        if left > 3 {
            continue;
        }
        count(left).await;
    }
    while left > 0 && count(left).await > 1 {
        left -= 1;
    }
    Ok(left)
}

#[workflow]
pub async fn labelled_loops(number: u32) -> Result<u32, Trouble> {
    let mut sum = 0;
    'rows: for row in 0..number {
        'cells: for cell in 0..=row {
            match count(row + cell).await {
                1 => continue 'cells,
                2 => continue 'rows,
                4 => break 'rows,
                5 => break 'cells,
                seen => sum += seen,
            }
            take(cell).await?;
        }
        sum += check(row).await?;
    }
    Ok(sum)
}

#[workflow]
pub async fn a_loop_in_a_loop_at_once(number: u32) -> u32 {
    let mut sum = number;
    'outer: loop {
        loop {
            sum += 1;
            if count(sum).await > 4 {
                break 'outer sum;
            }
            if sum % 2 == 0 {
                break;
            }
        }
    }
}

#[workflow]
pub async fn a_break_in_a_block_in_a_loop(number: u32) -> u32 {
    let mut sum = 0;
    'numbers: for one in 0..number {
        'block: {
            if one == 1 {
                break 'block;
            }
            if one == 3 {
                continue 'numbers;
            }
            sum += count(one).await;
        }
        sum += count(7).await;
    }
    sum
}

#[workflow]
pub async fn a_for_over_an_awaited_value(number: u32) -> u32 {
    let mut sum = 0;
    for one in 0..count(number).await % 3 {
        sum += find(one).await.unwrap_or(1);
    }
    for _ in 0..sum {
        sum += 1;
    }
    sum
}

#[workflow]
pub async fn asks_again(number: u32) -> Result<u32, Trouble> {
    let mut asked = 0;
    loop {
        asked += 1;
        match receive::<Answer>(number).within(hours(1)).await {
            Ok(answer) if answer.number == 0 => return Err(Trouble::Gone),
            Ok(answer) => return Ok(answer.number),
            Err(_) if asked < 2 => sleep(minutes(1)).await,
            Err(TimedOut) => return check(asked).await,
        }
    }
}

#[workflow]
pub async fn only_returns_leave_it(number: u32) -> u32 {
    let mut sum = number;
    loop {
        sum += 1;
        if sum > 5 {
            return sum;
        }
        count(sum).await;
    }
}

explored! {
    a_loop_with_values
    a_loop_as_the_result
    while_with_outcomes ["answer `no` of `if_left_0`" "answer `yes` of `if_left_3`"]
    labelled_loops ["answer `2` of `if_count`" "answer `5` of `if_count`"]
    a_loop_in_a_loop_at_once ["answer `no` of `if_sum_2_0`"]
    a_break_in_a_block_in_a_loop ["answer `yes` of `if_one_3`"]
    a_for_over_an_awaited_value
    asks_again
    only_returns_leave_it
}
