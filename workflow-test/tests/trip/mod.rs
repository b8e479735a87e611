//! Steps that most tests of the kit about several things at once call: parts of a trip, booked and cancelled; and what
//! several tests make of them.
//! The bodies never run; the kit's mocks answer instead.
#![allow(dead_code, missing_docs, unreachable_pub)]

use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum TripError {
    #[error("fully booked")]
    FullyBooked,
    #[error("busy")]
    #[step_error(transient)]
    Busy,
    #[error("nobody answered in time")]
    Late(#[from] TimedOut),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = trip)]
pub struct Paid {
    pub trip: u32,
    pub amount: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = trip)]
pub struct Booked {
    pub trip: u32,
}

fn unused<T: ?Sized>(_value: &T) {}

/// Book a part of the trip
#[step(retry(attempts = 3, initial = "1s", factor = 1.0), timeout = "30s", compensate = cancel_booking(part))]
pub async fn book(part: &str) -> Result<u32, TripError> {
    Err(TripError::Busy).inspect_err(|_| unused(part))
}

/// Cancel a booking
#[step(retriable)]
pub async fn cancel_booking(part: &str) -> Result<(), TripError> {
    unused(part);
    Ok(())
}

/// Hire a car
#[step(compensate = return_car(output))]
pub async fn hire_car(days: u32) -> Result<u32, TripError> {
    Ok(days)
}

/// Return the car
#[step(retriable)]
pub async fn return_car(car: &u32) -> Result<(), TripError> {
    unused(car);
    Ok(())
}

/// Look up the price
#[step(read_only)]
pub async fn price(part: &str) -> Result<u32, TripError> {
    unused(part);
    Ok(1)
}

/// Write a postcard
#[step(retriable)]
pub async fn write_postcard(to: &str) -> Result<(), TripError> {
    unused(to);
    Ok(())
}

/// See a city
#[subflow]
pub async fn city(name: &str) -> Result<u32, TripError> {
    let hotel = book(name).await?;
    let food = price(name).await?;
    Ok(hotel + food)
}

/// Subscribe
#[workflow]
pub async fn subscription(month: u32) -> Result<u32, TripError> {
    book("month").await?;
    sleep(days(30)).await;
    if month < 3 {
        return continue_as_new(subscription(month + 1)).await;
    }
    price("all").await?;
    Ok(month)
}
