//! Several things at once in the kit: branches, races, and one call for each of many values; driven, explored in all
//! orders, and with a crash at every write.

mod trip;

use std::time::Duration;

use trip::*;
use workflow_runtime::prelude::*;
use workflow_test::{
    Exploration, Explore, Kit, Oracle, Outcome, compensations, complete, edges, timers, workflow_test,
};

fn all_goes_well(kit: &Kit) {
    kit.on(book).returns(Ok(1));
    kit.on(hire_car).returns(Ok(7));
    kit.on(price).returns(Ok(100));
    kit.on(write_postcard).returns(());
}

fn explore_well(kit: &Explore) {
    kit.on(book).returns(Ok(1));
    kit.on(hire_car).returns(Ok(7));
    kit.on(price).returns(Ok(100));
    kit.on(write_postcard).returns(());
}

/// Do two things at once, whatever becomes of each
#[workflow]
async fn both() -> Result<u32, TripError> {
    hire_car(1).await?;
    let (hotel, prices) = join!(book("hotel"), async {
        let first = price("food").await.unwrap_or(0);
        first + price("drinks").await.unwrap_or(0)
    });
    Ok(hotel? + prices)
}

#[workflow_test]
fn branches_go_on_side_by_side_in_virtual_time(kit: Kit) {
    all_goes_well(&kit);
    kit.on(book).returns(Ok(1)).takes(seconds(20));
    kit.on(price).returns(Ok(100)).takes(seconds(15));
    let run = kit.start(both());
    assert_eq!(run.ok(), 201);
    assert_eq!(run.elapsed(), seconds(30));
    assert_eq!(
        run.transcript(),
        " 0s  start both
 0s  hire_car: ok
15s  price: ok
20s  book: ok
30s  price_2: ok
30s  completed
"
    );
}

#[workflow_test]
fn what_is_due_at_the_same_time_happens_in_the_order_of_the_requests(kit: Kit) {
    all_goes_well(&kit);
    let run = kit.start(both());
    run.ok();
    assert_eq!(run.executed(), ["hire_car", "book", "price", "price"]);
    assert!(run.transcript().contains("0s  book: ok\n0s  price: ok\n0s  price_2: ok\n"));
}

#[workflow_test(explore)]
fn two_branches_survive_everything_in_every_order(kit: Explore) {
    explore_well(&kit);
    let exploration = || {
        let all = kit.workflow(both).each_step_fails().crash_at_every_write();
        all.budget(20_000, Duration::from_secs(20))
    };
    let in_order = exploration().run();
    let in_any = exploration().interleave().run();
    assert!(in_order.is_complete && in_any.is_complete);
    assert!(in_any.executions > in_order.executions, "{in_any}");
    in_any.assert(edges(1.0)).assert(compensations(1.0));
}

/// Do three things, all or none
#[workflow]
async fn all_or_none() -> Result<u32, TripError> {
    hire_car(1).await?;
    let (hotel, train, ()) = try_join!(
        book("hotel"),
        async {
            let train = book("train").await?;
            let bus = book("bus").await?;
            Ok(train + bus)
        },
        async {
            sleep(hours(1)).await;
            Ok(())
        }
    )?;
    price("all").await?;
    Ok(hotel + train)
}

#[workflow_test]
fn the_first_error_stops_the_other_branches_and_what_was_under_way_is_undone(kit: Kit) {
    all_goes_well(&kit);
    kit.on(book)
        .returns_once(Err(TripError::FullyBooked))
        .takes(seconds(5))
        .returns_once(Ok(2))
        .takes(seconds(10))
        .returns(Ok(3));
    let run = kit.start(all_or_none());
    assert_eq!(run.err(), TripError::FullyBooked);
    assert_eq!(run.compensated(), ["book", "hire_car"]);
    assert_eq!(
        run.transcript(),
        " 0s  start all_or_none
 0s  hire_car: ok
 5s  book: FullyBooked
 5s  book_2: told to stop
10s  book_2: ok
10s  undo book_2 by cancel_booking: ok
10s  undo hire_car by return_car: ok
10s  failed with FullyBooked
"
    );
}

#[workflow_test(explore)]
fn all_or_none_survives_everything_in_every_order(kit: Explore) {
    explore_well(&kit);
    let report = kit
        .workflow(all_or_none)
        .each_step_fails()
        .interleave()
        .crash_at_every_write()
        .always("all or none", |end| {
            let kept = end.completed(book).saturating_sub(end.completed(cancel_booking));
            // A timeout may have booked something: then more is cancelled than is known to be booked.
            (end.outcome() == Outcome::Completed) == (kept == 3)
        })
        .budget(20_000, Duration::from_secs(20))
        .run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(compensations(1.0)).assert(timers(1.0));
}

/// Whichever comes first
#[workflow]
async fn first_of() -> Result<u32, TripError> {
    hire_car(1).await?;
    select! {
        paid = receive::<Paid>(7).forever() => {
            price("paid").await?;
            Ok(paid.amount)
        },
        booked = book("hotel") => booked,
        _ = sleep(hours(1)) => Err(TripError::FullyBooked),
    }
}

fn exploration_of_race(kit: &Explore) -> Exploration {
    explore_well(kit);
    kit.workflow(first_of)
        .message(|| Paid { trip: 7, amount: 4 })
        .each_step_fails()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
}

#[workflow_test]
fn what_loses_a_race_is_told_to_stop_and_undone(kit: Kit) {
    all_goes_well(&kit);
    kit.on(book).returns(Ok(5)).takes(seconds(10));
    let run = kit.start(first_of());
    run.advance(seconds(3));
    run.deliver(Paid { trip: 7, amount: 4 });
    assert_eq!(run.ok(), 4);
    assert_eq!(run.compensated(), ["book"]);
    assert!(run.transcript().contains("book: told to stop"), "{}", run.transcript());
    let run = kit.start(first_of());
    assert_eq!(run.ok(), 5);
    assert_eq!(run.compensated(), []);
}

#[workflow_test(explore)]
fn every_racer_wins_in_some_order(kit: Explore) {
    let report = exploration_of_race(&kit)
        .interleave()
        .sometimes("the message wins", |end| end.ran(price))
        .sometimes("the booking wins", |end| end.outcome() == Outcome::Completed && !end.ran(price))
        .sometimes("the loser is undone though the run succeeds", |end| {
            end.outcome() == Outcome::Completed && end.compensated(book)
        })
        .run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(timers(1.0));
}

#[workflow_test(explore)]
fn without_other_orders_a_message_wins_or_comes_after_everything_else(kit: Explore) {
    let report = exploration_of_race(&kit)
        .sometimes("the message wins", |end| end.ran(price))
        .sometimes("the booking wins", |end| end.outcome() == Outcome::Completed && !end.ran(price))
        .run();
    report.assert(complete()).assert(edges(1.0)).assert(timers(1.0));
}

/// Book many parts
#[workflow]
async fn many(parts: Vec<String>) -> Result<u32, TripError> {
    hire_car(1).await?;
    let booked = try_join_all(parts.iter().map(|part| book(part))).limit(2).await?;
    let prices = join_all(parts.iter().map(|part| price(part))).await;
    let prices = prices.into_iter().flatten().sum::<u32>();
    Ok(booked.iter().sum::<u32>() + prices)
}

fn parts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("part {number}")).collect()
}

#[workflow_test]
fn many_calls_are_made_side_by_side_up_to_the_limit(kit: Kit) {
    all_goes_well(&kit);
    kit.on(book).returns(Ok(1)).takes(seconds(10));
    let run = kit.start(many(parts(5)));
    assert_eq!(run.ok(), 505);
    assert_eq!(run.elapsed(), seconds(30));
    let run = kit.start(many(Vec::new()));
    assert_eq!(run.ok(), 0);
    kit.on(book).returns_once(Ok(1)).returns_once(Err(TripError::FullyBooked)).returns(Ok(1));
    let run = kit.start(many(parts(5)));
    assert_eq!(run.err(), TripError::FullyBooked);
    // The third call begins when the first has come back, and none begins after the second has failed.
    assert_eq!(run.executed().iter().filter(|name| *name == "book").count(), 3);
}

#[workflow_test(explore)]
fn many_calls_survive_everything_in_every_order(kit: Explore) {
    explore_well(&kit);
    let report = kit
        .workflow(|| many(parts(2)))
        .each_step_fails()
        .interleave()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(compensations(1.0));
}

/// See many cities at once
#[workflow]
async fn grand_tour() -> Result<u32, TripError> {
    hire_car(9).await?;
    let (rome, others) = try_join!(city("Rome"), try_join_all(["Pisa", "Siena"].map(|name| city(name))))?;
    Ok(rome + others.iter().sum::<u32>())
}

#[workflow_test(explore)]
fn subflows_in_branches_survive_everything(kit: Explore) {
    explore_well(&kit);
    let report = kit
        .workflow(grand_tour)
        .each_step_fails()
        .cancel_at_every_write()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .run();
    assert!(report.is_complete);
    report.assert(compensations(1.0));
}

#[workflow_test(explore)]
fn what_cannot_be_tried_in_every_order_is_sampled(kit: Explore) {
    explore_well(&kit);
    let exploration = || kit.workflow(grand_tour).each_step_fails().interleave().crash_at_every_write();
    let report = exploration().budget(120, Duration::from_secs(60)).run();
    assert_eq!((report.executions, report.is_complete, report.is_out_of_time), (120, false, false));
    assert!((40..60).contains(&report.samples), "{report}");
    let told = format!("\n  {} of the executions were drawn from all that can happen", report.samples);
    assert!(report.to_string().contains(&told), "{report}");
    // The samples are the same each time, and a failing one can be repeated like any other.
    let failure = exploration()
        .budget(120, Duration::from_secs(60))
        .always("Pisa is last", |end| end.completed(cancel_booking) < 2)
        .try_run()
        .unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::Always);
}

/// Two runs of branches share nothing: three of two steps each
#[workflow]
async fn three_by_two() -> Result<u32, TripError> {
    let (a, b, c) = join!(
        async { price("a").await.unwrap_or(0) + price("b").await.unwrap_or(0) },
        async { price("c").await.unwrap_or(0) + price("d").await.unwrap_or(0) },
        async { price("e").await.unwrap_or(0) + price("f").await.unwrap_or(0) }
    );
    Ok(a + b + c)
}

#[workflow_test(explore)]
fn orders_that_lead_to_the_same_state_are_gone_on_from_once(kit: Explore) {
    explore_well(&kit);
    let exploration = kit.workflow(three_by_two).interleave().crash_at_every_write();
    let report = exploration.budget(20_000, Duration::from_secs(20)).run();
    assert!(report.is_complete);
    // 90 orders, but only 27 states.
    assert!(report.executions < 45, "{report}");
}

#[subflow]
async fn a_hotel_or_a_car() -> Result<u32, TripError> {
    select! {
        car = hire_car(1) => {
            car?;
        }
        hotel = book("hotel") => {
            hotel?;
        }
    };
    Ok(1)
}

/// However the subflow ends, one flow leads out of it: its outcome is looked at later.
#[workflow]
async fn something_and_a_price() -> Result<u32, TripError> {
    let something = a_hotel_or_a_car().await;
    let Ok(_) = something else { return Err(TripError::FullyBooked) };
    price("food").await
}

#[test]
fn no_end_of_a_subflow_hides_another_one() {
    let kit = Explore::new();
    explore_well(&kit);
    let report = kit.workflow(something_and_a_price).interleave().run();
    assert!(report.executions > 1, "{report}");
}
