//! Pairs: operations one after the other, and code between them.

use super::pair::pairs;
use super::shop::*;

pub(super) fn fee(order: u32) -> u32 {
    order + 1
}

pairs! {
    /// Nothing but a line for the log and a comment.
    log_line on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            // The customer waits.
            tracing::info!(order, "reserving");
            reserve(order).await?;
            charge(order).await
        }
    }

    /// A step is put between two others.
    step_inserted on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            charge(order).await
        }
    }

    /// A step is put before all others.
    step_inserted_first on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }

    /// A step between two others is removed.
    step_removed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }

    /// The last step is removed: a run that waits for it has nobody to give its answer to.
    last_step_removed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            notify(order).await;
            Ok(held)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held)
        }
    }

    /// Two steps change places.
    steps_swapped on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            charge(order).await?;
            reserve(order).await
        }
    }

    /// One step is called in place of another.
    step_replaced on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let seen = check(order).await?;
            charge(seen).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let seen = weigh(order).await?;
            charge(seen).await
        }
    }

    /// A step is called after the last one: who has passed that has ended.
    step_appended on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = charge(order).await?;
            Ok(paid)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = charge(order).await?;
            notify(order).await;
            Ok(paid)
        }
    }

    /// Two steps are called after the last one.
    two_steps_appended on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = charge(order).await?;
            Ok(paid)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = charge(order).await?;
            ship(order).await?;
            notify(order).await;
            Ok(paid)
        }
    }

    /// The same step is called once more in the middle: what comes after it has another number.
    same_step_again on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            reserve(order + 1).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            reserve(order + 2).await?;
            check(order).await?;
            reserve(order + 1).await
        }
    }

    /// The value that a step is given is computed otherwise.
    argument_computed_otherwise on (7), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let first = charge(order).await?;
            let second = charge(order + 1).await?;
            Ok(first + second)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let first = charge(order * 2).await?;
            let second = charge(order + 4).await?;
            Ok(first + second)
        }
    }

    /// What was computed in place moves to a function of its own.
    helper_extracted on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order + 1).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(fee(order)).await
        }
    }

    /// A function that computes what a step is given computes something else.
    helper_changed on (7), mixes:
    old {
        fn price(order: u32) -> u32 {
            order
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(price(order)).await
        }
    }
    new {
        fn price(order: u32) -> u32 {
            order * 3
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(price(order)).await
        }
    }

    /// Labels, documentation, owner and priority.
    words_for_people on (7):
    old {
        /// Sell
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        /// Sell something
        ///
        /// And tell more about it.
        #[workflow(owner = "sales", priority = 3)]
        pub async fn flow(order: u32) -> Result<u32, No> {
            /// Put it aside
            reserve(order).await?;
            charge(order).label("Take the money").await
        }
    }

    /// The same step is brought in under another name.
    alias on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        use super::super::reserve as hold;
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            hold(order).await?;
            charge(order).await
        }
    }

    /// A local has another name.
    local_renamed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            charge(held).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(number: u32) -> Result<u32, No> {
            let put_aside = reserve(number).await?;
            charge(put_aside).await
        }
    }

    /// The value of the run is computed otherwise.
    result_computed_otherwise on (7), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            let paid = charge(order).await?;
            Ok(held + paid)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            let paid = charge(order).await?;
            Ok(held * paid)
        }
    }

    /// A run that failed at its end ends well now.
    end_changed on (7), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            Err(No::SoldOut)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held)
        }
    }
}
