//! Steps have other names where they are imported, operations keep theirs, and what is no operation may be called like
//! one where no workflow is. A step that runs know by the name of an operation keeps it.

mod cards {
    use workflow_runtime::prelude::*;

    #[step]
    pub async fn charge(amount: u32) -> u32 {
        amount
    }

    #[step(read_only, name = "now")]
    pub async fn look_up_the_time() -> u64 {
        3
    }
}

mod elsewhere {
    use super::cards::charge as send;

    pub fn described() {
        let _ = send(1);
    }
}

use cards::{charge as debit, look_up_the_time};
use workflow_runtime::prelude::*;

#[workflow]
async fn pay(amount: u32) -> u32 {
    use workflow_runtime::prelude::sleep;
    sleep(hours(1)).await;
    look_up_the_time().await;
    debit(amount).await
}

fn main() {
    let _ = pay(1);
    elsewhere::described();
}
