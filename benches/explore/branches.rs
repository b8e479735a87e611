//! Three branches of four steps: what `interleave` is for, at a size where all orders are too many to be tried one by
//! one, and few once those that come to the same state are gone on from once.

use workflow_runtime::prelude::*;
use workflow_test::{Exploration, Explore};

#[step(read_only)]
async fn look_up(number: u64) -> u64 {
    number + 1
}

#[workflow]
async fn three_branches(start: u64) -> u64 {
    let (one, two, three) = join!(
        async {
            let first = look_up(start).await;
            let second = look_up(first).await;
            let third = look_up(second).await;
            look_up(third).await
        },
        async {
            let first = look_up(start + 10).await;
            let second = look_up(first).await;
            let third = look_up(second).await;
            look_up(third).await
        },
        async {
            let first = look_up(start + 20).await;
            let second = look_up(first).await;
            let third = look_up(second).await;
            look_up(third).await
        }
    );
    one + two + three
}

pub(crate) fn explore() -> Exploration {
    let kit = Explore::named("branches");
    kit.on(look_up).then(|number| number + 1);
    kit.workflow(|| three_branches(1)).interleave().crash_at_every_write()
}
