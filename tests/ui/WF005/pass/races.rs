//! One operation in each arm, and everything else inside of it.
use workflow_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct Paid {
    order: String,
    cents: u64,
}

#[step(read_only)]
async fn pack(_item: u32) -> Result<u32, TimedOut> {
    Ok(1)
}

#[subflow]
async fn pack_two(item: u32) -> Result<u32, TimedOut> {
    Ok(pack(item).await? + pack(item).await?)
}

#[workflow]
async fn child(item: u32) -> u32 {
    item
}

#[workflow]
async fn race(order: String, item: u32) -> Result<u32, TimedOut> {
    for round in 0..3 {
        let (sum, _) = select! {
            /// Packed
            packed = pack(item).timeout(minutes(2)) => match packed {
                Ok(packed) if packed > round => (packed, 1),
                Ok(_) => continue,
                Err(error) => return Err(error),
            },
            Paid { cents, .. } = receive::<Paid>(&order).forever() => (pack_two(item).await?, cents),
            child = child(item) => {
                if child > 7 {
                    break;
                }
                (child, 2)
            }
            _ = sleep(hours(1)) => (0, 0),
        };
        if sum == 0 {
            return select! { packed = pack(1) => packed, () = sleep(hours(2)) => Err(TimedOut) };
        }
    }
    select! {
        packed = pack(1) => Ok(packed?),
        () = sleep(hours(2)) => if item > 1 { Ok(2) } else { pack(3).await },
    }
}

fn main() {
    let _ = (race(String::new(), 1), child(1));
}
