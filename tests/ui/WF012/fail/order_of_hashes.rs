//! Maps and sets that hash are found by their types, whatever they are called and wherever they come from.
use std::collections::{HashMap, HashSet};
use workflow_runtime::prelude::*;

type Stock = HashMap<String, u32>;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    lines: Stock,
}

impl Order {
    fn lines(&self) -> &Stock {
        &self.lines
    }
}

#[step]
async fn pack(_item: String) -> u32 {
    1
}

#[workflow]
async fn loops(mut order: Order, tags: HashSet<String>) -> u32 {
    for (item, _) in &order.lines {
        pack(item.clone()).await;
    }
    for (item, _) in order.lines() {
        pack(item.clone()).await;
    }
    for (_, count) in &mut order.lines {
        *count += 1;
    }
    for tag in tags {
        pack(tag).await;
    }
    0
}

#[workflow]
async fn methods(mut order: Order, tags: HashSet<String>, others: HashSet<String>) -> u32 {
    let first = order.lines.keys().next().cloned().unwrap();
    let names: Vec<String> = tags.iter().cloned().collect();
    for (item, _) in order.lines.iter().filter(|(_, count)| **count > 0) {
        pack(item.clone()).await;
    }
    let both = tags.intersection(&others).count();
    let mut kept = 0;
    order.lines.retain(|_, count| {
        kept += *count;
        kept < 10
    });
    let all = join_all(order.lines.into_keys().map(pack)).limit(2).await;
    let text = format!("{first} {:?} {both}", others.into_iter().collect::<Vec<_>>());
    names.len() as u32 + text.len() as u32 + all.len() as u32
}

fn main() {}
