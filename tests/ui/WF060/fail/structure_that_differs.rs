//! Strictly: an error that the model tells apart, a question that it does not ask.
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

#[workflow(bpmn = "../order.bpmn", conform = "strict")]
async fn order() -> u32 {
    check_stock().await;
    if charge().await.is_ok() {
        ship_goods().await;
    }
    1
}

#[workflow(bpmn = "../order.bpmn", conform = "strict")]
async fn asks_more(gift: bool) -> Result<u32, PaymentError> {
    check_stock().await;
    match charge().await {
        Ok(_) => {
            if gift {
                return Ok(1);
            }
            ship_goods().await;
            Ok(1)
        }
        Err(PaymentError::CardExpired) => Err(PaymentError::CardExpired),
    }
}

fn main() {}
