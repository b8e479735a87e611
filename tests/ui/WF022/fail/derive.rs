//! What `#[derive(StepError)]` and `#[derive(Message)]` do not take.
use workflow_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PaymentError {
    #[error("declined")]
    Declined,
    #[error("declined again")]
    #[step_error(code = "Declined")]
    Again,
    #[error("unavailable")]
    #[step_error(transiant)]
    Unavailable,
}

#[derive(Serialize, Deserialize, Message)]
#[message(key = oder_id)]
pub struct NewCard {
    pub order_id: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Id;

#[derive(Serialize, Deserialize, Message)]
#[message(key = id)]
pub struct Paid {
    pub id: Id,
}

fn main() {}
