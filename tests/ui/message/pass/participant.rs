//! The party and the field of the key are in the graph, each message once, wherever the flow meets it.
use workflow_runtime::graph::MessageFacts;
use workflow_runtime::prelude::*;

mod messages {
    use workflow_runtime::prelude::*;

    #[derive(Clone, Serialize, Deserialize, Message)]
    #[message(name = "new card", key = order_id, participant = "Customer")]
    pub struct NewCard {
        pub order_id: String,
    }
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order_id, participant = "Customer")]
struct OrderPaid {
    order_id: String,
}

/// Sell
#[workflow(on = OrderPlaced)]
async fn sell(placed: OrderPlaced) {
    use messages::NewCard;
    if receive::<NewCard>(&placed.order_id).within(days(1)).await.is_err() {
        let _later = receive::<NewCard>(&placed.order_id).forever().await;
    }
    publish(OrderPaid { order_id: placed.order_id }).await;
}

fn main() {
    let expected = [
        MessageFacts::of("OrderPlaced", "order_id", ""),
        MessageFacts::of("new card", "order_id", "Customer"),
        MessageFacts::of("OrderPaid", "order_id", "Customer"),
    ];
    assert_eq!(*sell.graph().messages, expected);
}
