//! Pairs: pauses, and the deadline of a whole run.

use std::time::{Duration, SystemTime};

use super::pair::pairs;
use super::shop::*;

pub(super) fn soon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(90)
}

pairs! {
    /// A pause is longer.
    pause_lengthened on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            sleep(days(1)).await;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            sleep(days(30)).await;
            check(order).await
        }
    }

    /// A pause before a step.
    pause_added on (7):
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
            sleep(days(1)).await;
            check(order).await
        }
    }

    /// A pause at the very end.
    pause_appended on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            sleep(days(1)).await;
            Ok(held)
        }
    }

    /// No pause any more.
    pause_removed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            sleep(days(1)).await;
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

    /// A pause of some length becomes one until a point in time.
    sleep_to_sleep_until on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            sleep(days(1)).await;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            sleep_until(soon()).await;
            check(order).await
        }
    }

    /// A pause becomes a wait for a message.
    pause_to_receive on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            sleep(days(1)).await;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            match receive::<Noted>(order).within(days(1)).await {
                Ok(_) | Err(TimedOut) => {}
            }
            check(order).await
        }
    }

    /// A run gets a deadline.
    deadline_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow(deadline = "30d")]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }

    /// A run has no deadline any more.
    deadline_removed on (7):
    old {
        #[workflow(deadline = "30d")]
        pub async fn flow(order: u32) -> Result<u32, No> {
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

    /// The deadline of a run is another one.
    deadline_moved on (7):
    old {
        #[workflow(deadline = "30d")]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow(deadline = "3d")]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
}
