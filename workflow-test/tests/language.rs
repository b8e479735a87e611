//! Subflows, children, sent messages, deadlines and new beginnings in the kit: driven, mocked, and explored with a
//! crash at every write.

mod trip;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use trip::*;
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Outcome, compensations, edges, timers, workflow_test};

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

fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test should fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).into())
}

/// Plan a stay
#[subflow]
async fn stay(city: &str) -> Result<u32, TripError> {
    let hotel = book(city).await?;
    let car = hire_car(2).await?;
    Ok(hotel + car)
}

/// Travel
#[workflow]
async fn travel() -> Result<u32, TripError> {
    book("flight").await?;
    let stay = match stay("Rome").await {
        Ok(stay) => stay,
        Err(TripError::FullyBooked) => stay("Naples").await?,
        Err(error) => return Err(error),
    };
    let price = price("all").await?;
    Ok(stay + price)
}

#[workflow_test]
fn a_subflow_that_fails_has_undone_itself_before_the_caller_goes_on(kit: Kit) {
    all_goes_well(&kit);
    kit.on(hire_car).returns_once(Err(TripError::FullyBooked)).returns(Ok(7));
    let run = kit.start(travel());
    assert_eq!(run.ok(), 108);
    assert_eq!(run.compensated(), ["book"]);
    assert_eq!(
        run.transcript(),
        "0s  start travel
0s  book: ok
0s  stay.book: ok
0s  stay.hire_car: FullyBooked
0s  undo stay.book by cancel_booking: ok
0s  stay_2.book: ok
0s  stay_2.hire_car: ok
0s  price: ok
0s  completed
"
    );
}

#[workflow_test(explore)]
fn a_trip_with_subflows_survives_everything(kit: Explore) {
    explore_well(&kit);
    let report = kit
        .workflow(travel)
        .each_step_fails()
        .cancel_at_every_write()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .sometimes("Naples", |end| end.outcome() == Outcome::Completed && end.compensated(book))
        .run();
    assert!(report.is_complete);
    report.assert(compensations(1.0));
}

#[workflow_test(explore)]
fn two_failures_at_a_time_take_every_way_of_a_subflow(kit: Explore) {
    explore_well(&kit);
    let report = kit.workflow(travel).each_step_fails().pairs().run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(compensations(1.0));
}

#[test]
fn what_a_subflow_never_came_to_is_named() {
    let kit = Explore::new();
    explore_well(&kit);
    let report = kit.workflow(travel).run();
    let gaps = report.taken().gaps().join("\n");
    assert_eq!(report.taken().node("hire_car"), 1);
    assert!(gaps.contains("any other error of `hire_car`"), "{gaps}");
    assert!(gaps.contains("error `FullyBooked` of `stay`"), "{gaps}");
}

/// Have second thoughts
#[workflow]
async fn waver() -> Result<u32, TripError> {
    book("kept").without_compensation().await?;
    book("flight").await?;
    hire_car(1).await?;
    compensate().await;
    let car = hire_car(2).await?;
    price("all").await?;
    Ok(car)
}

#[workflow_test]
fn what_is_undone_on_purpose_is_undone_once(kit: Kit) {
    all_goes_well(&kit);
    let run = kit.start(waver());
    run.ok();
    assert_eq!(run.compensated(), ["hire_car", "book"]);
    kit.on(price).returns(Err(TripError::FullyBooked));
    let run = kit.start(waver());
    run.err();
    assert_eq!(run.compensated(), ["hire_car", "book", "hire_car"]);
}

#[workflow_test(explore)]
fn second_thoughts_survive_everything(kit: Explore) {
    explore_well(&kit);
    let exploration = kit.workflow(waver).each_step_fails().crash_at_every_write();
    let report = exploration.cancel_at_every_write().budget(20_000, Duration::from_secs(20)).run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(compensations(1.0));
}

/// Bring somebody along
#[workflow]
async fn companion(name: String) -> Result<u32, TripError> {
    let seat = book(&name).await?;
    let paid = receive::<Paid>(7).within(days(1)).await?;
    Ok(seat + paid.amount)
}

/// Travel in company
#[workflow]
async fn in_company() -> Result<u32, TripError> {
    hire_car(3).await?;
    #[allow_workflow(kept_effect, reason = "Ann travels whoever else does")]
    let paid = match companion("Ann".to_owned()).await {
        Ok(paid) => paid,
        Err(TripError::Late(_)) => 0,
        Err(error) => return Err(error),
    };
    let _diary = diary(paid).detached().await;
    price("all").await?;
    Ok(paid)
}

/// Keep a diary
#[workflow]
async fn diary(pages: u32) -> u32 {
    write_postcard("home").await;
    sleep(days(2)).await;
    pages
}

#[workflow_test]
fn a_child_is_run_by_the_kit_with_the_same_mocks_and_clock(kit: Kit) {
    all_goes_well(&kit);
    kit.on(book).returns(Ok(1)).takes(seconds(20));
    let run = kit.start(in_company());
    run.until_waiting_for::<Paid>();
    run.deliver(Paid { trip: 7, amount: 50 });
    assert_eq!(run.ok(), 51);
    assert_eq!(run.elapsed(), seconds(20));
    let children = run.children();
    assert_eq!(children.len(), 2);
    assert_eq!((children[0].run_id.as_str(), children[0].workflow.as_str()), ("run/companion", "companion"));
    assert_eq!(children[0].outcome, Some(Outcome::Completed));
    // Nobody waits for it: it is under way when the run ends.
    assert!(children[1].is_detached && children[1].outcome.is_none());
    assert_eq!(run.executed(), ["hire_car", "book", "write_postcard", "price"]);
    let told = run.transcript();
    let expected = [
        " 0s  start in_company",
        " 0s  hire_car: ok",
        " 0s  [companion] start companion",
        "20s  [companion] book: ok",
        "20s  [companion] paid: message",
        "20s  [companion] completed",
        "20s  companion: ok",
        "20s  [diary] start diary",
        "20s  diary: started",
    ];
    assert!(told.starts_with(&expected.join("\n")), "{told}");
}

#[workflow_test]
fn a_child_that_fails_has_undone_itself_and_its_error_reaches_the_parent(kit: Kit) {
    all_goes_well(&kit);
    let run = kit.start(in_company());
    assert_eq!(run.ok(), 0);
    assert_eq!(run.compensated(), ["book"]);
    assert_eq!(run.children()[0].outcome, Some(Outcome::Failed("Late".to_owned())));
    assert_eq!(run.elapsed(), days(1));
}

#[workflow_test]
fn a_child_can_be_mocked(kit: Kit) {
    all_goes_well(&kit);
    kit.on_child(companion)
        .returns_once(Err(TripError::FullyBooked))
        .then(|(name,)| Ok(name.len() as u32))
        .takes(hours(2));
    kit.on_child(diary).returns(0);
    let run = kit.start(in_company());
    assert_eq!(run.err(), TripError::FullyBooked);
    assert_eq!(run.compensated(), ["hire_car"]);
    let run = kit.start(in_company());
    assert_eq!(run.ok(), 3);
    assert_eq!(run.elapsed(), hours(2));
    assert_eq!(run.executed(), ["hire_car", "price"]);
    kit.on_child(companion).then_once(|(name,)| Ok(100 + name.len() as u32));
    assert_eq!(kit.start(in_company()).ok(), 103, "it is said for the next child, after two others");
    assert_eq!(kit.start(in_company()).ok(), 3);
}

#[workflow_test]
fn a_parent_that_is_cancelled_cancels_its_child_and_waits_for_it(kit: Kit) {
    all_goes_well(&kit);
    let run = kit.start(in_company());
    run.until_waiting_for::<Paid>();
    run.cancel("rain");
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert_eq!(run.compensated(), ["book", "hire_car"]);
    assert_eq!(run.children()[0].outcome, Some(Outcome::Cancelled));
}

#[workflow_test]
fn a_child_that_cannot_be_waited_for_becomes_an_incident_for_a_person(kit: Kit) {
    all_goes_well(&kit);
    kit.on_child(companion).is_cancelled("no passport");
    let run = kit.start(in_company());
    run.advance(hours(1));
    assert_eq!(run.incidents(), ["the child `run/companion` was cancelled: no passport"]);
    run.skip("companion", &Ok::<u32, TripError>(5));
    assert_eq!(run.ok(), 5);
    assert_eq!(run.incidents(), [""; 0]);

    kit.on_child(companion).is_refused("nobody knows it");
    let run = kit.start(in_company());
    run.advance(hours(1));
    run.give_up("companion", "there is nobody");
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert_eq!(run.compensated(), ["hire_car"]);
    let wrong = failure_of(|| run.give_up("price", "no"));
    assert!(wrong.starts_with("`price` does not wait for a person; stuck: nothing is"), "{wrong}");
}

#[workflow_test]
fn a_step_that_failed_for_good_is_skipped_or_given_up(kit: Kit) {
    all_goes_well(&kit);
    kit.on(price).panics();
    let run = kit.start(travel());
    run.advance(hours(1));
    let wrong = failure_of(|| run.skip("price", &"cheap"));
    assert!(wrong.starts_with("the output \"cheap\" does not fit what `price` gives"), "{wrong}");
    run.skip("price", &Ok::<u32, TripError>(3));
    assert_eq!(run.ok(), 11);
    let run = kit.start(travel());
    run.advance(hours(1));
    run.give_up("price", "no answer");
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert_eq!(run.compensated(), ["hire_car", "book", "book"]);
}

#[workflow_test(explore)]
fn a_trip_in_company_survives_everything(kit: Explore) {
    explore_well(&kit);
    let report = kit
        .workflow(in_company)
        .message(|| Paid { trip: 7, amount: 50 })
        .each_step_fails()
        .cancel_at_every_write()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .sometimes("the child is late", |end| end.outcome() == Outcome::Completed && end.compensated(book))
        .run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(compensations(1.0));
}

#[workflow_test(explore)]
fn a_mocked_child_fails_with_each_of_its_errors(kit: Explore) {
    explore_well(&kit);
    kit.on_child(companion).returns(Ok(1));
    kit.on_child(diary).returns(0);
    let report = kit
        .workflow(in_company)
        .each_step_fails()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .run();
    assert!(report.is_complete);
    report.assert(edges(1.0));
}

/// Tell others about it
#[workflow]
async fn tell() -> Result<u32, TripError> {
    progress("booking").await;
    book("flight").await?;
    progress("booked").await;
    publish(Booked { trip: 1 }).await;
    send(Paid { trip: 7, amount: 9 }).await;
    let paid = receive::<Paid>(7).within(hours(1)).await?;
    Ok(paid.amount)
}

#[workflow_test]
fn what_is_sent_is_listed_and_reaches_a_run_that_waits_for_it(kit: Kit) {
    all_goes_well(&kit);
    let run = kit.start(tell());
    assert_eq!(run.progress::<String>(), Some("booking".to_owned()));
    assert_eq!(run.ok(), 9);
    assert_eq!(run.progress::<String>(), Some("booked".to_owned()));
    assert_eq!(run.published::<Booked>(), [Booked { trip: 1 }]);
    assert_eq!(run.sent::<Paid>(), [Paid { trip: 7, amount: 9 }]);
    assert_eq!(run.sent::<Booked>(), []);
    assert!(run.transcript().contains("0s  paid: sent\n0s  paid_2: message\n"), "{}", run.transcript());
}

#[workflow_test(explore)]
fn sent_messages_survive_a_crash_at_every_write(kit: Explore) {
    explore_well(&kit);
    let report = kit
        .workflow(tell)
        .each_step_fails()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .always("one message per booking", |end| end.published::<Booked>().len() <= end.completed(book))
        .run();
    assert!(report.is_complete);
}

/// Send somebody ahead
#[workflow]
async fn ahead() -> Result<u32, TripError> {
    let _scout = scout().detached().await;
    let paid = receive::<Paid>(7).within(days(3)).await?;
    Ok(paid.amount)
}

/// Scout
#[workflow]
async fn scout() -> u32 {
    sleep(days(1)).await;
    send(Paid { trip: 7, amount: 3 }).await;
    1
}

#[workflow_test]
fn a_child_sends_to_its_parent(kit: Kit) {
    let run = kit.start(ahead());
    assert_eq!(run.ok(), 3);
    assert_eq!(run.elapsed(), days(1));
}

#[workflow_test(explore)]
fn a_message_between_runs_survives_a_crash_at_every_write(kit: Explore) {
    let report = kit.workflow(ahead).crash_at_every_write().budget(20_000, Duration::from_secs(20)).run();
    assert_eq!((report.executions, report.is_complete), (1, true));
    assert_eq!(report.crashes, 4, "{report}");
}

#[workflow_test]
fn a_run_continues_as_new_and_what_was_done_stays_done(kit: Kit) {
    all_goes_well(&kit);
    kit.on(price).returns(Err(TripError::FullyBooked));
    let run = kit.start(subscription(1));
    assert_eq!(run.generation(), 1);
    assert_eq!(run.err(), TripError::FullyBooked);
    assert_eq!(run.generation(), 3);
    assert_eq!(run.elapsed(), days(90));
    // Only the last month can still be undone.
    assert_eq!(run.compensated(), ["book"]);
    assert_eq!(run.executed(), ["book", "book", "book", "price"]);
}

#[workflow_test(explore)]
fn a_subscription_survives_everything(kit: Explore) {
    explore_well(&kit);
    let report = kit
        .workflow(|| subscription(1))
        .each_step_fails()
        .cancel_at_every_write()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .always("no more than three", |end| end.generation() <= 3)
        .run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(compensations(1.0)).assert(timers(1.0));
}

/// Choose a way
#[workflow]
async fn two_ways() -> Result<u32, TripError> {
    if patched("by-car").await { hire_car(1).await } else { book("train").await }
}

#[workflow_test]
fn a_run_from_before_a_change_goes_the_old_way(kit: Kit) {
    all_goes_well(&kit);
    let run = kit.start(two_ways());
    run.ok();
    assert_eq!(run.executed(), ["hire_car"]);
    let run = kit.start_before_patch("by-car", two_ways());
    run.ok();
    assert_eq!(run.executed(), ["book"]);
}

#[workflow_test(explore)]
fn both_ways_of_a_change_are_explored(kit: Explore) {
    explore_well(&kit);
    let new = kit
        .workflow(two_ways)
        .each_step_fails()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .run();
    let old = kit
        .workflow(two_ways)
        .before_patch("by-car")
        .each_step_fails()
        .crash_at_every_write()
        .budget(20_000, Duration::from_secs(20))
        .run();
    assert_eq!((new.taken().node("hire_car") > 0, new.taken().node("book")), (true, 0));
    assert_eq!((old.taken().node("hire_car"), old.taken().node("book") > 0), (0, true));
}

/// Hurry
#[workflow(deadline = "1h")]
async fn hurry() -> Result<u32, TripError> {
    hire_car(1).await?;
    let paid = receive::<Paid>(7).forever().await;
    Ok(paid.amount)
}

#[workflow_test]
fn the_deadline_of_a_workflow_undoes_it(kit: Kit) {
    all_goes_well(&kit);
    let run = kit.start(hurry());
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert_eq!(run.elapsed(), hours(1));
    assert_eq!(run.compensated(), ["hire_car"]);
    assert!(run.transcript().contains("1h  the deadline passed\n"), "{}", run.transcript());
    let run = kit.start(hurry());
    run.deliver(Paid { trip: 7, amount: 1 });
    assert_eq!(run.ok(), 1);
}
