//! Pairs: `match`, `let else`, `if let` and the question mark.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// A case more.
    arm_added on (1) (2) (3):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                1 => reserve(order).await,
                _ => charge(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                1 => reserve(order).await,
                2 => check(order).await,
                _ => charge(order).await,
            }
        }
    }

    /// A case less.
    arm_removed on (1) (2) (3):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                1 => reserve(order).await,
                2 => check(order).await,
                _ => charge(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                1 => reserve(order).await,
                _ => charge(order).await,
            }
        }
    }

    /// Cases that exclude each other change places.
    arms_reordered on (1) (2) (3):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                1 => reserve(order).await,
                2 => check(order).await,
                _ => charge(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                2 => check(order).await,
                1 => reserve(order).await,
                _ => charge(order).await,
            }
        }
    }

    /// Cases that overlap change places.
    overlapping_arms_reordered on (1) (2) (3):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                1..=2 => reserve(order).await,
                2..=9 => check(order).await,
                _ => charge(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                2..=9 => check(order).await,
                1..=2 => reserve(order).await,
                _ => charge(order).await,
            }
        }
    }

    /// What is looked at is another value; the cases stay.
    matched_value_changed on (1) (2):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order {
                1 => reserve(order).await,
                _ => charge(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match order + 1 {
                1 => reserve(order).await,
                _ => charge(order).await,
            }
        }
    }

    /// A guard behind a case compares with another number.
    arm_guard_changed on (50) (150) (250):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match weigh(order).await {
                Ok(weight) if weight > 100 => reserve(order).await,
                Ok(_) => charge(order).await,
                Err(error) => Err(error),
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match weigh(order).await {
                Ok(weight) if weight > 200 => reserve(order).await,
                Ok(_) => charge(order).await,
                Err(error) => Err(error),
            }
        }
    }

    /// A question mark is written out.
    question_mark_to_match on (7):
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
            let held = match reserve(order).await {
                Ok(held) => held,
                Err(error) => return Err(error),
            };
            charge(held).await
        }
    }

    /// An error that ended the run is handled with another step.
    error_handled on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order + 1).await?;
            let held = check(order).await?;
            charge(held).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order + 1).await?;
            let held = match check(order).await {
                Ok(held) => held,
                Err(No::SoldOut) => weigh(order).await?,
                Err(error) => return Err(error),
            };
            charge(held).await
        }
    }

    /// An error that was handled with another step ends the run.
    error_not_handled on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = match reserve(order).await {
                Ok(held) => held,
                Err(No::SoldOut) => weigh(order).await?,
                Err(error) => return Err(error),
            };
            charge(held).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            charge(held).await
        }
    }

    /// An error that ended the run is passed over: nothing was to be undone.
    error_passed_over on (7):
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
            let seen = check(order).await.unwrap_or(0);
            charge(seen).await
        }
    }

    /// A `match` becomes a `let else`.
    match_to_let_else on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let held = match check(order).await {
                Ok(held) => held,
                Err(_) => return weigh(order).await,
            };
            charge(held).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let Ok(held) = check(order).await else {
                return weigh(order).await;
            };
            charge(held).await
        }
    }

    /// An `if let` becomes a `match`.
    if_let_to_match on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            if let Ok(held) = check(order).await {
                return charge(held).await;
            }
            weigh(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match check(order).await {
                Ok(held) => charge(held).await,
                Err(_) => weigh(order).await,
            }
        }
    }

    /// The arms of a `match` over a step's error are exchanged.
    error_arms_exchanged on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match check(order).await {
                Ok(held) => charge(held).await,
                Err(No::SoldOut) => weigh(order).await,
                Err(No::Late(_)) => reserve(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match check(order).await {
                Ok(held) => charge(held).await,
                Err(No::SoldOut) => reserve(order).await,
                Err(No::Late(_)) => weigh(order).await,
            }
        }
    }
}
