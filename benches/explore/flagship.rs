//! The flagship of the examples, `fulfil_order`, with what goes wrong in its world.
//! Its own tests say what has to hold; here it only has to be quick.

use std::path::Path;

use workflow_test::{Exploration, Explore};

use crate::orders::{Card, Order, read_orders};
use crate::simulator::{ChargeId, ReservationId, TrackingId};
use crate::workflow::{
    NewCard, StockError, book_shipment, confirm_order, fulfil_order, refund_payment, release_goods,
    reserve_goods, retrieve_payment,
};

const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/order_fulfilment/orders.jsonl");

fn order() -> Order {
    read_orders(Path::new(ORDERS)).expect("the orders of the example").remove(0)
}

fn new_card() -> NewCard {
    let card = Card { number: "4242424242424242".into(), expires: "2031-01".into() };
    NewCard { order_id: order().id, card }
}

pub(crate) fn explore() -> Exploration {
    let kit = Explore::named("flagship");
    kit.on(reserve_goods).returns(Ok(ReservationId("reservation-1".into())));
    kit.on(retrieve_payment).returns(Ok(ChargeId("charge-1".into())));
    kit.on(book_shipment).returns(Ok(TrackingId("parcel-1".into())));
    kit.on(confirm_order).returns(());
    kit.on(refund_payment).returns(());
    kit.on(release_goods).returns(());
    kit.workflow(|| fulfil_order(order()))
        .message(new_card)
        .sample(reserve_goods, Err(StockError::OutOfStock { sku: "MUG".into() }))
        .each_step_fails()
        .crash_at_every_write()
}
