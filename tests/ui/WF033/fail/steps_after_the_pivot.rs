//! After the pivot nothing is undone any more: what could fail, or would have to be undone, comes before.

use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum TripError {
    #[error("sold out")]
    SoldOut,
    #[error("too late")]
    Late(#[from] TimedOut),
}

#[step(read_only)]
async fn look_up(city: &str) -> Result<u32, TripError> {
    let _ = city;
    Ok(3)
}

#[step(compensate = cancel(output))]
async fn book(city: &str) -> Result<u32, TripError> {
    let _ = city;
    Ok(7)
}

#[step(retriable)]
async fn cancel(_booking: &u32) {}

#[step(pivot)]
async fn pay(cents: u32) -> Result<u32, TripError> {
    Ok(cents)
}

#[step(retriable)]
async fn write_to(_customer: &str) {}

#[workflow]
async fn in_a_row(city: String) -> Result<u32, TripError> {
    let paid = pay(100).await?;
    let room = book(&city).await?;
    let tip = pay(5).await?;
    write_to(&city).await;
    Ok(paid + room + tip)
}

#[workflow]
async fn by_the_way_back_of_a_loop(cities: Vec<String>) -> Result<u32, TripError> {
    let mut sum = 0;
    for city in cities {
        sum += book(&city).await?;
        sum += pay(100).await?;
    }
    Ok(sum)
}

#[workflow]
async fn in_one_of_the_arms(city: String) -> Result<u32, TripError> {
    if city == "Rome" {
        pay(100).await?;
    } else {
        write_to(&city).await;
    }
    book(&city).without_compensation().await
}

#[subflow]
async fn stay(city: &str) -> Result<u32, TripError> {
    look_up(city).await?;
    book(city).await
}

#[subflow]
async fn settle(cents: u32) -> Result<u32, TripError> {
    pay(cents).await
}

#[workflow]
async fn inside_of_a_subflow(city: String) -> Result<u32, TripError> {
    let paid = settle(100).await?;
    match stay(&city).await {
        Ok(room) => Ok(paid + room),
        Err(_) => Ok(paid),
    }
}

#[subflow]
async fn there(city: &str, nights: u32) -> Result<u32, TripError> {
    if nights == 0 { book(city).await } else { back(city, nights - 1).await }
}

#[subflow]
async fn back(city: &str, nights: u32) -> Result<u32, TripError> {
    there(city, nights).await
}

#[workflow]
async fn inside_of_subflows_that_call_each_other(city: String) -> Result<u32, TripError> {
    let paid = pay(100).await?;
    match back(&city, 3).await {
        Ok(room) => Ok(paid + room),
        Err(_) => Ok(paid),
    }
}

fn main() {}
