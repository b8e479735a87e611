//! A workflow that begins with a message; its parameter may be taken apart and called as one likes.
use workflow_runtime::prelude::*;

mod shop {
    use workflow_runtime::prelude::*;

    #[derive(Serialize, Deserialize, Message)]
    #[message(name = "Placed", key = order)]
    pub struct OrderPlaced {
        pub order: String,
    }
}

type Placed = shop::OrderPlaced;

#[workflow(on = shop::OrderPlaced, version = 2)]
async fn audit(Placed { order }: Placed) -> String {
    order
}

fn main() {
    let trigger = &audit.graph().trigger;
    assert_eq!(*trigger, workflow_runtime::graph::Trigger::Message("Placed".into()));
}
