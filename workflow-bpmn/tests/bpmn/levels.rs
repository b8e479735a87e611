//! What is drawn for people outside of the team, and for people who ask who else takes part.
//! Every sample is drawn on each level and measured; what the foreign judges say, `files` is for.

use std::sync::OnceLock;

use workflow_bpmn::{Detail, EdgeKind, Export, ShapeKind};
use workflow_graph::{Effect, Graph, MessageFacts};

use crate::mapping::element;
use crate::sketch::{fail, graph, repeat, run, sleep, step, subflow, try_join};
use crate::{family, gates, samples};

fn business(graph: &Graph) -> Export<'_> {
    Export::of(graph).detail(Detail::Business)
}

#[test]
fn errors_that_only_end_the_flow_are_one_event_sub_process() {
    let graph = samples::fulfil_order();
    let xml = business(&graph).xml();
    for gone in ["goods_not_reserved", "payment_failed", "shipment_not_booked", "book_shipment_error"] {
        assert!(!xml.contains(&format!(" id=\"{gone}\"")), "{gone} is folded");
    }
    // What the flow does something about stays, and so does what is no error.
    assert!(xml.contains("id=\"retrieve_payment_error_CardExpired\"") && xml.contains("id=\"no_new_card\""));
    let frame = element(&xml, "on_failure");
    assert!(
        frame.starts_with("<bpmn:subProcess ") && frame.contains(r#"triggeredByEvent="true""#),
        "{frame}"
    );
    assert!(frame.contains("<bpmn:errorEventDefinition/>"), "it takes every error");
    assert!(frame.contains("<bpmn:compensateEventDefinition/>"), "something was done that is undone");
    let told = ["Goods not reserved", "Payment failed", "Payment failed again", "Shipment not booked"];
    assert!(told.iter().all(|outcome| frame.contains(outcome)), "{frame}");
    assert!(xml.contains("id=\"reserve_goods_undo\""), "how it is undone is still drawn");
}

#[test]
fn what_is_folded_undoes_only_what_can_have_completed() {
    let body = vec![step("look").effect(Effect::ReadOnly).or_fail("not_seen").into(), run("note")];
    let look = graph("look_up", body);
    let frame = element(&business(&look).xml(), "on_failure");
    assert!(!frame.contains("compensateEventDefinition"));
    // The only way to fail lends its name to the end.
    assert!(frame.contains(r#"<bpmn:endEvent id="on_failure_end" name="Not seen">"#), "{frame}");
    let calm = graph("calm", vec![run("a"), run("b")]);
    assert!(!business(&calm).xml().contains("on_failure"), "nothing fails here");
}

#[test]
fn a_scope_that_undoes_itself_is_folded_only_where_the_run_ends_with_it() {
    let body = |errors: &[(&str, bool)]| {
        let branches = vec![
            vec![step("reserve_goods").undo("release_goods").or_fail("not_reserved").into()],
            vec![step("charge_card").or_fail("not_charged").into()],
        ];
        let mut all = try_join("take_order", branches, "not_taken");
        for (variant, ends) in errors {
            let handler = if *ends { fail("given_up") } else { run("ask_again") };
            all = all.on(variant, "", vec![handler]);
        }
        graph("sell", vec![all, run("ship")])
    };
    // The run ends with it: one frame for all, which undoes.
    let xml = business(&body(&[])).xml();
    assert!(!xml.contains("id=\"not_charged\"") && !xml.contains("id=\"take_order_error\""));
    assert!(element(&xml, "on_failure").contains("<bpmn:compensateEventDefinition/>"), "{xml}");
    assert!(business(&body(&[("Late", true)])).xml().contains("id=\"on_failure\""));
    // Somebody does something about one of its errors: what fails, and what is undone for the others, stays.
    let xml = business(&body(&[("Late", false)])).xml();
    assert!(xml.contains("id=\"take_order_error_Late\"") && xml.contains("id=\"not_charged\""), "{xml}");
    assert!(element(&xml, "not_charged_undo").contains("compensateEventDefinition"), "{xml}");
}

#[test]
fn a_subflow_that_undoes_itself_is_folded_only_where_the_run_ends_with_it() {
    fn taking() -> &'static Graph {
        static GRAPH: OnceLock<Graph> = OnceLock::new();
        GRAPH.get_or_init(|| {
            let reserve = step("reserve_goods").undo("release_goods").or_fail("not_reserved");
            graph("take", vec![reserve.into(), step("charge_card").or_fail("not_charged").into()])
        })
    }
    let take = || subflow("take", "take", taking);
    let xml = business(&graph("sell", vec![take().or_fail(Some("not_taken")), run("ship")])).xml();
    assert!(!xml.contains("id=\"take.not_charged\""));
    // The frame around everything undoes what the subflow had done.
    assert!(element(&xml, "on_failure").contains("<bpmn:compensateEventDefinition/>"), "{xml}");
    let handled = take().on("CarrierDown", "", vec![run("call")]).or_fail(Some("not_taken"));
    for handled in [handled, take()] {
        let xml = business(&graph("sell", vec![handled, run("ship")])).xml();
        assert!(
            xml.contains("id=\"take.not_charged\"") && xml.contains("id=\"take.not_charged_undo\""),
            "{xml}"
        );
    }
}

#[test]
fn a_step_that_is_merely_tried_again_is_drawn_as_if_it_were_tried_once() {
    let wait = vec![sleep("wait", "PT1H", "1 hour")];
    let attempt = step("ask_bank").on("Busy", "", wait.clone());
    let again = vec![repeat(vec![attempt.into(), crate::sketch::Stmt::Break(0)]), run("note")];
    let full = graph("patient", again);
    // After the wait, the sketch leaves the loop: that is no retry, and stays.
    assert!(business(&full).xml().contains("id=\"wait\""));
    let attempt = step("ask_bank").on("Busy", "", [wait, vec![crate::sketch::Stmt::Continue(0)]].concat());
    let retried =
        graph("stubborn", vec![repeat(vec![attempt.into(), crate::sketch::Stmt::Break(0)]), run("note")]);
    assert!(workflow_bpmn::to_xml(&retried).contains("id=\"wait\""));
    let xml = business(&retried).xml();
    assert!(!xml.contains("id=\"wait\"") && !xml.contains("exclusiveGateway"), "{xml}");
    assert!(!xml.contains("Tried up to") && workflow_bpmn::to_xml(&retried).contains("Tried up to"));
}

#[test]
fn drawings_for_people_outside_pass_the_same_gates() {
    let generated = (0..60).map(|seed| ("generated", family::graph(seed)));
    let parallel = (0..30).map(|seed| ("parallel", family::parallel_graph(seed)));
    let mut wrong = Vec::new();
    for (name, graph) in samples::all().into_iter().chain(generated).chain(parallel) {
        let full = gates::measure(&Export::of(&graph).diagram());
        let report = gates::measure(&business(&graph).diagram());
        wrong.extend(report.faults().into_iter().map(|fault| format!("{name}: {fault}")));
        assert!(report.edges <= full.edges + 1, "{name} is not simpler");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_party_has_a_pool_and_every_message_a_line() {
    let graph = samples::insurance_claim();
    let export = Export::of(&graph).collaboration(true).party("PapersReceived", "Customer");
    let diagram = export.diagram();
    let pools = diagram.shapes.iter().filter(|shape| shape.kind == ShapeKind::BlackBoxPool);
    let mut names: Vec<&str> = pools.map(|pool| pool.name.as_str()).collect();
    names.sort_unstable();
    // Nobody is named for `ClaimPaid`.
    assert_eq!(names, ["Bank", "Customer", "Expert office", "Other parties", "Rule engine"]);
    let xml = export.xml();
    let line = |id: &str| element(&xml, id);
    assert!(line("message_flow_papers").contains(r#"sourceRef="party_Customer" targetRef="papers""#));
    assert!(line("message_flow_papers").contains(r#"messageRef="message_PapersReceived""#));
    assert!(
        line("message_flow_claim_paid").contains(r#"sourceRef="claim_paid" targetRef="party_Other_parties""#)
    );
    // Undoing turns to the same party.
    assert!(line("message_flow_reserve_money_undo").contains(r#"targetRef="party_Bank""#));
    assert!(line("pool_insurance_claim").contains(r#"processRef="insurance_claim""#));
    assert!(xml.contains(r#"bpmnElement="collaboration_insurance_claim""#));
    assert!(!workflow_bpmn::to_xml(&graph).contains("collaboration"));
}

#[test]
fn a_message_comes_from_the_party_that_its_type_names_unless_the_export_says_otherwise() {
    let mut graph = samples::insurance_claim();
    graph.messages = vec![MessageFacts::of("PapersReceived", "claim_id", "Customer")].into();
    let names = |export: &Export<'_>| -> Vec<String> {
        let shapes = export.diagram().shapes;
        let mut names: Vec<String> = shapes
            .into_iter()
            .filter(|shape| shape.kind == ShapeKind::BlackBoxPool)
            .map(|pool| pool.name)
            .collect();
        names.sort_unstable();
        names
    };
    let export = Export::of(&graph).collaboration(true);
    assert_eq!(names(&export), ["Bank", "Customer", "Expert office", "Other parties", "Rule engine"]);
    let message = element(&export.xml(), "message_PapersReceived");
    assert!(message.contains(r#"<workflow:message key="claim_id" participant="Customer"/>"#), "{message}");
    let other = export.party("PapersReceived", "Post office");
    assert_eq!(names(&other), ["Bank", "Expert office", "Other parties", "Post office", "Rule engine"]);
}

#[test]
fn message_flows_run_through_nothing() {
    let mut wrong = Vec::new();
    let (mut flows, mut crossings) = (0, 0);
    for (name, graph) in samples::all() {
        let alone = gates::measure(&Export::of(&graph).diagram());
        let diagram = Export::of(&graph).collaboration(true).diagram();
        let own = diagram.edges.iter().filter(|edge| edge.kind == EdgeKind::MessageFlow).count();
        flows += own;
        let report = gates::measure(&diagram);
        wrong.extend(report.faults().into_iter().map(|fault| format!("{name}: {fault}")));
        // They have to come through the flow, but none comes through more than one line of it.
        let more = report.crossings.len() - alone.crossings.len();
        if more > own {
            wrong.push(format!("{name}: {own} message flows add {more} crossings"));
        }
        crossings += more;
    }
    assert!(flows > 20, "{flows} message flows");
    assert!(crossings * 5 <= flows, "{flows} message flows cross {crossings} lines");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
