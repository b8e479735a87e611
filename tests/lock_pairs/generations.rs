//! Pairs: values of the run itself, what it begins with and ends with, versions, and runs that begin anew.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// The time is asked for.
    now_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let began = now().await;
            tracing::info!(?began, "reserved");
            check(order).await
        }
    }

    /// A random number more, of which nothing depends but a line for the log.
    random_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let chance = random().await;
            tracing::info!(chance, "reserving");
            reserve(order).await?;
            check(order).await
        }
    }

    /// A random number more, before another one that decides: that one is the second now, and another number.
    random_added_before_another on (7) (8):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..4 {
                let chance = random().await;
                if chance % 2 == 0 {
                    check(order + round).await?;
                } else {
                    weigh(order + round).await?;
                }
            }
            Ok(order)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let first = random().await;
            tracing::info!(first, "begun");
            for round in 0..4 {
                let chance = random().await;
                if chance % 2 == 0 {
                    check(order + round).await?;
                } else {
                    weigh(order + round).await?;
                }
            }
            Ok(order)
        }
    }

    /// The progress is told.
    progress_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            progress(&1).await;
            reserve(order).await?;
            check(order).await
        }
    }

    /// The progress is not told any more.
    progress_removed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            progress(&1).await;
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }

    /// The progress is told with another value.
    progress_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            progress(&1).await;
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            progress("begun").await;
            reserve(order).await?;
            check(order).await
        }
    }

    /// The workflow takes one value more.
    parameter_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32, more: u32) -> Result<u32, No> {
            reserve(order + more).await
        }
    }

    /// The workflow takes another type.
    parameter_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: String) -> Result<u32, No> {
            reserve(order.parse().unwrap_or(0)).await
        }
    }

    /// The workflow gives another type: only what comes is written with it.
    result_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<String, No> {
            reserve(order).await.map(|held| held.to_string())
        }
    }

    /// Another version, the old code beside it.
    version_with_old_code on (7), keeps_old:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow(version = 2)]
        pub async fn flow(order: u32) -> Result<u32, No> {
            check(order).await?;
            charge(order).await
        }
    }

    /// Another version, and the old code is gone.
    version_without_old_code on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow(version = 2)]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }

    /// A run begins anew with other arguments.
    begins_anew_otherwise on (7), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if order > 7 {
                return Ok(held);
            }
            return continue_as_new(flow(order + 1)).await;
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if order > 7 {
                return Ok(held);
            }
            return continue_as_new(flow(order + 2)).await;
        }
    }

    /// A run that began anew ends instead.
    ends_instead_of_beginning_anew on (7), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if order > 7 {
                return Ok(held);
            }
            return continue_as_new(flow(order + 1)).await;
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held)
        }
    }

    /// A run that begins anew is given one value more.
    begins_anew_with_more on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if order > 7 {
                return Ok(held);
            }
            return continue_as_new(flow(order + 1)).await;
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32, round: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if order > 7 {
                return Ok(held);
            }
            return continue_as_new(flow(order + 1, round + 1)).await;
        }
    }

    /// A step more in each generation, after the last one: the next generation begins with the new code.
    generation_extended on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if order > 7 {
                return Ok(held);
            }
            return continue_as_new(flow(order + 1)).await;
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if order > 7 {
                notify(order).await;
                return Ok(held);
            }
            return continue_as_new(flow(order + 1)).await;
        }
    }
}
