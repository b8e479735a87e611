//! The same model on every level; a process by name among several; and a step that a person has excused.
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
async fn order() -> Result<u32, PaymentError> {
    check_stock().await;
    match charge().await {
        Ok(_) => {
            ship_goods().await;
            Ok(1)
        }
        Err(PaymentError::CardExpired) => Err(PaymentError::CardExpired),
    }
}

#[workflow(bpmn = "../two.bpmn", process = "Buy", conform = "order")]
async fn among_others() -> Result<u32, PaymentError> {
    check_stock().await;
    charge().await?;
    Ok(ship_goods().await)
}

#[workflow(bpmn = "../two.bpmn")]
async fn buy() -> Result<u32, PaymentError> {
    charge().await?;
    check_stock().await;
    Ok(ship_goods().await)
}

#[step(retriable)]
async fn write_audit_log() {}

#[workflow(bpmn = "../order.bpmn", conform = "strict")]
async fn order_with_a_log() -> Result<u32, PaymentError> {
    check_stock().await;
    match charge().await {
        Ok(_) => {
            #[allow_workflow(model_deviation, reason = "the log is no business of the analyst")]
            write_audit_log().await;
            ship_goods().await;
            Ok(1)
        }
        Err(PaymentError::CardExpired) => Err(PaymentError::CardExpired),
    }
}

/// Ship goods
#[subflow]
async fn pack_and_send() -> u32 {
    ship_goods().await
}

#[workflow(bpmn = "../order.bpmn", conform = "order")]
async fn order_with_a_part() -> Result<u32, PaymentError> {
    check_stock().await;
    charge().await?;
    Ok(pack_and_send().await)
}

fn main() {
    let _ = (order.graph(), among_others.graph(), buy.graph(), order_with_a_log.graph(), order_with_a_part.graph());
}
