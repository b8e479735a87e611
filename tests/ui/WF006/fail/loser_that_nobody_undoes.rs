//! A retriable step that loses a race has happened all the same, and nothing undoes it.

use workflow_runtime::prelude::*;

#[step(retriable)]
async fn order_taxi(_customer: &str) -> u32 {
    7
}

#[workflow]
async fn get_home(customer: String) -> u32 {
    select! {
        taxi = order_taxi(&customer) => taxi,
        () = sleep(minutes(5)) => 0,
    }
}

fn main() {}
