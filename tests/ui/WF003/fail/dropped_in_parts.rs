//! A call that is a part of what is dropped does nothing either.
use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    let _ = (charge(amount), 1);
    let (paid, _) = (2, charge(amount).timeout(minutes(1)));
    (_, _) = (charge(amount), sleep(hours(1)));
    let _ = if amount > 7 { charge(7) } else { charge(amount) };
    let _ = match amount {
        0 => charge(1),
        amount => charge(amount),
    };
    let _ = {
        let amount = amount + 1;
        charge(amount)
    };
    let _ = [&charge(amount)];
    std::mem::forget((charge(amount), amount));
    paid + charge(amount).await
}

fn main() {
    let _ = pay(1);
}
