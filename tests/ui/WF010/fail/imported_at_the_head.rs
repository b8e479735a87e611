//! Imports at the head of the file are understood like those of the body.
use std::fs::read_to_string;
use std::thread as threads;
use workflow_runtime::prelude::{step, subflow, workflow};

#[step]
async fn remind(_text: String) {}

#[workflow]
async fn reads() {
    let text = read_to_string("text").unwrap();
    remind(text).await;
    threads::sleep(std::time::Duration::from_secs(1));
}

mod inner {
    use std::env::var;

    #[super::subflow]
    pub async fn asks() {
        super::remind(var("HOME").unwrap()).await;
    }

    #[super::workflow]
    pub async fn calls_its_own(name: String) {
        super::remind(read_to_string(&name)).await;
    }

    /// In this module it is another one.
    fn read_to_string(name: &str) -> String {
        name.to_owned()
    }
}

fn main() {}
