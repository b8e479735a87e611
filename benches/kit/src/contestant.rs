//! What takes part: anything that starts runs and waits for their ends.
//! Knows how a contestant is asked and how it answers; what happens in a scene is in `scenes.rs`.

use std::future::Future;

use crate::order::{Job, Order, Values};
use crate::{scenes, steps};

/// An engine, or the floor under all engines. Fails by panicking: there is nobody to handle an error.
pub trait Contestant: Clone + Send + Sync + 'static {
    /// Starts a run; returns when the start is acknowledged.
    fn start(&self, job: Job) -> impl Future<Output = ()> + Send;

    /// Starts a run and waits for its end.
    fn complete(&self, job: Job) -> impl Future<Output = ()> + Send;
}

/// Plays the scene that the first argument of this process orders, with the contestant that `open` opens; then the
/// process ends. Opening is part of what a recovery takes.
pub async fn answer<C: Contestant, F: Future<Output = C>>(open: impl FnOnce(Order) -> F) {
    let order = std::env::args().nth(1).expect("the first argument is an order");
    let order = serde_json::from_str(&order).expect("the first argument is an order as JSON");
    perform(order, open).await;
}

/// Plays a scene and prints what was measured; then the process ends.
pub async fn perform<C: Contestant, F: Future<Output = C>>(order: Order, open: impl FnOnce(Order) -> F) {
    steps::prepare(&order.scene).expect("the ledger can be opened");
    let contestant = open(order.clone()).await;
    let values: Values = scenes::play(&order, contestant).await;
    println!("RESULT {}", serde_json::to_string(&values).expect("names and numbers are JSON"));
    if matches!(order.scene, crate::Scene::LongRunUntilKilled { .. }) {
        steps::kill_this_process();
    }
    // Whatever the contestant still does is of no interest.
    std::process::exit(0);
}
