//! Pairs: which way the code goes.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// A condition compares with another number.
    guard_changed on (50) (150) (250):
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
            if order > 200 {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// A condition over what a step gave compares with another number.
    guard_on_an_answer_changed on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let weight = weigh(order).await?;
            if weight > 100 { reserve(order).await } else { charge(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let weight = weigh(order).await?;
            if weight > 200 { reserve(order).await } else { charge(order).await }
        }
    }

    /// A condition says the same in other words.
    guard_reworded on (50) (150):
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
            if 100 < order {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// The condition is turned round, and with it the branches.
    branches_turned_round on (50) (150):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 { reserve(order).await } else { charge(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order <= 100 { charge(order).await } else { reserve(order).await }
        }
    }

    /// The branches change places under the same condition.
    branches_swapped on (50) (150):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 { reserve(order).await } else { charge(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 { charge(order).await } else { reserve(order).await }
        }
    }

    /// The condition stays, the local that it looks at is another number.
    local_in_a_guard_changed on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
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
            let limit = 200;
            if order > limit {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// The condition stays, a local that is computed over two others is another number.
    local_behind_a_local_changed on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let dozen = 10;
            let limit = dozen * 10;
            let is_large = order > limit;
            if is_large {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let dozen = 20;
            let limit = dozen * 10;
            let is_large = order > limit;
            if is_large {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// The condition stays, the local that it looks at is assigned otherwise.
    local_assigned_otherwise on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut weight = weigh(order).await?;
            weight += 10;
            if weight > 200 {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut weight = weigh(order).await?;
            weight += 100;
            if weight > 200 {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// The condition stays, the constant that it names is another number.
    constant_in_a_guard_changed on (50) (150) (250):
    old {
        const LIMIT: u32 = 100;
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > LIMIT {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        const LIMIT: u32 = 200;
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > LIMIT {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// The condition stays, the function that it calls answers otherwise.
    function_in_a_guard_changed on (50) (150) (250):
    old {
        fn is_large(order: u32) -> bool {
            order > 100
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if is_large(order) {
                check(order).await?;
            }
            reserve(order).await
        }
    }
    new {
        fn is_large(order: u32) -> bool {
            order > 200
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if is_large(order) {
                check(order).await?;
            }
            reserve(order).await
        }
    }

    /// The condition stays, the step that it looks at is given something else: recorded answers stay what they are.
    argument_before_a_guard_changed on (50) (150), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let weight = weigh(order).await?;
            if weight > 100 { check(order).await } else { reserve(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let weight = weigh(order + 60).await?;
            if weight > 100 { check(order).await } else { reserve(order).await }
        }
    }

    /// A condition that only chooses a value is changed.
    guard_of_a_value_changed on (50) (150) (250), mixes:
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let cents = if order > 100 { 1 } else { 2 };
            charge(cents).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let cents = if order > 200 { 1 } else { 3 };
            charge(cents).await
        }
    }

    /// An early end is put before the last step.
    early_return_added on (50) (150):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            charge(held).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            if held > 100 {
                return Ok(0);
            }
            charge(held).await
        }
    }

    /// One case more, taken out of the others.
    else_if_added on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 200 { reserve(order).await } else { charge(order).await }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 200 {
                reserve(order).await
            } else if order > 100 {
                check(order).await
            } else {
                charge(order).await
            }
        }
    }

    /// A step comes under a condition.
    step_made_conditional on (50) (150):
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
            if order > 100 {
                reserve(order).await?;
            }
            charge(order).await
        }
    }

    /// A step is called after the last one of a branch, and nothing comes behind the branches.
    branch_appended on (50) (150):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 {
                let held = reserve(order).await?;
                Ok(held)
            } else {
                charge(order).await
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 {
                let held = reserve(order).await?;
                notify(order).await;
                Ok(held)
            } else {
                charge(order).await
            }
        }
    }

    /// A step is called after the last one of a branch, and another one comes behind the branches.
    branch_extended on (50) (150):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 {
                reserve(order).await?;
            }
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if order > 100 {
                reserve(order).await?;
                check(order).await?;
            }
            charge(order).await
        }
    }

    /// A new branch at the very end, with steps of its own.
    branch_at_the_end on (50) (150):
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
            if paid > 100 {
                notify(order).await;
            } else {
                archive(order).await;
            }
            Ok(paid)
        }
    }
}
