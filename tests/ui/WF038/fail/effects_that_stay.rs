//! An effect that nobody undoes comes while the workflow may still fail.

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
async fn too_early(city: String) -> Result<u32, TripError> {
    let room = book(&city).await?;
    write_to(&city).await;
    let seen = look_up(&city).await?;
    Ok(room + seen)
}

#[workflow]
async fn beside_what_fails(city: String) -> Result<u32, TripError> {
    let (room, ()) = try_join!(book(&city), async {
        write_to(&city).await;
        Ok(())
    })?;
    Ok(room)
}

#[workflow]
async fn before_the_pivot(city: String) -> Result<u32, TripError> {
    write_to(&city).await;
    pay(100).await
}

#[workflow]
async fn companion(city: String) -> Result<u32, TripError> {
    book(&city).await
}

#[workflow]
async fn a_child(city: String) -> Result<u32, TripError> {
    let room = book(&city).await?;
    let other = companion(city).await?;
    look_up("Rome").await.map(|seen| seen + room + other)
}

#[subflow]
async fn announce(city: &str) {
    write_to(city).await;
}

#[workflow]
async fn a_subflow(city: String) -> Result<u32, TripError> {
    announce(&city).await;
    book(&city).await
}

#[subflow]
async fn tell_and_look(city: &str) -> Result<u32, TripError> {
    write_to(city).await;
    look_up(city).await
}

#[subflow]
async fn tell_and_look_many(cities: &[String]) -> Result<u32, TripError> {
    let seen = try_join_all(cities.iter().map(|city| tell_and_look(city))).await?;
    Ok(seen.into_iter().sum())
}

#[workflow]
async fn a_subflow_that_fails(cities: Vec<String>) -> Result<u32, TripError> {
    book("Rome").await?;
    tell_and_look("Rome").await?;
    tell_and_look_many(&cities).await
}

#[workflow]
async fn a_subflow_whose_failure_is_handled(city: String) -> Result<u32, TripError> {
    let room = book(&city).await?;
    Ok(tell_and_look(&city).await.unwrap_or(room))
}

fn main() {}
