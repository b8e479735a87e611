//! What people write into `select!` at first.
use workflow_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = number)]
struct Paid {
    number: u32,
}

#[step(read_only)]
async fn pack(_item: u32) -> Result<u32, TimedOut> {
    Ok(1)
}

#[workflow]
async fn without_an_arrow(item: u32) -> u32 {
    select! {
        packed = pack(item),
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn without_a_pattern(item: u32) -> u32 {
    select! {
        pack(item) => 1,
        sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn an_arrow_instead_of_equals(item: u32) -> u32 {
    select! {
        packed => pack(item),
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn awaited(item: u32) -> u32 {
    select! {
        packed = pack(item).await => packed.unwrap_or(0),
        _ = sleep(hours(1)).await => 0,
    }
}

#[workflow]
async fn without_a_deadline(item: u32) -> u32 {
    select! {
        paid = receive::<Paid>(item) => paid.number,
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn without_a_comma(item: u32) -> u32 {
    select! {
        packed = pack(item) => packed.unwrap_or(0)
        _ = sleep(hours(1)) => 0
    }
}

#[workflow]
async fn of_two_types(item: u32) -> u32 {
    select! {
        packed = pack(item) => packed,
        _ = sleep(hours(1)) => 0,
    }
}

#[workflow]
async fn a_step_without_arguments(item: u32) -> u32 {
    select! {
        packed = pack() => packed.unwrap_or(item),
        _ = sleep(hours(1)) => 0,
    }
}

fn main() {}
