//! What is dropped and is no call is nobody's affair, and neither is what a call answered.
use std::collections::BTreeMap;

use workflow_runtime::prelude::*;

#[step]
async fn charge(amount: u32) -> Result<u32, TimedOut> {
    Ok(amount)
}

fn parsed<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    let _ = charge(amount).await;
    _ = charge(amount).timeout(minutes(1)).await;
    drop(charge(amount).await);
    let mut seen = BTreeMap::new();
    let _ = seen.insert(amount, "a");
    let _ = BTreeMap::<u32, u32>::new();
    let mut _later = Vec::new();
    _later.push(amount);
    let _number = parsed("7").unwrap_or(amount);
    let _default = u32::from_str_radix("7", 8);
    _ = i64::from(amount).checked_add(1);
    drop(String::from("x"));
    let _ = std::mem::take(&mut _later);
    let _ = (|| amount)();
    let _guard = std::iter::repeat(amount).take(2);
    let _ = Some(amount).into_iter().map(|x| x + 1).collect::<Vec<_>>();
    seen.len() as u32
}

fn main() {
    let _ = pay(1);
}
