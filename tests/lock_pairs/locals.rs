//! Pairs: locals that a condition depends on. The condition itself stays as it was.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// The value of a branch of a `join!`, on which a condition depends.
    value_of_a_parallel_branch on (50) (150):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, _) = try_join!(
                async {
                    let held = reserve(order).await?;
                    Ok(held + 1)
                },
                check(order),
            )?;
            if held > 100 { charge(order).await } else { weigh(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (held, _) = try_join!(
                async {
                    let held = reserve(order).await?;
                    Ok(held + 70)
                },
                check(order),
            )?;
            if held > 100 { charge(order).await } else { weigh(order).await }
        }
    }

    /// A parameter has another name, and a condition looks at it.
    parameter_renamed_in_a_guard on (50) (150):
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
        pub async fn flow(number: u32) -> Result<u32, No> {
            if number > 100 {
                check(number).await?;
            }
            reserve(number).await
        }
    }

    /// A constant inside of the function.
    constant_inside on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            const LIMIT: u32 = 100;
            if order > LIMIT {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            const LIMIT: u32 = 200;
            if order > LIMIT {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A closure that the condition calls.
    closure on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let is_large = |order: u32| order > 100;
            if is_large(order) {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let is_large = |order: u32| order > 200;
            if is_large(order) {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// One part of what is taken apart.
    taken_apart on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (limit, _) = (100, 1);
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let (limit, _) = (200, 1);
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A branch that gives the value.
    value_of_a_branch on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let limit = if order == 50 { 10 } else { 100 };
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let limit = if order == 50 { 10 } else { 200 };
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A branch that assigns the value.
    assigned_in_a_branch on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limit = 0;
            if order > 10 {
                limit = 100;
            }
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limit = 0;
            if order > 10 {
                limit = 200;
            }
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// The condition under which the value is assigned.
    condition_of_an_assignment on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limit = 500;
            if order > 100 {
                limit = 0;
            }
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limit = 500;
            if order > 200 {
                limit = 0;
            }
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A loop that adds it up.
    added_up on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limit = 0;
            for part in [40, 60] {
                limit += part;
            }
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limit = 0;
            for part in [40, 160] {
                limit += part;
            }
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// Something that is changed through a reference.
    changed_through_a_reference on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limits = Vec::new();
            limits.push(100);
            let limit = limits[0];
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut limits = Vec::new();
            limits.push(200);
            let limit = limits[0];
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A value of the same name, further inside.
    shadowed on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let limit = 50;
            let limit = limit + 50;
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let limit = 50;
            let limit = limit + 150;
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A value of the same name elsewhere, of which the condition does not know.
    namesake on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let cents = {
                let limit = 1;
                order + limit
            };
            tracing::info!(cents, "priced");
            let limit = 100;
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let cents = {
                let limit = 2;
                order + limit
            };
            tracing::info!(cents, "priced");
            let limit = 100;
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A local that no condition looks at.
    not_looked_at on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let words = "old";
            tracing::info!(words);
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let words = "new";
            tracing::info!(words);
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// What a question mark over plain code looks at.
    plain_question_mark on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let rest = order.checked_sub(100).ok_or(No::SoldOut)?;
            charge(rest).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let rest = order.checked_sub(200).ok_or(No::SoldOut)?;
            charge(rest).await
        }
    }

    /// What a `let else` over plain code looks at.
    plain_let_else on (50) (150) (250), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let Some(rest) = order.checked_sub(100) else {
                return Ok(0);
            };
            check(rest).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let Some(rest) = order.checked_sub(200) else {
                return Ok(0);
            };
            check(rest).await
        }
    }
}
