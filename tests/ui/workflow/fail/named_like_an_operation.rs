//! What is called like an operation of the language would be taken for the operation where it is awaited.

use workflow_runtime::prelude::{step, subflow, workflow};

#[step(read_only, name = "look_up_the_time")]
async fn now() -> u64 {
    3
}

#[step(retriable)]
async fn send(_text: String) {}

#[subflow]
async fn compensate(amount: u64) -> u64 {
    amount
}

#[workflow]
async fn progress(amount: u64) -> u64 {
    amount
}

/// A name that is only the beginning of one is as good as any other.
#[workflow]
async fn send_all(amount: u64) -> u64 {
    amount
}

#[workflow]
async fn r#random() -> u64 {
    4
}

fn main() {
    let _ = (send_all(1), now(), send(String::new()));
}
