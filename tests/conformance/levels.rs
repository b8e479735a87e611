//! What each level asks for: the names, the order, the whole drawing. Models are right first, then wrong in one place.

use workflow_graph::Graph;
use workflow_graph::conform::Level;
use workflow_runtime::WorkflowFn;

use super::flows::*;
use super::judge;
use super::models::drawn;

#[track_caller]
fn told(graph: &'static Graph, chains: &str, level: Level) -> Vec<String> {
    judge::findings(graph, drawn(chains).as_bytes(), level)
}

#[track_caller]
fn agrees(graph: &'static Graph, chains: &str, level: Level) {
    assert_eq!(told(graph, chains, level), [] as [&str; 0]);
}

/// Exactly one thing is told, at this node (nothing: at the file), in words that hold all of these.
#[track_caller]
fn tells(graph: &'static Graph, chains: &str, level: Level, node: &str, words: &[&str]) {
    let told = told(graph, chains, level);
    assert_eq!(told.len(), 1, "{told:#?}");
    let at = if node.is_empty() { "WF060: ".to_owned() } else { format!("{node}: WF060: ") };
    assert!(told[0].starts_with(&at), "{}", told[0]);
    assert!(told[0].ends_with("see docs/errors/WF060.md"), "{}", told[0]);
    for words in words {
        assert!(told[0].contains(words), "`{words}` in: {}", told[0]);
    }
}

const ROW: &str = "start -> task:Reserve goods -> task:Charge card -> user:ship goods -> end";

#[test]
fn names_are_compared_by_their_letters() {
    agrees(in_a_row.graph(), ROW, Level::Order);
    agrees(
        in_a_row.graph(),
        "start -> task:reserve-goods -> task:CHARGE -> task:ship_goods -> end",
        Level::Order,
    );
}

#[test]
fn what_is_drawn_and_not_done_is_told_with_its_line() {
    tells(
        in_a_row.graph(),
        "start -> task:Reserve goods -> task:Charge card -> task:Ship goods -> task:Ask for feedback -> end",
        Level::Names,
        "",
        &["model.bpmn:11 draws the task `Ask for feedback`", "`in_a_row` does nothing of that name"],
    );
}

#[test]
fn what_is_done_and_not_drawn_is_told_at_the_call() {
    tells(
        in_a_row.graph(),
        "start -> task:Reserve goods -> task:Ship goods -> end",
        Level::Names,
        "charge",
        &["`model.bpmn` does not draw the step `charge` (`Charge card`)", "allow_workflow(model_deviation"],
    );
}

#[test]
fn a_name_that_is_nearly_right_is_asked_about_on_both_sides() {
    let told = told(
        in_a_row.graph(),
        "start -> task:Reserve goods -> task:Charge credit card -> task:Ship goods -> end",
        Level::Order,
    );
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("did you mean the step `charge` (`Charge card`)?"), "{}", told[0]);
    assert!(told[1].contains("did you mean the task `Charge credit card` (model.bpmn:7)?"), "{}", told[1]);
}

#[test]
fn what_is_left_on_both_sides_is_probably_the_same() {
    let told = told(
        in_a_row.graph(),
        "start -> task:Reserve goods -> task:Take the money -> task:Ship goods -> end",
        Level::Names,
    );
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("is it the step `charge` (`Charge card`)?"), "{}", told[0]);
    assert!(told[1].contains("is it the task `Take the money` (model.bpmn:7)?"), "{}", told[1]);
}

#[test]
fn a_model_of_something_else_does_not_bury_the_reader() {
    let tasks: Vec<String> = (0..60).map(|number| format!("task:Something else {number}")).collect();
    let told = told(in_a_row.graph(), &format!("start -> {} -> end", tasks.join(" -> ")), Level::Strict);
    assert!(told.len() < 15, "{told:#?}");
    assert!(told.iter().any(|text| text.contains("52 more elements")), "{told:#?}");
}

#[test]
fn names_say_nothing_about_order() {
    let swapped = "start -> task:Charge card -> task:Reserve goods -> task:Ship goods -> end";
    agrees(in_a_row.graph(), swapped, Level::Names);
    tells(
        in_a_row.graph(),
        swapped,
        Level::Order,
        "charge",
        &[
            "by model.bpmn:5 and 7 `Reserve goods` comes after `Charge card`",
            "but by the code `Charge card` comes after `Reserve goods`",
        ],
    );
}

#[test]
fn what_was_moved_is_told_once() {
    tells(
        in_a_row.graph(),
        "start -> task:Ship goods -> task:Reserve goods -> task:Charge card -> end",
        Level::Order,
        "ship",
        &["`Ship goods`"],
    );
}

#[test]
fn work_side_by_side_is_not_work_in_a_row() {
    let right = "start -> task:Look at the order -> and:split -> task:Ship goods -> and:join -> end
and:split -> task:Write invoice -> and:join";
    agrees(side_by_side.graph(), right, Level::Strict);
    tells(
        side_by_side.graph(),
        "start -> task:Look at the order -> task:Ship goods -> task:Write invoice -> end",
        Level::Order,
        "invoice",
        &["`Write invoice` comes after `Ship goods`", "`Ship goods` and `Write invoice` happen side by side"],
    );
    tells(
        side_by_side.graph(),
        &right.replace("and:", "xor:"),
        Level::Order,
        "invoice",
        &["only one of `Ship goods` and `Write invoice` happens", "happen side by side"],
    );
}

#[test]
fn several_flows_out_of_a_task_are_all_taken() {
    agrees(
        side_by_side.graph(),
        "start -> task:Look at the order -> task:Ship goods -> end
task:Look at the order -> task:Write invoice -> end:other",
        Level::Order,
    );
}

#[test]
fn an_inclusive_gateway_leaves_open_what_happens() {
    let model = "start -> task:Look at the order -> or:split -> task:Ship goods -> or:join -> end
or:split -> task:Write invoice -> or:join";
    agrees(side_by_side.graph(), model, Level::Order);
}

const CHOICE: &str = "start -> xor:Paid? -> task:Ship goods -> xor:join -> task:Look at the order -> end
xor:Paid? -> task:Write invoice -> xor:join";

#[test]
fn a_choice_is_drawn_with_an_exclusive_gateway() {
    agrees(one_of_two.graph(), CHOICE, Level::Strict);
    // Without the gateway behind, it is the same.
    agrees(
        one_of_two.graph(),
        "start -> xor:Paid? -> task:Ship goods -> task:Look at the order -> end
xor:Paid? -> task:Write invoice -> task:Look at the order",
        Level::Strict,
    );
    tells(
        one_of_two.graph(),
        &CHOICE.replace("xor:", "and:"),
        Level::Order,
        "invoice",
        &["happen side by side", "only one of `Ship goods` and `Write invoice` happens"],
    );
}

#[test]
fn a_loop_is_drawn_as_one() {
    let right = "start -> xor:begin -> xor:More? -> task:Ship goods -> xor:begin
xor:More? -> task:Look at the order -> end";
    agrees(again_and_again.graph(), right, Level::Strict);
    tells(
        again_and_again.graph(),
        "start -> xor:More? -> task:Ship goods -> xor:join -> task:Look at the order -> end
xor:More? -> xor:join",
        Level::Order,
        "ship",
        &["`Ship goods` happens at most once, but by the code `Ship goods` can happen again"],
    );
    let marker = "start -> xor:More? -> loop:Ship goods -> xor:join -> task:Look at the order -> end
xor:More? -> xor:join";
    agrees(again_and_again.graph(), marker, Level::Order);
    tells(again_and_again.graph(), marker, Level::Strict, "ship", &["a marker for one after the other"]);
}

#[test]
fn milestones_and_manual_work_need_no_code() {
    agrees(
        in_a_row.graph(),
        "start -> task:Reserve goods -> manual:Wrap it up -> task:Charge card -> task:Ship goods -> end",
        Level::Order,
    );
}

#[test]
fn many_in_parallel_have_their_marker() {
    let right = "start -> task:Look at the order -> many:Ship goods -> end";
    agrees(of_many.graph(), right, Level::Strict);
    tells(
        of_many.graph(),
        &right.replace("many:", "task:"),
        Level::Order,
        "ship",
        &["happens at most once, but by the code `Ship goods` happens several times in parallel"],
    );
}

/// What the code does one after the other may be drawn so, and as what could run side by side.
#[test]
fn many_in_turn_have_either_marker() {
    let right = "start -> task:Look at the order -> turns:Ship goods -> end";
    agrees(of_many_in_turn.graph(), right, Level::Strict);
    agrees(of_many_in_turn.graph(), &right.replace("turns:", "many:"), Level::Strict);
    let words = "can happen again, but by the code `Ship goods` happens several times in parallel";
    tells(of_many.graph(), right, Level::Strict, "ship", &[words]);
}

#[test]
fn the_first_event_is_drawn_with_its_gateway() {
    let right = "start -> task:Look at the order -> event:
event: -> message:New card received -> task:Ship goods -> xor:j -> end
event: -> timer:7 days -> task:Write invoice -> xor:j";
    agrees(first_event.graph(), right, Level::Strict);
    tells(
        first_event.graph(),
        &right.replace("event:", "xor:q"),
        Level::Strict,
        "look",
        &["behind `Look at the order` comes a question, but in the code a wait for the first event"],
    );
}

#[test]
fn a_subflow_is_a_sub_process_a_box_or_no_frame_at_all() {
    let graph = with_a_subflow.graph();
    let full = "sub-process:Deliver order
    start:in -> task:Reserve goods -> task:Ship goods -> end:in
start -> task:Look at the order -> sub-process:Deliver order -> task:Write invoice -> end";
    agrees(graph, full, Level::Order);
    let closed = "start -> task:Look at the order -> call:Deliver order -> task:Write invoice -> end";
    agrees(graph, closed, Level::Order);
    let flat = "start -> task:Look at the order -> task:Reserve goods -> task:Ship goods -> task:Write invoice -> end";
    agrees(graph, flat, Level::Order);
    let other = told(graph, &full.replace("Ship goods", "Shipped goods"), Level::Order);
    assert_eq!(other.len(), 2, "{other:#?}");
    assert!(other[0].contains("model.bpmn:8 draws the task `Shipped goods`"), "{other:#?}");
    assert!(other[0].contains("did you mean the step `ship` (`Ship goods`)?"), "{other:#?}");
    assert!(
        other[1].starts_with("deliver: ") && other[1].contains(", to which this call leads"),
        "{other:#?}"
    );
    tells(
        graph,
        &full.replace("task:Reserve goods -> task:Ship goods", "task:Ship goods -> task:Reserve goods"),
        Level::Order,
        "deliver",
        &["`Reserve goods` comes after `Ship goods`"],
    );
}

#[test]
fn a_frame_that_the_code_does_not_have_is_only_drawing() {
    let framed = "sub-process:Payment
    start:in -> task:Reserve goods -> task:Charge card -> end:in
start -> sub-process:Payment -> task:Ship goods -> end";
    agrees(in_a_row.graph(), framed, Level::Order);
    let told = told(in_a_row.graph(), framed, Level::Strict);
    assert!(told.iter().any(|text| text.contains("draws a frame, the sub-process `Payment`")), "{told:#?}");
    let unknown =
        framed.replace("Reserve goods", "Check").replace("Charge card", "Pay").replace("Ship goods", "Go");
    let told = judge::findings(in_a_row.graph(), drawn(&unknown).as_bytes(), Level::Names);
    let drawn: Vec<&String> = told.iter().filter(|text| text.contains(" draws the ")).collect();
    assert_eq!(drawn.len(), 2, "what stands in an unknown frame is not told as well: {told:#?}");
}

#[test]
fn a_child_is_a_call_activity() {
    let right = "start -> task:Look at the order -> call:In a row -> end";
    agrees(with_a_child.graph(), right, Level::Order);
    let as_task = right.replace("call:", "task:");
    agrees(with_a_child.graph(), &as_task, Level::Order);
    let told = told(with_a_child.graph(), &as_task, Level::Strict);
    assert!(
        told[0].contains("as a task, but the code calls another workflow: draw a call activity"),
        "{told:#?}"
    );
}

#[test]
fn every_export_conforms_strictly() {
    for graph in [
        in_a_row.graph(),
        side_by_side.graph(),
        one_of_two.graph(),
        again_and_again.graph(),
        tells_errors_apart.graph(),
        waits.graph(),
        first_event.graph(),
        of_many.graph(),
        of_many_in_turn.graph(),
        with_a_subflow.graph(),
        with_a_child.graph(),
        fails_together.graph(),
        passes_errors_on.graph(),
        knows_what_is_inside.graph(),
        either_of_both.graph(),
        keeps_the_error.graph(),
        keeps_what_came.graph(),
        keeps_what_came_first.graph(),
    ] {
        judge::the_export_conforms(graph);
    }
}

/// `?` is an event that leads straight to an end; where it leads elsewhere, the code would have to say so.
#[test]
fn an_error_that_is_passed_on_may_be_drawn_as_that_and_as_nothing_else() {
    let file = workflow_bpmn::to_xml(passes_errors_on.graph());
    let event = "try_to_deliver.deliver_error_Expired";
    assert!(file.contains(&format!("<bpmn:boundaryEvent id=\"{event}\"")), "{file}");
    let (before, behind) = file.split_once(&format!("sourceRef=\"{event}\" targetRef=\"")).unwrap();
    let (_, behind) = behind.split_once('"').unwrap();
    let elsewhere = format!("{before}sourceRef=\"{event}\" targetRef=\"try_to_deliver.completed\"{behind}");
    let told = judge::findings(passes_errors_on.graph(), elsewhere.as_bytes(), Level::Strict);
    assert!(told.iter().any(|text| text.contains("tell this apart")), "{told:#?}");
}

/// An error inside of another is thrown as that one, with its code.
#[test]
fn what_is_thrown_is_what_the_frame_listens_for() {
    for graph in [knows_what_is_inside.graph(), either_of_both.graph()] {
        let file = workflow_bpmn::to_xml(graph);
        let names = |kind: &str| {
            let (begin, end) = (format!("<bpmn:{kind} "), format!("</bpmn:{kind}>"));
            let found = file.split(&begin).skip(1).filter_map(|text| text.split(&end).next());
            found.filter(|text| text.contains("errorRef=\"error_NOT_DELIVERED\"")).count()
        };
        assert!(["endEvent", "boundaryEvent"].into_iter().all(|kind| names(kind) == 1), "{file}");
    }
}

/// Each change of an exported file is noticed; the words name what was changed.
#[test]
fn a_change_of_an_export_is_noticed() {
    let changed: [(&'static Graph, &str, &str, &str); 9] = [
        (tells_errors_apart.graph(), "CARD_EXPIRED", "CARD_STOLEN", "tell this apart"),
        (tells_errors_apart.graph(), ">P7D<", ">P8D<", "another duration"),
        (tells_errors_apart.graph(), "name=\"NewCard\"", "name=\"OtherCard\"", "another message"),
        (waits.graph(), ">P3D<", ">P4D<", "another duration"),
        (
            waits.graph(),
            "<bpmn:messageEventDefinition messageRef=\"message_OrderCompleted\"/>",
            "",
            "the publishing of",
        ),
        (in_a_row.graph(), " isForCompensation=\"true\"", "", "Release goods"),
        (one_of_two.graph(), "bpmn:exclusiveGateway", "bpmn:inclusiveGateway", "an inclusive gateway"),
        (of_many.graph(), "isSequential=\"false\"", "isSequential=\"true\"", "one"),
        (fails_together.graph(), "bpmn:parallelGateway", "bpmn:exclusiveGateway", "side by side"),
    ];
    for (graph, from, to, words) in changed {
        let file = workflow_bpmn::to_xml(graph);
        assert!(file.contains(from), "{from} in {file}");
        let told = judge::findings(graph, file.replace(from, to).as_bytes(), Level::Strict);
        assert!(told.iter().any(|text| text.contains(words)), "{from} -> {to}: {told:#?}");
    }
}

/// A sequence flow that leads elsewhere is another flow, wherever it is.
#[test]
fn every_flow_that_is_led_elsewhere_is_noticed() {
    let (mut changes, mut unnoticed) = (0, Vec::new());
    for graph in
        [one_of_two.graph(), again_and_again.graph(), tells_errors_apart.graph(), first_event.graph()]
    {
        let file = workflow_bpmn::to_xml(graph);
        let targets: Vec<&str> =
            file.split("targetRef=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        for (number, from) in targets.iter().enumerate() {
            for to in targets.iter().filter(|to| *to != from && !to.contains("undo")) {
                let mut pieces: Vec<String> = file.split("targetRef=\"").map(str::to_owned).collect();
                pieces[number + 1] = pieces[number + 1].replacen(from, to, 1);
                let changed = pieces.join("targetRef=\"");
                changes += 1;
                if judge::findings(graph, changed.as_bytes(), Level::Strict).is_empty() {
                    unnoticed.push(format!("{}: {from} -> {to}", graph.workflow));
                }
            }
        }
    }
    // A flow to what a join leads to is the same as a flow to the join, and ends of one name are the same end.
    unnoticed.retain(|change| {
        !["merge", "join", "repeat", "completed -> completed", "completed_2 -> completed"]
            .iter()
            .any(|same| change.contains(same))
    });
    assert!(changes > 50, "{changes}");
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}
