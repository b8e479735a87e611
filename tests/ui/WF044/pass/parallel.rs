//! The same, written so that each call has its place in the diagram.
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[step]
async fn weigh(item: u32) -> Result<u32, TimedOut> {
    if item == 0 { Err(TimedOut) } else { Ok(1) }
}

struct Items(Vec<u32>);

impl Items {
    fn odd(&self) -> impl Iterator<Item = &u32> {
        self.0.iter().filter(|item| **item % 2 == 1)
    }
}

#[workflow]
async fn drawn(list: Vec<u32>) -> Result<u32, TimedOut> {
    let items = Items(list);
    let (a, b) = join!(pack(1).label("Pack one"), async {
        let both = try_join!(weigh(2), async { weigh(pack(3).await).await });
        both.map_or(0, |(left, right)| left + right)
    });
    let owned = items.0.clone();
    let (first, second, ()) = try_join!(
        weigh(a),
        async move {
            let mut sum = 0;
            for item in owned {
                if item == 7 {
                    return Ok(sum);
                }
                sum += weigh(item).await?;
            }
            Ok(sum)
        },
        async {
            sleep(minutes(5)).await;
            Ok(())
        },
    )?;
    let many: Vec<u32> = join_all(items.odd().map(|item| pack(*item))).limit(items.0.len()).await;
    let more = match try_join_all(vec![weigh(1), weigh(many.len() as u32)]).await {
        Ok(more) => more,
        Err(TimedOut) => return Ok(0),
    };
    join!(pack(4), pack(5));
    if let Err(TimedOut) = try_join!(weigh(6), weigh(7)) {
        pack(8).await;
    }
    let nested = join!(join_all([pack(9)]), async { join!(pack(10), async { items.0.len() }).1 }).1;
    Ok(b + first + second + more.len() as u32 + nested as u32)
}

fn main() {
    let _ = drawn(vec![1]);
}
