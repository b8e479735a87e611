//! Beside a pivot stands only what cannot fail, or whose error is looked at.

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
async fn branches_before_and_behind(cities: Vec<String>) -> Result<u32, TripError> {
    let rooms = try_join_all(cities.iter().map(|city| book(city))).await?;
    let (first, second) = try_join!(book("Rome"), book("Naples"))?;
    let paid = pay(rooms.len() as u32 + first + second).await?;
    join_all(cities.iter().map(|city| write_to(city))).await;
    Ok(paid)
}

#[workflow]
async fn beside_what_waits(city: String) -> Result<u32, TripError> {
    let seen = book(&city).await?;
    let (paid, (), again) = join!(pay(seen), sleep(hours(1)), async {
        look_up(&city).await.unwrap_or(0)
    });
    Ok(paid.unwrap_or(0) + again)
}

#[workflow]
async fn beside_what_is_handled(city: String) -> Result<u32, TripError> {
    match try_join!(pay(100), look_up(&city)) {
        Ok((paid, seen)) => Ok(paid + seen),
        Err(_) => Ok(0),
    }
}

fn main() {}
