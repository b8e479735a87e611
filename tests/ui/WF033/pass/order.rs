//! What can be undone, then the pivot, then what cannot fail.

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
    look_up(&city).await?;
    let room = book(&city).await?;
    let paid = pay(100).await?;
    let seen = look_up(&city).await.unwrap_or(0);
    write_to(&city).await;
    Ok(room + paid + seen)
}

#[workflow]
async fn loops(cities: Vec<String>) -> Result<u32, TripError> {
    let mut sum = 0;
    for city in &cities {
        sum += book(city).await?;
    }
    let paid = loop {
        match pay(sum).await {
            Ok(paid) => break paid,
            Err(_) => sleep(hours(1)).await,
        }
    };
    for city in &cities {
        write_to(city).await;
    }
    Ok(paid)
}

#[workflow]
async fn one_pivot_on_each_way(city: String) -> Result<u32, TripError> {
    let first = book(&city).await?;
    match city.as_str() {
        "Rome" => pay(100).await,
        "Naples" => match pay(90).await {
            Ok(paid) => Ok(paid),
            Err(TripError::SoldOut) => pay(80).await,
            Err(error) => Err(error),
        },
        _ => Ok(first),
    }
}

#[subflow]
async fn prepare(city: &str) -> Result<u32, TripError> {
    look_up(city).await?;
    book(city).await
}

#[subflow]
async fn again(city: &str, times: u32) -> Result<u32, TripError> {
    if times == 0 { prepare(city).await } else { again(city, times - 1).await }
}

#[subflow]
async fn tell(city: &str) {
    write_to(city).await;
}

#[workflow]
async fn subflows(city: String) -> Result<u32, TripError> {
    let rooms = again(&city, 2).await?;
    let paid = pay(rooms).await?;
    tell(&city).await;
    Ok(paid)
}

fn main() {}
