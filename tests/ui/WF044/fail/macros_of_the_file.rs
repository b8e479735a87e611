//! Macros of the same file are looked into: what leaves the workflow or waits in them is not drawn.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("declined")]
pub struct Declined;

macro_rules! refuse_if {
    ($condition:expr) => {
        if $condition {
            return Err(Declined);
        }
    };
}

macro_rules! amount_or_leave {
    ($text:expr) => {
        $text.parse::<u32>().or(Err(Declined))?
    };
}

macro_rules! wait_a_day {
    () => {
        std::future::ready(()).await
    };
}

#[step]
async fn charge(_amount: u32) -> Result<u32, Declined> {
    Ok(1)
}

#[workflow]
async fn pay(text: String) -> Result<u32, Declined> {
    let amount = amount_or_leave!(text);
    let paid = charge(amount).await?;
    refuse_if!(paid > 7);
    wait_a_day!();
    Ok(paid)
}

fn main() {}
