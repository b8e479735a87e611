//! Transactional steps in the kit: mocked like any other, and without effect whenever an attempt does not answer.
//! No SQL runs here; what it does in a store is tested there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Outcome, Resources, edges, workflow_test};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum SeatError {
    #[error("taken")]
    Taken,
    #[error(transparent)]
    Sql(#[from] SqlError),
}

#[step(compensate = free(seat), retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
async fn book(tx: &mut Tx, seat: u32) -> Result<(), SeatError> {
    match tx.execute("INSERT INTO seats (seat) VALUES (?)", (seat,)).await {
        Err(error) if error.is_unique_violation() => Err(SeatError::Taken),
        done => Ok(done.map(drop)?),
    }
}

#[step(retriable)]
async fn free(tx: &mut Tx, seat: u32) -> Result<(), SqlError> {
    tx.execute("DELETE FROM seats WHERE seat = ?", (seat,)).await.map(drop)
}

/// The same, of a service that knows no transactions.
#[step(compensate = free(seat), timeout = "5s", retry(attempts = 2, initial = "1s", factor = 1.0, max = "1s"))]
async fn book_by_telephone(seat: u32) -> Result<(), SeatError> {
    if seat == 13 { Err(SeatError::Taken) } else { Ok(()) }
}

#[step(pivot)]
async fn pay(seat: u32) -> Result<(), SeatError> {
    if seat == 13 { Err(SeatError::Taken) } else { Ok(()) }
}

#[workflow]
async fn travel(seat: u32) -> Result<u32, SeatError> {
    book(seat).await?;
    pay(seat).await?;
    Ok(seat)
}

#[workflow]
async fn travel_by_telephone(seat: u32) -> Result<u32, SeatError> {
    book_by_telephone(seat).await?;
    pay(seat).await?;
    Ok(seat)
}

#[workflow_test]
fn it_is_mocked_like_any_other_step(kit: Kit) {
    kit.on(book).returns(Ok(()));
    kit.on(pay).returns(Err(SeatError::Taken));
    kit.on(free).returns(());
    let run = kit.start(travel(7));
    assert_eq!(run.err(), SeatError::Taken);
    assert_eq!(run.compensated(), ["book"]);
}

#[workflow_test]
fn an_attempt_without_an_answer_took_no_effect(kit: Kit) {
    kit.on(free).returns(());
    kit.on(book).times_out_once().returns(Err(SeatError::Taken));
    let run = kit.start(travel(7));
    assert_eq!(run.err(), SeatError::Taken);
    assert!(run.transcript().contains("attempt 1 failed (rolled back), again at 6s"), "{}", run.transcript());
    assert!(!run.transcript().contains("free"), "{}", run.transcript());
    // What no transaction has rolled back may have taken effect.
    kit.on(book_by_telephone).times_out_once().returns(Err(SeatError::Taken));
    let run = kit.start(travel_by_telephone(7));
    assert_eq!(run.err(), SeatError::Taken);
    assert!(run.transcript().contains("free"), "{}", run.transcript());
}

#[workflow_test]
fn a_run_whose_step_has_failed_for_good_can_be_cancelled(kit: Kit) {
    kit.on(book).panics();
    let run = kit.start(travel(7));
    run.advance(minutes(1));
    assert_eq!(run.incidents().len(), 1);
    run.cancel("enough");
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert!(!run.transcript().contains("free"), "{}", run.transcript());
    kit.on(book_by_telephone).panics();
    let run = kit.start(travel_by_telephone(7));
    run.advance(minutes(1));
    run.cancel("enough");
    assert!(!run.has_ended(), "nobody knows whether there is anything to undo");
}

#[workflow_test(explore)]
fn whatever_happens_only_what_is_booked_is_freed(kit: Explore) {
    kit.on(book).returns(Ok(()));
    kit.on(pay).returns(Ok(()));
    kit.on(free).returns(());
    kit.workflow(|| travel(7))
        .each_step_fails()
        .pairs()
        .crash_at_every_write()
        .always("nothing is freed that was not booked", |end| end.completed(book) == 1 || !end.ran(free))
        .sometimes("a seat is freed", |end| end.compensated(book))
        .run()
        .assert(edges(1.0));
}

#[workflow_test]
fn its_body_cannot_run_without_a_store(kit: Kit) {
    let failure = catch_unwind(AssertUnwindSafe(|| {
        kit.on(book).runs(Resources::default());
        kit.start(travel(7)).run_to_end();
    }));
    let failure = failure.expect_err("there is no store");
    let failure = failure.downcast_ref::<String>().expect("a text");
    assert!(failure.contains("the body of `book` is transactional"), "{failure}");
}
