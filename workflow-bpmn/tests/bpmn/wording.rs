//! What people and engines read: names that say what happens, variables and answers that nothing shares.
//! What is drawn for which construct is tested in `kinds` and `mapping`.

use std::sync::OnceLock;

use workflow_bpmn::{Detail, Diagram, Export, Flavour, ShapeKind};
use workflow_graph::{Graph, NodeKind, Outcome, Span};

use crate::mapping::element;
use crate::samples;
use crate::sketch::{
    Stmt, ask, child, fail, graph, join, operation, publish, receive, run, select, sleep_until, step,
    subflow, succeed,
};

fn labelled(mut graph: Graph, labels: &[(&str, &'static str)]) -> Graph {
    let mut nodes = graph.nodes.into_owned();
    for node in &mut nodes {
        if let Some((_, label)) = labels.iter().find(|(id, _)| *id == node.id) {
            node.label = (*label).into();
        }
    }
    graph.nodes = nodes.into();
    graph
}

fn computed(text: &'static str) -> Span {
    Span { iso: "".into(), text: text.into() }
}

#[test]
fn two_questions_never_share_a_variable() {
    fn order() -> &'static Graph {
        static GRAPH: OnceLock<Graph> = OnceLock::new();
        let paid = || ask("if_paid", "Paid?", vec![("yes", vec![run("pack")]), ("no", vec![])]);
        GRAPH.get_or_init(|| graph("order", vec![paid()]))
    }
    let outer = ask("order_if_paid", "Paid again?", vec![("yes", vec![run("ship")]), ("no", vec![])]);
    let graph = graph("clash", vec![subflow("order", "order", order), outer]);
    for flavour in [Flavour::Plain, Flavour::Camunda7, Flavour::Camunda8] {
        let xml = Export::of(&graph).flavour(flavour).xml();
        let inner = element(&xml, "order.flow_if_paid_to_pack");
        assert!(inner.contains("decision_order_if_paid_2 "), "{inner}");
        assert!(element(&xml, "flow_order_if_paid_to_ship").contains("decision_order_if_paid "));
    }
}

#[test]
fn two_answers_of_one_question_are_never_alike() {
    let answers = ["a", "a", "a (2)"].map(|answer| (answer, vec![run(&format!("do_{}", answer.len()))]));
    let [first, (_, _), third] = answers;
    let answers = vec![first, ("a", vec![run("do_other")]), third];
    let xml = workflow_bpmn::to_xml(&graph("alike", vec![ask("which", "Which?", answers)]));
    for (flow, answer) in [("do_1", "a"), ("do_other", "a (3)"), ("do_5", "a (2)")] {
        let flow = element(&xml, &format!("flow_which_to_{flow}"));
        assert!(flow.contains(&format!("name=\"{answer}\"")), "{flow}");
    }
}

#[test]
fn news_that_is_the_last_thing_is_an_end_event() {
    let graph = graph("tell", vec![run("assign"), publish("assigned", "Assigned")]);
    let xml = workflow_bpmn::to_xml(&graph);
    let end = element(&xml, "assigned");
    assert!(end.starts_with(r#"<bpmn:endEvent id="assigned" name="Assigned">"#), "{end}");
    assert!(end.contains(r#"<bpmn:messageEventDefinition messageRef="message_Assigned"/>"#));
    assert!(end.contains(r#"<workflow:end id="completed"/>"#));
    assert!(!xml.contains("id=\"completed\" name"), "it is not drawn beside it");
    assert_eq!(Diagram::of(&graph).shape("assigned").unwrap().kind, ShapeKind::MessageEndEvent);
    let seven = Export::of(&graph).flavour(Flavour::Camunda7).xml();
    assert!(element(&seven, "assigned").contains(r#"camunda:type="external" camunda:topic="Assigned"/>"#));
    let eight = Export::of(&graph).flavour(Flavour::Camunda8).xml();
    assert!(element(&eight, "assigned").contains(r#"<zeebe:taskDefinition type="Assigned"/>"#));
    let parties = Export::of(&graph).collaboration(true).xml();
    assert!(element(&parties, "message_flow_assigned").contains(r#"sourceRef="assigned""#));
}

#[test]
fn news_stays_an_event_in_the_middle_where_the_end_says_something_else() {
    let is_throwing = |graph: &Graph| {
        element(&workflow_bpmn::to_xml(graph), "told").starts_with("<bpmn:intermediateThrowEvent")
    };
    let tell = || publish("told", "Told");
    let other = labelled(graph("other", vec![tell(), succeed("done")]), &[("done", "Customer informed")]);
    assert!(is_throwing(&other), "another name");
    let same = labelled(graph("same", vec![tell(), succeed("done")]), &[("done", "Told")]);
    assert!(!is_throwing(&same), "one name");
    assert!(is_throwing(&graph("failing", vec![tell(), fail("lost")])), "a failure");
    assert!(is_throwing(&graph("goes_on", vec![tell(), Stmt::ContinueAsNew("again".into())])));
    let one_of_two = ask("q", "Tell?", vec![("yes", vec![tell()]), ("no", vec![])]);
    assert!(is_throwing(&graph("one_of_two", vec![one_of_two])), "an end of two ways");
    assert!(is_throwing(&graph("beside", vec![join("both", vec![vec![tell()], vec![run("a")]])])));
    let race = select("race", vec![(tell(), vec![succeed("won")]), (run("look"), vec![])]);
    assert!(is_throwing(&graph("raced", vec![race])), "a race has its own ends");
}

#[test]
fn an_end_is_called_after_what_people_call_the_thing_that_failed() {
    let failing = |id: &str, end: &str| step(id).or_fail(end);
    let body = vec![
        failing("assign", "assign_failed").into(),
        child("undo", false, Some("undo_failed")),
        failing("assign_2", "assign_failed_2").calls("assign").into(),
    ];
    let labels = [
        ("assign", "Assign to the adviser"),
        ("assign_failed", "Assign failed"),
        ("undo", "Sell and ship"),
        ("undo_failed", "Undo failed"),
        ("assign_2", "Assign to another"),
        ("assign_failed_2", "Assign failed"),
    ];
    let xml = workflow_bpmn::to_xml(&labelled(graph("ends", body), &labels));
    for (end, name) in [
        ("assign_failed", "Assign to the adviser failed"),
        ("undo_failed", "Sell and ship failed"),
        ("assign_failed_2", "Assign to another failed"),
    ] {
        assert!(element(&xml, end).contains(&format!("name=\"{name}\"")), "{}", element(&xml, end));
    }
}

#[test]
fn a_task_that_waits_says_what_is_done_and_an_event_what_is_reached() {
    let waits = |timeout| graph("wait", vec![receive("new_card", "NewCard", timeout)]);
    let task = element(&workflow_bpmn::to_xml(&waits(Some(vec![fail("late")]))), "new_card");
    assert!(task.starts_with(r#"<bpmn:receiveTask id="new_card" name="Receive new card""#), "{task}");
    let event = element(&workflow_bpmn::to_xml(&waits(None)), "new_card");
    assert!(event.contains("name=\"New card received\""), "{event}");
    let own = labelled(waits(Some(vec![fail("late")])), &[("new_card", "Card received")]);
    assert!(element(&workflow_bpmn::to_xml(&own), "new_card").contains("name=\"Card received\""));
}

#[test]
fn a_computed_wait_is_a_variable_for_engines_and_words_for_people() {
    let body = vec![
        operation("nap", NodeKind::Timer(computed("patience(&order)"))),
        operation("grace", NodeKind::Timer(computed("backoff * 2"))),
        sleep_until("due", "time + seconds(60)"),
        operation(
            "answer",
            NodeKind::Receive { message: "Answer".into(), deadline: Some(computed("days(order.grace)")) },
        ),
    ];
    let mut graph = graph("waits", body);
    let (mut nodes, mut flows) = (graph.nodes.into_owned(), graph.flows.into_owned());
    let answer = nodes.iter().position(|node| node.id == "answer").unwrap();
    nodes.push(workflow_graph::Node::new("late", NodeKind::End(Outcome::Failure)));
    flows.push(workflow_graph::Flow::new(answer, nodes.len() - 1, workflow_graph::FlowKind::Timeout));
    (graph.nodes, graph.flows) = (nodes.into(), flows.into());
    let xml = workflow_bpmn::to_xml(&graph);
    let expected = [
        ("nap", "Patience", "Waits for `patience(&amp;order)`.", ">timer_nap</bpmn:timeDuration>"),
        ("grace", "Time has passed", "Waits for `backoff * 2`.", ">timer_grace</bpmn:timeDuration>"),
        ("due", "Time has come", "Waits until `time + seconds(60)`.", ">timer_due</bpmn:timeDate>"),
        (
            "answer_timeout",
            "Order grace days",
            "Gives up after `days(order.grace)`.",
            ">timer_answer_timeout</bpmn:timeDuration>",
        ),
    ];
    for (id, name, documentation, time) in expected {
        let event = element(&xml, id);
        assert!(event.contains(&format!("name=\"{name}\"")), "{event}");
        assert!(event.contains(documentation) && event.contains(time), "{event}");
    }
    let eight = Export::of(&graph).flavour(Flavour::Camunda8).xml();
    assert!(element(&eight, "due").contains(">=timer_due</bpmn:timeDate>"));
}

#[test]
fn what_undoes_carries_all_that_is_known_of_its_step() {
    let xml = workflow_bpmn::to_xml(&samples::fulfil_order());
    let handler = element(&xml, "reserve_goods_undo");
    for known in [
        "As if it had never been.",
        "Repeated until it succeeds, waiting 2 seconds at first",
        "One attempt may take 10 seconds.",
        r#"<workflow:step name="release_goods" effect="retriable" attempts="unlimited" initialMs="2000""#,
        r#"<workflow:source file="src/undo.rs" line="9"/>"#,
    ] {
        assert!(handler.contains(known), "{known} in {handler}");
    }
    let business = Export::of(&samples::fulfil_order()).detail(Detail::Business).xml();
    let handler = element(&business, "reserve_goods_undo");
    assert!(handler.contains("As if it had never been.") && !handler.contains("Repeated"), "{handler}");
}

#[test]
fn what_leaves_errors_out_is_not_for_engines() {
    let graph = samples::fulfil_order();
    assert!(workflow_bpmn::to_xml(&graph).contains("isExecutable=\"true\""));
    assert!(Export::of(&graph).detail(Detail::Business).xml().contains("isExecutable=\"false\""));
}
