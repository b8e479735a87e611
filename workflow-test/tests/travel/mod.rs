//! A saga of eight steps, for measuring: six that can be undone, a pivot, and one that is repeated until it succeeds.
//! Nothing about it is special; that is the point.
#![allow(dead_code, missing_docs, unreachable_pub)]

use workflow_runtime::prelude::*;
use workflow_test::{Exploration, Explore};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    pub customer: String,
    pub nights: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum TripError {
    #[error("sold out")]
    SoldOut,
    #[error("no answer: {0}")]
    #[step_error(transient)]
    NoAnswer(String),
}

macro_rules! bookings {
    ($($book:ident $cancel:ident)*) => {$(
        #[step(compensate = $cancel(trip, output), retry(attempts = 3, initial = "1s"), timeout = "10s")]
        pub async fn $book(trip: &Trip) -> Result<u64, TripError> {
            Ok(trip.nights.len() as u64)
        }

        #[step(retriable)]
        pub async fn $cancel(trip: &Trip, booking: &u64) -> Result<(), TripError> {
            let _ = (trip, booking);
            Ok(())
        }
    )*};
}

bookings! {
    book_flight cancel_flight
    book_hotel cancel_hotel
    book_car cancel_car
    book_tour cancel_tour
    book_dinner cancel_dinner
    book_insurance cancel_insurance
}

#[step(pivot)]
pub async fn pay(trip: &Trip, bookings: &[u64]) -> Result<u64, TripError> {
    Ok((trip.nights.len() + bookings.len()) as u64)
}

#[step(retriable)]
pub async fn send_tickets(trip: &Trip) -> Result<(), TripError> {
    let _ = trip;
    Ok(())
}

#[workflow]
pub async fn book_trip(trip: Trip) -> Result<u64, TripError> {
    let flight = book_flight(&trip).await?;
    let hotel = book_hotel(&trip).await?;
    let car = book_car(&trip).await?;
    let tour = book_tour(&trip).await?;
    let dinner = book_dinner(&trip).await?;
    let insurance = book_insurance(&trip).await?;
    let paid = pay(&trip, &[flight, hotel, car, tour, dinner, insurance]).await?;
    send_tickets(&trip).await;
    Ok(paid)
}

pub fn explore() -> Exploration {
    let kit = Explore::new();
    kit.on(book_flight).returns(Ok(1));
    kit.on(book_hotel).returns(Ok(2));
    kit.on(book_car).returns(Ok(3));
    kit.on(book_tour).returns(Ok(4));
    kit.on(book_dinner).returns(Ok(5));
    kit.on(book_insurance).returns(Ok(6));
    kit.on(pay).returns(Ok(7));
    kit.on(send_tickets).returns(());
    kit.workflow(|| book_trip(Trip { customer: "Ada".to_owned(), nights: vec![1, 2, 3] }))
        .each_step_fails()
        .crash_at_every_write()
}
