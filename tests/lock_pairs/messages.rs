//! Pairs: messages that come in and messages that leave.

use super::pair::pairs;
use super::shop::*;

pairs! {
    /// A wait is longer.
    wait_lengthened on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).within(days(1)).await?;
            charge(paid.cents).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).within(days(30)).await?;
            charge(paid.cents).await
        }
    }

    /// A wait with a deadline has none any more.
    wait_for_ever on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).within(days(1)).await?;
            charge(paid.cents).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.cents).await
        }
    }

    /// A wait without a deadline gets one.
    wait_gets_a_deadline on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.cents).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).within(days(1)).await?;
            charge(paid.cents).await
        }
    }

    /// What happened when nobody wrote in time happens otherwise.
    timeout_handled_otherwise on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match receive::<Paid>(order).within(days(1)).await {
                Ok(paid) => charge(paid.cents).await,
                Err(TimedOut) => check(order).await,
            }
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            match receive::<Paid>(order).within(days(1)).await {
                Ok(paid) => charge(paid.cents).await,
                Err(TimedOut) => weigh(order).await,
            }
        }
    }

    /// Another message is waited for.
    message_replaced on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            let noted = receive::<Noted>(order).forever().await;
            charge(noted.order).await
        }
    }

    /// A field of a message has another type. The message keeps its name.
    message_field_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.cents).await
        }
    }
    new {
        #[derive(Clone, Debug, Serialize, Deserialize, Message)]
        #[message(key = order)]
        pub struct Paid {
            pub order: u32,
            pub cents: String,
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.cents.parse().unwrap_or(0)).await
        }
    }

    /// A message gets a field that may be missing.
    message_field_added on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.cents).await
        }
    }
    new {
        #[derive(Clone, Debug, Serialize, Deserialize, Message)]
        #[message(key = order)]
        pub struct Paid {
            pub order: u32,
            pub cents: u32,
            pub by: Option<String>,
        }
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.cents).await
        }
    }

    /// The key of a wait is another value; a wait under way keeps its own.
    key_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.cents).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            let paid = receive::<Paid>(format!("order-{order}")).forever().await;
            charge(paid.cents).await
        }
    }

    /// A wait before a step.
    wait_added on (7):
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
            let paid = receive::<Paid>(order).forever().await;
            charge(paid.order).await
        }
    }

    /// A message leaves between two steps.
    send_added on (7):
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
            send(Noted { order }).await;
            charge(order).await
        }
    }

    /// A message leaves before all else: it goes out with the first turn.
    send_added_first on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            send(Noted { order }).await;
            charge(order).await
        }
    }

    /// An event is told at the very end.
    publish_appended on (7):
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
            publish(Noted { order }).await;
            Ok(paid)
        }
    }

    /// A message does not leave any more.
    send_removed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            send(Noted { order }).await;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            charge(order).await
        }
    }

    /// A command to one becomes an event for all.
    send_to_publish on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            send(Noted { order }).await;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            publish(Noted { order }).await;
            charge(order).await
        }
    }

    /// A message that leaves has other contents.
    sent_value_changed on (7):
    old {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            send(Noted { order }).await;
            charge(order).await
        }
    }
    new {
        #[workflow]
        pub async fn flow(order: u32) -> Result<u32, No> {
            reserve(order).await?;
            send(Noted { order: order + 1 }).await;
            charge(order).await
        }
    }
}
