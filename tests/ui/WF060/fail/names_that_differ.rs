//! What the analyst drew and what the code does have other names: each is asked about at its own place.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
enum PaymentError {
    #[error("the card has expired")]
    #[step_error(code = "CARD_EXPIRED")]
    CardExpired,
}

#[step(read_only)]
async fn check_stock() -> u32 {
    1
}

/// Charge card
#[step(pivot)]
async fn charge() -> Result<u32, PaymentError> {
    Ok(1)
}

#[step(retriable)]
async fn ship_goods() -> u32 {
    1
}

/// Send the parcel
#[step(retriable)]
async fn send_parcel() -> u32 {
    1
}

#[workflow(bpmn = "../order.bpmn")]
async fn order() -> Result<u32, PaymentError> {
    check_stock().await;
    charge().await?;
    Ok(send_parcel().await)
}

/// Charge credit card
#[step(pivot)]
async fn charge_credit_card() -> Result<u32, PaymentError> {
    Ok(1)
}

#[workflow(bpmn = "../order.bpmn", conform = "names")]
async fn order_by_credit() -> Result<u32, PaymentError> {
    check_stock().await;
    charge_credit_card().await?;
    Ok(ship_goods().await)
}

fn main() {}
