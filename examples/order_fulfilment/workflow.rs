//! The order workflow: reserve, pay, ship, confirm; and everything undone when it cannot be shipped.
//! It knows the outside world only through its steps.

use workflow_runtime::prelude::*;

use crate::orders::{Card, Order};
use crate::simulator::{self, ChargeId, ReservationId, TrackingId, Unavailable, World};

/// What the customer gets in the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The order.
    pub order_id: String,
    /// What was charged, in cents.
    pub total_cents: u32,
    /// The charge.
    pub charge: ChargeId,
    /// Where the parcel is.
    pub tracking: TrackingId,
}

/// The customer sends another card.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(name = "NewCard", key = order_id, participant = "Customer")]
pub struct NewCard {
    /// The order it is for.
    pub order_id: String,
    /// The card.
    pub card: Card,
}

/// Why an order is not fulfilled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum OrderError {
    /// Goods not reserved
    #[error(transparent)]
    NotReserved(#[from] StockError),
    /// Not paid
    #[error(transparent)]
    NotPaid(#[from] PaymentError),
    /// No new card
    #[error("the customer sent no other card within seven days")]
    NoNewCard(#[from] TimedOut),
    /// Not shipped
    #[error(transparent)]
    NotShipped(#[from] CourierError),
}

/// What the warehouse answers instead of a reservation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum StockError {
    /// Out of stock
    #[error("{sku} is out of stock")]
    OutOfStock {
        /// The article.
        sku: String,
    },
    /// Warehouse busy
    #[error("the warehouse is busy")]
    #[step_error(transient)]
    Busy,
    /// No answer
    #[error("the warehouse does not answer: {0}")]
    #[step_error(transient)]
    Unavailable(String),
}

/// What the payment gateway answers instead of a charge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PaymentError {
    /// Card declined
    #[error("the card was declined")]
    Declined,
    /// Card expired
    #[error("the card has expired")]
    #[step_error(code = "CARD_EXPIRED")]
    CardExpired,
    /// No answer
    #[error("the payment gateway does not answer: {0}")]
    #[step_error(transient)]
    Unavailable(String),
}

/// What the courier answers instead of a booking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum CourierError {
    /// No courier
    #[error("no courier delivers there")]
    NoCourier,
    /// No answer
    #[error("the courier does not answer: {0}")]
    #[step_error(transient)]
    Unavailable(String),
}

/// A service does not answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("the service does not answer: {0}")]
#[step_error(transient)]
pub struct NoAnswer(String);

/// Fulfil order
///
/// Goods are reserved, paid and shipped. What cannot be shipped is undone: the money goes back first, then the
/// goods go back to the shelf.
#[workflow(version = 1, owner = "order-team", bpmn = "model.bpmn", conform = "order")]
pub async fn fulfil_order(order: Order) -> Result<Receipt, OrderError> {
    reserve_goods(&order).await?;
    let charge = match retrieve_payment(&order, &order.card).await {
        Ok(charge) => charge,
        Err(PaymentError::CardExpired) => {
            /// Wait for another card
            let new = receive::<NewCard>(&order.id).within(days(7)).await?;
            retrieve_payment(&order, &new.card).await?
        }
        Err(error) => return Err(error.into()),
    };
    let tracking = book_shipment(&order).await?;
    confirm_order(&order, &tracking).await;
    /// Order fulfilled
    Ok(Receipt { order_id: order.id, total_cents: order.total_cents, charge, tracking })
}

/// Reserve goods
#[step(
    retry(attempts = 8, initial = "50ms", max = "5s"),
    timeout = "10s",
    compensate = release_goods(output),
    participant = "Warehouse"
)]
pub async fn reserve_goods(
    world: Resource<World>,
    cx: StepContext,
    order: &Order,
) -> Result<ReservationId, StockError> {
    Ok(world.reserve(&order.id, &order.lines, cx.idempotency_key()).await?)
}

/// Release goods
#[step(retriable, retry(initial = "50ms", max = "5s"), timeout = "10s", participant = "Warehouse")]
pub async fn release_goods(
    world: Resource<World>,
    cx: StepContext,
    reservation: &ReservationId,
) -> Result<(), NoAnswer> {
    Ok(world.release(reservation, cx.idempotency_key()).await?)
}

/// Retrieve payment
#[step(
    retry(attempts = 8, initial = "50ms", max = "5s"),
    timeout = "10s",
    compensate = refund_payment(output),
    participant = "Payment service"
)]
pub async fn retrieve_payment(
    world: Resource<World>,
    cx: StepContext,
    order: &Order,
    card: &Card,
) -> Result<ChargeId, PaymentError> {
    Ok(world.charge(&order.id, card, order.total_cents, cx.idempotency_key()).await?)
}

/// Refund payment
#[step(retriable, retry(initial = "50ms", max = "5s"), timeout = "10s", participant = "Payment service")]
pub async fn refund_payment(
    world: Resource<World>,
    cx: StepContext,
    charge: &ChargeId,
) -> Result<(), NoAnswer> {
    Ok(world.refund(charge, cx.idempotency_key()).await?)
}

/// Book shipment
///
/// Once the courier has the parcel, there is no way back.
#[step(pivot, retry(attempts = 20, initial = "50ms", max = "5s"), timeout = "10s", participant = "Courier")]
pub async fn book_shipment(
    world: Resource<World>,
    cx: StepContext,
    order: &Order,
) -> Result<TrackingId, CourierError> {
    Ok(world.book_shipment(&order.id, &order.address, cx.idempotency_key()).await?)
}

/// Confirm order
#[step(retriable, retry(initial = "50ms", max = "5s"), timeout = "10s", participant = "Customer")]
pub async fn confirm_order(
    world: Resource<World>,
    cx: StepContext,
    order: &Order,
    tracking: &TrackingId,
) -> Result<(), NoAnswer> {
    let subject = format!("Your order {} is on its way: {}", order.id, tracking.0);
    Ok(world.send_mail(&order.id, &order.customer.email, &subject, cx.idempotency_key()).await?)
}

impl From<simulator::ReserveError> for StockError {
    fn from(error: simulator::ReserveError) -> StockError {
        match error {
            simulator::ReserveError::OutOfStock { sku } => StockError::OutOfStock { sku },
            simulator::ReserveError::Busy => StockError::Busy,
            simulator::ReserveError::Unavailable(why) => StockError::Unavailable(why),
        }
    }
}

impl From<simulator::ChargeError> for PaymentError {
    fn from(error: simulator::ChargeError) -> PaymentError {
        match error {
            simulator::ChargeError::Declined => PaymentError::Declined,
            simulator::ChargeError::Expired => PaymentError::CardExpired,
            simulator::ChargeError::Unavailable(why) => PaymentError::Unavailable(why),
        }
    }
}

impl From<simulator::ShipmentError> for CourierError {
    fn from(error: simulator::ShipmentError) -> CourierError {
        match error {
            simulator::ShipmentError::NoCourier => CourierError::NoCourier,
            simulator::ShipmentError::Unavailable(why) => CourierError::Unavailable(why),
        }
    }
}

impl From<Unavailable> for NoAnswer {
    fn from(Unavailable(why): Unavailable) -> NoAnswer {
        NoAnswer(why)
    }
}
