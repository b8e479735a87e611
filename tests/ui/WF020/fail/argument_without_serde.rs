//! An argument that serde cannot write is refused where its type is written.
use workflow_runtime::prelude::*;

pub struct Card {
    pub number: u64,
}

#[step]
async fn charge(amount: u64, card: Card) -> u64 {
    amount + card.number
}

fn main() {
    let _ = charge(1, Card { number: 4 });
}
