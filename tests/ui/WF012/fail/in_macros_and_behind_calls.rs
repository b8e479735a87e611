//! In the macros of the standard library, and `retain` on what a call gives.
use std::collections::{HashMap, HashSet};
use workflow_runtime::prelude::*;

#[step]
async fn pack(_item: String) -> u32 {
    1
}

#[workflow]
async fn hidden(tags: HashSet<String>, mut lines: HashMap<String, HashSet<u32>>) -> u32 {
    if matches!(tags.iter().next(), Some(tag) if tag.len() > 3) {
        pack("first".to_owned()).await;
    }
    assert!(lines.values().next().is_some_and(|line| line.len() > 1));
    assert_eq!(tags.iter().next().map(String::len), Some(1), "{:?}", lines.keys().next());
    let mut sum = 0;
    lines.entry("a".to_owned()).or_default().retain(|line| {
        sum += line;
        sum < 10
    });
    pack(sum.to_string()).await
}

fn main() {}
