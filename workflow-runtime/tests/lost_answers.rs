//! Writes that are done, and of which nobody hears that they are: what an engine believes then must not keep anybody
//! waiting. (Those of turns are in `faults.rs`; those that a network loses in `postgres_network.rs`.)

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{Clock, Memory};
use world::faulty::{Crash, Faulty};
use world::*;

#[tokio::test(start_paused = true)]
async fn an_engine_that_has_let_go_of_a_run_without_knowing_it_finds_out() {
    let (store, world, clock) = (Memory::shared(), World::new(), Clock::manual(1_000_000));
    let faulty = Faulty::new(store.clone(), Crash::Never);
    faulty.count_parks();
    let idle = Duration::from_millis(500);
    // It looks for nothing by itself.
    let first = builder(Arc::clone(&faulty), &world, &clock).park_idle_after(idle);
    let first = first.poll_interval(Duration::from_secs(3_600)).start().await.unwrap();
    let second = builder(store.clone(), &world, &clock).start().await.unwrap();
    let run = first.start(patient("o-1".into())).id("order-1").await.unwrap();
    faulty.fail_next(1);
    eventually("it is let go of", async || (faulty.failures_left() == 0).then_some(())).await;
    second.client().deliver(Paid { order: "o-1".into(), amount: 7 }).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 7, "who waits here hears of the end elsewhere");
    assert_eq!(first.live_runs(), 0);
}
