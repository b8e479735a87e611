//! Pairs: branches that go on side by side, and calls over many values.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// A branch more.
    branch_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(reserve(order), check(order))?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen, _) = try_join!(reserve(order), check(order), weigh(order))?;
            Ok(held + seen)
        }
    }

    /// A branch less.
    branch_removed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen, _) = try_join!(reserve(order), check(order), weigh(order))?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(reserve(order), check(order))?;
            Ok(held + seen)
        }
    }

    /// Branches change places.
    branches_reordered on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(reserve(order), check(order))?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (seen, held) = try_join!(check(order), reserve(order))?;
            Ok(held + seen)
        }
    }

    /// One branch fails without the others: they go on with their next steps.
    try_join_to_join on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(
                async {
                    let held = reserve(order).await?;
                    charge(held).await
                },
                check(order),
            )?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = join!(
                async {
                    let held = reserve(order).await?;
                    charge(held).await
                },
                check(order),
            );
            Ok(held? + seen?)
        }
    }

    /// One after the other becomes side by side.
    sequence_to_join on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            let seen = check(order).await?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(reserve(order), check(order))?;
            Ok(held + seen)
        }
    }

    /// Side by side becomes one after the other.
    join_to_sequence on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(reserve(order), check(order))?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            let seen = check(order).await?;
            Ok(held + seen)
        }
    }

    /// A step is called after the last one of a branch: another branch may hold a run there.
    branch_of_a_join_extended on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(async { reserve(order).await }, async { check(order).await })?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(
                async {
                    let held = reserve(order).await?;
                    weigh(held).await
                },
                async { check(order).await },
            )?;
            Ok(held + seen)
        }
    }

    /// A condition in a branch compares with another number.
    guard_in_a_branch_changed on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(
                async { if order > 100 { reserve(order).await } else { weigh(order).await } },
                check(order),
            )?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(
                async { if order > 200 { reserve(order).await } else { weigh(order).await } },
                check(order),
            )?;
            Ok(held + seen)
        }
    }

    /// A step is called after all branches have come together, and nothing was.
    step_after_the_join on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(reserve(order), check(order))?;
            Ok(held + seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, seen) = try_join!(reserve(order), check(order))?;
            notify(order).await;
            Ok(held + seen)
        }
    }

    /// More calls at a time.
    limit_raised on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let lines = [order, order + 1, order + 2];
            let held = try_join_all(lines.iter().map(|line| reserve(*line))).limit(1).await?;
            Ok(held.iter().sum())
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let lines = [order, order + 1, order + 2];
            let held = try_join_all(lines.iter().map(|line| reserve(*line))).limit(2).await?;
            Ok(held.iter().sum())
        }
    }

    /// The first error does not end the calls any more.
    try_join_all_to_join_all on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = try_join_all([order, order + 1].into_iter().map(|line| reserve(line))).limit(1).await?;
            Ok(held.iter().sum())
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = join_all([order, order + 1].into_iter().map(|line| reserve(line))).limit(1).await;
            Ok(held.into_iter().map(|held| held.unwrap_or(0)).sum())
        }
    }

    /// There is one call more.
    more_calls on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = try_join_all([order, order + 1].into_iter().map(|line| reserve(line))).await?;
            Ok(held.iter().sum())
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = try_join_all([order, order + 1, order + 2].into_iter().map(|line| reserve(line))).await?;
            Ok(held.iter().sum())
        }
    }

    /// The list of the calls is made elsewhere, and is longer.
    longer_list on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let lines = vec![order, order + 1];
            let held = try_join_all(lines.iter().map(|line| reserve(*line))).await?;
            Ok(held.iter().sum())
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let lines = vec![order, order + 1, order + 2];
            let held = try_join_all(lines.iter().map(|line| reserve(*line))).await?;
            Ok(held.iter().sum())
        }
    }

    /// A loop becomes calls side by side.
    loop_to_join_all on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut sum = 0;
            for line in [order, order + 1] {
                sum += reserve(line).await?;
            }
            Ok(sum)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = try_join_all([order, order + 1].into_iter().map(|line| reserve(line))).await?;
            Ok(held.iter().sum())
        }
    }
}
