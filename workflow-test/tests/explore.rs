//! Exploring: every failure, every crash, messages and deadlines, and what is said about all ends.
//! What the oracles find is in tests of their own.

mod shop;

use shop::*;
use workflow_runtime::prelude::*;
use workflow_test::{Exploration, Explore, Outcome, compensations, edges, timers};

fn explore() -> Exploration {
    let kit = Explore::new();
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    kit.on(retrieve_payment).then(|order| Ok(Payment { amount: order.total }));
    kit.on(ship).returns(Ok(Parcel(1)));
    kit.on(thank).returns(());
    kit.workflow(|| fulfil_order(order())).messages(|| NewCard { order_id: 42 })
}

#[test]
fn an_order_survives_everything() {
    let report = explore()
        .each_step_fails()
        .crash_at_every_write()
        .always("goods are kept exactly when the order goes through", |end| {
            let kept = end.completed(reserve_goods) > end.completed(release_goods);
            kept == (end.outcome() == Outcome::Completed)
        })
        .sometimes("a refund", |end| end.ran(refund_payment))
        .sometimes("goods go back", |end| end.compensated(reserve_goods))
        .sometimes("a cancel", |end| end.outcome() == Outcome::Cancelled)
        .run();
    assert!(report.is_complete);
    assert_eq!(report.unsampled, [""; 0]);
    println!("{:?}", report.coverage().gaps());
    report.assert(edges(1.0)).assert(compensations(1.0)).assert(timers(1.0));
}
