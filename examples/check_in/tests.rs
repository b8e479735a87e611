//! The check-in, tested: single stories, then every failure, cancel and crash at once; and the desk, with an engine.

#[path = "../../tests/conformance/judge.rs"]
mod judge;

use std::path::Path;

use workflow_runtime::Memory;
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Outcome, complete};

use crate::airline::Airline;
use crate::desk::Desk;
use crate::workflow::{
    BarcodeError, Passenger, SeatError, assign_seat, check_in, create_barcode, free_seat, mail_pass,
};

fn passenger() -> Passenger {
    Passenger { booking: "AB12".into(), name: "Ada".into(), email: "ada@example.org".into() }
}

fn kit() -> Kit {
    let kit = Kit::new();
    kit.on(assign_seat).returns(Ok("1A".to_owned()));
    kit.on(free_seat).returns(());
    kit.on(create_barcode).returns(Ok("M1".to_owned()));
    kit.on(mail_pass).returns(());
    kit
}

#[test]
fn a_service_that_is_down_for_hours_is_waited_for() {
    let kit = kit();
    kit.on(create_barcode).fails_then_ok(200, BarcodeError::Unreachable, "M1".to_owned());
    let run = kit.start(check_in(passenger()));
    assert_eq!(run.ok().barcode, "M1");
    assert!(run.elapsed() > hours(2), "{:?}", run.elapsed());
}

#[test]
fn after_a_day_the_seat_is_free_again() {
    let kit = kit();
    kit.on(create_barcode).fails_then_ok(5_000, BarcodeError::Unreachable, "M1".to_owned());
    let run = kit.start(check_in(passenger()));
    run.run_to_end();
    assert_eq!(run.compensated(), ["assign_seat"]);
}

#[test]
fn nobody_keeps_a_seat_without_a_pass_whatever_happens() {
    let explore = Explore::new();
    explore.on(assign_seat).returns(Ok("1A".to_owned()));
    explore.on(free_seat).returns(());
    explore.on(create_barcode).returns(Ok("M1".to_owned()));
    explore.on(mail_pass).returns(());
    let exploration = || {
        explore
            .workflow(|| check_in(passenger()))
            .sample(assign_seat, Err(SeatError::Full))
            .sample(create_barcode, Err(BarcodeError::UnknownBooking))
            .always("a seat is taken only with a pass", |end| {
                let passes = usize::from(end.outcome() == Outcome::Completed);
                end.completed(assign_seat) <= end.completed(free_seat) + passes
            })
    };
    exploration().each_step_fails().crash_at_every_write().run().assert(complete());
    exploration().cancel_at_every_write().crash_at_every_write().run().assert(complete());
}

#[tokio::test]
async fn the_desk_answers_at_once_or_with_a_status() {
    let airline = Airline::default();
    let engine = Engine::builder()
        .store(Memory::new())
        .register(check_in)
        .resource(airline.clone())
        .start()
        .await
        .unwrap();
    let desk = Desk::new(engine.clone());
    assert!(desk.check_in(passenger()).await.unwrap().starts_with("200 {"), "the pass itself");
    airline.set_barcode_service_down(true);
    let grace = Passenger { booking: "CD34".into(), ..passenger() };
    assert!(desk.check_in(grace.clone()).await.unwrap().starts_with("202 see"));
    assert!(desk.check_in(grace.clone()).await.unwrap().starts_with("202 see"), "the same check-in");
    assert_eq!(desk.status("CD34").await.unwrap(), "200 in progress");
    assert_eq!(airline.seats_taken(), 2);
    airline.set_barcode_service_down(false);
    while airline.mails().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(desk.check_in(grace).await.unwrap().starts_with("200 {"), "the pass that was mailed");
    engine.shutdown().await;
}

#[test]
fn the_diagram_is_where_an_analyst_can_begin() {
    judge::the_export_conforms(check_in.graph());
}

#[test]
fn workflow_diagrams_of_the_gallery() {
    workflow_bpmn::Gallery::of([check_in.graph()]).keep("docs/gallery/check_in");
}

#[test]
fn the_diagram_beside_the_code_is_the_one_of_the_code() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/check_in"));
    let graph = check_in.graph();
    for (name, drawn) in
        [("check_in.bpmn", workflow_bpmn::to_xml(graph)), ("check_in.svg", workflow_bpmn::to_svg(graph))]
    {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(committed == drawn, "{name} is stale: run `cargo xtask diagrams` and look at the picture");
    }
}
