//! Pairs: how often the code goes round, and over what.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// One round more.
    bound_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut sum = 0;
            for round in 0..2 {
                sum += reserve(order + round).await?;
            }
            charge(sum).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut sum = 0;
            for round in 0..3 {
                sum += reserve(order + round).await?;
            }
            charge(sum).await
        }
    }

    /// The rounds come in the other order.
    iterator_reversed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for line in [1, 2, 3] {
                reserve(order + line).await?;
            }
            Ok(order)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for line in [3, 2, 1] {
                reserve(order + line).await?;
            }
            Ok(order)
        }
    }

    /// The loop is written alike, the list that it goes over is another one.
    list_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let lines = vec![1, 2];
            for line in &lines {
                reserve(order + line).await?;
            }
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let lines = vec![1, 2, 3];
            for line in &lines {
                reserve(order + line).await?;
            }
            check(order).await
        }
    }

    /// The condition of a `while` is another one.
    while_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut round = 0;
            while round < 2 {
                reserve(order + round).await?;
                round += 1;
            }
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut round = 0;
            while round < 3 {
                reserve(order + round).await?;
                round += 1;
            }
            check(order).await
        }
    }

    /// The condition stays, the counter moves by another step.
    counter_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut round = 0;
            while round < 4 {
                reserve(order + round).await?;
                round += 2;
            }
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut round = 0;
            while round < 4 {
                reserve(order + round).await?;
                round += 1;
            }
            check(order).await
        }
    }

    /// A `while` becomes a `loop` with a `break`.
    while_to_loop on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut round = 0;
            while round < 2 {
                reserve(order + round).await?;
                round += 1;
            }
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let mut round = 0;
            loop {
                if round >= 2 {
                    break;
                }
                reserve(order + round).await?;
                round += 1;
            }
            check(order).await
        }
    }

    /// A step is added to each round.
    step_added_to_a_round on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..2 {
                reserve(order + round).await?;
            }
            Ok(order)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..2 {
                reserve(order + round).await?;
                check(order + round).await?;
            }
            Ok(order)
        }
    }

    /// A step is called after the loop, and nothing was.
    step_after_the_loop on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..2 {
                reserve(order + round).await?;
            }
            Ok(order)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..2 {
                reserve(order + round).await?;
            }
            notify(order).await;
            Ok(order)
        }
    }

    /// A loop is left early.
    break_added on (7):
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
                reserve(order + round).await?;
                if round == 1 {
                    break;
                }
            }
            Ok(order)
        }
    }

    /// A loop is written out.
    unrolled on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            for round in 0..2 {
                reserve(order + round).await?;
            }
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            reserve(order + 1).await?;
            check(order).await
        }
    }
}
