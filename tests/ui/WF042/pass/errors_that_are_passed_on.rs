//! Errors that are named, passed on, or all treated alike; and where a person knows better.
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

#[workflow]
async fn pay(amount: u32) -> Result<u32, PaymentError> {
    match charge(amount).await {
        Ok(_) => {},
        Err(PaymentError::Declined) => {}
        Err(error) => return Err(error.into()),
    }
    match charge(amount).await {
        Ok(_) => {},
        Err(PaymentError::Declined) => {}
        Err(_) => return Err(PaymentError::Expired),
    }
    match charge(amount).await {
        Ok(_) => {},
        Err(_) => {}
    }
    match charge(amount).await {
        Ok(_) => {},
        Err(PaymentError::Declined | PaymentError::Expired) => {}
    }
    #[allow_workflow(swallowed_error, reason = "whatever it is, it is tried again tomorrow")]
    match charge(amount).await {
        Err(PaymentError::Declined) => Ok(1),
        _ => Ok(2),
    }
}

fn main() {}
