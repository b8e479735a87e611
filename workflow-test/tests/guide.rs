//! The examples of docs/testing.md, run as they stand there.
//! A block of the page that is not in this file, word for word, fails the last test.

use workflow_runtime::prelude::*;
use workflow_test::{
    Explore, Kit, Outcome, compensations, crash_points, edges, replay_histories, timers, workflow_test,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u32,
    total: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum OrderError {
    #[error("out of stock")]
    OutOfStock,
    #[error("card declined")]
    Declined,
    #[error("gateway unavailable")]
    #[step_error(transient)]
    Unavailable,
    #[error("no new card came in time")]
    NoCard(#[from] TimedOut),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "NewCard", key = order)]
struct NewCard {
    order: u32,
}

#[step(compensate = release_goods(order, output))]
async fn reserve_goods(order: &Order) -> Result<u32, OrderError> {
    u32::try_from(order.total).map_err(|_| OrderError::OutOfStock)
}

#[step(retriable)]
async fn release_goods(order: &Order, shelf: &u32) {
    let _ = (order, shelf);
}

#[step(pivot, retry(attempts = 3, initial = "10s"))]
async fn charge(order: &Order) -> Result<u64, OrderError> {
    Ok(order.total)
}

#[workflow]
async fn fulfil_order(order: Order) -> Result<u64, OrderError> {
    reserve_goods(&order).await?;
    match charge(&order).await {
        Err(OrderError::Declined) => {
            receive::<NewCard>(order.id).within(days(7)).await?;
            charge(&order).await
        }
        Ok(paid) => Ok(paid),
        Err(error) => Err(error),
    }
}

fn order() -> Order {
    Order { id: 42, total: 1200 }
}

#[workflow_test]
fn a_declined_card_is_replaced(kit: Kit) {
    kit.on(reserve_goods).returns(Ok(7));
    kit.on(charge).returns_once(Err(OrderError::Declined)).then(|order| Ok(order.total));
    let run = kit.start(fulfil_order(order()));
    run.until_waiting_for::<NewCard>();
    run.deliver(NewCard { order: 42 });
    assert_eq!(run.ok(), 1200);
    assert_eq!(run.compensated(), []);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = order)]
struct PartsDelivered {
    order: u32,
}

#[workflow]
async fn fulfil_in_parts(order: Order) -> Result<u64, OrderError> {
    let first = fulfil_order(order.clone()).await?;
    let rest = fulfil_order(order.clone()).await?;
    publish(PartsDelivered { order: order.id }).await;
    Ok(first + rest)
}

#[workflow_test]
fn an_order_in_parts_is_told_about(kit: Kit) {
    kit.on(reserve_goods).returns(Ok(7));
    kit.on_child(fulfil_order).returns_once(Ok(600)).then(|(order,)| Ok(order.total)).takes(hours(1));
    let run = kit.start(fulfil_in_parts(order()));
    assert_eq!(run.ok(), 1800);
    assert_eq!(run.elapsed(), hours(1));
    assert_eq!(run.published::<PartsDelivered>(), [PartsDelivered { order: 42 }]);
    assert_eq!(run.children().len(), 2);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = order)]
struct CancelOrder {
    order: u32,
}

#[workflow]
async fn reserve_unless_cancelled(order: Order) -> Result<u32, OrderError> {
    select! {
        reserved = reserve_goods(&order) => reserved,
        _ = receive::<CancelOrder>(order.id).forever() => Err(OrderError::OutOfStock),
    }
}

#[workflow_test(explore)]
fn every_way_is_in_a_history(kit: Explore) {
    kit.on(reserve_goods).returns(Ok(7));
    kit.on(charge).then(|order| Ok(order.total));
    kit.workflow(|| fulfil_order(order()))
        .messages::<NewCard>()
        .each_step_fails()
        .pairs()
        .histories("tests/histories")
        .run();
}

#[test]
fn runs_in_flight_go_on() {
    replay_histories(fulfil_order, "tests/histories");
}

#[workflow_test(explore)]
fn whichever_is_quicker(kit: Explore) {
    kit.on(reserve_goods).returns(Ok(7));
    kit.workflow(|| reserve_unless_cancelled(order()))
        .message(|| CancelOrder { order: 42 })
        .each_step_fails()
        .interleave()
        .crash_at_every_write()
        .sometimes("the goods are there first", |end| end.outcome() == Outcome::Completed)
        .sometimes("they come too late and go back", |end| end.compensated(reserve_goods))
        .run()
        .assert(edges(1.0));
}

#[workflow_test]
fn nobody_waits_in_a_test(kit: Kit) {
    kit.on(reserve_goods).returns(Ok(7));
    kit.on(charge).fails_then_ok(2, OrderError::Unavailable, 1200).takes(hours(3));
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.ok(), 1200);
    assert_eq!(run.elapsed(), seconds(10 + 20) + hours(3));
    assert_eq!(
        run.transcript(),
        "    0s  start fulfil_order
    0s  reserve_goods: ok
    0s  charge: attempt 1 failed (error), again at 10s
   10s  charge: attempt 2 failed (error), again at 30s
3h 30s  charge: ok
3h 30s  completed
"
    );
}

#[workflow_test(explore)]
fn an_order_survives_everything(kit: Explore) {
    kit.on(reserve_goods).returns(Ok(7));
    kit.on(charge).then(|order| Ok(order.total));
    kit.workflow(|| fulfil_order(order()))
        .message(|| NewCard { order: 42 })
        .each_step_fails()
        .pairs()
        .crash_at_every_write()
        .always("goods are kept exactly when they are paid for", |end| {
            let kept = end.completed(reserve_goods) > end.completed(release_goods);
            kept == (end.completed(charge) == 1)
        })
        .sometimes("nobody sends a card", |end| end.outcome() == Outcome::Failed("NoCard".to_owned()))
        .run()
        .coverage("target/workflow-coverage")
        .assert(edges(1.0))
        .assert(compensations(1.0))
        .assert(timers(1.0))
        .assert(crash_points(1.0));
}

#[workflow_test(explore)]
fn no_goods_go_back(kit: Explore) {
    kit.on(reserve_goods).returns(Ok(7));
    kit.on(charge).returns(Ok(1200));
    let exploration =
        kit.workflow(|| fulfil_order(order())).message(|| NewCard { order: 42 }).each_step_fails();
    let failure =
        exploration.always("no goods go back", |end| !end.ran(release_goods)).try_run().unwrap_err();
    assert!(include_str!("../../docs/testing.md").contains(&format!("```text\n{failure}\n```")), "{failure}");
}

#[test]
fn the_guide_shows_what_is_run_here() {
    let guide = include_str!("../../docs/testing.md");
    let here = include_str!("guide.rs");
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 4, "the guide has lost its examples");
    for block in blocks {
        assert!(
            here.contains(block.trim_end()),
            "this block of docs/testing.md is not in tests/guide.rs:\n{block}"
        );
    }
}
