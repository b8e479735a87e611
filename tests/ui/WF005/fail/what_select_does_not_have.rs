//! No guards, no `else`, no patterns that take only some outcomes: what a `select!` waits for is drawn.
use workflow_runtime::prelude::*;

#[step(read_only)]
async fn pack(_item: u32) -> Result<u32, TimedOut> {
    Ok(1)
}

#[workflow]
async fn guarded(item: u32) -> u32 {
    select! {
        packed = pack(item), if item > 1 => packed.unwrap_or(0),
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn otherwise(item: u32) -> u32 {
    select! {
        packed = pack(item) => packed.unwrap_or(0),
        else => 0,
    }
}

#[workflow]
async fn refutable(item: u32) -> u32 {
    select! {
        Ok(packed) = pack(item) => packed,
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn alone(item: u32) -> u32 {
    select! {
        packed = pack(item) => packed.unwrap_or(0),
    }
}

#[workflow]
async fn in_order(item: u32) -> u32 {
    select! {
        biased;
        packed = pack(item) => packed.unwrap_or(0),
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn at_once(item: u32) -> u32 {
    select! {
        packed = pack(item) => packed.unwrap_or(0),
        time = now() => 0,
    }
}

fn main() {
    let _ = (guarded(1), otherwise(1), refutable(1), alone(1), in_order(1), at_once(1));
}
