//! Both outcomes of a wait with a deadline have their way; without a deadline there is one.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = order)]
struct Paid {
    order: u32,
}

#[step]
async fn remind(_order: u32) {}

#[workflow]
async fn looks(order: u32) -> Result<(), TimedOut> {
    receive::<Paid>(order).within(days(7)).await?;
    match receive::<Paid>(order).within(days(7)).await {
        Ok(_) => {}
        Err(TimedOut) => remind(order).await,
    }
    if receive::<Paid>(order).within(days(7)).await.is_err() {
        remind(order).await;
    }
    let paid = receive::<Paid>(order).within(days(7)).await.ok();
    if paid.is_none() {
        remind(order).await;
    }
    receive::<Paid>(order).forever().await;
    select! {
        paid = receive::<Paid>(order).within(days(7)) => drop(paid?),
        () = sleep(days(14)) => {}
    }
    Ok(())
}

fn main() {}
