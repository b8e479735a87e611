//! Loops that end, that continue as new, that do nothing durable, and one that a person answers for.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("declined")]
struct Declined;

#[step]
async fn charge(_plan: u32) -> u32 {
    1
}

#[workflow]
async fn subscription(plan: u32) {
    for _ in 0..12 {
        charge(plan).await;
        sleep(days(30)).await;
    }
    continue_as_new(subscription(plan)).await
}

#[workflow]
async fn until_it_is_paid(plan: u32) -> u32 {
    let mut rounds = 0;
    loop {
        rounds += 1;
        if charge(plan).await > 0 {
            return rounds;
        }
    }
}

#[workflow]
async fn until_it_continues(plan: u32, mut rounds: u32) {
    loop {
        charge(plan).await;
        rounds += 1;
        if rounds > 100 {
            return continue_as_new(until_it_continues(plan, 0)).await;
        }
    }
}

#[workflow]
async fn until_it_is_cancelled(plan: u32) {
    #[allow_workflow(unbounded_loop, reason = "cancelled after a day at the latest")]
    loop {
        charge(plan).await;
        sleep(hours(1)).await;
    }
}

/// It fails, but it ends.
#[workflow]
async fn until_it_fails(plan: u32) -> Result<(), Declined> {
    let mut rounds = 0;
    loop {
        if rounds > 10 {
            break;
        }
        rounds += charge(plan).await;
    }
    Err(Declined)
}

#[workflow]
async fn until_it_is_declined(plan: u32) -> Result<(), Declined> {
    'months: loop {
        loop {
            let Ok(paid) = try_to_charge(plan).await else { break 'months };
            if paid > 10 {
                return Err(Declined);
            }
        }
    }
    sleep(days(1)).await;
    Err(Declined)
}

#[step]
async fn try_to_charge(_plan: u32) -> Result<u32, Declined> {
    Ok(1)
}

fn main() {}
