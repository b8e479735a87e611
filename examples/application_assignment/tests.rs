//! The assignment, tested: single stories, then every failure, cancel and crash at once.

#[path = "../../tests/conformance/judge.rs"]
mod judge;

use std::path::Path;

use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Outcome, complete};

use crate::workflow::{
    Adviser, Application, ApplicationAssigned, ApplicationReceived, AssignmentError, CreateWorkOrder,
    DeskError, WorkOrderCreated, assign, assign_application, cancel_work_order, find_advisers, take_back,
};

fn received() -> ApplicationReceived {
    let application = Application { id: "A-1".into(), region: "north".into(), euros: 30_000 };
    ApplicationReceived { id: "A-1".into(), application }
}

fn created() -> WorkOrderCreated {
    WorkOrderCreated { application_id: "A-1".into(), work_order: "WO-1".into() }
}

fn advisers() -> Vec<Adviser> {
    let adviser = |name: &str, open_cases, limit| Adviser { name: name.into(), open_cases, limit };
    vec![adviser("Anna", 3, 50_000), adviser("Björn", 1, 20_000), adviser("Cleo", 2, 500_000)]
}

fn kit() -> Kit {
    let kit = Kit::new();
    kit.on(find_advisers).returns(Ok(advisers()));
    kit.on(assign).returns(Ok(()));
    kit.on(take_back).returns(());
    kit.on(cancel_work_order).returns(());
    kit
}

#[test]
fn the_adviser_with_the_fewest_cases_who_may_decide_gets_it() {
    let run = kit().start(assign_application(received()));
    run.until_waiting_for::<WorkOrderCreated>();
    let told = ApplicationAssigned { application_id: "A-1".into(), adviser: "Cleo".into() };
    assert_eq!(run.published::<ApplicationAssigned>(), [told]);
    assert_eq!(run.sent::<CreateWorkOrder>().len(), 1);
    run.deliver(created());
    assert_eq!(run.ok().work_order, "WO-1");
    assert_eq!(run.compensated(), [] as [&str; 0]);
}

#[test]
fn without_an_answer_everything_is_undone_in_reverse_the_work_order_first() {
    let run = kit().start(assign_application(received()));
    assert_eq!(run.err(), AssignmentError::NoWorkOrder);
    assert_eq!(run.elapsed(), hours(4));
    assert_eq!(run.compensated(), ["assign"]);
    let transcript = run.transcript();
    let at = |what: &str| transcript.find(what).unwrap_or_else(|| panic!("no {what} in\n{transcript}"));
    assert!(at("cancel_work_order: ok") < at("undo assign"), "{transcript}");
}

#[test]
fn an_application_that_nobody_may_decide_on_ends_at_once() {
    let kit = kit();
    kit.on(find_advisers).returns(Ok(Vec::new()));
    assert_eq!(kit.start(assign_application(received())).err(), AssignmentError::NoAdviser);
}

#[test]
fn no_application_stays_on_a_desk_without_a_work_order_whatever_happens() {
    let explore = Explore::new();
    explore.on(find_advisers).returns(Ok(advisers()));
    explore.on(assign).returns(Ok(()));
    explore.on(take_back).returns(());
    explore.on(cancel_work_order).returns(());
    let exploration = || {
        explore
            .workflow(|| assign_application(received()))
            .message(created)
            .sample(assign, Err(DeskError::Away { adviser: "Cleo".into() }))
            .always("what is assigned is taken back, unless the papers are prepared", |end| {
                let assigned = usize::from(end.outcome() == Outcome::Completed);
                end.completed(assign) <= end.completed(take_back) + assigned
            })
    };
    exploration().each_step_fails().crash_at_every_write().run().assert(complete());
    exploration().cancel_at_every_write().crash_at_every_write().run().assert(complete());
}

#[test]
fn the_diagram_is_where_an_analyst_can_begin() {
    judge::the_export_conforms(assign_application.graph());
}

#[test]
fn workflow_diagrams_of_the_gallery() {
    workflow_bpmn::Gallery::of([assign_application.graph()]).keep("docs/gallery/application_assignment");
}

#[test]
fn the_diagram_beside_the_code_is_the_one_of_the_code() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/application_assignment"));
    let graph = assign_application.graph();
    for (name, drawn) in [
        ("application_assignment.bpmn", workflow_bpmn::to_xml(graph)),
        ("application_assignment.svg", workflow_bpmn::to_svg(graph)),
    ] {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(committed == drawn, "{name} is stale: run `cargo xtask diagrams` and look at the picture");
    }
}
