//! Messages that come twice, too late, or later than everything else; and what a test hears of the order of things.

mod trip;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use trip::*;
use workflow_core::Event;
use workflow_runtime::prelude::*;
use workflow_test::{End, Explore, Kit, Outcome, complete, edges, workflow_test};

/// Pay in two rates
#[workflow]
async fn two_rates() -> Result<u32, TripError> {
    let first = receive::<Paid>(7).within(days(1)).await?;
    let second = receive::<Paid>(7).within(days(1)).await?;
    Ok(first.amount + second.amount)
}

fn paid(amount: u32) -> Paid {
    Paid { trip: 7, amount }
}

#[workflow_test]
fn a_message_that_is_sent_twice_is_received_once(kit: Kit) {
    let run = kit.start(two_rates());
    // The second comes before anybody waits for it, the fourth while somebody does.
    run.deliver_with_id("first", paid(100));
    run.deliver_with_id("second", paid(50));
    run.deliver_with_id("second", paid(50));
    run.deliver_with_id("first", paid(100));
    assert_eq!(run.ok(), 150);
    assert_eq!(run.unclaimed::<Paid>(), []);
}

#[workflow_test]
fn a_message_that_comes_too_late_or_for_somebody_else_is_unclaimed(kit: Kit) {
    let run = kit.start(two_rates());
    run.advance(days(2));
    assert_eq!(run.outcome(), Outcome::Failed("Late".to_owned()));
    run.deliver(paid(100));
    run.deliver(Paid { trip: 8, amount: 1 });
    assert_eq!(run.unclaimed::<Paid>(), [paid(100), Paid { trip: 8, amount: 1 }]);
    assert_eq!(run.unclaimed::<Booked>(), []);
}

/// Sleep, and pay in two rates
#[workflow]
async fn sleeps_first() -> Result<u32, TripError> {
    sleep(hours(1)).await;
    let first = receive::<Paid>(7).within(days(1)).await?;
    let second = receive::<Paid>(7).within(days(1)).await?;
    Ok(first.amount * 1_000 + second.amount)
}

/// Wait for a payment that came before, beside something that comes at once
#[workflow]
async fn loses_then_waits() -> Result<u32, TripError> {
    sleep(hours(1)).await;
    select! {
        () = sleep(seconds(0)) => {}
        paid = receive::<Paid>(7).forever() => return Ok(paid.amount + 1),
    }
    Ok(receive::<Paid>(7).within(days(1)).await?.amount)
}

/// Wait for a payment after so many days
#[workflow]
async fn late_wait(after: u32) -> Result<u32, TripError> {
    sleep(days(after)).await;
    Ok(receive::<Paid>(7).within(days(1)).await?.amount)
}

#[workflow_test]
fn a_message_that_nobody_took_is_there_for_the_next_wait(kit: Kit) {
    let run = kit.start(two_rates());
    run.deliver(paid(100));
    run.deliver(paid(50));
    run.deliver(paid(7));
    assert_eq!(run.ok(), 150);
    assert_eq!(run.unclaimed::<Paid>(), [paid(7)]);

    let run = kit.start(sleeps_first());
    run.deliver(paid(100));
    run.until_waiting_for::<Paid>();
    // The first is on its way to the wait; the second comes behind it and does not push it aside.
    run.deliver(paid(50));
    assert_eq!(run.unclaimed::<Paid>(), [paid(50)]);
    assert_eq!(run.ok(), 100_050);
    assert_eq!(run.unclaimed::<Paid>(), []);
}

#[workflow_test]
fn a_message_that_loses_a_race_is_there_for_the_next_wait(kit: Kit) {
    let run = kit.start(loses_then_waits());
    run.deliver(paid(100));
    assert_eq!(run.ok(), 100);
    assert_eq!(run.unclaimed::<Paid>(), []);
}

#[workflow_test]
fn a_message_is_kept_for_seven_days_as_an_engine_keeps_it(kit: Kit) {
    let run = kit.start(late_wait(6));
    run.deliver(paid(1));
    assert_eq!(run.ok(), 1);
    let run = kit.start(late_wait(7));
    run.deliver(paid(1));
    assert_eq!(run.err(), TripError::Late(TimedOut));
    assert_eq!(run.unclaimed::<Paid>(), [paid(1)]);
}

#[workflow_test]
fn an_id_that_a_test_gives_is_no_id_that_the_kit_made_up(kit: Kit) {
    let run = kit.start(two_rates());
    run.deliver_with_id("message-2", paid(100));
    run.deliver(paid(50));
    assert_eq!(run.ok(), 150);
}

/// Book unless somebody pays first
#[workflow]
async fn paid_or_booked() -> Result<u32, TripError> {
    select! {
        paid = receive::<Paid>(7).forever() => Ok(paid.amount),
        priced = price("all") => priced,
        _ = sleep(days(1)) => Err(TripError::Busy),
    }
}

fn has_come(end: &End<'_>) -> bool {
    end.writes().any(|write| matches!(write.record.event, Event::MessageReceived { .. }))
}

#[workflow_test(explore)]
fn a_message_without_a_deadline_loses_races_also_when_not_all_orders_are_tried(kit: Explore) {
    kit.on(price).returns(Ok(3)).takes(hours(1));
    kit.workflow(paid_or_booked)
        .message(|| paid(100))
        .each_step_fails()
        .crash_at_every_write()
        .sometimes("the message wins", has_come)
        .sometimes("it is too late", |end| !has_come(end) && end.elapsed() == hours(1))
        .run()
        .assert(complete())
        .assert(edges(1.0));
}

/// Nobody else is in the race: the message comes all the same
#[workflow]
async fn two_messages() -> u32 {
    select! {
        paid = receive::<Paid>(7).forever() => paid.amount,
        booked = receive::<Booked>(7).forever() => booked.trip,
    }
}

#[workflow_test(explore)]
fn the_last_message_of_a_race_comes_however_late(kit: Explore) {
    let report = kit
        .workflow(two_messages)
        .message(|| paid(100))
        .message(|| Booked { trip: 7 })
        .crash_at_every_write()
        .sometimes("both are late", |end| end.elapsed() > days(3_000))
        .run();
    report.assert(complete()).assert(edges(1.0));
}

/// Two branches of two steps
#[workflow]
async fn side_by_side() -> Result<u32, TripError> {
    let (one, two) = try_join!(
        async {
            let first = price("a").await?;
            Ok::<u32, TripError>(first + price("b").await?)
        },
        async {
            let first = price("c").await?;
            Ok::<u32, TripError>(first + price("d").await?)
        }
    )?;
    Ok(one + two)
}

#[workflow_test(explore)]
fn every_order_counts_for_a_test_that_looks_at_the_order(kit: Explore) {
    kit.on(price).returns(Ok(1));
    let seen = Rc::new(RefCell::new(BTreeSet::new()));
    let log = Rc::clone(&seen);
    let noted = kit.workflow(side_by_side).interleave().always("it is noted", move |end| {
        let order = end.writes().filter_map(|write| match &write.record.event {
            Event::StepCompleted { op, .. } => Some(op.to_string()),
            _ => None,
        });
        log.borrow_mut().insert(order.collect::<Vec<_>>());
        true
    });
    noted.run().assert(complete());
    assert_eq!(seen.borrow().len(), 6, "{seen:?}");
    // Who asks for nothing that depends on the order is spared those that come to the same.
    let report = kit.workflow(side_by_side).interleave().always("it ends", |end| end.completed(price) == 4);
    assert!(report.run().executions < 6);
}

/// Tell somebody before it ends, well or not
#[workflow]
async fn tell() -> Result<u32, TripError> {
    send(Booked { trip: 7 }).await;
    let priced = price("all").await;
    if priced.is_err() {
        send(Booked { trip: 8 }).await;
    }
    priced
}

#[workflow_test(explore)]
fn what_a_run_has_sent_is_known_at_its_end(kit: Explore) {
    kit.on(price).returns(Ok(1));
    kit.workflow(tell)
        .each_step_fails()
        .always("the first is told of the trip", |end| end.sent::<Booked>()[0] == Booked { trip: 7 })
        .always("nobody else is told", |end| end.published::<Booked>().is_empty())
        .sometimes("it is called off", |end| end.sent::<Booked>().last() == Some(&Booked { trip: 8 }))
        .sometimes("a person had to look", |end| end.incidents().len() == 1)
        .run()
        .assert(complete());
}

/// Wait for a payment
#[workflow]
async fn wait_for_payment() -> Result<u32, TripError> {
    Ok(receive::<Paid>(7).forever().await.amount)
}

/// A child races
#[workflow]
async fn racing_child() -> Result<u32, TripError> {
    select! {
        paid = wait_for_payment() => paid,
        priced = price("all") => priced,
    }
}

#[workflow_test(explore)]
fn what_waits_inside_of_a_racing_child_loses_too(kit: Explore) {
    kit.on(price).returns(Ok(3)).takes(hours(1));
    kit.workflow(racing_child)
        .message(|| paid(100))
        .each_step_fails()
        .crash_at_every_write()
        .sometimes("the child wins", |end| end.elapsed() < hours(1) && end.completed(price) == 0)
        .sometimes("the child loses", |end| end.elapsed() == hours(1) && !has_come(end))
        .run()
        .assert(complete());
}
