//! Limits that would let nobody through, or are no limits.
use workflow_runtime::prelude::*;

#[step(concurrency = 0)]
async fn nobody_at_a_time() {}

#[step(concurrency = "8")]
async fn of_another_form() {}

#[step(rate = "0/s")]
async fn never() {}

#[step(rate = "100/sec")]
async fn with_a_long_unit() {}

#[step(rate = "10 per minute")]
async fn in_words() {}

#[step(rate = 100)]
async fn without_a_span() {}

#[step(concurency = 8)]
async fn misspelt() {}

fn main() {}
