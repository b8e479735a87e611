//! The usual crates, told by the ends of the paths: none of them has to be there.
use workflow_runtime::prelude::*;

mod rand {
    pub fn random<T: Default>() -> T {
        T::default()
    }
    pub fn rng() -> u8 {
        4
    }
}

struct Uuid;

impl Uuid {
    fn new_v4() -> u128 {
        4
    }
}

struct Utc;

impl Utc {
    fn now() -> u64 {
        0
    }
}

#[step]
async fn ship(_id: u128) {}

#[workflow]
async fn draws_lots() {
    let _dice = rand::random::<u8>();
    let _generator = rand::rng();
    let _now = Utc::now();
    ship(Uuid::new_v4()).await;
}

fn main() {}
