//! An effect that stays comes when the outcome is decided, or a person has said why it may stay.

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
async fn decided(city: String) -> Result<u32, TripError> {
    let room = match book(&city).await {
        Ok(room) => room,
        Err(error) => {
            write_to("sorry").await;
            return Err(error);
        }
    };
    let paid = pay(room).await?;
    write_to("a good journey").await;
    Ok(paid)
}

#[workflow]
async fn meant_to_stay(city: String) -> Result<u32, TripError> {
    write_to(&city).without_compensation().await;
    #[allow_workflow(kept_effect, reason = "a letter too many harms nobody")]
    write_to(&city).await;
    let _diary = diary(city.clone()).detached().await;
    let seen = reading(city.clone()).await?;
    book(&city).await.map(|room| room + seen)
}

#[workflow]
async fn diary(city: String) {
    write_to(&city).await;
}

#[workflow]
async fn reading(city: String) -> Result<u32, TripError> {
    look_up(&city).await
}

/// Nothing here can be undone, so that it is no saga.
#[workflow]
async fn no_saga(city: String) -> Result<u32, TripError> {
    write_to(&city).await;
    look_up(&city).await
}

/// Its outcome is decided before anything is told.
#[subflow]
async fn look_and_tell(city: &str) -> Result<u32, TripError> {
    let seen = look_up(city).await?;
    write_to(city).await;
    Ok(seen)
}

/// It says that it can fail, and never does.
#[subflow]
async fn only_tell(city: &str) -> Result<u32, TripError> {
    write_to(city).await;
    Ok(1)
}

#[subflow]
async fn tell_and_look(city: &str) -> Result<u32, TripError> {
    write_to(city).await;
    look_up(city).await
}

#[workflow]
async fn subflows(city: String) -> Result<u32, TripError> {
    let room = book(&city).await?;
    let seen = look_and_tell(&city).await.unwrap_or(0);
    let told = only_tell(&city).await?;
    write_to(&city).await;
    only_tell(&city).await?;
    #[allow_workflow(kept_effect, reason = "they know that we look first")]
    let again = tell_and_look(&city).await.unwrap_or(0);
    Ok(room + seen + told + again)
}

fn main() {}
