//! What stands in the branches beside a pivot may come before it or after it.

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
async fn beside_a_step(city: String) -> Result<u32, TripError> {
    let (paid, room) = try_join!(pay(100), book(&city))?;
    Ok(paid + room)
}

#[workflow]
async fn beside_what_fails(city: String) -> Result<u32, TripError> {
    let (paid, seen) = try_join!(pay(100), async {
        let seen = look_up(&city).await?;
        if seen == 0 { Err(TripError::SoldOut) } else { Ok(seen) }
    })?;
    Ok(paid + seen)
}

#[workflow]
async fn beside_a_pivot(city: String) -> Result<u32, TripError> {
    book(&city).await?;
    let (paid, tip) = try_join!(pay(100), pay(5))?;
    Ok(paid + tip)
}

#[workflow]
async fn for_each(rooms: Vec<u32>) -> Result<u32, TripError> {
    let paid = try_join_all(rooms.iter().map(|cents| pay(*cents))).await?;
    Ok(paid.into_iter().sum())
}

#[subflow]
async fn settle(city: &str) -> Result<u32, TripError> {
    book(city).await?;
    pay(100).await
}

#[workflow]
async fn deep_inside(city: String) -> u32 {
    let (paid, rooms) = join!(settle(&city), async {
        let (first, second) = join!(book("Rome"), look_up("Naples"));
        first.unwrap_or(0) + second.unwrap_or(0)
    });
    paid.unwrap_or(0) + rooms
}

fn main() {}
