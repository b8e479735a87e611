//! Pairs: values that a decision depends on. The decision itself stays as it was.

use std::time::{Duration, SystemTime};

use super::pair::pairs;
use super::shop::*;

pub struct Limits {
    pub large: u32,
}

#[subflow]
pub async fn graded(order: u32) -> Result<u32, No> {
    if order > 100 {
        check(order).await?;
    }
    reserve(order).await
}

pairs! {
    /// What a loop takes from.
    taken_from on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut lines = vec![1, 2];
            while let Some(line) = lines.pop() {
                reserve(order + line).await?;
            }
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut lines = vec![1, 2, 3];
            while let Some(line) = lines.pop() {
                reserve(order + line).await?;
            }
            check(order).await
        }
    }

    /// How often a loop goes round, behind a local.
    rounds on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let rounds = 2;
            for round in 0..rounds {
                reserve(order + round).await?;
            }
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let rounds = 3;
            for round in 0..rounds {
                reserve(order + round).await?;
            }
            check(order).await
        }
    }

    /// How many calls go on at a time, behind a local.
    at_a_time on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let at_a_time = 1;
            let held = try_join_all([order, order + 1].into_iter().map(|line| reserve(line))).limit(at_a_time).await?;
            Ok(held.iter().sum())
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let at_a_time = 2;
            let held = try_join_all([order, order + 1].into_iter().map(|line| reserve(line))).limit(at_a_time).await?;
            Ok(held.iter().sum())
        }
    }

    /// What is added to the answers of steps before they are looked at.
    sum_of_answers on (20) (60) (90):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut sum = 0;
            for _ in 0..2 {
                sum += weigh(order).await?;
                if sum > 100 {
                    check(order).await?;
                }
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut sum = 0;
            for _ in 0..2 {
                sum += weigh(order).await? + 30;
                if sum > 100 {
                    check(order).await?;
                }
            }
            reserve(order).await
        }
    }

    /// A field of a value that is put together before.
    field on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let limits = Limits { large: 100 };
            if order > limits.large {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let limits = Limits { large: 200 };
            if order > limits.large {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A function inside of the function.
    function_inside on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            fn is_large(order: u32) -> bool {
                order > 100
            }
            if is_large(order) {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            fn is_large(order: u32) -> bool {
                order > 200
            }
            if is_large(order) {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// What a subflow that decides nothing is given: recorded arguments stay what they are.
    subflow_that_decides_nothing on (7), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = prepare(order).await?;
            check(held).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = prepare(order + 1).await?;
            check(held).await
        }
    }

    /// What is given to a subflow inside of a subflow that decides.
    given_through_a_subflow on (50) (150):
    old {
        #[subflow]
        pub async fn inner(order: u32) -> Result<u32, No> {
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
        #[subflow]
        pub async fn outer(order: u32) -> Result<u32, No> {
            inner(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            outer(order).await
        }
    }
    new {
        #[subflow]
        pub async fn inner(order: u32) -> Result<u32, No> {
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
        #[subflow]
        pub async fn outer(order: u32) -> Result<u32, No> {
            inner(order + 100).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            outer(order).await
        }
    }

    /// A local behind what a subflow is given.
    local_behind_a_subflow on (50) (150):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let more = 0;
            graded(order + more).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let more = 100;
            graded(order + more).await
        }
    }

    /// A parameter of the workflow changes its place with another of the same type.
    parameters_exchanged on (50, 150):
    old {
        #[workflow]
        pub async fn flow(order: u32, limit: u32) -> Result<u32, No> {
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(limit: u32, order: u32) -> Result<u32, No> {
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// What a race looks at afterwards.
    value_of_a_race on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.cents,
                _ = sleep(days(1)) => 1,
            };
            if won > 3 { check(order).await } else { weigh(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let won = select! {
                paid = receive::<Paid>(order).forever() => paid.cents,
                _ = sleep(days(1)) => 9,
            };
            if won > 3 { check(order).await } else { weigh(order).await }
        }
    }

    /// The time that is compared with a local.
    compared_with_the_time on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let due = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
            reserve(order).await?;
            if now().await > due { check(order).await } else { weigh(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let due = SystemTime::UNIX_EPOCH + Duration::from_secs(100_000_000);
            reserve(order).await?;
            if now().await > due { check(order).await } else { weigh(order).await }
        }
    }
}
