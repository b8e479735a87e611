//! Owned values that serde writes and reads can be arguments and results; `&T` is lent from a copy.
use std::collections::BTreeMap;

use workflow_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize)]
pub struct Card {
    pub number: u64,
}

#[step]
pub async fn charge(
    card: &Card,
    words: &[String],
    text: &str,
    limits: BTreeMap<String, u64>,
) -> (u64, Vec<Card>) {
    (card.number + words.len() as u64 + text.len() as u64 + limits.len() as u64, vec![card.clone()])
}

fn main() {
    let _ = charge(&Card { number: 4 }, &[], "text", BTreeMap::new());
}
