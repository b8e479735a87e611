//! What the programs call. A step answers what the stage tells it, or what its mock says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
pub use workflow_runtime::prelude::*;

/// How an attempt goes.
pub enum Told {
    /// With this answer, as the journal writes it.
    Answer(String),
    Panic,
}

/// Where it is said how attempts go; of each engine its own.
#[derive(Clone, Default)]
pub struct Stage(Arc<Script>);

#[derive(Default)]
struct Script {
    /// By idempotency key: of each call, one attempt is under way.
    told: Mutex<BTreeMap<String, Told>>,
    is_told: Notify,
}

impl Stage {
    /// Lets the attempt of the call with this key come to its end.
    pub fn tell(&self, key: String, told: Told) {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).insert(key, told);
        self.0.is_told.notify_waiters();
    }

    async fn told<T: serde::de::DeserializeOwned>(&self, cx: &StepContext) -> T {
        loop {
            // From here on no word is missed.
            let next = self.0.is_told.notified();
            let told =
                self.0.told.lock().unwrap_or_else(PoisonError::into_inner).remove(cx.idempotency_key());
            match told {
                Some(Told::Answer(answer)) => {
                    return serde_json::from_str(&answer).expect("the answer of this step");
                }
                // The word that the kit says.
                Some(Told::Panic) => panic!("explored"),
                None => next.await,
            }
        }
    }
}

/// How long `check` and `hold` may take.
pub const TIMEOUT_MS: i64 = 30_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, StepError)]
pub enum Trouble {
    Gone,
    Late(TimedOut),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("trouble")
    }
}

impl std::error::Error for Trouble {}

impl From<TimedOut> for Trouble {
    fn from(late: TimedOut) -> Self {
        Trouble::Late(late)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = number)]
pub struct Answer {
    pub number: u32,
}

#[step(read_only)]
pub async fn look(_number: u32, stage: Resource<Stage>, cx: StepContext) -> u32 {
    stage.told(&cx).await
}

#[step(read_only, timeout = "30s")]
pub async fn check(_number: u32, stage: Resource<Stage>, cx: StepContext) -> Result<u32, Trouble> {
    stage.told(&cx).await
}

#[step(compensate = free(output))]
pub async fn reserve(_number: u32, stage: Resource<Stage>, cx: StepContext) -> Result<u32, Trouble> {
    stage.told(&cx).await
}

#[step(compensate = free(_number), timeout = "30s")]
pub async fn hold(_number: u32, stage: Resource<Stage>, cx: StepContext) -> u32 {
    stage.told(&cx).await
}

#[step(retriable)]
pub async fn free(_number: &u32, stage: Resource<Stage>, cx: StepContext) {
    stage.told(&cx).await
}

#[step(pivot)]
pub async fn charge(_number: u32, stage: Resource<Stage>, cx: StepContext) -> Result<u32, Trouble> {
    stage.told(&cx).await
}

#[step(pivot)]
pub async fn ship(_number: u32, stage: Resource<Stage>, cx: StepContext) -> u32 {
    stage.told(&cx).await
}

#[step(retriable)]
pub async fn tell(_number: u32, stage: Resource<Stage>, cx: StepContext) -> u32 {
    stage.told(&cx).await
}

/// A child that only looks.
#[workflow]
pub async fn inquire(number: u32) -> Result<u32, Trouble> {
    check(number).await
}

/// A child that leaves an effect.
#[workflow]
pub async fn deliver(number: u32) -> u32 {
    tell(number).await
}

/// A child that leaves an effect, or fails.
#[workflow]
pub async fn order(number: u32) -> Result<u32, Trouble> {
    reserve(number).await
}

/// Chance, as far as the code is concerned; the same for the same numbers.
pub fn toss(number: u32, place: u32) -> bool {
    let mixed = (number ^ place.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
    (mixed ^ (mixed >> 15)).wrapping_mul(0xC2B2_AE35) >> 31 == 1
}
