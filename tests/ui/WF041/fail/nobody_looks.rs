//! A wait with a deadline whose outcome is thrown away goes on as if the message had come.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = order)]
struct Paid {
    order: u32,
}

#[workflow]
async fn thrown_away(order: u32) {
    receive::<Paid>(order).within(days(7)).await;
    let _ = receive::<Paid>(order).within(days(7)).await;
    receive::<Paid>(order).within(days(7)).await.ok();
    _ = receive::<Paid>(order).within(days(7)).await.ok();
    drop(receive::<Paid>(order).within(days(7)).await);
}

#[workflow]
async fn thrown_away_in_a_race(order: u32) {
    select! {
        _ = receive::<Paid>(order).within(days(7)) => {}
        () = sleep(days(14)) => {}
    }
}

fn main() {}
