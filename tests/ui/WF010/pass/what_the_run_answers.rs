//! The run's own answers, logs, what is only called alike, and what a person knows better.
use std::time::{Duration, SystemTime};
use workflow_runtime::prelude::*;

mod calendar {
    pub fn now() -> u64 {
        0
    }
    pub fn random() -> u64 {
        4
    }
}

struct Shop {
    var: u32,
}

impl Shop {
    fn args(&self) -> u32 {
        self.var
    }
}

#[step]
async fn remind(_text: String) {}

#[workflow]
async fn asks_the_run(due: SystemTime) {
    let began = now().await;
    if began < due && random().await % 2 == 0 {
        remind(uuid().await.to_string()).await;
    }
    sleep(Duration::from_secs(calendar::now() + calendar::random())).await;
    let shop = Shop { var: 1 };
    #[allow_workflow(nondeterministic_call, reason = "for the person at the terminal, as often as it comes by")]
    println!("{}", shop.args());
    let built_with = env!("CARGO_PKG_NAME");
    remind(built_with.to_owned()).await;
}

fn main() {}
