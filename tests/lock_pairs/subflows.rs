//! Pairs: scopes inside of the run, and children: runs beside it.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// Two steps move into a subflow.
    extracted on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            prepare(order).await?;
            check(order).await
        }
    }

    /// The steps of a subflow are written in place.
    inlined on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            prepare(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await?;
            check(order).await
        }
    }

    /// A step is added inside of a subflow.
    step_inside on (7):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await
        }
    }
    new {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            charge(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await
        }
    }

    /// A step is called after the last one of a subflow, with which the run ends.
    last_subflow_appended on (7):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            check(order).await?;
            pack(order).await
        }
    }
    new {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            weigh(order).await?;
            Ok(held)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            check(order).await?;
            pack(order).await
        }
    }

    /// A step is called after the last one of a subflow, behind which the run goes on.
    subflow_extended on (7):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await?;
            check(order).await
        }
    }
    new {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            weigh(order).await?;
            Ok(held)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await?;
            check(order).await
        }
    }

    /// A condition inside of a subflow compares with another number.
    guard_inside_changed on (50) (150) (250):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await
        }
    }
    new {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            if order > 200 {
                check(order).await?;
            }
            reserve(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await
        }
    }

    /// A subflow that looks at its argument is given another one.
    subflow_given_otherwise on (50) (150):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await
        }
    }
    new {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            if order > 100 {
                check(order).await?;
            }
            reserve(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order + 100).await
        }
    }

    /// A subflow has another name.
    subflow_renamed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            prepare(order).await?;
            check(order).await
        }
    }
    new {
        #[subflow]
        pub async fn make_ready(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            make_ready(order).await?;
            check(order).await
        }
    }

    /// A subflow makes another value of the same answers, and its caller decides by it.
    subflow_answers_otherwise on (50) (150):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let packed = pack(order).await?;
            if packed > 100 { check(order).await } else { weigh(order).await }
        }
    }
    new {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            let held = reserve(order).await?;
            Ok(held + 60)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let packed = pack(order).await?;
            if packed > 100 { check(order).await } else { weigh(order).await }
        }
    }

    /// What a subflow gives has another type; it is not recorded.
    subflow_result_changed on (7):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            reserve(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let packed = pack(order).await?;
            charge(packed).await
        }
    }
    new {
        #[subflow]
        pub async fn pack(order: u32) -> Result<String, No> {
            reserve(order).await.map(|packed| packed.to_string())
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let packed = pack(order).await?;
            charge(packed.parse().unwrap_or(0)).await
        }
    }

    /// A child between two steps.
    child_added on (7):
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
            deliver(order).await?;
            charge(order).await
        }
    }

    /// Another child is started in its place.
    child_replaced on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            deliver(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            collect(order).await
        }
    }

    /// Nobody waits for the child any more.
    child_detached on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            deliver(order).await?;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let _child = deliver(order).detached().await;
            charge(order).await
        }
    }

    /// The child is waited for.
    child_attached on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let _child = deliver(order).detached().await;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            deliver(order).await?;
            charge(order).await
        }
    }

    /// A child gets an id of its own.
    child_id_given on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            deliver(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            deliver(order).id(format!("delivery-{order}")).await
        }
    }

    /// A child does something else inside: its runs are its own.
    child_changed_inside on (7):
    old {
        #[workflow(name = "carry")]
        pub async fn carry(order: u32) -> Result<u32, No> {
            check(order).await?;
            Ok(7)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            carry(order).await
        }
    }
    new {
        #[workflow(name = "carry")]
        pub async fn carry(order: u32) -> Result<u32, No> {
            check(order).await?;
            notify(order).await;
            Ok(7)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            carry(order).await
        }
    }

    /// What a child gives has another type.
    child_result_changed on (7):
    old {
        #[workflow(name = "carry")]
        pub async fn carry(order: u32) -> Result<u32, No> {
            check(order).await?;
            Ok(7)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let carried = carry(order).await?;
            reserve(carried).await
        }
    }
    new {
        #[workflow(name = "carry")]
        pub async fn carry(order: u32) -> Result<String, No> {
            check(order).await?;
            Ok("7".to_owned())
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let carried = carry(order).await?;
            reserve(carried.parse().unwrap_or(0)).await
        }
    }
}
