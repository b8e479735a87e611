//! Pairs: what is declared about a step, its body, its arguments and its results.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// The body of a step does its work otherwise.
    body_changed on (7), mixes:
    old {
        #[step(compensate = refund(output))]
        pub async fn pay(world: Resource<World>, cx: StepContext, cents: u32) -> Result<u32, No> {
            world.act(&cx, "charge", cents)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let first = pay(order).await?;
            let second = pay(order).await?;
            Ok(first + second)
        }
    }
    new {
        #[step(compensate = refund(output))]
        pub async fn pay(world: Resource<World>, cx: StepContext, cents: u32) -> Result<u32, No> {
            world.act(&cx, "charge", cents + 1)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let first = pay(order).await?;
            let second = pay(order).await?;
            Ok(first + second)
        }
    }

    /// Another policy for retries, another timeout, at the step and at the call.
    policies_changed on (7):
    old {
        #[step(read_only, timeout = "10s", retry(attempts = 3, initial = "1s", factor = 2.0, max = "1m"))]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(order).await?;
            reserve(order).timeout(minutes(1)).await
        }
    }
    new {
        #[step(read_only, timeout = "2m", heartbeat = "10s", concurrency = 4,
               retry(attempts = 7, initial = "5s", factor = 3.0, max = "1h"))]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(order).timeout(minutes(5)).await?;
            reserve(order).retry(RetryPolicy::attempts(2)).await
        }
    }

    /// A step gives another type.
    result_type_changed on (7):
    old {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let answer = ask(order).await?;
            reserve(answer).await
        }
    }
    new {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<String, No> {
            world.act(&cx, "ask", order).map(|answer| answer.to_string())
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let answer = ask(order).await?;
            reserve(answer.parse().unwrap_or(0)).await
        }
    }

    /// What a step gives has a further field that may be missing.
    optional_field_added on (7):
    old {
        #[derive(Serialize, Deserialize)]
        pub struct Quote { pub cents: u32 }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<Quote, No> {
            world.act(&cx, "ask", order).map(|cents| Quote { cents })
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let quote = ask(order).await?;
            charge(quote.cents).await
        }
    }
    new {
        #[derive(Serialize, Deserialize)]
        pub struct Quote { pub cents: u32, pub valid_days: Option<u32> }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<Quote, No> {
            world.act(&cx, "ask", order).map(|cents| Quote { cents, valid_days: Some(3) })
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let quote = ask(order).await?;
            charge(quote.cents).await
        }
    }

    /// What a step gives has a further field that must be there. The type keeps its name.
    required_field_added on (7):
    old {
        #[derive(Serialize, Deserialize)]
        pub struct Quote { pub cents: u32 }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<Quote, No> {
            world.act(&cx, "ask", order).map(|cents| Quote { cents })
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let quote = ask(order).await?;
            charge(quote.cents).await
        }
    }
    new {
        #[derive(Serialize, Deserialize)]
        pub struct Quote { pub cents: u32, pub valid_days: u32 }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<Quote, No> {
            world.act(&cx, "ask", order).map(|cents| Quote { cents, valid_days: 3 })
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let quote = ask(order).await?;
            charge(quote.cents).await
        }
    }

    /// A step takes another type.
    argument_type_changed on (7):
    old {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(order).await
        }
    }
    new {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: &str) -> Result<u32, No> {
            world.act(&cx, "ask", order.parse().unwrap_or(0))
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(&order.to_string()).await
        }
    }

    /// A step takes one value more.
    argument_added on (7):
    old {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(order).await
        }
    }
    new {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32, more: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order + more)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(order, 0).await
        }
    }

    /// A parameter has another name, and what was taken by value is borrowed.
    parameter_renamed on (7):
    old {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(order).await
        }
    }
    new {
        #[step(read_only)]
        pub async fn ask(cx: StepContext, number: &u32, world: Resource<World>) -> Result<u32, No> {
            world.act(&cx, "ask", *number)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            ask(&order).await
        }
    }

    /// An error gets one variant more, and the code handles it.
    variant_added on (7):
    old {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
        pub enum Refused {
            #[error("sold out")] SoldOut,
        }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, Refused> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match ask(order).await {
                Ok(answer) => reserve(answer).await,
                Err(Refused::SoldOut) => weigh(order).await,
            }
        }
    }
    new {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
        pub enum Refused {
            #[error("sold out")] SoldOut,
            #[error("banned")] Banned,
        }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, Refused> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match ask(order).await {
                Ok(answer) => reserve(answer).await,
                Err(Refused::SoldOut) => weigh(order).await,
                Err(Refused::Banned) => check(order).await,
            }
        }
    }

    /// An error loses a variant: an answer with it cannot be read any more.
    variant_removed on (7):
    old {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
        pub enum Refused {
            #[error("sold out")] SoldOut,
            #[error("banned")] Banned,
        }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, Refused> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match ask(order).await {
                Ok(answer) => reserve(answer).await,
                Err(Refused::SoldOut) => weigh(order).await,
                Err(Refused::Banned) => check(order).await,
            }
        }
    }
    new {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
        pub enum Refused {
            #[error("sold out")] SoldOut,
        }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, Refused> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match ask(order).await {
                Ok(answer) => reserve(answer).await,
                Err(Refused::SoldOut) => weigh(order).await,
            }
        }
    }

    /// A variant of an error has another name.
    variant_renamed on (7):
    old {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
        pub enum Refused {
            #[error("sold out")] SoldOut,
        }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, Refused> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match ask(order).await {
                Ok(answer) => reserve(answer).await,
                Err(Refused::SoldOut) => weigh(order).await,
            }
        }
    }
    new {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
        pub enum Refused {
            #[error("sold out")] Gone,
        }
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, Refused> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match ask(order).await {
                Ok(answer) => reserve(answer).await,
                Err(Refused::Gone) => weigh(order).await,
            }
        }
    }

    /// A step that could fail cannot any more.
    error_removed on (7):
    old {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let answer = ask(order).await?;
            reserve(answer).await
        }
    }
    new {
        #[step(read_only)]
        pub async fn ask(world: Resource<World>, cx: StepContext, order: u32) -> u32 {
            world.do_it(&cx, "ask", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let answer = ask(order).await;
            reserve(answer).await
        }
    }
}
