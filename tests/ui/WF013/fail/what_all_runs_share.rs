//! Statics that can be changed and thread-locals, by their types.
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};
use workflow_runtime::prelude::*;

static COUNTER: AtomicU32 = AtomicU32::new(0);
static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());

mod settings {
    use super::*;

    pub static RATE: OnceLock<u32> = OnceLock::new();
    pub static TEXT: LazyLock<String> = LazyLock::new(String::new);
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn reads_what_others_write(item: u32) -> u32 {
    use settings::TEXT;
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let named = NAMES.lock().unwrap().len() as u32;
    let rate = settings::RATE.get().copied().unwrap_or(1);
    let depth = DEPTH.with(|depth| depth.get());
    let text = format!("{}", TEXT.len());
    pack(item + count + named + rate + depth + text.len() as u32).await
}

#[workflow]
async fn declares_its_own(item: u32) -> u32 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed);
    pack(item).await
}

fn main() {}
