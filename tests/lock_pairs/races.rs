//! Pairs: the first of several wins.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// One more that may win.
    racer_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.order,
                _ = sleep(days(1)) => 0,
            };
            check(won).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.order,
                _ = sleep(days(1)) => 0,
                _ = receive::<Noted>(order).forever() => 1,
            };
            check(won).await
        }
    }

    /// One less.
    racer_removed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.order,
                _ = sleep(days(1)) => 0,
                _ = receive::<Noted>(order).forever() => 1,
            };
            check(won).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.order,
                _ = sleep(days(1)) => 0,
            };
            check(won).await
        }
    }

    /// They change places.
    racers_reordered on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.order,
                _ = sleep(days(1)) => 0,
            };
            check(won).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let won = select! {
                _ = sleep(days(1)) => 0,
                paid = receive::<Paid>(order).forever() => paid.order,
            };
            check(won).await
        }
    }

    /// What is done with one that wins, where nothing comes behind.
    step_behind_an_arm_appended on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                paid = receive::<Paid>(order).forever() => charge(paid.order).await,
                _ = sleep(days(1)) => Ok(0),
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                paid = receive::<Paid>(order).forever() => charge(paid.order).await,
                _ = sleep(days(1)) => check(order).await,
            }
        }
    }

    /// What is done with one that wins, where a step comes behind.
    step_in_an_arm_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.order,
                _ = sleep(days(1)) => 0,
            };
            reserve(won).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.order,
                _ = sleep(days(1)) => check(order).await?,
            };
            reserve(won).await
        }
    }

    /// What is done with two that win changes places.
    arm_bodies_exchanged on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                _ = receive::<Paid>(order).forever() => charge(order).await,
                _ = sleep(days(1)) => check(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                _ = receive::<Paid>(order).forever() => check(order).await,
                _ = sleep(days(1)) => charge(order).await,
            }
        }
    }

    /// A race between steps: both are asked for, only one is still.
    race_to_step on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                held = reserve(order) => held,
                paid = charge(order) => paid,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await
        }
    }

    /// A race between steps gets a longer pause beside it.
    pause_beside_steps_lengthened on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                held = reserve(order) => held,
                _ = sleep(days(1)) => check(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                held = reserve(order) => held,
                _ = sleep(days(9)) => check(order).await,
            }
        }
    }

    /// A wait with a deadline is written as a race.
    wait_to_race on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match receive::<Paid>(order).within(days(1)).await {
                Ok(paid) => charge(paid.order).await,
                Err(TimedOut) => check(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                paid = receive::<Paid>(order).forever() => charge(paid.order).await,
                _ = sleep(days(1)) => check(order).await,
            }
        }
    }
}
