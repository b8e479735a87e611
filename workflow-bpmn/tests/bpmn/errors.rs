//! Errors that are passed on through scopes: who tells them apart further out has to hear which one it is.
//! Engines that found the way wrong were the reason; `cargo xtask test` has them look again.

use std::sync::OnceLock;

use workflow_graph::Graph;

use crate::mapping::element;
use crate::parallel::booking;
use crate::sketch::{graph, run, step, subflow, try_join};

/// Says `?` behind a scope that fails in two ways.
fn week() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| {
        let trip = subflow("book_trip", "book_trip", booking).or_fail(Some("no_trip"));
        graph("week", vec![step("pack").undo("unpack").into(), trip])
    })
}

#[test]
fn an_error_that_is_told_apart_further_out_leaves_by_an_end_of_its_own() {
    let handled = subflow("week", "week", week).on("CarrierDown", "", vec![run("take_the_train")]);
    let xml = workflow_bpmn::to_xml(&graph("holidays", vec![handled.or_fail(Some("no_holidays"))]));
    let event = element(&xml, "week.book_trip_error_CarrierDown");
    assert!(event.contains(r#"attachedToRef="week.book_trip""#), "{event}");
    assert!(event.contains(r#"<bpmn:errorEventDefinition errorRef="error_CARRIERDOWN"/>"#), "{event}");
    assert!(element(&xml, "week.no_trip_CarrierDown_undo").contains("compensateEventDefinition"));
    let end = element(&xml, "week.no_trip_CarrierDown");
    assert!(
        end.contains(r#"name="Carrier down""#) && end.contains(r#"errorRef="error_CARRIERDOWN""#),
        "{end}"
    );
    // What nobody tells apart stays together.
    assert!(!xml.contains("week.book_trip_error_BadAddress"));
    assert!(element(&xml, "week.no_trip").contains("<bpmn:errorEventDefinition/>"));
}

#[test]
fn errors_that_nobody_tells_apart_stay_together() {
    let xml =
        workflow_bpmn::to_xml(&graph("holidays", vec![subflow("week", "week", week).or_fail(Some("none"))]));
    assert!(!xml.contains("CarrierDown_undo") && !xml.contains("week.book_trip_error_CarrierDown"));
    // The workflow itself has nobody around it.
    let trip = subflow("book_trip", "book_trip", booking).or_fail(Some("no_trip"));
    assert!(
        !workflow_bpmn::to_xml(&graph("trip", vec![trip])).contains("id=\"book_trip_error_CarrierDown\"")
    );
}

#[test]
fn the_same_holds_for_branches_that_fail_as_one() {
    let trip = subflow("book_trip", "book_trip", booking).or_fail(Some("no_trip"));
    let all = try_join("all", vec![vec![trip], vec![run("pack")]], "not_all");
    let xml = workflow_bpmn::to_xml(&graph(
        "holidays",
        vec![all.on("CarrierDown", "", vec![run("take_the_train")])],
    ));
    assert!(element(&xml, "no_trip_CarrierDown").contains(r#"errorRef="error_CARRIERDOWN""#));
}
