//! A step and its compensation are renamed while runs are under way; the runs go on, on both stores.
//! It must not know how a journal and the code are paired.

mod world;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, EngineBuilder, Memory};
use world::{Folder, ShopError, World, eventually, on_every_lone_store, until};

/// Writes down every attempt by its key, and holds some of them for ever.
#[derive(Clone, Default)]
struct Till {
    keys: Arc<Mutex<Vec<String>>>,
    held: Arc<Mutex<BTreeSet<usize>>>,
}

impl Till {
    async fn take(&self, cx: &StepContext) {
        let count = {
            let mut keys = self.keys.lock().unwrap();
            keys.push(cx.idempotency_key().to_owned());
            keys.len()
        };
        if self.held.lock().unwrap().contains(&count) {
            std::future::pending().await
        }
    }

    fn keys(&self) -> Vec<String> {
        self.keys.lock().unwrap().clone()
    }
}

/// The code as it was.
mod before {
    use super::*;

    #[step(compensate = refund(_order))]
    pub async fn charge(till: Resource<Till>, cx: StepContext, _order: &str) -> Result<u32, ShopError> {
        till.take(&cx).await;
        Ok(cx.attempt())
    }

    #[step(retriable)]
    pub async fn refund(till: Resource<Till>, cx: StepContext, _order: &str) {
        till.take(&cx).await;
    }

    #[step(read_only)]
    pub async fn check(till: Resource<Till>, cx: StepContext) -> Result<u32, ShopError> {
        till.take(&cx).await;
        Err(ShopError::Declined)
    }

    #[workflow]
    pub async fn trade(order: String) -> Result<u32, ShopError> {
        for _ in 0..2 {
            charge(&order).await?;
        }
        charge(&order).await?;
        check().await
    }
}

/// The code as it is: the same with other names.
mod after {
    use super::*;
    use before::check;

    #[step(was = ["charge_card", "charge"], compensate = give_back(_order))]
    pub async fn take_money(till: Resource<Till>, cx: StepContext, _order: &str) -> Result<u32, ShopError> {
        till.take(&cx).await;
        Ok(cx.attempt())
    }

    #[step(retriable, was = "refund")]
    pub async fn give_back(till: Resource<Till>, cx: StepContext, _order: &str) {
        till.take(&cx).await;
    }

    #[workflow]
    pub async fn trade(order: String) -> Result<u32, ShopError> {
        for _ in 0..2 {
            take_money(&order).await?;
        }
        take_money(&order).await?;
        check().await
    }
}

/// Renamed without a word about it.
mod silent {
    use super::*;
    use before::check;

    #[step(read_only)]
    pub async fn take_money(_order: &str) -> Result<u32, ShopError> {
        Ok(1)
    }

    #[workflow]
    pub async fn trade(order: String) -> Result<u32, ShopError> {
        take_money(&order).await?;
        check().await
    }
}

fn engine(store: &Arc<dyn Store>, till: &Till, clock: &Clock) -> EngineBuilder {
    Engine::builder().store(Arc::clone(store)).clock(clock.clone()).resource(till.clone())
}

async fn held_at(till: &Till, count: usize) {
    eventually("the attempt is held", async || (till.keys().len() == count).then_some(())).await;
}

/// The keys of all attempts of a run that nothing interrupts.
const KEYS: [&str; 7] =
    ["charge", "charge#2", "charge_2", "check", "charge_2/undo", "charge#2/undo", "charge/undo"];

on_every_lone_store! {
    async fn a_run_goes_on_under_the_ids_that_it_began_with_wherever_it_is_interrupted(store, _world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        for first in 1..=KEYS.len() {
            for second in first..=KEYS.len() {
                let till = Till::default();
                // The attempt that is held is made again: the second one is a call later.
                till.held.lock().unwrap().extend([first, second + 1]);
                let id = format!("run-{first}-{second}");

                let old = engine(&store, &till, &clock).register(before::trade).start().await.unwrap();
                old.start(before::trade("o-1".into())).id(&id).await.unwrap();
                held_at(&till, first).await;
                drop(old);
                let new = engine(&store, &till, &clock).register(after::trade).start().await.unwrap();
                held_at(&till, second + 1).await;
                drop(new);
                let new = engine(&store, &till, &clock).register(after::trade).start().await.unwrap();
                let run = new.client().run(after::trade, &id).await.unwrap();
                let error = run.result().await.unwrap_err();
                assert!(matches!(error.into_failed(), Some(ShopError::Declined)));

                let mut expected: Vec<String> = KEYS.map(|key| format!("{id}/{key}")).to_vec();
                expected.insert(second, expected[second - 1].clone());
                expected.insert(first, expected[first - 1].clone());
                assert_eq!(till.keys(), expected, "every attempt has the key that its call began with");
                assert!(new.client().status(&id).await.unwrap().incidents.is_empty());
            }
        }
    }

    async fn a_run_that_begins_after_the_renaming_has_the_new_ids(store, _world, clock) {
        let (store, till): (Arc<dyn Store>, _) = (Arc::new(store), Till::default());
        let new = engine(&store, &till, &clock).register(after::trade).start().await.unwrap();
        new.start(after::trade("o-1".into())).id("run").await.unwrap().result().await.unwrap_err();
        let keys = KEYS.map(|key| format!("run/{}", key.replace("charge", "take_money")));
        assert_eq!(till.keys(), keys);
    }

    async fn a_renaming_that_nobody_declares_is_refused(store, _world, clock) {
        let (store, till): (Arc<dyn Store>, _) = (Arc::new(store), Till::default());
        till.held.lock().unwrap().insert(1);
        let old = engine(&store, &till, &clock).register(before::trade).start().await.unwrap();
        old.start(before::trade("o-1".into())).id("run").await.unwrap();
        held_at(&till, 1).await;
        drop(old);
        let new = engine(&store, &till, &clock).register(silent::trade).start().await.unwrap();
        let status = until(&new.client(), "run", "an incident", |status| !status.incidents.is_empty()).await;
        let cause = &status.incidents[0].cause;
        assert!(cause.contains("`charge`") && cause.contains("`take_money`") && cause.contains("WF101"), "{cause}");
    }
}
