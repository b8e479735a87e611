//! What becomes of branches, races, blocks, subflows, children, messages and triggers in the file.
//! Places are tested in `pictures`.

use workflow_bpmn::{Diagram, ShapeKind};
use workflow_graph::{Effect, Instances, NodeKind};

use crate::mapping::element;
use crate::parallel;
use crate::sketch::{Step, Stmt, fail, graph, join, operation, run, select, sleep, step, subflow, try_join};

fn undoes(xml: &str, id: &str) -> bool {
    element(xml, id).contains("<bpmn:compensateEventDefinition/>")
}

#[test]
fn branches_part_and_meet_at_gateways_without_a_name() {
    let branches = vec![vec![run("a")], vec![run("b")]];
    let xml = workflow_bpmn::to_xml(&graph("both", vec![join("both", branches)]));
    let fork = element(&xml, "both_fork");
    assert!(fork.starts_with(r#"<bpmn:parallelGateway id="both_fork" gatewayDirection="Diverging">"#));
    assert_eq!(fork.matches("<bpmn:outgoing>").count(), 2);
    assert_eq!(element(&xml, "both_join").matches("<bpmn:incoming>").count(), 2);
    assert!(!xml.contains("exclusiveGateway"));
}

#[test]
fn branches_that_fail_together_stand_in_a_sub_process() {
    let xml = workflow_bpmn::to_xml(&parallel::try_join_saga());
    assert!(
        element(&xml, "deliver")
            .starts_with(r#"<bpmn:subProcess id="deliver" name="All of: Ship goods, Send invoice">"#)
    );
    assert!(element(&xml, "not_shipped").contains("<bpmn:errorEventDefinition/>"));
    assert!(
        element(&xml, "no_address").contains(r#"<bpmn:errorEventDefinition errorRef="error_NOADDRESS"/>"#)
    );
    assert!(element(&xml, "deliver_error").contains(r#"attachedToRef="deliver""#));
    for end in ["not_shipped_undo", "no_address_undo"] {
        assert!(element(&xml, end).starts_with("<bpmn:intermediateThrowEvent"));
        assert!(undoes(&xml, end), "a sibling may have completed, and from outside nobody can undo it");
    }
    assert!(undoes(&xml, "not_delivered"), "the goods were reserved before");
}

#[test]
fn a_race_of_events_waits_at_one_gateway_for_events_only() {
    let xml = workflow_bpmn::to_xml(&parallel::race_of_events());
    let gateway = element(&xml, "answer");
    assert!(gateway.starts_with("<bpmn:eventBasedGateway id=\"answer\" gatewayDirection"));
    assert_eq!(gateway.matches("<bpmn:outgoing>").count(), 4, "a deadline is an event of its own");
    assert!(!xml.contains("receiveTask"));
    assert!(element(&xml, "cancellation_timeout").contains(">P7D</bpmn:timeDuration>"));
    assert!(element(&xml, "due_date").contains(">timer_due_date</bpmn:timeDate>"));
}

#[test]
fn a_race_of_steps_is_a_sub_process_that_the_first_one_ends() {
    let xml = workflow_bpmn::to_xml(&parallel::race_of_steps());
    let name = "First of: Ask first carrier, Ask second carrier, 2 hours";
    assert!(element(&xml, "quotes").contains(&format!("name=\"{name}\"")));
    assert!(element(&xml, "quotes_fork").starts_with("<bpmn:parallelGateway"));
    let ends = [
        "ask_first_carrier_first",
        "ask_second_carrier_first",
        "ask_second_carrier_error_Busy_first",
        "patience_first",
    ];
    assert!(ends.iter().all(|end| element(&xml, end).contains("<bpmn:terminateEventDefinition/>")));
    let question = element(&xml, "quotes_first");
    assert!(
        question.contains("name=\"What came first?\"") && question.contains("default=\"flow_patience_to_")
    );
    assert_eq!(question.matches("<bpmn:outgoing>").count(), ends.len());
    let way = element(&xml, "flow_ask_first_carrier_to_book_first_carrier");
    assert!(
        way.contains("decision_quotes_first == \"Ask first carrier\"")
            || way.contains("&quot;Ask first carrier&quot;")
    );
    assert!(undoes(&xml, "no_carrier_answered"), "a carrier that lost may have answered before");
}

#[test]
fn a_small_subflow_is_drawn_in_its_place_and_a_large_one_on_a_page_of_its_own() {
    let large = parallel::large_subflow();
    let xml = workflow_bpmn::to_xml(&large);
    assert_eq!(xml.matches("<bpmndi:BPMNDiagram ").count(), 2);
    assert!(xml.contains(r#"bpmnElement="inspect_goods" isExpanded="false""#));
    assert!(xml.contains(r#"<bpmndi:BPMNPlane id="plane_inspect_goods" bpmnElement="inspect_goods">"#));
    assert!(xml.contains(r#"bpmnElement="inspect_goods.deliver" isExpanded="true""#), "small, on that page");
    let diagram = Diagram::of(&large);
    assert_eq!(diagram.shape("inspect_goods").unwrap().kind, ShapeKind::CollapsedSubProcess);
    let [detail] = &diagram.details[..] else { panic!("one page more") };
    assert_eq!((detail.id.as_str(), detail.name.as_str()), ("inspect_goods", "Inspect goods"));
    let inner = detail.diagram.shape("inspect_goods.deliver.book_carrier").unwrap();
    assert_eq!(
        (inner.node.as_str(), inner.parent.as_deref()),
        ("inspect_goods.deliver.book_carrier", Some("inspect_goods.deliver"))
    );
    assert!(workflow_bpmn::to_svg(&large).contains(r#"<g id="inspect_goods.deliver.book_carrier""#));
}

#[test]
fn a_subflow_that_fails_undoes_itself_first() {
    let xml = workflow_bpmn::to_xml(&parallel::subflow_saga());
    assert!(element(&xml, "book_trip.no_hotel").contains("<bpmn:errorEventDefinition/>"));
    let undo = element(&xml, "book_trip.no_flight_undo");
    assert!(
        undo.starts_with("<bpmn:intermediateThrowEvent")
            && undo.contains("<bpmn:compensateEventDefinition/>")
    );
    assert!(element(&xml, "book_trip.no_flight").contains("errorRef=\"error_CARRIERDOWN\""));
    assert!(!undoes(&xml, "no_trip"), "what the trip did is undone already, and nothing was done before");
    assert!(undoes(&xml, "card_declined"), "a trip that was booked is undone by its caller");
    assert!(!xml.contains("book_trip.no_hotel_undo"), "nothing had completed yet");
}

#[test]
fn a_subflow_inside_of_itself_is_called_by_name() {
    let xml = workflow_bpmn::to_xml(&parallel::recursive_subflow());
    assert!(element(&xml, "copy_folder").starts_with("<bpmn:subProcess"));
    assert!(element(&xml, "copy_folder.copy_below").starts_with("<bpmn:callActivity"));
    assert!(element(&xml, "copy_folder.copy_below").contains("calledElement=\"copy_folder\""));
    assert!(xml.contains("decision_copy_folder_folders == "), "a dot in a variable would ask for a field");
}

#[test]
fn nothing_is_undone_in_a_subflow_behind_the_point_of_no_return() {
    let body = vec![
        step("pay").effect(Effect::Pivot).into(),
        subflow("book_trip", "book_trip", parallel::booking).or_fail(Some("no_trip")),
    ];
    let xml = workflow_bpmn::to_xml(&graph("late", body));
    assert!(!xml.contains("book_trip.no_flight_undo"));
}

#[test]
fn a_pivot_in_one_branch_counts_for_what_comes_after_the_join() {
    let reserve = || -> Stmt { step("reserve").undo("release").into() };
    let pay = || -> Stmt { step("pay").effect(Effect::Pivot).into() };
    let ship = || -> Stmt { step("ship").or_fail("not_shipped").into() };
    let both = vec![join("both", vec![vec![reserve()], vec![pay()]]), ship()];
    assert!(!undoes(&workflow_bpmn::to_xml(&graph("pivot", both)), "not_shipped"));
    let both = vec![join("both", vec![vec![reserve()], vec![run("look")]]), ship()];
    assert!(undoes(&workflow_bpmn::to_xml(&graph("no_pivot", both)), "not_shipped"));
}

fn reserve_and(look: Step) -> Vec<Vec<Stmt>> {
    vec![vec![step("reserve").undo("release").into()], vec![look.into()]]
}

#[test]
fn a_block_undoes_itself_before_it_fails() {
    let look = || step("look").or_fail("not_seen");
    let xml = workflow_bpmn::to_xml(&graph("block", vec![try_join("both", reserve_and(look()), "failed")]));
    assert!(undoes(&xml, "not_seen_undo"));
    assert!(
        !undoes(&xml, "failed"),
        "nothing was done before, and what has failed cannot be undone any more"
    );
    let nothing = vec![vec![run("reserve")], vec![look().into()]];
    let xml = workflow_bpmn::to_xml(&graph("block", vec![try_join("both", nothing, "failed")]));
    assert!(!xml.contains("not_seen_undo") && !undoes(&xml, "failed"));
    let paid = step("pay").effect(Effect::Pivot).into();
    let body = vec![paid, try_join("both", reserve_and(look()), "failed")];
    assert!(!workflow_bpmn::to_xml(&graph("late", body)).contains("not_seen_undo"));
}

#[test]
fn a_block_in_a_block_undoes_itself_and_so_does_the_one_around_it() {
    let inner = try_join("inner", reserve_and(step("look").or_fail("not_seen")), "not_inner");
    let branches = vec![vec![inner], vec![step("print").undo("shred").into()]];
    let xml = workflow_bpmn::to_xml(&graph("blocks", vec![try_join("outer", branches, "failed")]));
    assert!(undoes(&xml, "not_seen_undo") && undoes(&xml, "not_inner_undo") && !undoes(&xml, "failed"));
}

#[test]
fn what_a_failed_block_did_stays_where_the_code_goes_on() {
    let look = step("look").on("Busy", "", vec![fail("nobody_there")]).or_fail("not_seen");
    let both = try_join("both", reserve_and(look), "failed").on("Busy", "", vec![run("wait")]);
    let xml =
        workflow_bpmn::to_xml(&graph("handled", vec![both, step("ship").or_fail("not_shipped").into()]));
    assert!(!xml.contains("nobody_there_undo"), "the code goes on, with the goods reserved");
    assert!(undoes(&xml, "not_seen_undo") && !undoes(&xml, "failed"), "it gives up");
    assert!(undoes(&xml, "not_shipped"));
}

#[test]
fn undoing_on_purpose_leaves_nothing_to_undo() {
    let body = vec![
        step("reserve").undo("release").into(),
        operation("undo_all", NodeKind::Compensate),
        step("ship").or_fail("not_shipped").into(),
    ];
    let xml = workflow_bpmn::to_xml(&graph("on_purpose", body));
    assert!(
        element(&xml, "undo_all").starts_with("<bpmn:intermediateThrowEvent id=\"undo_all\" name=\"Undo\">")
    );
    assert!(undoes(&xml, "undo_all") && !undoes(&xml, "not_shipped"));
}

#[test]
fn many_instances_carry_their_marker_and_their_number() {
    let xml = workflow_bpmn::to_xml(&parallel::for_each());
    let pack = element(&xml, "pack_item");
    assert!(pack.contains(r#"<bpmn:multiInstanceLoopCharacteristics isSequential="false">"#));
    assert!(pack.contains(">instances_pack_item</bpmn:loopCardinality>"));
    assert!(
        pack.contains(
            "Once for each of many values, at most 10 at a time. After the first error nothing new"
        )
    );
    assert!(pack.contains(r#"<workflow:instances failsFast="true" limit="10"/>"#));
    assert!(undoes(&xml, "not_packed"), "others may have completed");
    let inner = element(&xml, "deliver");
    let (marker, start) =
        (inner.find("<bpmn:multiInstance").unwrap(), inner.find("<bpmn:startEvent").unwrap());
    assert!(marker < start, "the schema wants the marker before what stands inside");
    let diagram = Diagram::of(&parallel::for_each());
    assert!(diagram.shapes.iter().filter(|shape| shape.is_multiple).count() == 4);
}

#[test]
fn instances_that_do_not_fail_fast_are_all_waited_for() {
    let mut flow = graph("all", vec![run("look")]);
    let mut nodes = flow.nodes.into_owned();
    nodes[1].instances = Some(Instances { limit: "".into(), fails_fast: false });
    flow.nodes = nodes.into();
    let xml = workflow_bpmn::to_xml(&flow);
    assert!(xml.contains("Once for each of many values, all at once. All of them are waited for"));
}

#[test]
fn instances_of_which_one_is_under_way_at_a_time_are_drawn_one_after_the_other() {
    let flow =
        |limit: &str| graph("each", vec![Stmt::from(step("pack").or_fail("not_packed")).for_each(limit)]);
    for (limit, in_turn) in [("1", true), ("2", false), ("", false), ("most", false)] {
        let flow = flow(limit);
        let (xml, svg) = (workflow_bpmn::to_xml(&flow), workflow_bpmn::to_svg(&flow));
        assert_eq!(element(&xml, "pack").contains(r#"isSequential="true""#), in_turn, "{limit}");
        assert_eq!(xml.contains("Once for each of many values, one after the other."), in_turn, "{limit}");
        // The bars lie.
        assert_eq!(svg.contains("M-6 -6 h12 v2.4"), in_turn, "{limit}");
    }
}

#[test]
fn children_and_messages_have_symbols_of_their_own() {
    let xml = workflow_bpmn::to_xml(&parallel::messages());
    assert!(element(&xml, "collect_payment").starts_with("<bpmn:callActivity"));
    assert!(element(&xml, "collect_payment").contains("calledElement=\"collect_payment\""));
    assert!(element(&xml, "update_statistics").starts_with("<bpmn:sendTask"));
    assert!(element(&xml, "update_statistics").contains("`update_statistics` and does not wait for it."));
    assert!(element(&xml, "order_goods").contains(r#"messageRef="message_OrderGoods""#));
    let publish = element(&xml, "order_completed");
    assert!(publish.starts_with("<bpmn:intermediateThrowEvent"));
    assert!(publish.contains(r#"<bpmn:messageEventDefinition messageRef="message_OrderCompleted"/>"#));
    assert!(element(&xml, "go_on").contains("name=\"Continues as new\""));
}

#[test]
fn what_starts_a_run_stands_on_its_start() {
    let xml = workflow_bpmn::to_xml(&parallel::messages());
    assert!(element(&xml, "started").contains("name=\"Order placed\""));
    assert!(
        element(&xml, "started")
            .contains(r#"<bpmn:messageEventDefinition messageRef="message_OrderPlaced"/>"#)
    );
    assert!(xml.contains("A run may take 30 days; after that, what was done is undone."));
    let xml = workflow_bpmn::to_xml(&parallel::scheduled());
    assert!(element(&xml, "started").contains("name=\"Monday to Friday at 06:00\""));
    assert!(element(&xml, "started").contains(">0 6 * * 1-5</bpmn:timeCycle>"));
    assert!(xml.contains("Begins by the schedule `0 6 * * 1-5` (Europe/Berlin)"));
    assert!(
        xml.contains(r#"<workflow:schedule cron="0 6 * * 1-5" timezone="Europe/Berlin" catchUp="latest"/>"#)
    );
    assert!(element(&xml, "archive_first").contains("name=\"Changed by archive first?\""));
    assert!(element(&xml, "archive_first").contains("the change `archive_first` was made"));
}

#[test]
fn answers_of_a_race_that_read_the_same_are_numbered() {
    let arms = vec![
        (sleep("first_wait", "PT1H", "1 hour"), vec![]),
        (run("look"), vec![]),
        (sleep("second_wait", "PT1H", "1 hour"), vec![fail("late")]),
    ];
    let xml = workflow_bpmn::to_xml(&graph("alike", vec![select("race", arms)]));
    assert_eq!(xml.matches("name=\"1 hour (2)\"").count(), 1);
}

#[test]
#[should_panic(expected = "the graph of `broken` cannot be drawn")]
fn a_subflow_with_defects_is_refused_by_name() {
    fn broken() -> &'static workflow_graph::Graph {
        static GRAPH: std::sync::OnceLock<workflow_graph::Graph> = std::sync::OnceLock::new();
        GRAPH.get_or_init(|| workflow_graph::Graph::named("broken"))
    }
    let _ = workflow_bpmn::to_xml(&graph("outer", vec![subflow("inner", "broken", broken)]));
}
