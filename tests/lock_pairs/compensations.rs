//! Pairs: what is undone, by whom and with what; and what a step is said to do to the world.

use super::pair::pairs;
use super::shop::*;

#[step(retriable)]
pub async fn cancel_order(world: Resource<World>, cx: StepContext, order: u32) {
    world.take_back(&cx, "order", order);
}

#[step(retriable)]
pub async fn recall_order(world: Resource<World>, cx: StepContext, order: u32) {
    world.take_back(&cx, "order", order);
}

pairs! {
    /// A step that nothing undid is undone now.
    compensation_added on (7):
    old {
        #[step(read_only)]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            order_it(order).await?;
            check(order).await
        }
    }
    new {
        #[step(compensate = cancel_order(order))]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            order_it(order).await?;
            check(order).await
        }
    }

    /// A step is not undone any more.
    compensation_removed on (7):
    old {
        #[step(compensate = cancel_order(order))]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            order_it(order).await?;
            check(order).await
        }
    }
    new {
        #[step(read_only)]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            order_it(order).await?;
            check(order).await
        }
    }

    /// A step is undone by another step.
    compensation_replaced on (7):
    old {
        #[step(compensate = cancel_order(order))]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            order_it(order).await?;
            check(order).await
        }
    }
    new {
        #[step(compensate = recall_order(order))]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            order_it(order).await?;
            check(order).await
        }
    }

    /// What undoes a step is given what the step returned, and no longer what it was given.
    wiring_changed on (7):
    old {
        #[step(compensate = cancel_order(order))]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            order_it(order).await?;
            check(order).await
        }
    }
    new {
        #[step(compensate = cancel_order(output))]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            order_it(order).await?;
            check(order).await
        }
    }

    /// The same, where an attempt may have taken effect though nobody knows.
    wiring_of_an_unknown_outcome_changed on (7):
    old {
        #[step(compensate = cancel_order(order), timeout = "10s")]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                ordered = order_it(order) => ordered,
                _ = sleep(days(1)) => check(order).await,
            }
        }
    }
    new {
        #[step(compensate = cancel_order(output), timeout = "10s")]
        pub async fn order_it(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "order", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            select! {
                ordered = order_it(order) => ordered,
                _ = sleep(days(1)) => check(order).await,
            }
        }
    }

    /// One call of a step is not undone any more.
    call_without_compensation on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            charge(order).await?;
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            charge(order).await?;
            reserve(order).without_compensation().await?;
            check(order).await
        }
    }

    /// The compensation itself does its work otherwise.
    compensation_body_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }
    new {
        #[step(compensate = release(order), timeout = "10s")]
        pub async fn reserve(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "reserve", order)
        }
        #[step(retriable)]
        pub async fn release(order: u32, cx: StepContext, world: Resource<World>) {
            tracing::info!(order, "released");
            world.take_back(&cx, "reserve", order);
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await
        }
    }

    /// A step becomes the point of no return.
    becomes_the_pivot on (7):
    old {
        #[step(read_only)]
        pub async fn sign(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "sign", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let signed = sign(order).await?;
            notify(order).await;
            Ok(signed)
        }
    }
    new {
        #[step(pivot)]
        pub async fn sign(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "sign", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let signed = sign(order).await?;
            notify(order).await;
            Ok(signed)
        }
    }

    /// The point of no return becomes a step like others.
    pivot_no_more on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let shipped = ship(order).await?;
            notify(order).await;
            Ok(shipped)
        }
    }
    new {
        #[step(read_only)]
        pub async fn ship(world: Resource<World>, cx: StepContext, order: u32) -> Result<u32, No> {
            world.act(&cx, "ship", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let shipped = ship(order).await?;
            notify(order).await;
            Ok(shipped)
        }
    }

    /// A step that only looked is repeated until it succeeds; what the call gives is the same.
    read_only_to_retriable on (7):
    old {
        #[step(read_only)]
        pub async fn tell(world: Resource<World>, cx: StepContext, order: u32) -> u32 {
            world.do_it(&cx, "tell", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let told = tell(order).await;
            notify(told).await;
            Ok(told)
        }
    }
    new {
        #[step(retriable)]
        pub async fn tell(world: Resource<World>, cx: StepContext, order: u32) -> u32 {
            world.do_it(&cx, "tell", order)
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let told = tell(order).await;
            notify(told).await;
            Ok(told)
        }
    }

    /// What was done is undone on purpose, before a step.
    undone_on_purpose on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            weigh(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            check(order).await?;
            compensate().await;
            weigh(order).await
        }
    }

    /// What was done is undone on purpose at the very end.
    undone_at_the_end on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let seen = check(order).await?;
            Ok(seen)
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let seen = check(order).await?;
            compensate().await;
            Ok(seen)
        }
    }
}
