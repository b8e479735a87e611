//! Runs that an engine finds at its start: read together while their journals are small.
//! It must not know how journals are counted.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::Clock;
use workflow_runtime::prelude::*;
use world::faulty::{Crash, Faulty};
use world::{Folder, Paid, World, builder, patient};

const RUNS: usize = 6;

/// Else a hundred runs with large journals would be more than there is memory.
#[tokio::test]
async fn large_journals_are_read_a_few_at_a_time() {
    let (world, clock, folder) = (World::new(), Clock::manual(1_000_000), Folder::new());
    let open = async || Arc::new(Sqlite::open(folder.database()).await.unwrap());
    let engine = builder(open().await, &world, &clock).park_idle_after(Duration::MAX).start().await.unwrap();
    for n in 0..RUNS {
        let id = format!("o-{n}");
        engine.start(patient(id.clone())).id(id).await.unwrap();
    }
    drop(engine);
    let store = open().await;
    let grow =
        "UPDATE workflow_events SET record = record || printf('%25000000s', ' ') WHERE run_id <> 'o-0'";
    store.execute_batch(grow).await.unwrap();
    let store = Faulty::new(store, Crash::Never);
    let engine =
        builder(Arc::clone(&store), &world, &clock).park_idle_after(Duration::MAX).start().await.unwrap();
    let client = engine.client();
    for n in 0..RUNS {
        let id = format!("o-{n}");
        client.deliver(Paid { order: id.clone(), amount: 1 }).await.unwrap();
        assert_eq!(client.result::<u64>(&id).await.unwrap(), 1);
    }
    assert_eq!(store.most_loaded(), 3, "a small one and two that are large");
}
