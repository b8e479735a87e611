//! Each oracle is shown a journal, a graph or a workflow that was broken on purpose, and names the culprit.
//! The broken thing is always made from one that is in order.

mod leaving;
mod regions;
mod scopes;

use workflow_core::{Command, Conclusion, Event, OpId, Payload, Record, WorkflowFn, days};
use workflow_graph::{Flow, FlowKind, Graph, NodeKind, Outcome};

use super::walk::{Path, Walker};
use super::{Judge, saga};
use crate::shop::*;
use crate::{Kit, Violation};

/// The journal of an order that fails after goods were reserved and the payment was taken.
fn journal_of_failure() -> Vec<Record> {
    let kit = Kit::new();
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    kit.on(retrieve_payment).returns(Ok(Payment { amount: 7 }));
    kit.on(ship).returns(Err(ShipError::NoSuchAddress));
    kit.on(thank).returns(());
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.err(), OrderError::Ship(ShipError::NoSuchAddress));
    assert_eq!(run.compensated(), ["retrieve_payment", "reserve_goods"]);
    run.journal()
}

fn journal_of_success() -> Vec<Record> {
    let kit = Kit::new();
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    kit.on(retrieve_payment).returns(Ok(Payment { amount: 7 }));
    kit.on(ship).returns(Ok(Parcel(1)));
    kit.on(thank).returns(());
    let run = kit.start(fulfil_order(order()));
    run.ok();
    run.journal()
}

fn saga_says(journal: &[Record]) -> String {
    saga_of(journal).unwrap_err().to_string()
}

fn saga_of(journal: &[Record]) -> Result<(), Violation> {
    let judge = Judge::of(fulfil_order.definition()).unwrap();
    let records: Vec<&Record> = journal.iter().collect();
    saga::check(&judge, &records, &Path::default())
}

fn walk(walker: &Walker, journal: &[Record]) -> Result<Vec<Path>, Violation> {
    walker.walk(&journal.iter().collect::<Vec<_>>())
}

fn starts(command: &Command, wanted: &str) -> bool {
    matches!(command, Command::StartStep { op, .. } if op.as_str() == wanted)
}

fn completes(record: &Record, wanted: &str) -> bool {
    matches!(&record.event, Event::StepCompleted { op, .. } if op.as_str() == wanted)
}

/// Takes a compensation out of a journal, and keeps what came with it.
fn without_undo(mut journal: Vec<Record>, op: &str) -> Vec<Record> {
    for record in &mut journal {
        record.commands.retain(|command| !starts(command, op));
    }
    let row = journal.iter().position(|record| completes(record, op)).unwrap();
    let commands = journal.remove(row).commands;
    journal[row - 1].commands.extend(commands);
    journal
}

/// The end of the same journal, but with a result.
fn as_success(mut journal: Vec<Record>) -> Vec<Record> {
    let last = journal.last_mut().unwrap().commands.last_mut().unwrap();
    *last = Command::Finish(Conclusion::Completed(Payload::null()));
    journal
}

#[test]
fn a_journal_in_order_is_accepted() {
    for journal in [journal_of_failure(), journal_of_success()] {
        assert_eq!(saga_of(&journal), Ok(()));
    }
}

#[test]
fn a_missing_compensation_is_named() {
    assert_eq!(
        saga_says(&without_undo(journal_of_failure(), "reserve_goods/undo")),
        "saga: `release_goods` did not run for the completed step `reserve_goods`"
    );
}

#[test]
fn what_is_written_behind_the_end_does_not_hide_it() {
    let mut journal = without_undo(journal_of_failure(), "reserve_goods/undo");
    let at_ms = journal.last().unwrap().at_ms;
    let late = Event::CancelRequested { reason: "late".to_owned() };
    journal.push(Record::new(at_ms, late, Vec::new()));
    assert!(super::is_over(&journal.iter().collect::<Vec<_>>()));
    assert_eq!(
        saga_says(&journal),
        "saga: `release_goods` did not run for the completed step `reserve_goods`"
    );
}

#[test]
fn a_compensation_that_nobody_waited_for_is_named() {
    let mut journal = journal_of_failure();
    let row = journal.iter().position(|record| completes(record, "reserve_goods/undo")).unwrap();
    let commands = journal.remove(row).commands;
    journal[row - 1].commands.extend(commands);
    assert_eq!(
        saga_says(&journal),
        "saga: the run ended before `release_goods` for `reserve_goods` was done"
    );
}

#[test]
fn a_compensation_that_runs_twice_is_named() {
    let mut journal = journal_of_failure();
    let is_start =
        |record: &Record| record.commands.iter().any(|command| starts(command, "retrieve_payment/undo"));
    let begun = journal.iter().position(is_start).unwrap();
    let done = journal.iter().position(|record| completes(record, "retrieve_payment/undo")).unwrap();
    let mut again = journal[begun].clone();
    again.event = journal[done].event.clone();
    again.commands.retain(|command| starts(command, "retrieve_payment/undo"));
    journal.insert(done, again);
    assert_eq!(
        saga_says(&journal),
        "saga: `refund_payment` ran 2 times for the completed step `retrieve_payment`"
    );
}

#[test]
fn a_compensation_of_a_run_that_completed_is_named() {
    assert_eq!(
        saga_says(&as_success(journal_of_failure())),
        "saga: `refund_payment` ran for `retrieve_payment` though the run completed"
    );
}

#[test]
fn a_compensation_after_the_pivot_is_named() {
    let mut journal = journal_of_failure();
    for record in &mut journal {
        if let Event::StepCompleted { op, error, .. } = &mut record.event
            && op.as_str() == "ship"
        {
            *error = None;
        }
    }
    assert_eq!(
        saga_says(&journal),
        "saga: `refund_payment` ran for `retrieve_payment` though the run had passed the point of no return `ship`"
    );
}

#[test]
fn a_wrong_order_of_compensations_is_named() {
    let mut journal = journal_of_failure();
    let goods = journal.iter().position(|record| completes(record, "reserve_goods")).unwrap();
    let money = journal.iter().position(|record| completes(record, "retrieve_payment")).unwrap();
    // The other way round is how it happened, so the compensations are in the wrong order now.
    let event = journal[goods].event.clone();
    journal[goods].event = journal[money].event.clone();
    journal[money].event = event;
    let started = Command::StartStep {
        op: OpId::from_text("retrieve_payment"),
        step: "retrieve_payment".into(),
        args: Payload::of(&(order(),)).unwrap(),
        attempt: 1,
        due_ms: 0,
        timeout_ms: None,
    };
    journal[goods - 1].commands.push(started);
    assert_eq!(
        saga_says(&journal),
        "saga: `retrieve_payment` was undone before `reserve_goods`, which was completed later"
    );
}

#[test]
fn a_compensation_of_something_that_never_happened_is_named() {
    let mut journal = journal_of_failure();
    for record in &mut journal {
        if let Event::StepCompleted { op, error, .. } = &mut record.event
            && op.as_str() == "reserve_goods"
        {
            *error = Some("OutOfStock".to_owned());
        }
    }
    assert_eq!(
        saga_says(&journal),
        "saga: `release_goods` ran for `reserve_goods` though it had not been completed, or had been undone"
    );
}

#[test]
fn wrong_arguments_of_a_compensation_are_named() {
    let mut journal = journal_of_failure();
    for command in journal.iter_mut().flat_map(|record| &mut record.commands) {
        if let Command::StartStep { op, args, .. } = command
            && op.as_str() == "reserve_goods/undo"
        {
            *args = Payload::of(&(8,)).unwrap();
        }
    }
    assert_eq!(
        saga_says(&journal),
        "saga: `release_goods` for `reserve_goods` was given [8], its wiring says [7]"
    );
}

/// The graph of the order with other flows.
fn walker(change: impl Fn(&mut Vec<Flow>)) -> Walker {
    let honest = fulfil_order.graph();
    let mut flows = honest.flows.to_vec();
    change(&mut flows);
    Walker::new(Box::leak(Box::new(Graph { flows: flows.into(), ..honest.clone() })))
}

fn from(node: &str) -> usize {
    fulfil_order.graph().index_of(node).unwrap()
}

#[test]
fn a_flow_that_the_graph_lacks_is_named() {
    let walker = walker(|flows| {
        flows
            .retain(|flow| flow.from != from("reserve_goods") || matches!(flow.kind, FlowKind::Error { .. }));
    });
    assert_eq!(
        walk(&walker, &journal_of_success()).unwrap_err().to_string(),
        "graph: after `reserve_goods` the run came to `retrieve_payment`; \
         no flow of the graph leaves `reserve_goods` then"
    );
}

#[test]
fn a_flow_that_leads_elsewhere_is_named() {
    let walker = walker(|flows| {
        for flow in flows.iter_mut().filter(|flow| flow.from == from("retrieve_payment")) {
            flow.to = from("thank");
        }
    });
    assert_eq!(
        walk(&walker, &journal_of_success()).unwrap_err().to_string(),
        "graph: after `retrieve_payment` the run came to `ship`; the graph leads from there to `thank` only"
    );
}

#[test]
fn an_error_that_takes_another_flow_is_named() {
    let kit = Kit::new();
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    kit.on(retrieve_payment).returns(Err(PaymentError::CardExpired));
    kit.on(ship).returns(Ok(Parcel(1)));
    kit.on(thank).returns(());
    let run = kit.start(fulfil_order(order()));
    run.until_waiting_for::<NewCard>();
    let walker = walker(|flows| {
        flows.retain(
            |flow| !matches!(&flow.kind, FlowKind::Error { variant, .. } if variant == "CardExpired"),
        );
    });
    let text = walk(&walker, &run.journal()).unwrap_err().to_string();
    assert!(
        text.starts_with(
            "graph: after `retrieve_payment` -> CardExpired the run came to `new_card`; the graph leads from there"
        ),
        "{text}"
    );
    run.advance(days(7));
    assert_eq!(run.err(), OrderError::NoCard(workflow_core::TimedOut));
}

#[test]
fn an_end_of_the_wrong_kind_is_named() {
    let honest = fulfil_order.graph();
    let mut nodes = honest.nodes.to_vec();
    for node in nodes.iter_mut().filter(|node| node.kind == NodeKind::End(Outcome::Success)) {
        node.kind = NodeKind::End(Outcome::Failure);
    }
    let walker = Walker::new(Box::leak(Box::new(Graph { nodes: nodes.into(), ..honest.clone() })));
    let text = walk(&walker, &journal_of_success()).unwrap_err().to_string();
    assert!(
        text.starts_with("graph: after `thank` the run ended with a result; the graph leads from there to"),
        "{text}"
    );
}
