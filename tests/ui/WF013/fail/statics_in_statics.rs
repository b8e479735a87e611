//! Short names, and what is kept inside of something else.
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, OnceLock};
use workflow_runtime::prelude::*;

static N: AtomicU32 = AtomicU32::new(0);
static SHELVES: [Mutex<u32>; 2] = [Mutex::new(1), Mutex::new(2)];
static LENT: &Mutex<u32> = &SHELVES[0];
static PERHAPS: Option<Mutex<u32>> = None;
static SENDER: OnceLock<SyncSender<u32>> = OnceLock::new();

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn reads_what_others_write(item: u32) -> u32 {
    let count = N.fetch_add(1, Ordering::Relaxed);
    let shelf = *SHELVES[1].lock().unwrap() + *LENT.lock().unwrap();
    let perhaps = PERHAPS.as_ref().map_or(0, |number| *number.lock().unwrap());
    SENDER.get().unwrap().send(item).unwrap();
    pack(count + shelf + perhaps).await
}

fn main() {}
