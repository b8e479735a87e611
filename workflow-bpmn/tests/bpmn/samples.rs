//! Flows of every shape that people write, drawn once each and looked at.
//! It holds no expectations; those are in the tests that use it.

use workflow_graph::{Effect, Graph, NodeKind, Task};

use crate::parallel;
use crate::sketch::{
    Stmt, ask, child, fail, graph, publish, receive, repeat, run, sleep, step, succeed, try_join,
};

/// All samples, by file name.
pub(crate) fn all() -> Vec<(&'static str, Graph)> {
    let sequential = vec![
        ("fulfil_order", fulfil_order()),
        ("sequence", sequence()),
        ("if_else", if_else()),
        ("nested_decisions", nested_decisions()),
        ("while_loop", while_loop()),
        ("loop_with_breaks", loop_with_breaks()),
        ("nested_loops", nested_loops()),
        ("trip_saga", trip_saga()),
        ("error_variants", error_variants()),
        ("receive_with_timeout", receive_with_timeout()),
        ("reminder_timer", reminder_timer()),
        ("early_return", early_return()),
        ("many_answers", many_answers()),
        ("retry_by_hand", retry_by_hand()),
        ("long_flow", long_flow()),
        ("hostile_names", hostile_names()),
        ("insurance_claim", insurance_claim()),
    ];
    sequential.into_iter().chain(parallel::all()).collect()
}

/// The flagship: a saga with an error that is dealt with, and a way out of every step.
pub(crate) fn fulfil_order() -> Graph {
    let payment = |id: &str| step(id).calls("retrieve_payment").undo("refund_payment");
    let ask_for_card = vec![
        receive("new_card", "NewCard", Some(vec![fail("no_new_card")])),
        payment("retrieve_payment_2").or_fail("payment_failed_again").into(),
    ];
    let mut flow = graph(
        "fulfil_order",
        vec![
            step("reserve_goods").undo("release_goods").or_fail("goods_not_reserved").into(),
            payment("retrieve_payment")
                .on("CardExpired", "Ask the customer for another card", ask_for_card)
                .or_fail("payment_failed")
                .into(),
            step("book_shipment").effect(Effect::Pivot).or_fail("shipment_not_booked").into(),
            step("confirm_order").effect(Effect::Retriable).into(),
        ],
    );
    flow.documentation = "From the order of a customer to the parcel on its way.".into();
    flow
}

fn sequence() -> Graph {
    graph("sequence", vec![run("check_order"), run("pack_goods"), run("send_parcel")])
}

fn if_else() -> Graph {
    let answers = vec![("yes", vec![run("pick_goods")]), ("no", vec![run("order_from_supplier")])];
    graph("if_else", vec![run("check_stock"), ask("in_stock", "In stock?", answers), run("send_parcel")])
}

fn nested_decisions() -> Graph {
    let large = ask(
        "known_customer",
        "Known customer?",
        vec![
            ("yes", vec![run("check_history")]),
            ("no", vec![run("ask_for_references"), run("check_references")]),
        ],
    );
    let answers = vec![
        ("large", vec![large, run("approve_by_hand")]),
        ("small", vec![ask("express", "Express?", vec![("yes", vec![run("mark_urgent")]), ("no", vec![])])]),
    ];
    graph("nested_decisions", vec![run("read_order"), ask("size", "How large?", answers), run("store_order")])
}

fn while_loop() -> Graph {
    let again = vec![
        ("yes", vec![run("send_parcel"), sleep("pause", "PT1H", "1 hour")]),
        ("no", vec![Stmt::Break(0)]),
    ];
    graph(
        "while_loop",
        vec![run("list_parcels"), repeat(vec![ask("more", "More parcels?", again)]), run("close_list")],
    )
}

fn loop_with_breaks() -> Graph {
    let done =
        |id: &str, question: &str| ask(id, question, vec![("yes", vec![Stmt::Break(0)]), ("no", vec![])]);
    graph(
        "loop_with_breaks",
        vec![
            repeat(vec![
                step("ask_warehouse").or_fail("warehouse_unreachable").into(),
                done("found", "Found?"),
                step("ask_supplier").on("SoldOut", "", vec![Stmt::Break(0)]).into(),
                done("delivered", "Delivered?"),
                sleep("wait_a_day", "P1D", "1 day"),
            ]),
            run("close_search"),
        ],
    )
}

fn nested_loops() -> Graph {
    let inner = repeat(vec![
        run("send_parcel"),
        ask(
            "arrived",
            "Arrived?",
            vec![("yes", vec![Stmt::Break(0)]), ("lost", vec![Stmt::Continue(1)]), ("not yet", vec![])],
        ),
        sleep("wait", "PT6H", "6 hours"),
    ]);
    let more = ask("more", "More to send?", vec![("yes", vec![]), ("no", vec![Stmt::Break(0)])]);
    graph(
        "nested_loops",
        vec![repeat(vec![run("pick_order"), inner, run("close_order"), more]), run("report")],
    )
}

fn trip_saga() -> Graph {
    graph(
        "trip_saga",
        vec![
            step("book_hotel").undo("cancel_hotel").or_fail("no_hotel_found").into(),
            step("book_flight").undo("cancel_flight").or_fail("no_flight_found").into(),
            step("book_car").undo("cancel_car").or_fail("no_car_found").into(),
            step("charge_card").effect(Effect::Pivot).or_fail("card_declined").into(),
            step("send_tickets").effect(Effect::Retriable).into(),
        ],
    )
}

fn error_variants() -> Graph {
    let booking = step("book_carrier")
        .on("BadAddress", "", vec![run("fix_address"), fail("address_to_fix")])
        .on("CarrierDown", "", vec![run("book_other_carrier")])
        .on("TooHeavy", "", vec![fail("parcel_too_heavy")])
        .on("", "", vec![run("tell_support"), fail("not_sent")]);
    graph("error_variants", vec![booking.into(), run("hand_over_parcel")])
}

fn receive_with_timeout() -> Graph {
    graph(
        "receive_with_timeout",
        vec![
            run("send_invoice"),
            receive("payment", "Payment", Some(vec![run("send_reminder"), fail("not_paid")])),
            receive("address", "AddressConfirmation", None),
            run("send_parcel"),
        ],
    )
}

fn reminder_timer() -> Graph {
    let paid = ask("paid", "Paid?", vec![("yes", vec![]), ("no", vec![run("remind_customer")])]);
    graph("reminder_timer", vec![run("send_invoice"), sleep("two_weeks", "P14D", "14 days"), paid])
}

fn early_return() -> Graph {
    let guard = ask(
        "already_sent",
        "Already sent?",
        vec![("yes", vec![run("find_receipt"), succeed("sent_before")]), ("no", vec![])],
    );
    let fraud = ask("suspicious", "Suspicious?", vec![("yes", vec![fail("order_refused")]), ("no", vec![])]);
    graph("early_return", vec![run("read_order"), guard, fraud, run("send_parcel")])
}

fn many_answers() -> Graph {
    let answers = vec![
        ("letter", vec![run("print_letter"), run("send_letter")]),
        ("mail", vec![run("send_mail")]),
        ("phone", vec![step("call_customer").on("NoAnswer", "", vec![fail("not_reached")]).into()]),
        ("none", vec![]),
    ];
    graph(
        "many_answers",
        vec![run("read_wishes"), ask("channel", "Which channel?", answers), run("file_case")],
    )
}

fn retry_by_hand() -> Graph {
    let attempt = step("call_service")
        .on("Busy", "", vec![sleep("wait", "PT5M", "5 minutes"), Stmt::Continue(0)])
        .on("Gone", "", vec![fail("service_gone")]);
    graph(
        "retry_by_hand",
        vec![repeat(vec![attempt.into(), run("store_answer"), Stmt::Break(0)]), run("report")],
    )
}

fn long_flow() -> Graph {
    let mut body: Vec<Stmt> = Vec::new();
    for part in 1..=9 {
        let prepare = step(&format!("prepare_part_{part}"));
        body.push(if part % 2 == 0 {
            prepare.or_fail(&format!("part_{part}_failed")).into()
        } else {
            prepare.into()
        });
        if part % 3 == 0 {
            let again = vec![("yes", vec![]), ("no", vec![run(&format!("repair_part_{part}"))])];
            body.push(ask(&format!("part_{part}_good"), "Good?", again));
        }
        body.push(run(&format!("mount_part_{part}")));
    }
    graph("long_flow", body)
}

/// A person, rules, and four other parties.
pub(crate) fn insurance_claim() -> Graph {
    let pay = step("pay_out").effect(Effect::Pivot).with("Bank").or_fail("not_paid");
    let decided = vec![
        ("pay", vec![pay.into(), publish("claim_paid", "ClaimPaid"), succeed("paid")]),
        ("ask an expert", vec![step("inspect_damage").task(Task::User).with("Expert office").into()]),
        ("refuse", vec![fail("claim_refused")]),
    ];
    let papers = receive("papers", "PapersReceived", Some(vec![fail("papers_missing")]));
    graph(
        "insurance_claim",
        vec![
            step("reserve_money").undo("release_money").with("Bank").into(),
            run("read_claim"),
            papers,
            repeat(vec![
                step("rate_claim").task(Task::BusinessRule).with("Rule engine").into(),
                ask("decision", "What is decided?", decided),
            ]),
        ],
    )
}

/// Names that try to break out of XML, out of boxes and out of lines.
pub(crate) fn hostile_names() -> Graph {
    let mut flow = graph(
        "hostile_names",
        vec![
            run("a"),
            step("b").on("Bad", "]]> & \"quoted\" <b>bold</b>", vec![fail("e")]).into(),
            ask("c", "?", vec![("\"yes\" \\ & <no>", vec![run("d")]), ("same", vec![]), ("same", vec![])]),
            receive("f", "Weird <Message> & \u{1} name", Some(vec![fail("g")])),
            child("no QName: <at> all & \"more\" \u{2}", false, None),
            publish("h", "Weird <Message> & \u{1} name"),
            try_join("i", vec![vec![run("j")], vec![run("k")]], "l"),
        ],
    );
    flow.workflow = "3 strange <names> & \"more\"".into();
    flow.label = "<script>alert('x')</script> \u{0}\u{8}\u{FFFE} \u{202E}gnorw".into();
    let mut nodes = flow.nodes.into_owned();
    for node in &mut nodes {
        if matches!(node.kind, NodeKind::Child(_)) {
            node.id = "called".into();
        }
        node.label = match node.id.as_ref() {
            "a" => "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz prüfen".into(),
            "b" => "very ".repeat(200).into(),
            "c" => "Ist 價格 > 100 && \u{1F600}\u{1F680}?".into(),
            "d" => "شحن الطلب إلى العميل".into(),
            "e" => "<end/> ' \" & \u{B}".into(),
            "g" => "\n\n  \t".into(),
            "i" | "j" => "]]> <all> of it, ".repeat(20).into(),
            _ => continue,
        };
    }
    flow.nodes = nodes.into();
    flow
}
