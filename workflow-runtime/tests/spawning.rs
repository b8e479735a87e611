//! Results can be awaited on tasks of their own.
//! Compiling is the test.

mod world;

use workflow_runtime::prelude::*;
use workflow_runtime::{Clock, Memory};
use world::*;

#[tokio::test]
async fn a_result_can_be_awaited_on_another_task() {
    let world = World::new();
    let engine = builder(Memory::new(), &world, &Clock::system()).start().await.unwrap();
    let fallible = tokio::spawn({
        let engine = engine.clone();
        async move {
            let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
            run.result().await.unwrap()
        }
    });
    assert_eq!(fallible.await.unwrap(), "order-1/charge");
    let infallible = tokio::spawn(async move {
        let run = engine.start(patient("o-1".into())).id("order-2").await.unwrap();
        engine.client().deliver(Paid { order: "o-1".into(), amount: 3 }).await.unwrap();
        run.result().await.unwrap()
    });
    assert_eq!(infallible.await.unwrap(), 3);
}
