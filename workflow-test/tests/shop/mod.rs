//! The workflow that most tests of the kit run: an order with a saga, a message, a pivot and a retriable step.
//! The bodies of its steps never run; the kit's mocks answer instead.
#![allow(dead_code, missing_docs, unreachable_pub)]

use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: u32,
    pub total: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reservation(pub u32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    pub amount: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel(pub u32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum StockError {
    #[error("out of stock")]
    OutOfStock,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PaymentError {
    #[error("card declined")]
    Declined,
    #[error("card expired")]
    CardExpired,
    #[error("gateway unavailable: {0}")]
    #[step_error(transient)]
    Unavailable(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum ShipError {
    #[error("courier busy")]
    #[step_error(transient)]
    Busy,
    #[error("no such address")]
    NoSuchAddress,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum OrderError {
    #[error(transparent)]
    Stock(#[from] StockError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Ship(#[from] ShipError),
    #[error("no new card came in time")]
    NoCard(#[from] TimedOut),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "NewCard", key = order_id)]
pub struct NewCard {
    pub order_id: u32,
}

/// The names of the parameters are wanted, for the compensations; their values are not.
fn unused<T: ?Sized>(_value: &T) {}

/// Reserve goods
#[step(compensate = release_goods(output))]
pub async fn reserve_goods(order: &Order) -> Result<Reservation, StockError> {
    Err(StockError::OutOfStock).inspect_err(|_| unused(order))
}

/// Release goods
#[step(retriable)]
pub async fn release_goods(reservation: &Reservation) {
    unused(reservation);
}

/// Retrieve payment
#[step(timeout = "30s", retry(attempts = 3, initial = "1s"), compensate = refund_payment(order))]
pub async fn retrieve_payment(order: &Order) -> Result<Payment, PaymentError> {
    Err(PaymentError::Declined).inspect_err(|_| unused(order))
}

/// Refund payment
#[step(retriable)]
pub async fn refund_payment(order: &Order) -> Result<(), PaymentError> {
    unused(order);
    Ok(())
}

/// Ship the parcel
#[step(pivot, retry(attempts = 4, initial = "1m", factor = 1.0))]
pub async fn ship(order: &Order, payment: &Payment) -> Result<Parcel, ShipError> {
    Err(ShipError::Busy).inspect_err(|_| unused(&(order, payment)))
}

/// Thank the customer
#[step(retriable)]
pub async fn thank(order: &Order) -> Result<(), StockError> {
    unused(order);
    Ok(())
}

/// Fulfil order
#[workflow]
pub async fn fulfil_order(order: Order) -> Result<Parcel, OrderError> {
    reserve_goods(&order).await?;
    let payment = match retrieve_payment(&order).await {
        Ok(payment) => payment,
        Err(PaymentError::CardExpired) => {
            receive::<NewCard>(order.id).within(days(7)).await?;
            retrieve_payment(&order).await?
        }
        Err(error) => return Err(error.into()),
    };
    let parcel = ship(&order, &payment).await?;
    thank(&order).await;
    Ok(parcel)
}

pub fn order() -> Order {
    Order { id: 42, total: 7 }
}
