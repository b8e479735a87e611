//! What a test of a workflow can say and ask: mocks, messages, virtual time, the story of a run.
//! Only what users see; the oracles have tests of their own.

mod shop;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use shop::*;
use workflow_runtime::graph::{CatchUp, Trigger};
use workflow_runtime::prelude::*;
use workflow_test::{Kit, Outcome, workflow_test};

fn paid(order: &Order) -> Payment {
    Payment { amount: order.total }
}

/// A kit in which all goes well.
fn kit() -> Kit {
    let kit = Kit::new();
    all_goes_well(&kit);
    kit
}

fn all_goes_well(kit: &Kit) {
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    kit.on(retrieve_payment).then(|order| Ok(paid(order)));
    kit.on(ship).returns(Ok(Parcel(1)));
    kit.on(thank).returns(());
}

/// What a test that fails tells.
fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test should fail");
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
}

#[workflow_test]
fn an_expired_card_is_replaced(kit: Kit) {
    all_goes_well(&kit);
    kit.on(retrieve_payment).returns_once(Err(PaymentError::CardExpired));
    kit.on(ship).fails_then_ok(2, ShipError::Busy, Parcel(1)).takes(hours(3));
    let run = kit.start(fulfil_order(order()));
    run.until_waiting_for::<NewCard>();
    run.deliver(NewCard { order_id: 42 });
    assert_eq!(run.ok(), Parcel(1));
    // Two waits of a minute between the attempts, and three hours for the last one.
    assert_eq!(run.elapsed(), hours(3) + minutes(2));
    assert_eq!(run.compensated(), []);
    assert_eq!(run.executed(), ["reserve_goods", "retrieve_payment", "retrieve_payment", "ship", "thank"]);
    assert_eq!(
        run.transcript(),
        "   0s  start fulfil_order
   0s  reserve_goods: ok
   0s  retrieve_payment: CardExpired
   0s  new_card: message
   0s  retrieve_payment_2: ok
   0s  ship: attempt 1 failed (error), again at 1m
   1m  ship: attempt 2 failed (error), again at 2m
3h 2m  ship: ok
3h 2m  thank: ok
3h 2m  completed
"
    );
}

#[test]
fn a_failure_is_undone_and_the_undone_steps_are_named() {
    let kit = kit();
    kit.on(ship).returns(Err(ShipError::NoSuchAddress));
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.err(), OrderError::Ship(ShipError::NoSuchAddress));
    assert_eq!(run.compensated(), ["retrieve_payment", "reserve_goods"]);
    assert_eq!(run.outcome(), Outcome::Failed("Ship".to_owned()));
}

#[test]
fn an_error_that_lasts_is_retried_by_the_steps_own_policy_and_then_is_its_answer() {
    let kit = kit();
    let unavailable = PaymentError::Unavailable("closed".to_owned());
    kit.on(retrieve_payment).returns(Err(unavailable.clone()));
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.err(), OrderError::Payment(unavailable));
    assert_eq!(run.elapsed(), seconds(1 + 2));
    assert_eq!(run.compensated(), ["reserve_goods"]);
}

#[test]
fn what_is_said_once_while_a_run_is_under_way_is_served_next() {
    let kit = kit();
    kit.on(retrieve_payment).returns_once(Err(PaymentError::CardExpired));
    let run = kit.start(fulfil_order(order()));
    run.until_waiting_for::<NewCard>();
    kit.on(retrieve_payment).returns_once(Err(PaymentError::Declined));
    run.deliver(NewCard { order_id: 42 });
    assert_eq!(run.err(), OrderError::Payment(PaymentError::Declined));
    assert_eq!(kit.start(fulfil_order(order())).ok(), Parcel(1));
    // Three attempts and more have been served by now; one answer each, and then what was said for all others.
    kit.on(ship).then_once(|_, _| Ok(Parcel(2))).then_once(|order, _| Ok(Parcel(order.id)));
    let parcels = [(); 3].map(|()| kit.start(fulfil_order(order())).ok());
    assert_eq!(parcels, [Parcel(2), Parcel(42), Parcel(1)]);
}

#[test]
fn a_step_that_must_succeed_fails_and_is_repeated() {
    let kit = kit();
    kit.on(thank).fails_then_ok(2, StockError::OutOfStock, ());
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.ok(), Parcel(1));
    assert_eq!(run.elapsed(), seconds(1 + 2));
}

#[test]
fn a_compensation_can_be_mocked_and_made_to_fail() {
    let kit = kit();
    kit.on(ship).returns(Err(ShipError::NoSuchAddress));
    kit.on(refund_payment).fails_once(PaymentError::Declined).returns(());
    let run = kit.start(fulfil_order(order()));
    run.run_to_end();
    assert!(run.transcript().contains("undo retrieve_payment: attempt 1 failed (error), again at 1s\n"));
    assert_eq!(run.compensated(), ["retrieve_payment", "reserve_goods"]);
}

#[test]
fn an_unknown_outcome_is_undone_where_the_wiring_needs_no_output() {
    let kit = kit();
    kit.on(retrieve_payment).times_out_once().returns(Err(PaymentError::Declined));
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.err(), OrderError::Payment(PaymentError::Declined));
    assert_eq!(run.elapsed(), seconds(30 + 1));
    assert_eq!(run.compensated(), ["retrieve_payment", "reserve_goods"]);
}

#[test]
fn a_mock_that_takes_longer_than_the_timeout_times_out() {
    let kit = kit();
    kit.on(retrieve_payment)
        .returns_once(Ok(Payment { amount: 1 }))
        .takes(seconds(31))
        .returns(Ok(Payment { amount: 2 }))
        .takes(seconds(30));
    let run = kit.start(fulfil_order(order()));
    run.run_to_end();
    assert!(run.transcript().contains("30s  retrieve_payment: attempt 1 failed (timeout), again at 31s\n"));
    assert_eq!(run.elapsed(), seconds(61));
}

#[test]
fn what_fails_for_good_becomes_an_incident_and_goes_on_when_a_person_says_so() {
    let kit = kit();
    kit.on(reserve_goods).panics();
    let run = kit.start(fulfil_order(order()));
    run.advance(hours(1));
    assert_eq!(run.incidents(), ["`reserve_goods` failed for good after attempt 5: the mock panics"]);
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    run.retry();
    assert_eq!(run.ok(), Parcel(1));
    assert_eq!(run.incidents(), [""; 0]);
    assert_eq!(run.elapsed(), hours(1));
}

#[test]
fn a_cancel_undoes_what_was_done() {
    let kit = kit();
    kit.on(ship).returns(Ok(Parcel(1))).takes(hours(2));
    kit.on(retrieve_payment).returns(Err(PaymentError::CardExpired));
    let run = kit.start(fulfil_order(order()));
    run.until_waiting_for::<NewCard>();
    run.cancel("changed my mind");
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert_eq!(run.compensated(), ["reserve_goods"]);
    assert!(run.transcript().ends_with("0s  cancelled: changed my mind\n"), "{}", run.transcript());
}

#[test]
fn a_cancel_after_the_pivot_becomes_an_incident_and_the_run_goes_on() {
    let kit = kit();
    kit.on(thank).returns(()).takes(hours(1));
    let run = kit.start(fulfil_order(order()));
    run.advance(minutes(30));
    run.cancel("too late");
    assert_eq!(run.ok(), Parcel(1));
    assert_eq!(run.compensated(), []);
    assert!(run.incidents()[0].contains("too late"), "{:?}", run.incidents());
}

#[test]
fn an_early_message_waits_for_the_run() {
    let kit = kit();
    kit.on(retrieve_payment).returns_once(Err(PaymentError::CardExpired));
    let run = kit.start(fulfil_order(order()));
    run.deliver(NewCard { order_id: 42 });
    assert_eq!(run.ok(), Parcel(1));
}

#[test]
fn a_deadline_passes_by_itself() {
    let kit = kit();
    kit.on(retrieve_payment).returns_once(Err(PaymentError::CardExpired));
    let run = kit.start(fulfil_order(order()));
    run.deliver(NewCard { order_id: 43 });
    assert_eq!(run.err(), OrderError::NoCard(TimedOut));
    assert_eq!(run.elapsed(), days(7));
}

#[test]
fn steps_without_a_mock_are_all_listed() {
    let kit = Kit::new();
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    let run = kit.start(fulfil_order(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(
        failure.starts_with(
            "mock: `fulfil_order` comes to steps without a mock; write:
    kit.on(retrieve_payment).returns(Ok(..));
    kit.on(ship).returns(Ok(..));
    kit.on(thank).returns(..);
"
        ),
        "{failure}"
    );
}

#[test]
fn a_mock_that_runs_out_of_answers_is_named() {
    let kit = Kit::new();
    kit.on(reserve_goods).panics_once();
    let run = kit.start(fulfil_order(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(failure.starts_with("mock: attempt 2 of `reserve_goods` has no answer"), "{failure}");
}

#[test]
fn what_a_mock_cannot_say_is_refused_where_it_is_said() {
    let kit = Kit::new();
    kit.on(reserve_goods).times_out();
    let run = kit.start(fulfil_order(order()));
    let never = failure_of(|| run.run_to_end());
    assert!(never.starts_with("mock: `reserve_goods` cannot time out: it has no timeout"), "{never}");
    let seen = failure_of(|| drop(kit.on(ship).fails_then_ok(1, ShipError::NoSuchAddress, Parcel(1))));
    assert_eq!(
        seen,
        "`NoSuchAddress` is not transient, so `ship` would not be retried: say `.returns_once(Err(..))`"
    );
    let other = failure_of(|| drop(kit.on(ship).fails_once(StockError::OutOfStock)));
    assert!(other.starts_with("`ship` does not fail with `kit::shop::StockError`"), "{other}");
    let value = failure_of(|| drop(kit.on(ship).fails_then_ok(1, ShipError::Busy, "parcel")));
    assert!(
        value.starts_with("round trip: the output of `ship` is written as {\"Ok\":\"parcel\"}"),
        "{value}"
    );
}

#[test]
fn a_test_that_expects_the_other_ending_shows_the_story() {
    let kit = kit();
    let run = kit.start(fulfil_order(order()));
    let failure = failure_of(|| drop(run.err()));
    assert_eq!(
        failure,
        "the run should fail, it returned 1
0s  start fulfil_order
0s  reserve_goods: ok
0s  retrieve_payment: ok
0s  ship: ok
0s  thank: ok
0s  completed
"
    );
    let failure = failure_of(|| run.until_waiting_for::<NewCard>());
    assert!(failure.starts_with("the run ended before it waited for `NewCard`\n0s  start"), "{failure}");
}

/// A workflow that cannot fail.
#[workflow]
async fn remind(order: Order) -> u32 {
    sleep(hours(2)).await;
    thank(&order).await;
    order.id
}

#[test]
fn a_workflow_that_cannot_fail_gives_its_value_and_timers_cost_no_time() {
    let kit = kit();
    let run = kit.start(remind(order()));
    assert_eq!(run.value(), 42);
    assert_eq!(run.transcript(), "0s  start remind\n2h  sleep: fired\n2h  thank: ok\n2h  completed\n");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "OrderPlaced", key = id)]
struct OrderPlaced {
    id: u32,
    total: u64,
}

#[step(read_only, concurrency = 1, rate = "1/h")]
async fn ask_rarely(number: u32) -> u32 {
    number
}

#[workflow(priority = -100)]
async fn ask_often() -> u32 {
    ask_rarely(1).await + ask_rarely(2).await
}

#[test]
fn flow_control_plays_no_part() {
    let kit = Kit::new();
    kit.on(ask_rarely).returns(1);
    let run = kit.start(ask_often());
    assert_eq!((run.value(), run.elapsed()), (2, seconds(0)));
}

#[workflow(on = OrderPlaced)]
async fn begin_order(placed: OrderPlaced) -> Result<u32, OrderError> {
    let order = Order { id: placed.id, total: placed.total };
    reserve_goods(&order).await?;
    let card = receive::<NewCard>(order.id).forever().await;
    Ok(card.order_id)
}

#[workflow_test]
fn a_workflow_that_begins_with_a_message_is_started_with_it(kit: Kit) {
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    let run = kit.start(begin_order(OrderPlaced { id: 42, total: 7 }));
    run.until_waiting_for::<NewCard>();
    run.deliver(NewCard { order_id: 42 });
    assert_eq!(run.ok(), 42);
}

#[workflow_test]
fn a_message_that_starts_a_run_does_not_reach_one_that_is_under_way(kit: Kit) {
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    let run = kit.start(begin_order(OrderPlaced { id: 42, total: 7 }));
    let failure = failure_of(|| run.deliver(OrderPlaced { id: 42, total: 7 }));
    assert!(failure.starts_with("`OrderPlaced` starts another run of `begin_order`"), "{failure}");
    std::mem::forget(run);
}

/// The same message by another hand.
mod other {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
    #[message(name = "NewCard", key = card)]
    pub(crate) struct NewCard {
        pub(crate) card: u32,
    }
}

#[test]
fn a_message_that_does_not_fit_fails_the_test() {
    for is_early in [false, true] {
        let kit = kit();
        let run = kit.start(begin_order(OrderPlaced { id: 42, total: 7 }));
        if !is_early {
            run.until_waiting_for::<NewCard>();
        }
        let failure = failure_of(|| {
            run.deliver(other::NewCard { card: 42 });
            run.run_to_end();
        });
        let expected =
            "mock: the message {\"card\":42} does not fit what `new_card` waits for: missing field";
        assert!(failure.starts_with(expected), "{failure}");
        std::mem::forget(run);
    }
}

/// Report
#[workflow(cron = "0 6 * * *", timezone = "Europe/Berlin")]
async fn report(time: SystemTime) -> u64 {
    let hour = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 3_600 % 24);
    sleep(hours(1)).await;
    hour
}

#[test]
fn a_scheduled_workflow_is_started_with_the_time() {
    let six_in_berlin = SystemTime::UNIX_EPOCH + seconds(1_795_323_600);
    let run = Kit::new().start(report(six_in_berlin));
    assert_eq!(run.value(), 5);
    assert_eq!(run.elapsed(), hours(1));
    let schedule = Trigger::Schedule {
        cron: "0 6 * * *".into(),
        timezone: "Europe/Berlin".into(),
        catch_up: CatchUp::Latest,
    };
    assert_eq!(report.graph().trigger, schedule);
}
