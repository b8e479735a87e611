//! Files as several modellers write them: other prefixes, pools, lanes, links, events on borders, associations.
//! All are of the same few workflows, so that what differs is the style alone.

use workflow_graph::conform::Level;
use workflow_runtime::WorkflowFn;

use super::flows::*;
use super::judge;
use super::models::file;

#[track_caller]
fn agrees(graph: &'static workflow_graph::Graph, file: &str, level: Level) {
    assert_eq!(judge::findings(graph, file.as_bytes(), level), [] as [&str; 0]);
}

/// Signavio writes no prefix, a line break in names, lanes, and extension elements of its own.
const SIGNAVIO: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:signavio="http://www.signavio.com" id="sid-1">
  <collaboration id="sid-2">
    <participant id="sid-3" name="Shop" processRef="sid-4"/>
    <participant id="sid-5" name="Bank"/>
    <messageFlow id="sid-6" sourceRef="sid-12" targetRef="sid-5"/>
  </collaboration>
  <process id="sid-4" name="Order" isExecutable="false">
    <extensionElements><signavio:signavioDiagramMetaData metaKey="revisionid" metaValue="x"/></extensionElements>
    <laneSet id="sid-7"><lane id="sid-8" name="Warehouse"><flowNodeRef>sid-11</flowNodeRef></lane></laneSet>
    <startEvent id="sid-10" name="Order placed"><outgoing>f1</outgoing></startEvent>
    <task id="sid-11" name="Reserve&#10;goods"><outgoing>f2</outgoing></task>
    <dataObject id="sid-20" name="Order"/>
    <dataObjectReference id="sid-21" name="Charge card" dataObjectRef="sid-20"/>
    <userTask id="sid-12" name="Charge  card"/>
    <intermediateThrowEvent id="sid-13" name="Order paid"/>
    <task id="sid-14" name="Ship goods"/>
    <endEvent id="sid-15" name="Order shipped"/>
    <sequenceFlow id="f1" sourceRef="sid-10" targetRef="sid-11"/>
    <sequenceFlow id="f2" sourceRef="sid-11" targetRef="sid-12"/>
    <sequenceFlow id="f3" sourceRef="sid-12" targetRef="sid-13"/>
    <sequenceFlow id="f4" sourceRef="sid-13" targetRef="sid-14"/>
    <sequenceFlow id="f5" sourceRef="sid-14" targetRef="sid-15"/>
    <group id="sid-30" categoryValueRef="sid-31"/>
    <textAnnotation id="sid-40"><text>Ship goods</text></textAnnotation>
    <association id="sid-41" sourceRef="sid-14" targetRef="sid-40"/>
  </process>
</definitions>"#;

#[test]
fn lanes_data_annotations_and_milestones_are_no_work() {
    agrees(in_a_row.graph(), SIGNAVIO, Level::Order);
}

#[test]
fn the_line_is_that_of_the_file_however_its_lines_end() {
    for end in ["\n", "\r\n", "\r"] {
        let file = SIGNAVIO.replace("Ship goods\"", "Shop goods\"").replace('\n', end);
        let told = judge::findings(in_a_row.graph(), file.as_bytes(), Level::Names);
        assert!(told[0].contains("model.bpmn:17 draws the task `Shop goods`"), "{told:#?}");
        assert!(told[0].contains("did you mean the step `ship` (`Ship goods`)?"), "{told:#?}");
    }
}

#[test]
fn an_order_mark_and_a_wide_encoding_do_not_matter() {
    let marked = format!("\u{FEFF}{SIGNAVIO}");
    agrees(in_a_row.graph(), &marked, Level::Order);
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(judge::findings(in_a_row.graph(), &wide, Level::Order), [] as [&str; 0]);
}

/// Bizagi writes a process for the page, and one for each pool; prefixes before references are allowed everywhere.
#[test]
fn the_process_of_the_workflow_is_found_among_others() {
    let inner = "<semantic:startEvent id=\"a\"/><semantic:task id=\"b\" name=\"Reserve goods\"/>\
         <semantic:task id=\"c\" name=\"Charge card\"/><semantic:task id=\"d\" name=\"Ship goods\"/>\
         <semantic:sequenceFlow id=\"f\" sourceRef=\"tns:a\" targetRef=\"tns:b\"/>\
         <semantic:sequenceFlow id=\"g\" sourceRef=\"tns:b\" targetRef=\"tns:c\"/>\
         <semantic:sequenceFlow id=\"h\" sourceRef=\"tns:c\" targetRef=\"tns:d\"/>";
    let file = format!(
        "<semantic:definitions xmlns:semantic=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" xmlns:tns=\"urn:x\">\
         <semantic:process id=\"page\"/>\
         <semantic:process id=\"Process_7\" name=\"Something else\">
             <semantic:task id=\"x\" name=\"Sleep\"/></semantic:process>\
         <semantic:process id=\"Process_8\">{inner}</semantic:process>\
         <semantic:collaboration id=\"k\">\
         <semantic:participant id=\"p\" name=\"In a row\" processRef=\"tns:Process_8\"/></semantic:collaboration>\
         </semantic:definitions>"
    );
    agrees(in_a_row.graph(), &file, Level::Order);
}

#[test]
fn links_carry_the_flow() {
    let model = file(
        "<bpmn:startEvent id=\"s\"/><bpmn:task id=\"a\" name=\"Reserve goods\"/>
         <bpmn:intermediateThrowEvent id=\"t\" name=\"A\">
             <bpmn:linkEventDefinition name=\"A\"/></bpmn:intermediateThrowEvent>
         <bpmn:intermediateCatchEvent id=\"c\" name=\"A\">
             <bpmn:linkEventDefinition name=\"A\"/></bpmn:intermediateCatchEvent>
         <bpmn:task id=\"b\" name=\"Charge card\"/><bpmn:task id=\"d\" name=\"Ship goods\"/><bpmn:endEvent id=\"e\"/>
         <bpmn:sequenceFlow id=\"1\" sourceRef=\"s\" targetRef=\"a\"/>
             <bpmn:sequenceFlow id=\"2\" sourceRef=\"a\" targetRef=\"t\"/>
         <bpmn:sequenceFlow id=\"3\" sourceRef=\"c\" targetRef=\"b\"/>
             <bpmn:sequenceFlow id=\"4\" sourceRef=\"b\" targetRef=\"d\"/>
         <bpmn:sequenceFlow id=\"5\" sourceRef=\"d\" targetRef=\"e\"/>",
    );
    agrees(in_a_row.graph(), &model, Level::Order);
    let told = judge::findings(
        in_a_row.graph(),
        model
            .replace(
                "Definition name=\"A\"/></bpmn:intermediateC",
                "Definition name=\"B\"/></bpmn:intermediateC",
            )
            .as_bytes(),
        Level::Order,
    );
    assert!(!told.is_empty(), "a link that leads nowhere leads nowhere");
}

/// A card that has expired leaves on the border; who waits is drawn with a gateway, or with a timer on the border.
fn expired(waiting: &str) -> String {
    file(&format!(
        "<bpmn:startEvent id=\"s\"/>
         <bpmn:serviceTask id=\"charge\" name=\"Charge the card\"/>
         <bpmn:boundaryEvent id=\"x\" name=\"Expired\" attachedToRef=\"charge\">
             <bpmn:errorEventDefinition errorRef=\"e1\"/></bpmn:boundaryEvent>
         <bpmn:boundaryEvent id=\"y\" name=\"Else\" attachedToRef=\"charge\">
             <bpmn:errorEventDefinition/></bpmn:boundaryEvent>
         {waiting}
         <bpmn:task id=\"look\" name=\"Look at the order\"/>
         <bpmn:endEvent id=\"done\"/><bpmn:endEvent id=\"done2\"/>
             <bpmn:endEvent id=\"failed\"/><bpmn:endEvent id=\"late\"/>
         <bpmn:sequenceFlow id=\"f1\" sourceRef=\"s\" targetRef=\"charge\"/>
         <bpmn:sequenceFlow id=\"f2\" sourceRef=\"charge\" targetRef=\"done\"/>
         <bpmn:sequenceFlow id=\"f3\" sourceRef=\"x\" targetRef=\"wait\"/>
         <bpmn:sequenceFlow id=\"f4\" sourceRef=\"y\" targetRef=\"failed\"/>
         <bpmn:sequenceFlow id=\"f5\" sourceRef=\"card\" targetRef=\"look\"/>
         <bpmn:sequenceFlow id=\"f6\" sourceRef=\"time\" targetRef=\"late\"/>
         <bpmn:sequenceFlow id=\"f7\" sourceRef=\"look\" targetRef=\"done2\"/>"
    ))
    .replace("Charge the card", "Charge card")
    .replace(
        "</bpmn:definitions>",
        "<bpmn:error id=\"e1\" name=\"n\" errorCode=\"CARD_EXPIRED\"/></bpmn:definitions>",
    )
}

const GATEWAY: &str = "<bpmn:eventBasedGateway id=\"wait\"/>
    <bpmn:intermediateCatchEvent id=\"card\" name=\"New card received\">
             <bpmn:messageEventDefinition/></bpmn:intermediateCatchEvent>
    <bpmn:intermediateCatchEvent id=\"time\" name=\"A week is over\">
             <bpmn:timerEventDefinition>
             <bpmn:timeDuration>P1W</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
    <bpmn:sequenceFlow id=\"w1\" sourceRef=\"wait\" targetRef=\"card\"/>
    <bpmn:sequenceFlow id=\"w2\" sourceRef=\"wait\" targetRef=\"time\"/>";

#[test]
fn a_deadline_may_be_an_event_behind_a_gateway_or_on_the_border() {
    agrees(tells_errors_apart.graph(), &expired(GATEWAY), Level::Order);
    let border = "<bpmn:receiveTask id=\"wait\" name=\"Receive new card\"/>
        <bpmn:boundaryEvent id=\"time\" attachedToRef=\"wait\">
             <bpmn:timerEventDefinition>
             <bpmn:timeDuration>P7D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>";
    let border = expired(border).replace("sourceRef=\"card\"", "sourceRef=\"wait\"");
    agrees(tells_errors_apart.graph(), &border, Level::Order);
    let told = judge::findings(
        tells_errors_apart.graph(),
        expired(GATEWAY).replace("P1W", "P2W").as_bytes(),
        Level::Order,
    );
    assert!(told[0].contains("draws the timer event `A week is over`"), "{told:#?}");
}

/// What comes of a wait is looked at later: events, then what leads where, then a question with two answers.
fn asked_later(events: &str, flows: &[(&str, &str)]) -> String {
    let flow = |(number, (from, to)): (usize, &(&str, &str))| {
        format!("<bpmn:sequenceFlow id=\"f{number}\" sourceRef=\"{from}\" targetRef=\"{to}\"/>")
    };
    let flows: String = flows.iter().enumerate().map(flow).collect();
    file(&format!(
        "<bpmn:startEvent id=\"s\"/>{events}
         <bpmn:exclusiveGateway id=\"q\" name=\"Card there?\"/>
         <bpmn:task id=\"ship\" name=\"Ship goods\"/><bpmn:task id=\"look\" name=\"Look at the order\"/>
         <bpmn:endEvent id=\"done\"/>{flows}"
    ))
}

#[test]
fn a_deadline_that_is_a_value_may_be_drawn_where_the_flow_goes_on_or_not_at_all() {
    const TIMER: &str = "<bpmn:timerEventDefinition><bpmn:timeDuration>P7D</bpmn:timeDuration>
        </bpmn:timerEventDefinition>";
    let task = format!(
        "<bpmn:intermediateCatchEvent id=\"nap\" name=\"7 days\">{TIMER}</bpmn:intermediateCatchEvent>
         <bpmn:receiveTask id=\"card\" name=\"Receive new card\"/>"
    );
    let border = format!(
        "{task}<bpmn:boundaryEvent id=\"time\" name=\"A week is over\" attachedToRef=\"card\">{TIMER}
         </bpmn:boundaryEvent>"
    );
    let answers =
        [("s", "nap"), ("nap", "card"), ("q", "ship"), ("q", "look"), ("ship", "done"), ("look", "done")];
    let (came, late) = (("card", "q"), ("time", "q"));
    let with = |more: &[(&'static str, &'static str)]| [&answers, more].concat();
    agrees(keeps_what_came.graph(), &asked_later(&task, &with(&[came])), Level::Strict);
    agrees(keeps_what_came.graph(), &asked_later(&border, &with(&[came, late])), Level::Strict);
    // The same order, though not drawn as it is written: the two ways part at the task.
    let parted = asked_later(&border, &with(&[("card", "ship"), ("time", "look")]));
    agrees(keeps_what_came.graph(), &parted, Level::Order);
    let told = judge::findings(keeps_what_came.graph(), parted.as_bytes(), Level::Strict);
    assert!(told.iter().any(|text| text.contains("handle the timeout of `.within(..)`")), "{told:#?}");
}

#[test]
fn behind_a_gateway_a_deadline_that_is_a_value_leads_into_the_same_arm() {
    let events = format!(
        "{GATEWAY}<bpmn:intermediateCatchEvent id=\"sold\" name=\"Order completed\">
             <bpmn:messageEventDefinition/></bpmn:intermediateCatchEvent>"
    );
    let flows = [
        ("s", "wait"),
        ("wait", "sold"),
        ("sold", "q"),
        ("card", "q"),
        ("time", "q"),
        ("q", "ship"),
        ("q", "look"),
        ("ship", "look"),
        ("look", "done"),
    ];
    let model = asked_later(&events, &flows);
    agrees(keeps_what_came_first.graph(), &model, Level::Strict);
    let elsewhere =
        model.replace("sourceRef=\"time\" targetRef=\"q\"", "sourceRef=\"time\" targetRef=\"look\"");
    let told = judge::findings(keeps_what_came_first.graph(), elsewhere.as_bytes(), Level::Strict);
    assert!(!told.is_empty(), "it leads into another arm");
    let without =
        model.replace("sourceRef=\"wait\" targetRef=\"time\"", "sourceRef=\"look\" targetRef=\"time\"");
    let told = judge::findings(keeps_what_came_first.graph(), without.as_bytes(), Level::Order);
    assert!(told.iter().any(|text| text.contains("A week is over")), "{told:#?}");
}

#[test]
fn an_event_is_known_by_its_message_when_it_is_called_otherwise() {
    let named = expired(GATEWAY).replace("New card received", "The customer sends another one");
    let told = judge::findings(tells_errors_apart.graph(), named.as_bytes(), Level::Names);
    assert_eq!(told.len(), 2, "{told:#?}");
    let with_message = named
        .replace("<bpmn:messageEventDefinition/>", "<bpmn:messageEventDefinition messageRef=\"m\"/>")
        .replace("</bpmn:definitions>", "<bpmn:message id=\"m\" name=\"new card\"/></bpmn:definitions>");
    agrees(tells_errors_apart.graph(), &with_message, Level::Order);
}

#[test]
fn compensation_is_the_compensation_of_its_step() {
    let model = |handler: &str, ends: &str| {
        file(&format!(
            "<bpmn:startEvent id=\"s\"/><bpmn:task id=\"a\" name=\"Reserve goods\"/>
             <bpmn:boundaryEvent id=\"undo\" attachedToRef=\"a\"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>
             <bpmn:task id=\"h\" name=\"{handler}\" isForCompensation=\"true\"/>
             <bpmn:task id=\"b\" name=\"Charge card\"/><bpmn:task id=\"d\" name=\"Ship goods\"/>
             <bpmn:sequenceFlow id=\"1\" sourceRef=\"s\" targetRef=\"a\"/>
             <bpmn:sequenceFlow id=\"2\" sourceRef=\"a\" targetRef=\"b\"/>
             <bpmn:sequenceFlow id=\"3\" sourceRef=\"b\" targetRef=\"d\"/>
             <bpmn:association id=\"4\" {ends}/>"
        ))
    };
    let forth = "sourceRef=\"undo\" targetRef=\"h\"";
    agrees(in_a_row.graph(), &model("Release goods", forth), Level::Order);
    agrees(in_a_row.graph(), &model("Release goods", "sourceRef=\"h\" targetRef=\"undo\""), Level::Order);
    let told = judge::findings(in_a_row.graph(), model("Burn goods", forth).as_bytes(), Level::Order);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("undoes `Reserve goods` with `Burn goods`, which the code does not"),
        "{told:#?}"
    );
}

#[test]
fn ad_hoc_and_event_sub_processes_leave_the_order_open() {
    let model = file(
        "<bpmn:startEvent id=\"s\"/>
         <bpmn:adHocSubProcess id=\"p\" name=\"Whatever\"><bpmn:task id=\"b\" name=\"Charge card\"/>
         <bpmn:task id=\"a\" name=\"Reserve goods\"/></bpmn:adHocSubProcess>
         <bpmn:task id=\"d\" name=\"Ship goods\"/>
         <bpmn:sequenceFlow id=\"1\" sourceRef=\"s\" targetRef=\"p\"/>
             <bpmn:sequenceFlow id=\"2\" sourceRef=\"p\" targetRef=\"d\"/>",
    );
    agrees(in_a_row.graph(), &model, Level::Order);
    let event = model.replace(
        "</bpmn:process>",
        "<bpmn:subProcess id=\"q\" name=\"Cancelled\" triggeredByEvent=\"true\">
         <bpmn:startEvent id=\"qs\"/>
         <bpmn:task id=\"qt\" name=\"Say sorry\"/></bpmn:subProcess></bpmn:process>",
    );
    let told = judge::findings(in_a_row.graph(), event.as_bytes(), Level::Order);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("draws the event sub-process `Cancelled`"), "{told:#?}");
}

#[test]
fn an_element_without_a_name_is_asked_for_one() {
    let model = SIGNAVIO.replace(" name=\"Ship goods\"", "");
    let told = judge::findings(in_a_row.graph(), model.as_bytes(), Level::Names);
    assert!(
        told[0].contains("model.bpmn:17 draws the task with the id `sid-14`, which has no name"),
        "{told:#?}"
    );
}

#[test]
fn names_of_any_kind_are_shown_harmlessly() {
    let hostile = format!(
        "{}&#10;&#x202E;`\" {{}} {{0}} \\u{{0}} &lt;script&gt; {}",
        "Ü".repeat(40),
        "x".repeat(3_000)
    );
    let model = SIGNAVIO.replace("Charge  card", &hostile.replace('"', "&quot;"));
    let told = judge::findings(in_a_row.graph(), model.as_bytes(), Level::Strict);
    assert!(told[0].chars().count() < 500 && !told[0].contains(['\n', '\u{202E}']), "{told:#?}");
    assert!(told[0].ends_with("see docs/errors/WF060.md"), "{}", told[0]);
}
