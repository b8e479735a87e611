//! What the file says to an engine, and that it says nothing to it where nobody asked.
//! Whether the engines like it, their own lint says: `tools/bpmn/validate.mjs`.

use workflow_bpmn::{Export, Flavour};
use workflow_graph::{Graph, NodeKind, RetryPolicy, Trigger};

use crate::mapping::element;
use crate::samples;
use crate::sketch::{ask, fail, graph, publish, run, try_join};

fn file(graph: &Graph, flavour: Flavour) -> String {
    Export::of(graph).flavour(flavour).xml()
}

#[test]
fn steps_are_external_tasks_for_camunda_7_and_jobs_for_camunda_8() {
    let mut graph = samples::fulfil_order();
    let mut nodes = graph.nodes.into_owned();
    for node in &mut nodes {
        if let (NodeKind::Step(step), "reserve_goods") = (&mut node.kind, node.id.as_ref()) {
            step.retry = RetryPolicy::attempts(3).initial_ms(1_500);
        }
    }
    graph.nodes = nodes.into();
    let seven = file(&graph, Flavour::Camunda7);
    let task = element(&seven, "reserve_goods");
    assert!(task.contains(r#"camunda:type="external" camunda:topic="reserve_goods""#), "{task}");
    assert!(task.contains("<camunda:failedJobRetryTimeCycle>R3/PT1.5S<"), "{task}");
    assert!(element(&seven, "reserve_goods_undo").contains("<camunda:failedJobRetryTimeCycle>R/PT2S<"));
    // The same step at two places is one topic.
    assert!(element(&seven, "retrieve_payment_2").contains(r#"camunda:topic="retrieve_payment""#));
    assert!(element(&seven, "fulfil_order").contains(r#"camunda:historyTimeToLive=""#));

    let eight = file(&graph, Flavour::Camunda8);
    let task = element(&eight, "reserve_goods");
    assert!(task.contains(r#"<zeebe:taskDefinition type="reserve_goods" retries="3"/>"#), "{task}");
    assert!(element(&eight, "message_NewCard").contains(r#"correlationKey="=key_NewCard""#));

    let plain = workflow_bpmn::to_xml(&graph);
    assert_eq!(plain, file(&graph, Flavour::Plain));
    assert!(!plain.contains("camunda") && !plain.contains("zeebe") && !plain.contains("modeler"));
}

#[test]
fn questions_are_asked_of_one_variable_in_the_language_of_the_engine() {
    let graph =
        graph("stock", vec![ask("in-stock", "In stock?", vec![("yes", vec![run("pick")]), ("no", vec![])])]);
    let of = |flavour| element(&file(&graph, flavour), "flow_in-stock_to_pick");
    assert!(of(Flavour::Plain).contains(">decision_in_stock == &quot;yes&quot;<"));
    assert!(of(Flavour::Camunda7).contains(">${decision_in_stock == &apos;yes&apos;}<"));
    assert!(of(Flavour::Camunda8).contains(">= decision_in_stock = &quot;yes&quot;<"));
}

#[test]
fn people_rules_and_messages_have_words_of_their_own() {
    let graph = samples::insurance_claim();
    let seven = file(&graph, Flavour::Camunda7);
    assert!(element(&seven, "inspect_damage").contains(r#"camunda:candidateGroups="Expert office""#));
    assert!(element(&seven, "rate_claim").contains(r#"camunda:topic="rate_claim""#));
    let thrown = element(&seven, "claim_paid");
    assert!(
        thrown
            .contains(r#"messageRef="message_ClaimPaid" camunda:type="external" camunda:topic="ClaimPaid""#)
    );
    let eight = file(&graph, Flavour::Camunda8);
    let person = element(&eight, "inspect_damage");
    assert!(person.contains("<zeebe:userTask/>") && !person.contains("taskDefinition"), "{person}");
    assert!(person.contains(r#"<zeebe:assignmentDefinition candidateGroups="Expert office"/>"#), "{person}");
    assert!(element(&eight, "claim_paid").contains(r#"<zeebe:taskDefinition type="ClaimPaid"/>"#));
}

#[test]
fn many_at_once_need_a_number_or_a_collection() {
    let (_, graph) = samples::all().into_iter().find(|(name, _)| *name == "for_each").unwrap();
    let seven = file(&graph, Flavour::Camunda7);
    assert!(seven.contains(r#"<bpmn:loopCardinality xsi:type="bpmn:tFormalExpression">${instances_"#));
    let eight = file(&graph, Flavour::Camunda8);
    assert!(eight.contains(r#"<zeebe:loopCharacteristics inputCollection="=instances_"#));
    assert!(!eight.contains("loopCardinality"));
}

#[test]
fn schedules_and_waits_are_written_as_the_engine_reads_them() {
    let mut graph = samples::fulfil_order();
    let schedule = "0 6 * * 1-5".into();
    graph.trigger = Trigger::Schedule {
        cron: schedule,
        timezone: "UTC".into(),
        catch_up: workflow_graph::CatchUp::Latest,
    };
    let start = |flavour| element(&file(&graph, flavour), "started");
    assert!(start(Flavour::Plain).contains(">0 6 * * 1-5<"));
    assert!(start(Flavour::Camunda7).contains(">0 0 6 ? * MON-FRI<"));
    assert!(start(Flavour::Camunda8).contains(">0 0 6 * * MON-FRI<"));
    let wait = element(&file(&graph, Flavour::Camunda8), "new_card_timeout");
    assert!(wait.contains(">P7D<"), "{wait}");
}

#[test]
fn every_error_that_is_thrown_has_a_code_for_an_engine() {
    let steps = vec![vec![run("a"), fail("lost")], vec![run("b")]];
    let graph = graph("throws", vec![try_join("both", steps, "not_done"), publish("told", "Told")]);
    assert!(element(&workflow_bpmn::to_xml(&graph), "lost").contains("<bpmn:errorEventDefinition/>"));
    for flavour in [Flavour::Camunda7, Flavour::Camunda8] {
        let xml = file(&graph, flavour);
        assert!(element(&xml, "lost").contains(r#"errorRef="error_failed""#));
        assert!(element(&xml, "error_failed").contains(r#"errorCode="failed""#));
        // The catch-all on the border still takes it.
        assert!(element(&xml, "both_error").contains("<bpmn:errorEventDefinition/>"));
    }
}

#[test]
fn a_file_for_an_engine_has_the_same_picture() {
    for (name, graph) in samples::all() {
        let picture = |flavour| {
            let xml = file(&graph, flavour);
            xml[xml.find("<bpmndi:").unwrap()..].to_owned()
        };
        assert_eq!(picture(Flavour::Plain), picture(Flavour::Camunda7), "{name}");
        assert_eq!(picture(Flavour::Plain), picture(Flavour::Camunda8), "{name}");
    }
}
