//! The workflows that are compared with models. They are never run.

use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Refusal {
    /// Card declined
    #[error("declined")]
    Declined,
    /// Card expired
    #[error("expired")]
    #[step_error(code = "CARD_EXPIRED")]
    Expired,
    /// No answer in time
    #[error("nobody answered")]
    Late,
}

impl From<TimedOut> for Refusal {
    fn from(_: TimedOut) -> Refusal {
        Refusal::Late
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(name = "NewCard", key = order)]
pub struct NewCard {
    pub order: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(name = "OrderCompleted", key = order)]
pub struct OrderCompleted {
    pub order: String,
}

/// Reserve goods
#[step(compensate = release())]
pub async fn reserve() -> Result<u32, Refusal> {
    Ok(1)
}

/// Release goods
#[step(retriable)]
pub async fn release() {}

/// Charge card
#[step(pivot)]
pub async fn charge() -> Result<u32, Refusal> {
    Ok(1)
}

/// Ship goods
#[step(retriable)]
pub async fn ship() -> u32 {
    1
}

/// Write invoice
#[step(retriable)]
pub async fn invoice() -> u32 {
    1
}

/// Look at the order
#[step(read_only)]
pub async fn look() -> u32 {
    1
}

#[workflow]
pub async fn in_a_row() -> Result<u32, Refusal> {
    reserve().await?;
    charge().await?;
    ship().await;
    Ok(1)
}

#[workflow]
pub async fn side_by_side() -> Result<u32, Refusal> {
    look().await;
    join!(ship(), invoice());
    Ok(1)
}

#[workflow]
pub async fn one_of_two(paid: bool) -> u32 {
    /// Paid?
    if paid {
        ship().await;
    } else {
        invoice().await;
    }
    look().await
}

#[workflow]
pub async fn again_and_again(mut count: u32) -> u32 {
    while count > 0 {
        ship().await;
        count -= 1;
    }
    look().await
}

#[workflow]
pub async fn tells_errors_apart() -> Result<u32, Refusal> {
    match charge().await {
        Ok(charged) => Ok(charged),
        Err(Refusal::Expired) => {
            receive::<NewCard>("1").within(days(7)).await?;
            look().await;
            Ok(2)
        }
        Err(error) => Err(error),
    }
}

#[workflow]
pub async fn waits() -> u32 {
    ship().await;
    sleep(days(3)).await;
    publish(OrderCompleted { order: "1".into() }).await;
    1
}

#[workflow]
pub async fn first_event() -> u32 {
    look().await;
    select! {
        _ = receive::<NewCard>("1").forever() => { ship().await; }
        () = sleep(days(7)) => { invoice().await; }
    }
    1
}

#[workflow]
pub async fn of_many(orders: Vec<u32>) -> u32 {
    look().await;
    join_all(orders.into_iter().map(|_| ship())).await;
    1
}

#[workflow]
pub async fn of_many_in_turn(orders: Vec<u32>) -> u32 {
    look().await;
    join_all(orders.into_iter().map(|_| ship())).limit(1).await;
    1
}

/// Deliver order
#[subflow]
pub async fn deliver() -> Result<u32, Refusal> {
    reserve().await?;
    Ok(ship().await)
}

#[workflow]
pub async fn with_a_subflow() -> Result<u32, Refusal> {
    look().await;
    deliver().await?;
    invoice().await;
    Ok(1)
}

#[workflow]
pub async fn with_a_child() -> Result<u32, Refusal> {
    look().await;
    in_a_row().await?;
    Ok(1)
}

#[workflow]
pub async fn fails_together() -> Result<u32, Refusal> {
    try_join!(charge(), async {
        look().await;
        Ok::<_, Refusal>(1)
    })?;
    Ok(1)
}

/// Deliver on a good day
#[subflow]
pub async fn try_to_deliver() -> Result<u32, Refusal> {
    look().await;
    deliver().await
}

/// What can go wrong with a sale.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum SaleError {
    /// Not delivered
    #[error(transparent)]
    #[step_error(code = "NOT_DELIVERED")]
    Delivery(#[from] Refusal),
    /// Closed today
    #[error("closed")]
    Closed,
}

/// Sell on any day
#[subflow]
pub async fn sell(open: bool) -> Result<u32, SaleError> {
    /// Open?
    if !open {
        return Err(SaleError::Closed);
    }
    Ok(deliver().await?)
}

#[workflow]
pub async fn passes_errors_on() -> Result<u32, Refusal> {
    match try_to_deliver().await {
        Ok(delivered) => Ok(delivered),
        Err(Refusal::Expired) => Ok(look().await),
        Err(error) => Err(error),
    }
}

#[workflow]
pub async fn knows_what_is_inside(open: bool) -> Result<u32, SaleError> {
    match sell(open).await {
        Ok(sold) => Ok(sold),
        Err(SaleError::Delivery(_)) => Ok(look().await),
        Err(error) => Err(error),
    }
}

#[workflow]
pub async fn either_of_both() -> Result<u32, SaleError> {
    match try_join!(
        async {
            reserve().await?;
            Ok::<_, SaleError>(1)
        },
        async {
            look().await;
            Ok::<_, SaleError>(1)
        },
    ) {
        Ok(_) => Ok(1),
        Err(SaleError::Delivery(_)) => Ok(look().await),
        Err(error) => Err(error),
    }
}

#[workflow]
pub async fn keeps_the_error() -> u32 {
    let delivered = deliver().await;
    /// Delivered?
    if delivered.is_ok() {
        invoice().await;
    }
    1
}

#[workflow]
pub async fn keeps_what_came() -> u32 {
    sleep(days(7)).await;
    let card = receive::<NewCard>("1").within(days(7)).await;
    /// Card there?
    if card.is_ok() {
        ship().await;
    } else {
        look().await;
    }
    1
}

#[workflow]
pub async fn keeps_what_came_first() -> u32 {
    let is_there = select! {
        card = receive::<NewCard>("1").within(days(7)) => card.is_ok(),
        _ = receive::<OrderCompleted>("1").forever() => false,
    };
    /// Card there?
    if is_there {
        ship().await;
    }
    look().await
}
