//! Journals of runs with subflows, broken on purpose: the saga oracle names what a scope has left, or should have.

use workflow_core::{Command, Event, OpId, Payload, Record, WorkflowCall, WorkflowFn};
use workflow_runtime::prelude::*;

use crate::oracle::Judge;
use crate::trip::*;
use crate::{Kit, Violation};

#[subflow]
async fn stay(city: &str) -> Result<u32, TripError> {
    let hotel = book(city).await?;
    let car = hire_car(2).await?;
    Ok(hotel + car)
}

#[workflow]
async fn travel() -> Result<u32, TripError> {
    book("flight").await?;
    let stay = stay("Rome").await.unwrap_or(0);
    let price = price("all").await?;
    Ok(stay + price)
}

fn journal_of(kit: &Kit, call: WorkflowCall<__travel>) -> Vec<Record> {
    let run = kit.start(call);
    run.run_to_end();
    run.journal()
}

fn kit() -> Kit {
    let kit = Kit::new();
    kit.on(book).returns(Ok(1));
    kit.on(hire_car).returns(Ok(7));
    kit.on(price).returns(Ok(100));
    kit
}

fn judged(journal: &[Record]) -> Result<(), Violation> {
    let judge = Judge::of(travel.definition()).unwrap();
    let records: Vec<&Record> = journal.iter().collect();
    let paths = judge.walker.walk(&records)?;
    paths.iter().map(|path| super::saga::check(&judge, &records, path)).find(Result::is_err).unwrap_or(Ok(()))
}

fn said(journal: &[Record]) -> String {
    judged(journal).unwrap_err().to_string()
}

fn row_of(journal: &[Record], completes: &str) -> usize {
    let is_it = |record: &Record| matches!(&record.event, Event::StepCompleted { op, .. } if op.as_str() == completes);
    journal.iter().position(is_it).unwrap()
}

#[test]
fn what_a_failed_subflow_has_left_is_named() {
    let kit = kit();
    kit.on(hire_car).returns(Err(TripError::FullyBooked));
    let mut journal = journal_of(&kit, travel());
    assert_eq!(judged(&journal), Ok(()));
    // The caller goes on with the very event on which the subflow failed.
    let undone = row_of(&journal, "stay.book/undo");
    let commands = journal.remove(undone).commands;
    journal[undone - 1].commands = commands;
    assert_eq!(
        said(&journal),
        "saga: `cancel_booking` did not run for the completed step `book` at `stay.book` \
         before its subflow `stay` was left"
    );
}

#[test]
fn what_a_subflow_that_ended_well_loses_is_named() {
    let mut journal = journal_of(&kit(), travel());
    assert_eq!(judged(&journal), Ok(()));
    let op = OpId::from_text("stay.book/undo");
    let asked = Command::StartStep {
        op: op.clone(),
        step: "cancel_booking".into(),
        args: Payload::of(&("Rome",)).unwrap(),
        attempt: 1,
        due_ms: 0,
        timeout_ms: None,
    };
    let done = Event::StepCompleted { op, output: Payload::null(), error: None };
    let at = row_of(&journal, "stay.hire_car");
    journal[at].commands.push(asked);
    journal.insert(at + 1, Record::new(0, done, Vec::new()));
    // The last step can still be undone, so that this one was undone too early; without it, without need.
    assert_eq!(
        said(&journal),
        "saga: `stay.book` was undone before `stay.hire_car`, which was completed later"
    );
    let last = journal.len() - 1;
    let row = journal.remove(at + 1);
    let asked = journal[at].commands.pop().unwrap();
    journal.insert(last, row);
    journal[last - 1].commands.push(asked);
    assert!(said(&journal).contains("was undone before"), "{}", said(&journal));
}

#[test]
fn an_order_that_ignores_subflows_that_ended_well_is_named() {
    let kit = kit();
    kit.on(price).returns(Err(TripError::FullyBooked));
    let mut journal = journal_of(&kit, travel());
    assert_eq!(judged(&journal), Ok(()));
    let other = |op: &OpId| match op.as_str() {
        "book/undo" => OpId::from_text("stay.book/undo"),
        "stay.book/undo" => OpId::from_text("book/undo"),
        _ => op.clone(),
    };
    for record in &mut journal {
        if let Event::StepCompleted { op, .. } = &mut record.event {
            *op = other(op);
        }
        for command in &mut record.commands {
            if let Command::StartStep { op, args, .. } = command
                && op.undoes().is_some()
                && *op != other(op)
            {
                *op = other(op);
                let part = if op.as_str() == "book/undo" { "flight" } else { "Rome" };
                *args = Payload::of(&(part,)).unwrap();
            }
        }
    }
    assert_eq!(said(&journal), "saga: `book` was undone before `stay.book`, which was completed later");
}

#[test]
fn an_operation_of_a_subflow_that_comes_too_late_is_named() {
    let mut journal = journal_of(&kit(), travel());
    // The caller goes on, and only then the subflow comes to its second step.
    let (booked, hired) = (row_of(&journal, "stay.book"), row_of(&journal, "stay.hire_car"));
    let (first, second) = (journal[booked].commands.clone(), journal[hired].commands.clone());
    journal[booked].commands = second;
    journal[hired].commands = first;
    assert_eq!(
        said(&journal),
        "graph: after `stay.book` the run came to `price`; the graph leads from there to `hire_car` only"
    );
}
