//! What is imported under the name of an operation would be taken for the operation.

mod cards {
    use workflow_runtime::prelude::*;

    #[step]
    pub async fn charge(amount: u32) -> u32 {
        amount
    }
}

mod shop {
    use super::cards::charge as compensate;
    use workflow_runtime::prelude::*;

    #[workflow]
    pub async fn pay(amount: u32) -> u32 {
        use super::cards::charge as send;
        let first = compensate(amount).await;
        first + send(amount).await
    }
}

fn main() {
    let _ = shop::pay(1);
}
