//! Former names that no step can have had.
use workflow_runtime::prelude::*;

#[step(was = "charge_card")]
async fn charge_card() {}

#[step(was = ["charge", "charge", charge_it])]
async fn take_money() {}

#[step(was = "charge the card")]
async fn take_it_all() {}

fn main() {}
