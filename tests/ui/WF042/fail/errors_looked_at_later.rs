//! The same where the error, or the whole outcome, is looked at under a name.
#![deny(deprecated)]
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PaymentError {
    #[error("declined")]
    Declined,
    #[error("expired")]
    Expired,
}

#[step]
async fn charge(_amount: u32) -> Result<u32, PaymentError> {
    Ok(1)
}

#[step]
async fn ask_for_card() {}

#[workflow]
async fn in_the_arm(amount: u32) -> u32 {
    match charge(amount).await {
        Ok(paid) => paid,
        Err(error) => match error {
            PaymentError::Expired => {
                ask_for_card().await;
                0
            }
            _ => 1,
        },
    }
}

#[workflow]
async fn in_a_condition(amount: u32) -> u32 {
    if let Err(error) = charge(amount).await {
        match &error {
            PaymentError::Declined => ask_for_card().await,
            _other => sleep(days(1)).await,
        }
    }
    7
}

#[workflow]
async fn later(amount: u32) -> u32 {
    let paid = charge(amount).await;
    sleep(days(1)).await;
    match paid {
        Ok(paid) => paid,
        Err(PaymentError::Declined) => {
            ask_for_card().await;
            0
        }
        Err(_) => 2,
    }
}

fn main() {}
