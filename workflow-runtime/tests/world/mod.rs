//! A small world for the tests of the engine: workflows, steps that do as they are told, and a log of their calls.
//! It must not know what any test expects.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "in a test's module, everything public is for the test")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Client, Clock, EngineBuilder, RunStatus};

pub use patience::eventually;

pub mod family;
pub mod faulty;
pub mod patience;
pub mod postgres;
pub mod turns;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum ShopError {
    #[error("declined")]
    Declined,
    #[error("busy")]
    #[step_error(transient)]
    Busy,
    #[error("nobody answered in time")]
    TimedOut,
}

/// What a step does when it is called.
#[derive(Clone, Debug)]
pub enum Behaviour {
    Succeed,
    Fail(ShopError),
    Panic,
    /// Waits until the test opens the gate.
    Wait,
    /// Never comes back.
    Hang,
}

/// Clones are the same world.
#[derive(Clone)]
pub struct World {
    calls: Arc<Mutex<Vec<String>>>,
    behaviours: Arc<Mutex<BTreeMap<&'static str, VecDeque<Behaviour>>>>,
    defaults: Arc<Mutex<BTreeMap<&'static str, Behaviour>>>,
    /// Calls that are declined, as `step argument`.
    declined: Arc<Mutex<BTreeSet<String>>>,
    gate: Arc<Semaphore>,
}

impl World {
    pub fn new() -> World {
        World {
            calls: Arc::default(),
            behaviours: Arc::default(),
            defaults: Arc::default(),
            declined: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    /// What the next calls of a step do; afterwards it succeeds.
    pub fn script(&self, step: &'static str, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.behaviours.lock().unwrap().entry(step).or_default().extend(behaviours);
    }

    /// What all calls of a step do.
    pub fn always(&self, step: &'static str, behaviour: Behaviour) {
        self.defaults.lock().unwrap().insert(step, behaviour);
    }

    /// Every such call is declined: `step argument`.
    pub fn fail_for(&self, call: &str) {
        self.declined.lock().unwrap().insert(call.to_owned());
    }

    /// Lets as many waiting steps go on.
    pub fn open_gate(&self, steps: usize) {
        self.gate.add_permits(steps);
    }

    /// All calls so far, as `step argument`.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub fn count(&self, step: &str) -> usize {
        self.calls().iter().filter(|call| call.split(' ').next() == Some(step)).count()
    }

    pub async fn call(&self, step: &'static str, argument: &str) -> Result<(), ShopError> {
        let call = format!("{step} {argument}");
        self.calls.lock().unwrap().push(call.clone());
        if self.declined.lock().unwrap().contains(&call) {
            return Err(ShopError::Declined);
        }
        let behaviour = self.behaviours.lock().unwrap().get_mut(step).and_then(VecDeque::pop_front);
        let default = || self.defaults.lock().unwrap().get(step).cloned();
        match behaviour.or_else(default).unwrap_or(Behaviour::Succeed) {
            Behaviour::Succeed => Ok(()),
            Behaviour::Fail(error) => Err(error),
            Behaviour::Panic => panic!("the step was told to panic"),
            Behaviour::Wait => {
                self.gate.acquire().await.unwrap().forget();
                Ok(())
            }
            Behaviour::Hang => std::future::pending().await,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "Paid", key = order)]
pub struct Paid {
    pub order: String,
    pub amount: u64,
}

#[step(compensate = release(order), retry(attempts = 3, initial = "1s", factor = 2.0, max = "1m"))]
pub async fn reserve(world: Resource<World>, order: &str) -> Result<(), ShopError> {
    world.call("reserve", order).await
}

#[step(retriable, retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
pub async fn release(world: Resource<World>, order: &str) -> Result<(), ShopError> {
    world.call("release", order).await
}

#[step(compensate = refund(order, output), timeout = "200ms",
       retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
pub async fn charge(world: Resource<World>, cx: StepContext, order: &str) -> Result<String, ShopError> {
    world.call("charge", order).await?;
    Ok(cx.idempotency_key().to_owned())
}

#[step(retriable)]
pub async fn refund(world: Resource<World>, order: &str, payment: &str) -> Result<(), ShopError> {
    let _ = payment;
    world.call("refund", order).await
}

#[step(pivot, retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"))]
pub async fn ship(world: Resource<World>, order: &str) -> Result<(), ShopError> {
    world.call("ship", order).await
}

#[step(read_only)]
pub async fn note(world: Resource<World>, text: &str) -> Result<u64, ShopError> {
    world.call("note", text).await?;
    Ok(1)
}

/// A saga: reserve, charge, ship.
#[workflow]
pub async fn fulfil(order: String) -> Result<String, ShopError> {
    reserve(&order).await?;
    let payment = charge(&order).await?;
    ship(&order).await?;
    Ok(payment)
}

/// Passes the point of no return, then goes on.
#[workflow]
pub async fn ship_and_note(order: String) -> Result<u64, ShopError> {
    reserve(&order).await?;
    ship(&order).await?;
    let noted = note(&order).await.unwrap_or(0);
    Ok(noted)
}

/// A scope that can fail without its caller.
#[subflow]
async fn reserve_and_ship(order: &str) -> Result<(), ShopError> {
    reserve(order).timeout(minutes(2)).label("Try to reserve").await?;
    ship(order).retry(RetryPolicy::attempts(1)).await
}

/// A scope that fails and is caught, an undoing on purpose, and what a run asks of itself.
#[workflow]
pub async fn thinks_twice(order: String) -> Result<u64, ShopError> {
    let (mail, began) = (uuid().await.to_string(), now().await);
    sleep_until(began).await;
    charge(&order).await?;
    match reserve_and_ship(&order).await {
        Ok(()) => return Ok(0),
        Err(_) => compensate().await,
    }
    if patched("note-the-mail").await {
        let chance = random().await;
        note(&format!("{mail}-{chance}")).await?;
    }
    reserve(&order).without_compensation().await?;
    Err(ShopError::Declined)
}

/// Five steps, one after the other.
#[workflow]
pub async fn five_notes(text: String) -> Result<u64, ShopError> {
    let mut sum = 0;
    sum += note(&text).await?;
    sum += note(&text).await?;
    sum += note(&text).await?;
    sum += note(&text).await?;
    sum += note(&text).await?;
    Ok(sum)
}

/// A step, an hour, a step.
#[workflow]
pub async fn slow(order: String) -> Result<u64, ShopError> {
    let before = note(&order).await?;
    sleep(hours(1)).await;
    let after = note(&order).await?;
    Ok(before + after)
}

/// Reserves, waits for the money for a minute, then for more of it for as long as it takes.
#[workflow]
pub async fn collect(order: String) -> Result<u64, ShopError> {
    reserve(&order).await?;
    let first = match receive::<Paid>(&order).within(minutes(1)).await {
        Ok(paid) => paid.amount,
        Err(TimedOut) => return Err(ShopError::TimedOut),
    };
    let second = receive::<Paid>(&order).forever().await;
    Ok(first * 100 + second.amount)
}

/// Cannot fail.
#[workflow]
pub async fn patient(order: String) -> u64 {
    let paid = receive::<Paid>(&order).forever().await;
    paid.amount
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "Placed", key = order)]
pub struct Placed {
    pub order: String,
    pub amount: u64,
}

/// Begins with a message, then waits for another one.
#[workflow(on = Placed)]
pub async fn open_order(placed: Placed) -> Result<u64, ShopError> {
    reserve(&placed.order).await?;
    let paid = receive::<Paid>(&placed.order).forever().await;
    Ok(placed.amount * 100 + paid.amount)
}

/// How long runs that only wait stay in memory; `WORKFLOW_TEST_PARK_MS=0` has every test park them at once.
pub fn idle() -> Duration {
    let idle_ms = std::env::var("WORKFLOW_TEST_PARK_MS").map(|text| text.parse().expect("it is a number"));
    Duration::from_millis(idle_ms.unwrap_or(1_000))
}

/// An engine with all workflows of this world.
pub fn builder(store: impl Store, world: &World, clock: &Clock) -> EngineBuilder {
    Engine::builder()
        .store(store)
        .park_idle_after(idle())
        .clock(clock.clone())
        .resource(world.clone())
        .register(fulfil)
        .register(ship_and_note)
        .register(thinks_twice)
        .register(five_notes)
        .register(slow)
        .register(collect)
        .register(patient)
        .register(open_order)
}

/// A database file of its own, deleted with its folder.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn database(&self) -> PathBuf {
        self.0.path().join("runs.db")
    }
}

/// Looks at the status of a run again and again, for at most ten seconds, until it is so.
pub async fn until(
    client: &Client,
    run_id: &str,
    what: &str,
    is_so: impl Fn(&RunStatus) -> bool + Send + Sync,
) -> RunStatus {
    let began = std::time::Instant::now();
    loop {
        let status = client.status(run_id).await;
        match status {
            Ok(status) if is_so(&status) => return status,
            status => assert!(began.elapsed() < Duration::from_secs(60), "{what}: {status:?}"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs a body over all stores: `store` is the one, `world` and `clock` are new.
macro_rules! on_every_store {
    ($(async fn $name:ident($store:ident, $world:ident, $clock:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body<S: workflow_runtime::store::Store>($store: S) {
                let worker = world::turns::worker(world::turns::WORKER);
                $store.join(&worker, std::time::Duration::from_secs(3_600)).await.unwrap();
                let $world = World::new();
                let $clock = workflow_runtime::Clock::manual(1_000_000);
                $body
            }

            #[tokio::test]
            async fn memory() {
                body(Memory::new()).await;
            }

            #[tokio::test]
            async fn sqlite() {
                let folder = Folder::new();
                body(Sqlite::open(folder.database()).await.unwrap()).await;
            }

            #[tokio::test]
            async fn postgres() {
                body(world::postgres::Schema::new().connect_by_hand().await).await;
            }
        }
    )*};
}
pub(crate) use on_every_store;

/// The same where the next engine takes over at once from one that was dropped, as if the process had died: on a shared
/// store, too, an engine that begins gives up all others.
macro_rules! on_every_lone_store {
    ($(async fn $name:ident($store:ident, $world:ident, $clock:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body<S: workflow_runtime::store::Store>($store: S) {
                let worker = world::turns::worker(world::turns::WORKER);
                $store.join(&worker, std::time::Duration::from_secs(3_600)).await.unwrap();
                let $world = World::new();
                let $clock = workflow_runtime::Clock::manual(1_000_000);
                $body
            }

            #[tokio::test]
            async fn memory() {
                body(Memory::new()).await;
            }

            #[tokio::test]
            async fn sqlite() {
                let folder = Folder::new();
                body(Sqlite::open(folder.database()).await.unwrap()).await;
            }

            #[tokio::test]
            async fn postgres() {
                body(world::postgres::Schema::new().connect_alone().await).await;
            }
        }
    )*};
}
pub(crate) use on_every_lone_store;
