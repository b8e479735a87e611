//! The goods are shipped before they are paid: the pair is named, with what the model says and what the code does.
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
#[step(read_only)]
async fn charge() -> Result<u32, PaymentError> {
    Ok(1)
}

#[step(read_only)]
async fn ship_goods() -> u32 {
    1
}

#[workflow(bpmn = "../order.bpmn", conform = "order")]
async fn order() -> Result<u32, PaymentError> {
    ship_goods().await;
    check_stock().await;
    charge().await
}

#[workflow(bpmn = "../order.bpmn", conform = "order")]
async fn order_at_once() -> Result<u32, PaymentError> {
    check_stock().await;
    let (charged, _) = join!(charge(), ship_goods());
    charged
}

fn main() {}
