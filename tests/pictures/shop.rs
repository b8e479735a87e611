//! The steps and messages of a small shop, from which the pictured workflows are made.
//! None of them ever runs: only how they are drawn counts.

use workflow_runtime::prelude::*;

/// Why an order comes to nothing.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    /// Goods sold out
    #[error(transparent)]
    Stock(#[from] StockError),
    /// Not paid
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// No courier
    #[error(transparent)]
    Courier(#[from] CourierError),
    /// Nobody answered
    #[error(transparent)]
    Late(#[from] TimedOut),
    /// Order refused
    #[error("refused")]
    Refused,
}

/// What the warehouse answers.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum StockError {
    /// Goods sold out
    #[error("sold out")]
    SoldOut,
}

/// What the payment service answers.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PaymentError {
    /// Card declined
    #[error("declined")]
    Declined,
    /// Card expired
    #[error("expired")]
    Expired,
}

/// What the courier answers.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum CourierError {
    /// No courier
    #[error("no courier")]
    NoCourier,
}

/// Somebody orders something.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order, participant = "Customer")]
pub struct OrderPlaced {
    /// Its number.
    pub order: String,
}

/// The customer sends another card.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order, participant = "Customer")]
pub struct NewCard {
    /// The order.
    pub order: String,
}

/// The customer wants none of it any more.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order, participant = "Customer")]
pub struct OrderCancelled {
    /// The order.
    pub order: String,
}

/// To the carrier: fetch a parcel.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order, participant = "Carrier")]
pub struct FetchParcel {
    /// The order.
    pub order: String,
}

/// For all who want to know.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct OrderShipped {
    /// The order.
    pub order: String,
}

/// Count stock
#[step(read_only)]
pub async fn count_stock(order: &str) -> u32 {
    u32::from(!order.is_empty())
}

/// Find the goods
#[step(read_only, participant = "Warehouse")]
pub async fn find_goods(order: &str) -> Result<String, StockError> {
    if order.is_empty() { Err(StockError::SoldOut) } else { Ok(order.to_owned()) }
}

/// Reserve goods
#[step(compensate = release_goods(order), participant = "Warehouse")]
pub async fn reserve_goods(order: &str) -> Result<String, StockError> {
    if order.is_empty() { Err(StockError::SoldOut) } else { Ok(order.to_owned()) }
}

/// Release goods
#[step(retriable, participant = "Warehouse")]
pub async fn release_goods(_order: &str) {}

/// Charge card
#[step(compensate = refund_charge(order), participant = "Payment service")]
pub async fn charge_card(order: &str) -> Result<String, PaymentError> {
    if order.is_empty() { Err(PaymentError::Declined) } else { Ok(order.to_owned()) }
}

/// Refund charge
#[step(retriable, participant = "Payment service")]
pub async fn refund_charge(_order: &str) {}

/// Book courier
#[step(pivot, participant = "Carrier")]
pub async fn book_courier(order: &str) -> Result<String, CourierError> {
    if order.is_empty() { Err(CourierError::NoCourier) } else { Ok(order.to_owned()) }
}

/// Ask a courier for a price
#[step(read_only, participant = "Carrier")]
pub async fn ask_price(courier: &str) -> u32 {
    u32::from(!courier.is_empty())
}

/// Pack goods
#[step(retriable)]
pub async fn pack_goods(_order: &str) {}

/// Order from the supplier
#[step(retriable)]
pub async fn order_from_supplier(_order: &str) {}

/// Send parcel
#[step(retriable)]
pub async fn send_parcel(_order: &str) {}

/// Print the invoice
#[step(retriable)]
pub async fn print_invoice(_order: &str) {}

/// Write to the customer
#[step(retriable, participant = "Customer")]
pub async fn write_to_customer(_order: &str) {}

/// Check the photographs
#[step(human, read_only, participant = "Claims team")]
pub async fn check_photographs(claim: &str) -> bool {
    !claim.is_empty()
}

/// Rate the risk
#[step(rule, read_only)]
pub async fn rate_risk(claim: &str) -> u32 {
    u32::from(!claim.is_empty())
}
