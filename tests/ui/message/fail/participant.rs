//! Who sends or takes a message is a name, said once.
use workflow_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order_id, participant = "")]
struct Nobody {
    order_id: String,
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order_id, participant)]
struct Nameless {
    order_id: String,
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order_id, participant = Customer)]
struct Unquoted {
    order_id: String,
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(key = order_id, participants = "Customer")]
struct Misspelt {
    order_id: String,
}

fn main() {}
