//! A workflow that loses a race may have ended, or be past its point of no return: what it did stays.

use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum OrderError {
    #[error("sold out")]
    SoldOut,
    #[error("late")]
    Late,
}

#[step(compensate = release(output))]
async fn reserve(_order: &str) -> Result<u32, OrderError> {
    Ok(1)
}

#[step(retriable)]
async fn release(_place: &u32) {}

#[step(pivot)]
async fn ship(_order: &str) -> Result<u32, OrderError> {
    Ok(2)
}

#[workflow]
async fn ship_order(order: String) -> Result<u32, OrderError> {
    ship(&order).await
}

/// Nothing in it is a point of no return, but it may have ended when the other one wins.
#[workflow]
async fn reserve_elsewhere(order: String) -> Result<u32, OrderError> {
    reserve_there(order).await
}

#[subflow]
async fn reserve_there(order: String) -> Result<u32, OrderError> {
    reserve(&order).await
}

#[workflow]
async fn fulfil(order: String) -> Result<u32, OrderError> {
    reserve(&order).await?;
    select! {
        parcel = ship_order(order.clone()) => parcel,
        () = sleep(hours(1)) => Err(OrderError::Late),
    }
}

#[workflow]
async fn find_a_place(order: String) -> Result<u32, OrderError> {
    select! {
        here = reserve(&order) => here,
        there = reserve_elsewhere(order.clone()) => there,
    }
}

fn main() {}
