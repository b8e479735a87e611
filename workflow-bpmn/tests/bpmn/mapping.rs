//! What becomes of each node and flow in the file.
//! Places are tested in `pictures`.

use std::collections::BTreeSet;

use quick_xml::Reader;
use quick_xml::events::Event;
use workflow_graph::{Effect, Flow, FlowKind, Graph, Node, NodeKind, Outcome, Rate, Span, StepFacts};

use crate::samples;
use crate::sketch::{ask, fail, graph, receive, run, sleep, step};

/// The lines of the element with this id, from its begin tag to its end tag.
pub(crate) fn element(xml: &str, id: &str) -> String {
    let begins =
        |line: &&str| line.contains(&format!(" id=\"{id}\"")) && line.trim_start().starts_with("<bpmn:");
    let from = xml.lines().position(|line| begins(&line)).unwrap_or_else(|| panic!("no element {id}"));
    let first = xml.lines().nth(from).unwrap().trim();
    let tag = first[1..].split(' ').next().unwrap();
    if first.ends_with("/>") {
        return first.to_owned();
    }
    let end = format!("</{tag}>");
    let inner = xml.lines().skip(from).map(str::trim).take_while(|line| *line != end);
    inner.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_failing_end_undoes_only_what_can_have_completed() {
    let xml = workflow_bpmn::to_xml(&samples::fulfil_order());
    let undoes = |id: &str| element(&xml, id).contains("<bpmn:compensateEventDefinition/>");
    assert!(!undoes("goods_not_reserved"), "nothing had completed yet");
    assert!(undoes("payment_failed") && undoes("no_new_card") && undoes("payment_failed_again"));
    assert!(undoes("shipment_not_booked"), "a pivot that failed is no point of no return");
    assert!(!undoes("completed"));
}

#[test]
fn nothing_is_undone_after_the_point_of_no_return() {
    let body = vec![
        step("reserve").undo("release").into(),
        step("pay").effect(Effect::Pivot).into(),
        step("ship").or_fail("not_shipped").into(),
    ];
    let xml = workflow_bpmn::to_xml(&graph("late", body));
    assert!(!element(&xml, "not_shipped").contains("compensateEventDefinition"));
}

#[test]
fn an_answer_of_a_step_that_failed_counts_as_not_completed() {
    let body =
        vec![step("reserve").undo("release").on("", "", vec![run("apologise"), fail("refused")]).into()];
    let xml = workflow_bpmn::to_xml(&graph("refused_order", body));
    assert!(!element(&xml, "refused").contains("compensateEventDefinition"));
}

#[test]
fn a_compensation_is_an_event_an_association_and_a_handler_without_flows() {
    let xml = workflow_bpmn::to_xml(&samples::fulfil_order());
    let event = element(&xml, "reserve_goods_compensation");
    assert!(
        event.contains("attachedToRef=\"reserve_goods\"")
            && event.contains("<bpmn:compensateEventDefinition/>")
    );
    let handler = element(&xml, "reserve_goods_undo");
    assert!(handler.starts_with("<bpmn:serviceTask") && handler.contains("isForCompensation=\"true\""));
    assert!(!handler.contains("bpmn:incoming") && !handler.contains("bpmn:outgoing"));
    let association = element(&xml, "association_reserve_goods_undo");
    assert!(association.contains("associationDirection=\"One\""));
    assert!(
        association.contains("sourceRef=\"reserve_goods_compensation\" targetRef=\"reserve_goods_undo\"")
    );
}

#[test]
fn errors_are_told_apart_by_code_and_the_catch_all_takes_the_rest() {
    let xml = workflow_bpmn::to_xml(&samples::fulfil_order());
    let card = element(&xml, "retrieve_payment_error_CardExpired");
    assert!(card.contains("name=\"Ask the customer for another card\""));
    assert!(card.contains("errorRef=\"error_CARDEXPIRED\""));
    assert!(
        xml.contains(r#"<bpmn:error id="error_CARDEXPIRED" name="Card expired" errorCode="CARDEXPIRED"/>"#)
    );
    assert!(element(&xml, "retrieve_payment_error").contains("<bpmn:errorEventDefinition/>"));
}

#[test]
fn one_definition_serves_all_who_mean_the_same() {
    let wait = |id: &str| receive(id, "Payment", None);
    let call = |id: &str| step(id).on("Busy", "", vec![fail(&format!("{id}_failed"))]).into();
    let xml = workflow_bpmn::to_xml(&graph("twice", vec![wait("a"), wait("b"), call("c"), call("d")]));
    assert_eq!(xml.matches("<bpmn:message ").count(), 1);
    assert_eq!(xml.matches("<bpmn:error ").count(), 1);
}

#[test]
fn a_wait_is_a_task_where_its_timeout_leads_somewhere() {
    let body = vec![receive("a", "Payment", Some(vec![fail("late")])), receive("b", "Address", None)];
    let xml = workflow_bpmn::to_xml(&graph("waits", body));
    assert!(element(&xml, "a").starts_with("<bpmn:receiveTask"));
    let timeout = element(&xml, "a_timeout");
    assert!(timeout.contains("name=\"7 days\"") && timeout.contains(">P7D</bpmn:timeDuration>"));
    assert!(element(&xml, "b").starts_with("<bpmn:intermediateCatchEvent"));
    assert!(element(&xml, "b").contains("<bpmn:messageEventDefinition messageRef=\"message_Address\"/>"));
}

#[test]
fn a_span_that_is_computed_is_a_variable() {
    let computed = Span { iso: "".into(), text: "patience(&order)".into() };
    let mut flow = graph("timer", vec![sleep("pause", "PT1H", "1 hour")]);
    let mut nodes = flow.nodes.into_owned();
    nodes[1].kind = NodeKind::Timer(computed);
    flow.nodes = nodes.into();
    assert!(workflow_bpmn::to_xml(&flow).contains(">timer_pause</bpmn:timeDuration>"));
}

#[test]
fn every_answer_but_the_default_carries_a_condition_on_one_variable() {
    let answers = vec![("yes", vec![run("a")]), ("perhaps", vec![run("b")]), ("no", vec![])];
    let xml = workflow_bpmn::to_xml(&graph("answers", vec![ask("sure", "Sure?", answers)]));
    assert!(element(&xml, "sure").contains("name=\"Sure?\" gatewayDirection=\"Diverging\" default="));
    let conditions: Vec<&str> =
        xml.lines().filter(|line| line.contains("<bpmn:conditionExpression")).collect();
    assert_eq!(conditions.len(), 2);
    assert!(
        conditions[0].contains(">decision_sure == \"yes\"<") || conditions[0].contains("&quot;yes&quot;")
    );
    let yes = element(&xml, "flow_sure_to_a");
    assert!(yes.contains("name=\"yes\"") && yes.contains("<bpmn:documentation>case.sure()"));
}

#[test]
fn facts_stand_in_notes_and_never_in_labels() {
    let xml = workflow_bpmn::to_xml(&samples::fulfil_order());
    let step = element(&xml, "retrieve_payment_2");
    assert!(step.contains("name=\"Retrieve payment\""));
    assert!(step.contains("Tried up to 5 times, waiting 1 second at first"));
    assert!(step.contains(r#"<workflow:step name="retrieve_payment" effect="compensatable" attempts="5""#));
    assert!(
        step.contains(r#"timeoutMs="30000""#)
            && step.contains(r#"<workflow:source file="src/steps.rs" line="7"/>"#)
    );
    let process = element(&xml, "fulfil_order");
    assert!(process.contains(r#"<workflow:definition name="fulfil_order" version="1" owner="order-team"/>"#));
    assert!(process.contains("From the order of a customer to the parcel on its way."));
}

#[test]
fn limits_and_priorities_are_facts_too() {
    let facts =
        StepFacts { concurrency: Some(8), rate: Some(Rate::per_minute(30)), ..StepFacts::named("charge") };
    let graph = Graph {
        priority: -5,
        nodes: vec![
            Node::new("started", NodeKind::Start),
            Node::new("charge", NodeKind::Step(facts)),
            Node::new("completed", NodeKind::End(Outcome::Success)),
        ]
        .into(),
        flows: vec![Flow::new(0, 1, FlowKind::Next), Flow::new(1, 2, FlowKind::Next)].into(),
        ..Graph::named("pay")
    };
    let xml = workflow_bpmn::to_xml(&graph);
    let step = element(&xml, "charge");
    assert!(step.contains(r#"concurrency="8" rate="30/m""#), "{step}");
    assert!(step.contains("At most 8 at a time.") && step.contains("At most 30 in 1 minute."), "{step}");
    assert!(element(&xml, "pay").contains(r#"priority="-5""#), "{xml}");
}

#[test]
fn several_ways_into_a_step_meet_in_a_gateway_of_their_own() {
    let node = |id: &str| Node::new(id, NodeKind::Step(StepFacts::named(id)));
    let answer = |label: &'static str, default| FlowKind::Answer {
        label: label.into(),
        condition: "".into(),
        default,
    };
    let flow = Graph {
        nodes: vec![
            Node::new("started", NodeKind::Start),
            Node::new("odd", NodeKind::Decision { question: "Odd?".into() }),
            node("a"),
            node("b"),
            Node::new("completed", NodeKind::End(Outcome::Success)),
        ]
        .into(),
        flows: vec![
            Flow::new(0, 1, FlowKind::Next),
            Flow::new(1, 2, answer("yes", false)),
            Flow::new(1, 3, answer("no", true)),
            Flow::new(2, 3, FlowKind::Next),
            Flow::new(3, 4, FlowKind::Next),
        ]
        .into(),
        ..Graph::named("joins")
    };
    let xml = workflow_bpmn::to_xml(&flow);
    assert_eq!(element(&xml, "b_join").matches("<bpmn:incoming>").count(), 2);
    assert_eq!(element(&xml, "b").matches("<bpmn:incoming>").count(), 1);
}

#[test]
fn no_two_things_share_an_id_whatever_the_nodes_are_called() {
    let body = vec![
        run("clash"),
        run("a_undo"),
        run("a_compensation"),
        run("shape_a"),
        run("association_a_undo"),
        step("a").undo("undo_a").or_fail("a_error").into(),
        run("flow_a_to_clash"),
    ];
    let flows = samples::all().into_iter().map(|(_, flow)| flow).chain([graph("clash", body)]);
    for flow in flows {
        let xml = workflow_bpmn::to_xml(&flow);
        let mut seen = BTreeSet::new();
        for (_, attributes) in tags(&xml) {
            for (_, id) in attributes.into_iter().filter(|(key, _)| key == "id") {
                assert!(seen.insert(id.clone()), "{id} stands twice in {}", flow.workflow);
            }
        }
    }
}

#[test]
fn hostile_names_survive_as_text() {
    let flow = samples::hostile_names();
    let xml = workflow_bpmn::to_xml(&flow);
    let names: Vec<String> = tags(&xml)
        .into_iter()
        .flat_map(|(_, a)| a)
        .filter(|(key, _)| key == "name")
        .map(|(_, name)| name)
        .collect();
    assert!(names.contains(&"<end/> ' \" & \u{FFFD}".to_owned()));
    assert!(names.contains(&"شحن الطلب إلى العميل".to_owned()));
    assert!(names.iter().all(|name| name.chars().count() <= 84), "a label is no novel");
    for text in [xml, workflow_bpmn::to_svg(&flow)] {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        assert!(!text.contains('\u{202E}') && !text.contains('\u{FFFE}'));
        assert!(!tags(&text).iter().any(|(tag, _)| tag == "script" || tag == "b"));
    }
}

#[test]
#[should_panic(expected = "the graph of `broken` cannot be drawn: there are 0 start nodes instead of one")]
fn a_graph_with_defects_is_refused_by_name() {
    let _ = workflow_bpmn::to_xml(&Graph::named("broken"));
}

type Tag = (String, Vec<(String, String)>);

/// All tags with their attributes; fails when the document is not well-formed.
fn tags(document: &str) -> Vec<Tag> {
    let mut reader = Reader::from_str(document);
    let mut tags = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.expect("well-formed");
                    let key = attribute.key.as_ref().to_owned();
                    let value = attribute.value.into_owned();
                    (key, quick_xml::escape::unescape(&value).expect("well-formed").into_owned())
                });
                tags.push((tag.name().as_ref().to_owned(), attributes.collect()));
            }
            Event::Eof => return tags,
            _ => {}
        }
    }
}

#[test]
fn who_does_a_step_decides_what_kind_of_task_it_is() {
    let xml = workflow_bpmn::to_xml(&samples::insurance_claim());
    assert!(element(&xml, "read_claim").starts_with("<bpmn:serviceTask "));
    assert!(element(&xml, "rate_claim").starts_with("<bpmn:businessRuleTask "));
    let person = element(&xml, "inspect_damage");
    assert!(
        person.starts_with("<bpmn:userTask ") && person.contains(r#"participant="Expert office""#),
        "{person}"
    );
    let svg = workflow_bpmn::to_svg(&samples::insurance_claim());
    assert!(svg.contains(r#"class="user-task inspect_damage""#));
    assert!(svg.contains(r#"class="business-rule-task rate_claim""#));
    assert!(
        !workflow_bpmn::to_svg(&samples::fulfil_order()).contains("user-task"),
        "no other picture changes"
    );
}
