//! A lent argument is kept by the call, so it must be possible to copy it.
use workflow_runtime::prelude::*;

#[derive(Serialize, Deserialize)]
pub struct Card {
    pub number: u64,
}

#[step]
async fn charge(card: &Card) -> u64 {
    card.number
}

fn main() {
    let _ = charge(&Card { number: 4 });
}
