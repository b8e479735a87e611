//! An arm that takes what the step may answer one day; a warning, which is an error here to be seen.
#![deny(deprecated)]
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
enum PaymentError {
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
async fn pay(amount: u32) -> u32 {
    match charge(amount).await {
        Ok(paid) => paid,
        Err(PaymentError::Expired) => {
            ask_for_card().await;
            0
        }
        Err(_) => 0,
    }
}

#[workflow]
async fn pay_or_not(amount: u32) -> u32 {
    let paid = match charge(amount).await {
        Err(PaymentError::Expired) => 1,
        _ => 2,
    };
    if let Err(PaymentError::Declined) = charge(amount).await {
        ask_for_card().await;
    }
    paid
}

fn main() {}
