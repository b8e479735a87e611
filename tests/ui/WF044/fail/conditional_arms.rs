//! An arm that is there only in some builds changes what is drawn, also when nothing happens in it.
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

#[workflow]
async fn pay(amount: u32) -> u32 {
    match amount {
        0 => charge(1).await.unwrap_or(0),
        #[cfg(debug_assertions)]
        1 => 0,
        _ => charge(amount).await.unwrap_or(0),
    }
}

#[workflow]
async fn pay_once(amount: u32) -> u32 {
    match charge(amount).await {
        Ok(paid) => paid,
        #[cfg(debug_assertions)]
        Err(PaymentError::Declined) => 0,
        Err(PaymentError::Expired | PaymentError::Declined) => 1,
    }
}

/// Here nothing is drawn.
#[workflow]
async fn count(amount: u32) -> u32 {
    let count = match amount {
        #[cfg(debug_assertions)]
        1 => 0,
        _ => amount,
    };
    charge(count).await.unwrap_or(0)
}

fn main() {}
