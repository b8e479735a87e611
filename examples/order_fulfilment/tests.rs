//! The order workflow, tested: single stories with mocks, then every failure and every crash at once.
//! No engine, no world and no clock take part; the simulator has tests of its own.

#[path = "../../tests/conformance/judge.rs"]
mod judge;

use std::path::Path;
use std::time::Duration;

use workflow_core::{Record, Run};
use workflow_runtime::prelude::*;
use workflow_test::{
    Exploration, Explore, Kit, Outcome, compensations, complete, crash_points, edges, replay_histories,
    timers,
};

use crate::orders::{Card, Order, read_orders};
use crate::simulator::{ChargeId, ReservationId, TrackingId};
use crate::workflow::{
    CourierError, NewCard, OrderError, PaymentError, StockError, book_shipment, confirm_order, fulfil_order,
    refund_payment, release_goods, reserve_goods, retrieve_payment,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/order_fulfilment");

/// Journals that take every way between them; `WORKFLOW_HISTORIES=write` adds what is missing.
const HISTORIES: &str = "examples/order_fulfilment/histories";

fn order() -> Order {
    read_orders(Path::new(FOLDER).join("orders.jsonl")).unwrap().remove(0)
}

fn new_card() -> NewCard {
    let card = Card { number: "4242424242424242".into(), expires: "2031-01".into() };
    NewCard { order_id: order().id, card }
}

fn kit() -> Kit {
    let kit = Kit::new();
    kit.on(reserve_goods).returns(Ok(ReservationId("reservation-1".into())));
    kit.on(retrieve_payment).returns(Ok(ChargeId("charge-1".into())));
    kit.on(book_shipment).returns(Ok(TrackingId("parcel-1".into())));
    kit.on(confirm_order).returns(());
    kit.on(refund_payment).returns(());
    kit.on(release_goods).returns(());
    kit
}

#[test]
fn a_clean_order_is_delivered() {
    let run = kit().start(fulfil_order(order()));
    assert_eq!(run.ok().tracking, TrackingId("parcel-1".into()));
    assert_eq!(run.compensated(), [] as [&str; 0]);
}

#[test]
fn an_expired_card_is_replaced() {
    let kit = kit();
    kit.on(retrieve_payment)
        .returns_once(Err(PaymentError::CardExpired))
        .then(|_: &Order, card: &Card| Ok(ChargeId(format!("charge on {}", card.number))));
    let run = kit.start(fulfil_order(order()));
    run.until_waiting_for::<NewCard>();
    run.deliver(new_card());
    assert_eq!(run.ok().charge, ChargeId("charge on 4242424242424242".into()));
}

#[test]
fn a_customer_who_sends_no_card_within_seven_days_gets_nothing_and_pays_nothing() {
    let kit = kit();
    kit.on(retrieve_payment).returns(Err(PaymentError::CardExpired));
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.err(), OrderError::NoNewCard(TimedOut));
    assert_eq!(run.elapsed(), days(7));
    assert_eq!(run.compensated(), ["reserve_goods"]);
}

#[test]
fn what_no_courier_takes_is_refunded_first_and_put_back_then() {
    let kit = kit();
    kit.on(book_shipment).returns(Err(CourierError::NoCourier));
    let run = kit.start(fulfil_order(order()));
    assert_eq!(run.err(), OrderError::NotShipped(CourierError::NoCourier));
    assert_eq!(run.compensated(), ["retrieve_payment", "reserve_goods"]);
    let transcript = run.transcript();
    let story: Vec<&str> = transcript.lines().map(str::trim).collect();
    assert_eq!(
        story,
        [
            "0s  start fulfil_order",
            "0s  reserve_goods: ok",
            "0s  retrieve_payment: ok",
            "0s  book_shipment: NoCourier",
            "0s  undo retrieve_payment by refund_payment: ok",
            "0s  undo reserve_goods by release_goods: ok",
            "0s  failed with NotShipped",
        ]
    );
}

#[test]
fn an_order_survives_every_failure_and_a_crash_at_every_write() {
    let report = exploration()
        .each_step_fails()
        .crash_at_every_write()
        .sometimes("a refund", |end| end.ran(refund_payment))
        .run();
    println!("{report}");
    report.coverage("target/workflow-coverage").assert(timers(1.0)).assert(crash_points(0.8));
    report.assert(complete());
}

#[test]
fn two_failures_at_a_time_take_every_way_of_the_diagram() {
    let all = exploration().each_step_fails().pairs().budget(20_000, Duration::from_secs(60));
    let report = all.histories(HISTORIES).run();
    report.coverage("target/workflow-coverage").assert(edges(1.0)).assert(compensations(1.0));
    report.assert(complete());
}

#[test]
fn an_order_can_be_cancelled_at_any_moment() {
    exploration().cancel_at_every_write().crash_at_every_write().run().assert(complete());
}

/// What holds whatever happens: no money and no goods in limbo.
fn exploration() -> Exploration {
    let explore = Explore::new();
    explore.on(reserve_goods).returns(Ok(ReservationId("reservation-1".into())));
    explore.on(retrieve_payment).returns(Ok(ChargeId("charge-1".into())));
    explore.on(book_shipment).returns(Ok(TrackingId("parcel-1".into())));
    explore.on(confirm_order).returns(());
    explore.on(refund_payment).returns(());
    explore.on(release_goods).returns(());
    explore
        .workflow(|| fulfil_order(order()))
        .message(new_card)
        .sample(reserve_goods, Err(StockError::OutOfStock { sku: "MUG".into() }))
        .always("money is kept only for what was shipped", |end| {
            let charged = end.completed(retrieve_payment) - end.completed(refund_payment);
            charged == end.completed(book_shipment)
        })
        .always("goods are given away only with a parcel", |end| {
            let taken = end.completed(reserve_goods) - end.completed(release_goods);
            taken == end.completed(book_shipment)
        })
        .always("what was shipped is confirmed", |end| {
            end.completed(book_shipment) == 0 || end.outcome() == Outcome::Completed
        })
}

#[test]
fn a_journal_of_every_way_still_replays() {
    assert!(replay_histories(fulfil_order, HISTORIES).histories > 5);
}

/// Written by the first release, and never to be changed: a run that began with it must go on with this code.
#[test]
fn a_journal_of_the_first_release_still_replays() {
    let path = Path::new(FOLDER).join("histories/v1-replaced-card-no-courier.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let journal: Vec<Record> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for rows in 1..=journal.len() {
        let run = Run::replay(fulfil_order.definition(), "order-0107", &journal[..rows]).unwrap();
        assert_eq!(run.conclusion().is_some(), rows == journal.len(), "after row {rows}");
    }
    let again: Vec<String> = journal.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    assert_eq!(again, text.lines().collect::<Vec<_>>(), "and is written as it was");
}

#[test]
fn the_diagram_is_where_an_analyst_can_begin() {
    judge::the_export_conforms(fulfil_order.graph());
}

#[test]
fn workflow_diagrams_of_the_gallery() {
    workflow_bpmn::Gallery::of([fulfil_order.graph()]).keep("docs/gallery/order_fulfilment");
}

#[test]
fn the_diagram_beside_the_code_is_the_one_of_the_code() {
    let graph = fulfil_order.graph();
    for (name, drawn) in
        [("order.bpmn", workflow_bpmn::to_xml(graph)), ("order.svg", workflow_bpmn::to_svg(graph))]
    {
        let committed = std::fs::read_to_string(Path::new(FOLDER).join(name)).unwrap_or_default();
        assert!(committed == drawn, "{name} is stale: run `cargo xtask diagrams` and look at the picture");
    }
}
