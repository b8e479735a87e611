//! Changes that runs in flight can go on with: appended, behind a switch, in a later version, renamed.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn charge(_order: &str) {}

#[step(read_only)]
async fn pack(_order: &str) {}

#[step(read_only)]
async fn ship(_order: &str) {}

#[step(read_only)]
async fn weigh(_order: &str) -> u64 {
    3
}

// Behind a switch, anything can change.
#[workflow]
async fn sell_behind_patch(order: String) {
    charge(&order).await;
    if !patched("pack-first").await {
        ship(&order).await;
    } else {
        pack(&order).await;
        ship(&order).await;
    }
}

// What comes after the last operation is in no journal.
#[workflow]
async fn sell_by_weight(order: String) {
    let weight = weigh(&order).await;
    ship(&order).await;
    if weight > 10 {
        pack(&order).await;
    }
}

mod second {
    use workflow_runtime::prelude::*;

    use super::{pack, ship};

    // A later version is not held to what runs of the first one need.
    #[workflow(name = "sell_to_customer", version = 2)]
    pub async fn sell_to_customer(order: String, _customer: u64) {
        pack(&order).await;
        ship(&order).await;
    }
}

mod renamed {
    use workflow_runtime::prelude::*;

    use super::ship;

    #[step(was = "charge", read_only)]
    async fn take_money(_order: &str) {}

    #[workflow]
    pub async fn sell_in_order(order: String) {
        take_money(&order).await;
        ship(&order).await;
    }
}

fn main() {
    let _ = (sell_behind_patch("tea".into()), sell_by_weight("tea".into()));
    let _ = (second::sell_to_customer("tea".into(), 7), renamed::sell_in_order("tea".into()));
}
