//! All errors alike, all by their names, what is passed on, what is reported, and names that mean something else.
#![deny(deprecated)]
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PaymentError {
    #[error("declined")]
    Declined,
    #[error("expired")]
    Expired,
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct Paid {
    order: u32,
}

#[step]
async fn charge(_amount: u32) -> Result<u32, PaymentError> {
    Ok(1)
}

#[step]
async fn report(_text: String) {}

#[workflow]
async fn pay(amount: u32) -> Result<u32, PaymentError> {
    let first = match charge(amount).await {
        Ok(paid) => paid,
        Err(error) => match error {
            PaymentError::Declined => 1,
            other => return Err(other),
        },
    };
    if let Err(error) = charge(first).await {
        match error {
            PaymentError::Declined | PaymentError::Expired => sleep(days(1)).await,
        }
    }
    if let Err(error) = charge(first).await {
        match &error {
            PaymentError::Declined => sleep(days(1)).await,
            _ => report(error.to_string()).await,
        }
    }
    let paid = charge(amount).await;
    let all_alike = match paid {
        Ok(paid) => paid,
        Err(_) => 0,
    };
    let paid = Some(all_alike).filter(|cents| *cents > 1);
    match paid {
        Some(7) => sleep(days(1)).await,
        _ => {}
    }
    let message = receive::<Paid>(amount).within(days(1)).await;
    match message {
        Ok(paid) if paid.order > 3 => sleep(days(2)).await,
        Err(TimedOut) => sleep(days(1)).await,
        _ => {}
    }
    #[allow_workflow(swallowed_error, reason = "whatever it is, there is another way")]
    match charge(amount).await {
        Ok(paid) => Ok(paid),
        Err(error) => match error {
            PaymentError::Declined => Ok(0),
            _ => Ok(1),
        },
    }
}

fn main() {}
