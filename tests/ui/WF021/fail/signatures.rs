//! Signatures of which the journal could not read back the arguments or the result.
use workflow_runtime::prelude::*;

#[step]
async fn of_any_type<T: Serialize>(value: T, times: u8) -> u8 {
    let _ = value;
    times
}

#[step]
async fn of_some_type(value: impl Into<u8>, words: Vec<&str>, amount: &mut u64) -> u8 {
    *amount += words.len() as u64;
    value.into()
}

#[step]
async fn that_borrows(text: &str) -> &str {
    text
}

#[step]
async fn with_a_lifetime<'a>(text: &'a str) -> u8 {
    text.len() as u8
}

pub struct Shop;

impl Shop {
    #[step]
    async fn of_an_object(&self) -> u8 {
        7
    }
}

fn main() {}
