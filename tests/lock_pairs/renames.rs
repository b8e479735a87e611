//! Pairs: the same thing under another name.

use super::pair::pairs;
use super::shop::*;

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(name = "Paid", key = order)]
pub struct Payment {
    pub order: u32,
    pub cents: u32,
}

pairs! {
    /// A step is renamed, and says what it was called.
    step_renamed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            check(order).await?;
            reserve(order).await?;
            reserve(order + 1).await?;
            charge(order).await
        }
    }
    new {
        #[step(compensate = release(order), timeout = "10s", was = "reserve")]
        pub async fn hold(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            check(order).await?;
            hold(order).await?;
            hold(order + 1).await?;
            charge(order).await
        }
    }

    /// A step is renamed, and does not say what it was called.
    step_renamed_silently on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[step(compensate = release(order), timeout = "10s")]
        pub async fn hold(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            hold(order).await?;
            charge(order).await
        }
    }

    /// The function has another name, the step keeps its own.
    name_pinned on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[step(name = "reserve", compensate = release(order), timeout = "10s")]
        pub async fn hold(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            hold(order).await?;
            charge(order).await
        }
    }

    /// The step has another name, the function keeps its own, and the former name is told.
    name_given on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }
    new {
        #[step(name = "put-aside", was = "reserve", compensate = release(order), timeout = "10s")]
        pub async fn reserve(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }

    /// What undoes a step is renamed, and says what it was called.
    compensation_renamed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            reserve(order + 1).await?;
            check(order).await
        }
    }
    new {
        #[step(compensate = give_back(order), timeout = "10s")]
        pub async fn reserve(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[step(retriable, was = "release")]
        pub async fn give_back(world: Resource<World>, cx: StepContext, order: u32) {
            world.take_back(&cx, "reserve", order);
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            reserve(order + 1).await?;
            check(order).await
        }
    }

    /// What undoes a step is renamed, and does not say what it was called.
    compensation_renamed_silently on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[step(compensate = give_back(order), timeout = "10s")]
        pub async fn reserve(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[step(retriable)]
        pub async fn give_back(world: Resource<World>, cx: StepContext, order: u32) {
            world.take_back(&cx, "reserve", order);
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }

    /// Two steps take each other's names: nobody can tell which of them a run has come to.
    names_exchanged on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            check(order).await?;
            weigh(order + 1).await
        }
    }
    new {
        #[step(read_only, was = "weigh")]
        pub async fn check(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "weigh", order)
        }
        #[step(read_only, was = "check")]
        pub async fn weigh(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "check", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            weigh(order).await?;
            check(order + 1).await
        }
    }

    /// A renamed step, and another one that took its former name.
    former_name_taken on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            check(order).await?;
            reserve(order).await
        }
    }
    new {
        #[step(read_only, was = "check")]
        pub async fn look(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "check", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            look(order).await?;
            reserve(order).await?;
            check(order + 1).await
        }
    }

    /// The type of a message is renamed, its name is pinned.
    message_type_renamed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).forever().await;
            Ok(paid.cents)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Payment>(order).forever().await;
            Ok(paid.cents)
        }
    }

    /// A renamed step in a subflow.
    renamed_in_a_subflow on (7):
    old {
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await?;
            pack(order + 1).await
        }
    }
    new {
        #[step(compensate = release(order), timeout = "10s", was = "reserve")]
        pub async fn hold(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[subflow]
        pub async fn pack(order: u32) -> Result<u32, No> {
            hold(order).await?;
            check(order).await
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            pack(order).await?;
            pack(order + 1).await
        }
    }
}
