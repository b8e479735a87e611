//! What fails after the pivot leaves the run half done.

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

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = city)]
struct Ready {
    city: String,
}

#[workflow]
async fn question_mark(city: String) -> Result<u32, TripError> {
    pay(100).await?;
    let seen = look_up(&city).await?;
    receive::<Ready>(&city).within(days(1)).await?;
    if seen == 0 {
        return Err(TripError::SoldOut);
    }
    look_up(&city).await
}

#[workflow]
async fn undone_on_purpose(city: String) -> Result<u32, TripError> {
    book(&city).await?;
    match pay(100).await {
        Ok(paid) => {
            if paid < 100 {
                compensate().await;
            }
            Ok(paid)
        }
        Err(error) => {
            compensate().await;
            Err(error)
        }
    }
}

#[workflow]
async fn looked_at_later(city: String) -> Result<u32, TripError> {
    book(&city).await?;
    let paid = pay(100).await;
    write_to(&city).without_compensation().await;
    paid
}

#[subflow]
async fn settle(city: &str) -> Result<u32, TripError> {
    let paid = pay(100).await?;
    look_up(city).await.map(|seen| seen + paid)
}

#[workflow]
async fn handled_but_not_to_the_end(city: String) -> Result<u32, TripError> {
    match try_join!(pay(100), look_up(&city)) {
        Ok((paid, seen)) => Ok(paid + seen),
        Err(error) => {
            write_to(&city).await;
            Err(error)
        }
    }
}

fn main() {}
