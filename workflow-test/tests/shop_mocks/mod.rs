//! The mocks of an order with which nothing goes wrong, for explorations. The workflow itself is in `shop`.

use workflow_test::Explore;

use crate::shop::*;

/// Every step answers what its caller hopes for.
pub(crate) fn all_goes_well(kit: &Explore) {
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    kit.on(retrieve_payment).then(|order| Ok(Payment { amount: order.total }));
    kit.on(ship).returns(Ok(Parcel(1)));
    kit.on(thank).returns(());
}
