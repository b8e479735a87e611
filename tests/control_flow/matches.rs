//! `match` over plain values and over outcomes: guards, parts of variants, `|`, `@`, and arms in every order.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Trouble, check, count, explored, find, take};

#[workflow]
pub async fn parts_of_variants(number: u32) -> Result<u32, Trouble> {
    match check(number).await {
        Ok(checked) => count(checked).await,
        Err(Trouble::Code(404)) => find(number).await.unwrap_or(0),
        Err(Trouble::Code(code)) => take(code).await?,
        Err(Trouble::Lost { at: 0..=2, .. }) => count(8).await,
        Err(Trouble::Lost { .. } | Trouble::Gone) => 0,
        Err(error) => return Err(error),
    };
    Ok(number)
}

#[workflow]
pub async fn parts_with_all_other_errors(number: u32) -> u32 {
    #[allow_workflow(swallowed_error, reason = "all other errors are meant, new ones too")]
    match check(number).await {
        Err(Trouble::Code(500..) | Trouble::Lost { at: 1, .. }) => count(1).await,
        Err(_) => count(2).await,
        Ok(_) => 0,
    }
}

#[workflow]
pub async fn guards_on_errors(number: u32) -> Result<u32, Trouble> {
    #[allow_workflow(swallowed_error, reason = "all other errors are meant, new ones too")]
    let checked = match check(number).await {
        Err(Trouble::Gone) if number > 2 => count(1).await,
        Err(error) if error == Trouble::Code(404) => count(2).await,
        Err(Trouble::Gone | Trouble::Lost { .. }) => return Err(Trouble::Gone),
        Ok(checked) => checked,
        Err(error) if number > 4 => return Err(error),
        Err(_) => count(3).await,
    };
    Ok(checked)
}

#[workflow]
pub async fn guards_on_successes(number: u32) -> u32 {
    match check(number).await {
        Ok(many) if many > 4 => count(many).await,
        Ok(some @ (2 | 3)) if some != number + 1 => find(some).await.unwrap_or(9),
        Ok(1) | Ok(4) => count(5).await,
        Ok(_) => 1,
        Err(_) => take(1).await.unwrap_or(0),
    }
}

#[workflow]
pub async fn a_rest_that_takes_successes_and_errors(number: u32) -> Result<u32, Trouble> {
    #[allow_workflow(swallowed_error, reason = "the rest is meant, new errors too")]
    match check(number).await {
        Ok(2) => return take(2).await,
        Err(Trouble::Gone) => {
            count(1).await;
        }
        other if number == 3 => return other,
        _ => {
            count(2).await;
        }
    }
    Ok(number)
}

#[workflow]
pub async fn errors_before_successes(number: u32) -> Result<u32, Trouble> {
    match take(number).await {
        Err(Trouble::Code(code)) if code == 404 => Ok(0),
        Err(error @ (Trouble::Gone | Trouble::Code(_))) => Err(error),
        Err(other) => Err(other),
        Ok(taken) if taken == 0 => Err(Trouble::Gone),
        Ok(taken) => Ok(taken),
    }
}

#[workflow]
pub async fn every_variant_by_its_name(number: u32) -> u32 {
    match check(number).await {
        Ok(checked) => checked,
        Err(error) if error == Trouble::Gone && number == 5 => count(0).await,
        Err(Trouble::Gone) => count(1).await,
        Err(Trouble::Code(_)) => count(2).await,
        Err(Trouble::Lost { .. }) => count(3).await,
        Err(Trouble::Late(_)) => count(4).await,
    }
}

#[workflow]
pub async fn silent_arms_with_guards(number: u32) -> u32 {
    #[allow_workflow(swallowed_error, reason = "all other errors are meant, new ones too")]
    let checked = match check(number).await {
        Ok(checked) if checked > 2 => 1,
        Ok(checked) => checked,
        Err(Trouble::Code(404)) => 3,
        Err(_) if number > 2 => 4,
        Err(_) => 5,
    };
    count(checked).await
}

#[workflow]
pub async fn plain_values(number: u32) -> Result<u32, Trouble> {
    let state = (number % 2 == 0, number);
    let sum = match state {
        (true, 0) => count(1).await,
        (true, few) if few < 3 => count(2).await,
        (false, ..=2) => check(3).await?,
        (_, 5) => return Err(Trouble::Gone),
        (true, _) | (false, 3) => 4,
        _ => 5,
    };
    match find(sum).await {
        Some(even) if even > 3 => count(even).await,
        Some(_) => 0,
        None => take(sum).await?,
    };
    Ok(match number {
        1 => count(6).await,
        one => one,
    })
}

#[workflow]
pub async fn a_match_in_a_match(number: u32) -> Result<u32, Trouble> {
    match check(number).await {
        Ok(checked) => match take(checked).await {
            Ok(taken) if taken > 3 => match find(taken).await {
                Some(found) => Ok(found),
                None => check(9).await,
            },
            Ok(taken) => Ok(taken),
            Err(Trouble::Gone) => Ok(0),
            Err(error) => Err(error),
        },
        Err(error) => {
            #[allow_workflow(swallowed_error, reason = "what went wrong before is told")]
            if let Err(Trouble::Code(_)) = take(1).await {
                return Ok(count(1).await);
            }
            Err(error)
        }
    }
}

#[workflow]
pub async fn two_outcomes_at_once(number: u32) -> u32 {
    match (check(number).await, take(number).await) {
        (Ok(checked), Ok(taken)) if checked + taken > 5 => count(1).await,
        (Err(_), Err(_)) => count(2).await,
        (Ok(_), _) => 3,
        (Err(_), Ok(_)) => count(4).await,
    }
}

#[workflow]
pub async fn messages_with_conditions(number: u32) -> u32 {
    if let Ok(Answer { number: 2.. }) = receive::<Answer>(number).within(days(1)).await {
        return count(1).await;
    }
    let Err(TimedOut) = receive::<Answer>(number).within(days(2)).await else { return 7 };
    match receive::<Answer>(number).forever().await {
        answer if answer.number > 3 => count(2).await,
        _ => 0,
    }
}

#[workflow]
pub async fn a_guard_that_binds(number: u32) -> u32 {
    match check(number).await {
        Ok(checked) if let Some(less) = checked.checked_sub(3) => count(less).await,
        Ok(_) => 0,
        Err(error) if let Trouble::Lost { at, .. } = error => find(at).await.unwrap_or(1),
        Err(_) => 2,
    }
}

explored! {
    parts_of_variants
    parts_with_all_other_errors
    guards_on_errors ["answer `error = code 404` of `if_gone`" "answer `yes` of `if_error_code_404`"]
    guards_on_successes
    a_rest_that_takes_successes_and_errors
    errors_before_successes
    every_variant_by_its_name [
        "answer `yes` of `if_error_gone_and_number_5_2`"
        "answer `yes` of `if_error_gone_and_number_5_3`"
        "answer `yes` of `if_error_gone_and_number_5_4`"
    ]
    silent_arms_with_guards
    plain_values
    a_match_in_a_match
    two_outcomes_at_once
    messages_with_conditions
    a_guard_that_binds
}
