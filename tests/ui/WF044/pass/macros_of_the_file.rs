//! Macros of the same file that only compute.
use workflow_runtime::prelude::*;

macro_rules! largest {
    ($first:expr $(, $other:expr)* $(,)?) => {{
        let mut largest = $first;
        $(if $other > largest { largest = $other; })*
        largest
    }};
}

macro_rules! first_over {
    ($limit:expr, $values:expr) => {{
        let mut found = 0;
        for value in $values {
            if value > $limit {
                found = value;
                break;
            }
        }
        found
    }};
}

#[step]
async fn charge(_amount: u32) -> u32 {
    1
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    let most = largest!(amount, 3, 4);
    charge(first_over!(most, [1, 2, 3])).await
}

fn main() {}
