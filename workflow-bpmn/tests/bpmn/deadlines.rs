//! Deadlines of messages whose end the code looks at later: an engine still has to be told when to go on.
//! Deadlines that have a way of their own are tested in `mapping` and `kinds`.

use workflow_graph::{Graph, Instances, NodeKind, Span};

use crate::gates;
use crate::mapping::element;
use crate::sketch::{Stmt, ask, fail, graph, join, operation, run, select, sleep};

/// `let answer = receive::<Answer>(..).within(days(2)).await;`
fn wait(id: &str) -> Stmt {
    let deadline = Some(Span::literal("P2D", "2 days"));
    operation(id, NodeKind::Receive { message: "Answer".into(), deadline })
}

fn answered() -> Stmt {
    ask("answered", "Answered?", vec![("yes", vec![run("thank")]), ("no", vec![run("remind")])])
}

/// Whether all of these lead to it.
fn is_reached(xml: &str, id: &str, from: &[&str]) {
    let flows = from.iter().map(|from| format!("sourceRef=\"{from}\" targetRef=\"{id}\""));
    for flow in flows {
        assert!(xml.contains(&flow), "{flow} in {xml}");
    }
    assert_eq!(element(xml, id).matches("<bpmn:incoming>").count(), from.len(), "{}", element(xml, id));
}

fn drawn(flow: &Graph) -> String {
    let faults = gates::measure(&workflow_bpmn::Diagram::of(flow)).faults();
    assert!(faults.is_empty(), "{faults:#?}");
    workflow_bpmn::to_xml(flow)
}

#[test]
fn a_wait_that_is_looked_at_later_is_a_task_with_a_timer_that_leads_where_the_flow_goes_on() {
    let xml = drawn(&graph("case", vec![run("ask"), wait("answer"), answered()]));
    assert!(element(&xml, "answer").starts_with(r#"<bpmn:receiveTask id="answer" name="Receive answer""#));
    let timer = element(&xml, "answer_timeout");
    assert!(timer.starts_with(r#"<bpmn:boundaryEvent id="answer_timeout" name="2 days""#), "{timer}");
    assert!(timer.contains(r#"attachedToRef="answer""#) && timer.contains(">P2D</bpmn:timeDuration>"));
    is_reached(&xml, "answered_join", &["answer", "answer_timeout"]);
    is_reached(&xml, "answered", &["answered_join"]);
}

#[test]
fn each_branch_that_only_waits_has_a_timer_of_its_own() {
    let branches = vec![vec![wait("answer")], vec![wait("second_answer")], vec![run("look")]];
    let xml = drawn(&graph("case", vec![join("both", branches), answered()]));
    is_reached(&xml, "both_join_join", &["answer", "answer_timeout"]);
    is_reached(&xml, "both_join_join_2", &["second_answer", "second_answer_timeout"]);
    is_reached(&xml, "both_join", &["both_join_join", "both_join_join_2", "look"]);
}

#[test]
fn behind_a_gateway_the_deadline_is_one_more_event_that_leads_into_the_arm() {
    let arms = vec![
        (wait("answer"), vec![answered()]),
        (sleep("patience", "P2D", "2 days"), vec![fail("nobody_there")]),
    ];
    let xml = drawn(&graph("case", vec![select("first", arms), run("close_case")]));
    assert!(element(&xml, "answer").starts_with("<bpmn:intermediateCatchEvent"));
    assert!(element(&xml, "answer_timeout").starts_with("<bpmn:intermediateCatchEvent"));
    for event in ["answer", "answer_timeout", "patience"] {
        is_reached(&xml, event, &["first"]);
    }
    is_reached(&xml, "answered_join", &["answer", "answer_timeout"]);
}

#[test]
fn beside_a_step_the_end_of_the_time_wins_the_race_as_the_message_does() {
    let xml =
        drawn(&graph("case", vec![select("first", vec![(wait("answer"), vec![]), (run("look"), vec![])])]));
    assert!(element(&xml, "answer_timeout").contains(r#"attachedToRef="answer""#));
    is_reached(&xml, "answer_first_join", &["answer", "answer_timeout"]);
}

#[test]
fn of_many_waits_the_timer_stands_on_the_border_of_all() {
    let mut flow = graph("case", vec![wait("answer"), run("close_case")]);
    flow.nodes.to_mut()[1].instances = Some(Instances { limit: "".into(), fails_fast: false });
    let xml = drawn(&flow);
    let task = element(&xml, "answer");
    assert!(task.starts_with("<bpmn:receiveTask") && task.contains("multiInstanceLoopCharacteristics"));
    is_reached(&xml, "close_case_join", &["answer", "answer_timeout"]);
}

#[test]
fn a_deadline_that_is_computed_is_a_variable_here_too() {
    let deadline = Some(Span { iso: "".into(), text: "order.patience".into() });
    let wait = operation("answer", NodeKind::Receive { message: "Answer".into(), deadline });
    let timer = element(&drawn(&graph("case", vec![wait, answered()])), "answer_timeout");
    assert!(timer.contains("Gives up after `order.patience`."), "{timer}");
    assert!(timer.contains(">timer_answer_timeout</bpmn:timeDuration>"), "{timer}");
}
