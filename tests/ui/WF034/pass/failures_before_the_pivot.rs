//! What can fail comes before the pivot, is handled, or is the pivot's own.

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
async fn handled(city: String) -> Result<u32, TripError> {
    let seen = look_up(&city).await?;
    let paid = pay(seen).await?;
    let again = match look_up(&city).await {
        Ok(seen) => seen,
        Err(_) => 0,
    };
    Ok(paid + again)
}

#[workflow]
async fn its_own_error(city: String) -> Result<u32, TripError> {
    book(&city).await?;
    match pay(100).await {
        Ok(paid) => Ok(paid),
        Err(TripError::SoldOut) => {
            compensate().await;
            Err(TripError::SoldOut)
        }
        Err(error) => Err(error),
    }
}

#[workflow]
async fn shipping(city: String) -> Result<u32, TripError> {
    look_up(&city).await
}

#[workflow]
async fn a_child(city: String) -> Result<u32, TripError> {
    let paid = pay(100).await?;
    match shipping(city).await {
        Ok(seen) => Ok(seen),
        Err(_) => Ok(paid),
    }
}

/// It says that it can fail, and never does.
#[subflow]
async fn count(city: &str) -> Result<u32, TripError> {
    Ok(look_up(city).await.unwrap_or(0))
}

#[workflow]
async fn what_never_fails(city: String) -> Result<u32, TripError> {
    let paid = pay(100).await?;
    let counted = count(&city).await?;
    Ok(paid + counted)
}

#[workflow]
async fn branches_that_are_handled(city: String) -> Result<u32, TripError> {
    let paid = pay(100).await?;
    match try_join!(look_up(&city), async {
        let seen = look_up(&city).await?;
        if seen == 0 { Err(TripError::SoldOut) } else { Ok(seen) }
    }) {
        Ok((seen, _)) => Ok(paid + seen),
        Err(_) => Ok(paid),
    }
}

fn main() {}
