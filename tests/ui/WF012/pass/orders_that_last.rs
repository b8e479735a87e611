//! Everything else is iterated as in any other function: nothing is inferred, borrowed or moved otherwise.
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    lines: Vec<String>,
    stock: BTreeMap<String, u32>,
    known: HashMap<String, u32>,
}

impl IntoIterator for Order {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.lines.into_iter()
    }
}

struct Shelf(Vec<u32>);

impl Shelf {
    fn iter(&self) -> impl Iterator<Item = &u32> + '_ {
        self.0.iter()
    }
    fn keys(self) -> Vec<u32> {
        self.0
    }
    fn retain(self, limit: u32) -> Vec<u32> {
        self.0.into_iter().filter(|item| *item < limit).collect()
    }
}

#[step]
async fn pack(_item: String) -> u32 {
    1
}

#[step]
async fn weigh(_item: String) -> Result<u32, Lost> {
    Ok(1)
}

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("lost")]
struct Lost;

#[workflow]
async fn loops(mut order: Order, found: Option<u32>) -> Result<u32, Lost> {
    let mut sum = 0;
    for line in &order.lines {
        sum += pack(line.clone()).await;
    }
    for (index, line) in order.lines.iter().enumerate() {
        sum += weigh(format!("{index} {line}")).await?;
    }
    for line in &mut order.lines {
        line.push('!');
    }
    for (item, count) in &order.stock {
        sum += pack(item.repeat(*count as usize)).await;
    }
    for count in order.stock.values_mut() {
        *count += 1;
    }
    for number in 0..3 {
        sum += number;
    }
    for number in (1..=3).rev().step_by(2) {
        sum += number;
    }
    for found in found {
        sum += found;
    }
    for letter in "abc".chars() {
        sum += letter as u32;
    }
    for [a, b] in [[1, 2], [3, 4]] {
        sum += a * b;
    }
    for item in Shelf(vec![1]).iter() {
        sum += item;
    }
    for line in order.clone() {
        sum += pack(line).await;
    }
    let lines = &mut order.lines;
    for line in lines {
        line.clear();
    }
    for number in if sum > 3 { vec![1] } else { vec![2, 3] } {
        sum += number;
    }
    for number in match sum {
        0 => [1],
        _ => [2],
    } {
        sum += number;
    }
    let slice: &[u32] = &[1, 2];
    for number in slice {
        sum += number;
    }
    let mut queue = VecDeque::from([1_u32]);
    while let Some(next) = queue.pop_front() {
        queue.extend((next < 3).then_some(next + 1).into_iter());
    }
    Ok(sum)
}

#[workflow]
async fn chains(order: Order) -> Vec<u32> {
    let mut lengths = order.lines.iter().map(|line| line.len() as u32).collect::<Vec<_>>();
    let total: u32 = lengths.iter().sum();
    let longest = lengths.iter().max().copied().unwrap_or_default();
    lengths.push(lengths.iter().copied().count() as u32);
    lengths.retain(|length| *length < total);
    let halves: Result<Vec<u32>, std::num::ParseIntError> = order.lines.iter().map(|line| line.parse()).collect();
    let sorted: BTreeSet<_> = order.known.get("a").into_iter().collect();
    let nested = vec![vec![1_u32], vec![2, 3]];
    let flat = nested.iter().flat_map(|inner| inner.iter().map(|number| number * 2)).collect::<Vec<u32>>();
    let mut numbers = vec![3_u32, 1];
    numbers.iter_mut().for_each(|number| *number += 1);
    let drained: Vec<u32> = numbers.drain(..1).collect();
    let mut boxed: Box<dyn Iterator<Item = u32> + Send> = Box::new(drained.into_iter());
    let first = boxed.by_ref().next();
    let shelf = Shelf(vec![4]).keys();
    let kept = Shelf(vec![4]).retain(3);
    let (even, odd): (Vec<u32>, Vec<u32>) = flat.iter().partition(|number| **number % 2 == 0);
    let text = format!("{} {:?}", lengths.iter().map(ToString::to_string).collect::<String>(), halves);
    let packed = join_all(order.lines.iter().map(|line| pack(line.clone()))).await;
    let sum = sorted.len() as u32 + longest + first.unwrap_or(0) + (text.len() + shelf.len() + kept.len()) as u32;
    even.into_iter().chain(odd).chain(packed).chain([sum]).collect()
}

#[workflow]
async fn looked_up_and_summed(order: Order) -> u32 {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for line in &order.lines {
        *counts.entry(line).or_default() += 1;
    }
    #[allow_workflow(hash_iteration, reason = "summed: the order is irrelevant")]
    let sum: u32 = counts.values().sum();
    #[allow_workflow(hash_iteration, reason = "summed as well")]
    for count in order.known.values() {
        drop(count);
    }
    let sorted = BTreeMap::from_iter(counts);
    pack(format!("{sorted:?}")).await + sum
}

fn main() {}
