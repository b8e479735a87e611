//! Pairs: the remedies, used well and used wrongly.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// A step is put between two others, for runs that come there from now on.
    insert_patched on (7):
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
            if patched("look-first").await {
                check(order).await?;
            }
            charge(order).await
        }
    }

    /// A step is replaced, for runs that come there from now on.
    replace_patched on (7):
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
            if patched("weigh-it").await {
                weigh(order).await?;
            } else {
                check(order).await?;
            }
            charge(order).await
        }
    }

    /// The branches of a change are the wrong way round.
    patched_wrong_way on (7):
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
            if patched("weigh-it").await {
                check(order).await?;
            } else {
                weigh(order).await?;
            }
            charge(order).await
        }
    }

    /// The branch for older runs is not what they did.
    old_branch_differs on (7):
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
            if patched("weigh-it").await {
                weigh(order).await?;
            } else {
                check(order).await?;
                check(order + 1).await?;
            }
            charge(order).await
        }
    }

    /// A condition is changed, for runs that come there from now on.
    guard_patched on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if patched("larger-orders").await {
                if order > 200 {
                    check(order).await?;
                }
            } else {
                if order > 100 {
                    check(order).await?;
                }
            }
            reserve(order).await
        }
    }

    /// A change is finished: both the question and the old branch are gone.
    patch_removed on (7):
    before {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            charge(order).await
        }
    }
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("weigh-it").await {
                weigh(order).await?;
            } else {
                check(order).await?;
            }
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            weigh(order).await?;
            charge(order).await
        }
    }

    /// A change is finished: the old branch is gone, the question stays. Runs from before may still be there.
    old_branch_removed on (7):
    before {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            charge(order).await
        }
    }
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("weigh-it").await {
                weigh(order).await?;
            } else {
                check(order).await?;
            }
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("weigh-it").await {
                weigh(order).await?;
            }
            charge(order).await
        }
    }

    /// A change on top of a change.
    second_patch on (7):
    before {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("look-first").await {
                check(order).await?;
            }
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("look-first").await {
                check(order).await?;
            }
            if patched("weigh-it").await {
                weigh(order).await?;
            }
            charge(order).await
        }
    }

    /// A change within the new branch of a change.
    patch_in_a_patch on (7):
    before {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("look-first").await {
                check(order).await?;
            }
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("look-first").await {
                check(order).await?;
                if patched("weigh-it").await {
                    weigh(order).await?;
                }
            }
            charge(order).await
        }
    }

    /// A change has another id.
    patch_renamed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("look-first").await {
                check(order).await?;
            }
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            if patched("look-before").await {
                check(order).await?;
            }
            charge(order).await
        }
    }

    /// One id for two changes: the second place answers what the first one did.
    one_id_for_two_changes on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if patched("look-first").await {
                check(order).await?;
            }
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if patched("look-first").await {
                check(order).await?;
            }
            reserve(order).await?;
            if patched("look-first").await {
                weigh(order).await?;
            }
            charge(order).await
        }
    }

    /// A change that is asked for in a loop: a run that has gone one round the old way goes on so.
    patched_in_a_loop on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..3 {
                reserve(order + round).await?;
            }
            Ok(order)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..3 {
                if patched("look-first").await {
                    check(order + round).await?;
                }
                reserve(order + round).await?;
            }
            Ok(order)
        }
    }

    /// A change in a branch of a `try_join!`.
    patched_in_a_branch on (7):
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
                    if patched("weigh-it").await {
                        weigh(held).await?;
                    }
                    Ok(held)
                },
                async { check(order).await },
            )?;
            Ok(held + seen)
        }
    }
}
