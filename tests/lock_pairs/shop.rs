//! What the pairs have in common: a world that remembers what was done to it, steps, errors and messages.
//! It knows nothing of old and new code, and decides nothing but whether a step is told to fail.

use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
pub(crate) use workflow_runtime::prelude::*;

/// One thing that was done to the world, or undone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deed {
    /// The idempotency key of the call.
    pub(crate) key: String,
    /// What was done: the name of the deed and what it was done to.
    pub(crate) what: String,
    /// Whether this takes it back.
    pub(crate) takes_back: bool,
}

/// The outside. Clones are the same world.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    deeds: Vec<Deed>,
    /// The variant of its error with which the next step that is called fails.
    fault: Option<String>,
    /// The calls that may fail, by their keys, in the order of their first attempts.
    calls: Vec<String>,
    /// Which of them fails, counted from 1.
    failing: Option<usize>,
}

impl World {
    /// The next step that is called answers with this variant of its error.
    pub(crate) fn refuse(&self, variant: &str) {
        self.0.lock().unwrap().fault = Some(variant.to_owned());
    }

    /// This call fails, counted from 1, as often as it is made.
    pub(crate) fn refuse_call(&self, number: usize) {
        self.0.lock().unwrap().failing = Some(number);
    }

    /// Everything that was done so far.
    pub(crate) fn deeds(&self) -> Vec<Deed> {
        self.0.lock().unwrap().deeds.clone()
    }

    /// Does something, or fails as it was told to. What comes twice under one key is done once.
    pub(crate) fn act<E: DeserializeOwned>(&self, cx: &StepContext, deed: &str, of: u32) -> Result<u32, E> {
        let mut log = self.0.lock().unwrap();
        let key = cx.idempotency_key();
        let number = log.calls.iter().position(|call| call == key).unwrap_or(log.calls.len());
        if number == log.calls.len() {
            log.calls.push(key.to_owned());
        }
        let is_failing = log.failing == Some(number + 1);
        if let Some(variant) = log.fault.take().or(is_failing.then(|| "SoldOut".to_owned())) {
            let error = [&variant, "Gone"].map(|variant| serde_json::from_str(&format!("\"{variant}\"")));
            return Err(error.into_iter().find_map(Result::ok).expect("a variant of this error"));
        }
        log.note(cx, format!("{deed} {of}"), false);
        Ok(of)
    }

    /// Does something that cannot fail.
    pub(crate) fn do_it(&self, cx: &StepContext, deed: &str, of: u32) -> u32 {
        self.0.lock().unwrap().note(cx, format!("{deed} {of}"), false);
        of
    }

    /// Undoes it.
    pub(crate) fn take_back(&self, cx: &StepContext, deed: &str, of: u32) {
        self.0.lock().unwrap().note(cx, format!("{deed} {of}"), true);
    }
}

impl Log {
    fn note(&mut self, cx: &StepContext, what: String, takes_back: bool) {
        let key = cx.idempotency_key().to_owned();
        if !self.deeds.iter().any(|deed| deed.key == key) {
            self.deeds.push(Deed { key, what, takes_back });
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum No {
    #[error("sold out")]
    SoldOut,
    #[error("late")]
    Late(#[from] TimedOut),
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct Paid {
    pub order: u32,
    pub cents: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct Noted {
    pub order: u32,
}

/// The messages that come from outside, by their names.
pub(crate) fn message(name: &str) -> Vec<String> {
    let forms: &[&str] = match name {
        "Paid" => &[r#"{"order":7,"cents":5}"#, r#"{"order":7,"cents":"5"}"#],
        _ => &[r#"{"order":7}"#],
    };
    forms.iter().map(|form| (*form).to_owned()).collect()
}

#[step(compensate = release(order), timeout = "10s")]
pub async fn reserve(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
    world.act(&cx, "reserve", order)
}

#[step(retriable)]
pub async fn release(world: Resource<World>, cx: StepContext, order: u32) {
    world.take_back(&cx, "reserve", order);
}

#[step(compensate = refund(output))]
pub async fn charge(world: Resource<World>, cx: StepContext, cents: u32) -> Result<u32, No> {
    world.act(&cx, "charge", cents)
}

#[step(retriable)]
pub async fn refund(world: Resource<World>, cx: StepContext, cents: u32) {
    world.take_back(&cx, "charge", cents);
}

#[step(read_only)]
pub async fn check(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
    world.act(&cx, "check", order)
}

#[step(read_only)]
pub async fn weigh(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
    world.act(&cx, "weigh", order)
}

#[step(pivot)]
pub async fn ship(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
    world.act(&cx, "ship", order)
}

#[step(retriable)]
pub async fn notify(world: Resource<World>, cx: StepContext, order: u32) {
    world.do_it(&cx, "notify", order);
}

#[step(retriable)]
pub async fn archive(world: Resource<World>, cx: StepContext, order: u32) {
    world.do_it(&cx, "archive", order);
}

/// A workflow that others start.
#[workflow]
pub async fn deliver(order: u32) -> Result<u32, No> {
    check(order).await
}

/// Another one.
#[workflow]
pub async fn collect(order: u32) -> Result<u32, No> {
    weigh(order).await
}

/// A scope that others call.
#[subflow]
pub async fn prepare(order: u32) -> Result<u32, No> {
    reserve(order).await?;
    charge(order).await
}
