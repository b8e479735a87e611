//! Journals of runs that are cancelled, or whose parts are broken off, changed so that the run goes on too early.
//! What is missing then, or still under way, is named.

use workflow_core::{Command, Conclusion, Event, Failure, FailureKind, OpId, Record, WorkflowFn, hours};
use workflow_runtime::prelude::*;

use crate::oracle::Judge;
use crate::trip::*;
use crate::{Kit, Violation};

#[subflow]
async fn stay(city: &str) -> Result<u32, TripError> {
    let hotel = book(city).await?;
    Ok(hotel + price(city).await?)
}

#[workflow]
async fn travel() -> Result<u32, TripError> {
    let parts = try_join!(stay("Rome"), hire_car(2));
    let price = price("all").await?;
    Ok(price + parts.map_or(0, |(stay, car)| stay + car))
}

#[workflow]
async fn hurry() -> Result<u32, TripError> {
    let parts = try_join!(price("Rome"), hire_car(2));
    let price = price("all").await?;
    Ok(price + parts.map_or(0, |(rome, car)| rome + car))
}

#[workflow]
async fn hesitate() -> Result<u32, TripError> {
    let hotel = book("Rome").await?;
    compensate().await;
    Ok(hotel + price("all").await?)
}

fn judged(workflow: &impl WorkflowFn<()>, journal: &[Record]) -> Result<(), Violation> {
    let judge = Judge::of(workflow.definition()).unwrap();
    let records: Vec<&Record> = journal.iter().collect();
    let paths = judge.walker.walk(&records)?;
    paths.iter().map(|path| super::saga::check(&judge, &records, path)).find(Result::is_err).unwrap_or(Ok(()))
}

fn said(workflow: &impl WorkflowFn<()>, journal: &[Record]) -> String {
    judged(workflow, journal).unwrap_err().to_string()
}

fn row_of(journal: &[Record], completes: &str) -> usize {
    let is_it = |record: &Record| matches!(&record.event, Event::StepCompleted { op, .. } if op.as_str() == completes);
    journal.iter().position(is_it).unwrap()
}

/// The car is not to be had while the price of the hotel is looked up.
fn journal_of_a_trip_without_a_car() -> Vec<Record> {
    let kit = Kit::new();
    kit.on(book).returns(Ok(1));
    kit.on(cancel_booking).returns(());
    kit.on(hire_car).returns(Err(TripError::FullyBooked)).takes(hours(1));
    kit.on(price).returns_once(Ok(50)).takes(hours(2)).returns(Ok(100));
    let run = kit.start(travel());
    assert_eq!(run.ok(), 100);
    run.journal()
}

#[test]
fn a_way_on_while_something_beside_the_failure_is_under_way_is_named() {
    let kit = Kit::new();
    kit.on(hire_car).returns(Err(TripError::FullyBooked)).takes(hours(1));
    kit.on(price).returns_once(Ok(50)).takes(hours(2)).returns(Ok(100));
    let run = kit.start(hurry());
    assert_eq!(run.ok(), 100);
    let mut journal = run.journal();
    assert_eq!(judged(&hurry, &journal), Ok(()));
    let looked_up = row_of(&journal, "price");
    let on = std::mem::take(&mut journal[looked_up].commands);
    let failed = row_of(&journal, "hire_car");
    journal[failed].commands.extend(on);
    assert_eq!(
        said(&hurry, &journal),
        "saga: the code went on behind a failure although `price` beside it was still under way"
    );
}

#[test]
fn what_a_subflow_that_was_broken_off_has_left_is_named() {
    let mut journal = journal_of_a_trip_without_a_car();
    let undone = row_of(&journal, "stay.book/undo");
    journal[undone - 1].commands = journal[undone].commands.clone();
    journal.remove(undone);
    assert_eq!(
        said(&travel, &journal),
        "saga: `cancel_booking` did not run for the completed step `book` at `stay.book` before the code went on \
         behind `stay`, which a failure beside it had broken off"
    );
}

#[test]
fn what_is_not_undone_on_purpose_is_named() {
    let kit = Kit::new();
    kit.on(book).returns(Ok(1));
    kit.on(cancel_booking).returns(());
    kit.on(price).returns(Ok(100));
    let run = kit.start(hesitate());
    run.ok();
    let mut journal = run.journal();
    assert_eq!(judged(&hesitate, &journal), Ok(()));
    let undone = row_of(&journal, "book/undo");
    journal[undone - 1].commands = journal[undone].commands.clone();
    journal.remove(undone);
    assert_eq!(
        said(&hesitate, &journal),
        "saga: `cancel_booking` did not run for the completed step `book` though the code said `compensate()`"
    );
}

#[test]
fn a_cancel_that_nothing_comes_of_is_named() {
    let mut journal = journal_of_a_trip_without_a_car();
    let cancel = Event::CancelRequested { reason: "changed my mind".to_owned() };
    journal.insert(1, Record::new(0, cancel, Vec::new()));
    assert_eq!(
        said(&travel, &journal),
        "saga: the run went on though a cancel had come with write 2, before any point of no return"
    );
    // In the end, when the code waits for nothing any more, one comes too late.
    let cancel = journal.remove(1);
    let undone = row_of(&journal, "stay.book/undo");
    let on = std::mem::take(&mut journal[undone].commands);
    journal.insert(undone + 1, Record { commands: on, ..cancel });
    assert_eq!(judged(&travel, &journal), Ok(()));
}

#[test]
fn a_cancel_that_is_obeyed_behind_the_point_of_no_return_is_named() {
    let mut journal = super::journal_of_success();
    let last = journal.last_mut().unwrap().commands.last_mut().unwrap();
    *last = Command::Finish(Conclusion::Cancelled { reason: "changed my mind".to_owned() });
    assert_eq!(
        super::saga_says(&journal),
        "pivot: the run was cancelled though it had passed the point of no return `ship`"
    );
    // What a person gives up ends the run wherever it is.
    let row = journal.len() - 1;
    let op = OpId::from_text("thank");
    journal[row].event = Event::GivenUp { op, reason: "she has moved".to_owned() };
    assert_eq!(super::saga_of(&journal), Ok(()));
}

#[test]
fn two_compensations_at_once_are_named() {
    let mut journal = super::journal_of_failure();
    let begins = |record: &Record, op: &str| record.commands.iter().any(|command| super::starts(command, op));
    let first = journal.iter().position(|record| begins(record, "retrieve_payment/undo")).unwrap();
    let second = journal.iter().position(|record| begins(record, "reserve_goods/undo")).unwrap();
    let at = journal[second].commands.iter().position(|command| super::starts(command, "reserve_goods/undo"));
    let begun = journal[second].commands.remove(at.unwrap());
    journal[first].commands.push(begun);
    assert_eq!(
        super::saga_says(&journal),
        "saga: `release_goods` for `reserve_goods` began before `retrieve_payment` was undone"
    );
}

#[test]
fn a_pivot_in_doubt_that_is_withdrawn_is_named() {
    let mut journal = super::journal_of_success();
    let row = row_of(&journal, "ship");
    let begun = journal[row - 1].commands.iter().find(|command| super::starts(command, "ship")).unwrap();
    let op = OpId::from_text("ship");
    let failure = Failure { kind: FailureKind::Panic, message: "out of memory".to_owned() };
    let event = Event::AttemptFailed { op: op.clone(), attempt: 1, failure, retry_at_ms: Some(60_000) };
    let commands = vec![begun.clone(), Command::Withdraw { op }];
    journal.insert(row, Record::new(0, event, commands));
    assert_eq!(
        super::saga_says(&journal),
        "saga: `ship` was withdrawn though it may have passed the point of no return; it is asked again"
    );
}
