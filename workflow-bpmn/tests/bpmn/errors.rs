//! Errors that are passed on through scopes: who tells them apart further out has to hear which one it is.
//! Engines that found the way wrong were the reason; `cargo xtask test` has them look again.

use std::sync::OnceLock;

use workflow_graph::{ErrorFacts, Graph, Instances, NodeKind, Thrown};

use crate::mapping::element;
use crate::parallel::booking;
use crate::sketch::{Stmt, graph, run, select, sleep, step, subflow, try_join};

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

const fn way(variant: &'static str, code: &'static str, wraps: &'static [ErrorFacts]) -> ErrorFacts {
    let text = std::borrow::Cow::Borrowed;
    ErrorFacts { variant: text(variant), code: text(code), label: text(""), transient: false, wraps }
}

static STOCK: [ErrorFacts; 2] = [way("SoldOut", "SOLD_OUT", &[]), way("Locked", "Locked", &[])];
static PAYMENT: [ErrorFacts; 1] = [way("Declined", "Declined", &[])];
static TROUBLE: [ErrorFacts; 3] =
    [way("Stock", "STOCK", &STOCK), way("Payment", "PAYMENT", &PAYMENT), way("Refused", "REFUSED", &[])];

/// Steps that fail in ways of their own; who calls them has those inside of its own (`#[from]`).
fn fails(mut flow: Graph) -> Graph {
    for node in flow.nodes.to_mut() {
        let errors = if node.id.starts_with("reserve") { &STOCK[..] } else { &PAYMENT[..] };
        match &mut node.kind {
            NodeKind::Step(step) => step.errors = errors.into(),
            NodeKind::Subflow(subflow) => subflow.errors = (&TROUBLE[..]).into(),
            _ => {}
        }
    }
    flow
}

fn selling() -> Vec<Stmt> {
    vec![
        step("reserve_goods").undo("release_goods").or_fail("not_reserved").into(),
        step("charge_card").or_fail("not_charged").into(),
    ]
}

fn sale() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| fails(graph("sale", selling())))
}

#[test]
fn an_error_inside_of_another_leaves_as_that_one() {
    let sold = subflow("sale", "sale", sale).on("Stock", "", vec![run("wait")]).or_fail(Some("unsold"));
    let xml = workflow_bpmn::to_xml(&fails(graph("shop", vec![sold])));
    assert!(element(&xml, "sale_error_Stock").contains(r#"errorRef="error_STOCK""#));
    assert!(element(&xml, "sale.not_reserved").contains(r#"errorRef="error_STOCK""#));
    assert!(element(&xml, "sale.not_charged").contains(r#"errorRef="error_PAYMENT""#));
    assert!(!xml.contains("SOLD_OUT"), "nobody hears of it");
}

#[test]
fn branches_that_fail_as_one_have_the_errors_of_the_function() {
    let branches = selling().into_iter().map(|branch| vec![branch]).collect();
    let all = try_join("sale", branches, "unsold").on("Stock", "", vec![run("wait")]);
    let mut flow = fails(graph("shop", vec![all]));
    flow.errors = (&TROUBLE[..]).into();
    let xml = workflow_bpmn::to_xml(&flow);
    assert!(element(&xml, "sale_error_Stock").contains(r#"errorRef="error_STOCK""#));
    assert!(element(&xml, "not_reserved").contains(r#"errorRef="error_STOCK""#));
    assert!(element(&xml, "not_charged").contains(r#"errorRef="error_PAYMENT""#));
    // Who waits for goods keeps the money; who gives up gives the goods back.
    assert!(!xml.contains("not_reserved_undo") && xml.contains("not_charged_undo"));
}

#[test]
fn branches_that_are_told_apart_in_the_words_of_their_steps_throw_those() {
    let branches = vec![
        vec![step("reserve_goods").undo("release_goods").or_fail("not_reserved").into()],
        vec![step("reserve_van").or_fail("no_van").into()],
    ];
    let all = try_join("both", branches, "neither").on("SoldOut", "", vec![run("order_more")]);
    let mut flow = fails(graph("shop", vec![all]));
    flow.errors = (&TROUBLE[..]).into();
    let xml = workflow_bpmn::to_xml(&flow);
    assert!(element(&xml, "both_error_SoldOut").contains(r#"errorRef="error_SOLD_OUT""#));
    // Each step may fail in another way, too, which is not told apart.
    assert!(element(&xml, "not_reserved_SoldOut").contains(r#"errorRef="error_SOLD_OUT""#));
    assert!(!element(&xml, "not_reserved").contains("errorRef"));
    assert!(!xml.contains("error_STOCK"), "the function has it nowhere by that name");
    // Who orders more keeps what is reserved.
    assert!(!xml.contains("no_van_SoldOut_undo") && xml.contains("no_van_undo"));
}

#[test]
fn the_error_of_a_scope_that_is_kept_as_a_value_is_caught_where_the_flow_goes_on() {
    let trip = || subflow("book_trip", "book_trip", booking);
    let xml = workflow_bpmn::to_xml(&graph("trip", vec![trip(), run("pack")]));
    assert!(element(&xml, "book_trip_error").contains(r#"attachedToRef="book_trip""#));
    let join = element(&xml, "pack_join");
    assert!(join.starts_with("<bpmn:exclusiveGateway") && join.matches("<bpmn:incoming>").count() == 2);
    // In a race, either of them wins it.
    let race = select("first", vec![(trip(), vec![]), (sleep("late", "PT1H", "1 hour"), vec![])]);
    let xml = workflow_bpmn::to_xml(&graph("race", vec![race]));
    assert!(element(&xml, "book_trip_first_join").matches("<bpmn:incoming>").count() == 2);
    // Of many, none ends the others.
    let mut many = graph("many", vec![trip(), run("pack")]);
    many.nodes.to_mut()[1].instances = Some(Instances { limit: "".into(), fails_fast: true });
    assert!(
        element(&workflow_bpmn::to_xml(&many), "book_trip_error").contains("errorEventDefinition"),
        "one does"
    );
    many.nodes.to_mut()[1].instances = Some(Instances { limit: "".into(), fails_fast: false });
    let xml = workflow_bpmn::to_xml(&many);
    assert!(!xml.contains("book_trip_error"));
    assert!(!element(&xml, "book_trip.no_flight").contains("errorEventDefinition"));
    assert!(element(&xml, "book_trip.no_flight_undo").contains("compensateEventDefinition"));
}

/// The sale, where the code makes other errors of those of its steps.
fn mapped_sale() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| {
        let mut flow = sale().clone();
        for node in flow.nodes.to_mut() {
            match &*node.id {
                "not_reserved" => node.thrown = Thrown::Variant("Refused".into()),
                "not_charged" => node.thrown = Thrown::Unknown,
                _ => {}
            }
        }
        flow
    })
}

#[test]
fn an_error_that_the_code_makes_another_one_of_leaves_as_that_one_or_as_none_that_is_named() {
    let sold = subflow("sale", "sale", mapped_sale)
        .on("Stock", "", vec![run("wait")])
        .on("Refused", "", vec![run("apologise")])
        .or_fail(Some("unsold"));
    let xml = workflow_bpmn::to_xml(&fails(graph("shop", vec![sold])));
    assert!(element(&xml, "sale.not_reserved").contains(r#"errorRef="error_REFUSED""#));
    assert!(!element(&xml, "sale.not_charged").contains("errorRef"), "nobody knows what it becomes");
    assert!(!xml.contains("error_PAYMENT"));
    // What a handler outside waits for is not told apart inside, where it never leaves.
    assert!(!xml.contains("sale.not_reserved_") && !xml.contains("sale.reserve_goods_error_"), "{xml}");
}

#[test]
fn an_end_that_is_called_like_an_error_does_not_throw_it_unless_the_code_says_so() {
    static CALLED: OnceLock<Graph> = OnceLock::new();
    fn called() -> &'static Graph {
        CALLED.get_or_init(|| {
            let mut flow = sale().clone();
            // A label above the statement, which happens to be the name of another error.
            let end = flow.index_of("not_reserved").unwrap();
            flow.nodes.to_mut()[end].label = "Refused".into();
            flow
        })
    }
    let sold = subflow("sale", "sale", called).on("Refused", "", vec![run("apologise")]);
    let xml = workflow_bpmn::to_xml(&fails(graph("shop", vec![sold.or_fail(Some("unsold"))])));
    let end = element(&xml, "sale.not_reserved");
    assert!(end.contains(r#"name="Refused""#) && end.contains(r#"errorRef="error_STOCK""#), "{end}");
}

#[test]
fn branches_that_make_another_error_of_theirs_fail_with_that_one() {
    let branches = selling().into_iter().map(|branch| vec![branch]).collect();
    let all = try_join("sale", branches, "unsold").on("Stock", "", vec![run("wait")]);
    let mut flow = fails(graph("shop", vec![all]));
    flow.errors = (&TROUBLE[..]).into();
    let end = flow.index_of("not_reserved").unwrap();
    flow.nodes.to_mut()[end].thrown = Thrown::Variant("Refused".into());
    let xml = workflow_bpmn::to_xml(&flow);
    assert!(element(&xml, "not_reserved").contains(r#"errorRef="error_REFUSED""#));
    assert!(!element(&xml, "not_reserved").contains("error_STOCK"));
}
