//! A call that is dropped in so many words does nothing either.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[subflow]
async fn charge_twice(amount: u32) -> u32 {
    charge(amount).await + charge(amount).await
}

mod books {
    use workflow_runtime::prelude::*;

    #[workflow]
    pub async fn balance(amount: u32) -> u32 {
        super::charge(amount).await
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = amount)]
pub struct Paid {
    amount: u32,
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    let _ = charge(amount);
    _ = charge(amount).timeout(minutes(2));
    drop(charge_twice(amount));
    let _balanced = books::balance(amount);
    let _ = sleep(hours(1));
    let (sum, _) = join!(async { let _ = receive::<Paid>(amount); charge(1).await }, charge(2));
    if amount > 7 {
        let _ = publish(Paid { amount });
    }
    sum
}

fn main() {
    let _ = pay(1);
}
