//! Flows with branches, races, blocks, subflows, children and messages, drawn once each and looked at.
//! It holds no expectations; those are in the tests that use it.

use std::sync::OnceLock;

use workflow_graph::{CatchUp, Effect, Graph, NodeKind, Trigger};

use crate::sketch::{
    Stmt, ask, child, error_facts, fail, graph, join, operation, publish, receive, repeat, run, select, send,
    sleep, sleep_until, step, subflow, try_join,
};

/// All samples, by file name.
pub(crate) fn all() -> Vec<(&'static str, Graph)> {
    vec![
        ("join", join_two()),
        ("join_lanes", join_lanes()),
        ("try_join_saga", try_join_saga()),
        ("block_in_branch", block_in_branch()),
        ("join_in_error_path", join_in_error_path()),
        ("race_of_events", race_of_events()),
        ("race_of_steps", race_of_steps()),
        ("race_in_loop", race_in_loop()),
        ("race_in_block", race_in_block()),
        ("small_subflow", small_subflow()),
        ("subflow_saga", subflow_saga()),
        ("large_subflow", large_subflow()),
        ("recursive_subflow", recursive_subflow()),
        ("for_each", for_each()),
        ("messages", messages()),
        ("scheduled", scheduled()),
        ("nested_parallel", nested_parallel()),
    ]
}

fn join_two() -> Graph {
    let branches = vec![vec![run("pick_goods"), run("pack_goods")], vec![run("print_invoice")]];
    graph("join", vec![run("read_order"), join("prepare", branches), run("send_parcel")])
}

/// Branches with decisions, loops and waits of their own.
fn join_lanes() -> Graph {
    let done = ask("enough", "Enough?", vec![("yes", vec![Stmt::Break(0)]), ("no", vec![])]);
    let express = vec![("yes", vec![run("mark_urgent")]), ("no", vec![])];
    let branches = vec![
        vec![run("pick_goods"), ask("express", "Express?", express), run("pack_goods")],
        vec![repeat(vec![run("ask_carrier"), done, sleep("wait", "PT1H", "1 hour")])],
        vec![step("reserve_slot").undo("free_slot").into()],
    ];
    graph("join_lanes", vec![join("prepare", branches), run("send_parcel")])
}

/// What completed in a branch is undone when another one fails.
pub(crate) fn try_join_saga() -> Graph {
    let ship = step("ship_goods").undo("call_goods_back").or_fail("not_shipped");
    let bill = step("send_invoice").undo("cancel_invoice").on("NoAddress", "", vec![fail("no_address")]);
    let body = vec![
        step("reserve_goods").undo("release_goods").or_fail("goods_not_reserved").into(),
        try_join(
            "deliver",
            vec![vec![ship.into()], vec![bill.or_fail("not_billed").into()]],
            "not_delivered",
        ),
        run("close_order"),
    ];
    Graph { errors: vec![error_facts("NoAddress")].into(), ..graph("try_join_saga", body) }
}

fn block_in_branch() -> Graph {
    let both = try_join(
        "notify",
        vec![vec![step("send_mail").or_fail("no_mail").into()], vec![run("send_letter")]],
        "not_notified",
    );
    let answers = vec![("yes", vec![run("list_channels"), both]), ("no", vec![run("skip_notice")])];
    graph("block_in_branch", vec![ask("wanted", "Notice wanted?", answers), run("file_case")])
}

fn join_in_error_path() -> Graph {
    let repair = vec![
        join("repair", vec![vec![run("order_part")], vec![run("call_technician"), run("open_machine")]]),
        run("mount_part"),
    ];
    let produce = step("produce").undo("scrap").on("Broken", "", repair).or_fail("not_produced");
    graph("join_in_error_path", vec![produce.into(), run("deliver")])
}

pub(crate) fn race_of_events() -> Graph {
    let arms = vec![
        (receive("payment", "Payment", None), vec![run("book_payment")]),
        (receive("cancellation", "Cancellation", Some(vec![run("remind")])), vec![fail("cancelled")]),
        (sleep_until("due_date", "invoice.due_date()"), vec![run("send_reminder")]),
    ];
    graph("race_of_events", vec![run("send_invoice"), select("answer", arms), run("close_case")])
}

pub(crate) fn race_of_steps() -> Graph {
    let quote = |id: &str| -> Stmt { step(id).undo("withdraw_quote").into() };
    let arms = vec![
        (quote("ask_first_carrier"), vec![run("book_first_carrier")]),
        (
            quote("ask_second_carrier").on("Busy", "", vec![fail("nobody_free")]),
            vec![run("book_second_carrier")],
        ),
        (sleep("patience", "PT2H", "2 hours"), vec![fail("no_carrier_answered")]),
    ];
    graph("race_of_steps", vec![select("quotes", arms), run("send_parcel")])
}

fn race_in_loop() -> Graph {
    let arms = vec![
        (receive("item", "Item", None), vec![run("add_item")]),
        (run("check_stock"), vec![Stmt::Break(0)]),
        (sleep("pause", "P1D", "1 day"), vec![]),
    ];
    graph("race_in_loop", vec![repeat(vec![select("next", arms), run("store_cart")]), run("check_out")])
}

fn race_in_block() -> Graph {
    let arms = vec![
        (receive("answer", "Answer", None), vec![]),
        (sleep("week", "P7D", "7 days"), vec![fail("no_answer")]),
    ];
    let branches = vec![
        vec![run("ask_customer"), select("wait", arms)],
        vec![step("check_credit").or_fail("no_credit").into()],
    ];
    graph("race_in_block", vec![try_join("clear", branches, "not_cleared"), run("send_parcel")])
}

pub(crate) fn delivery() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| {
        graph("deliver", vec![run("book_carrier"), run("hand_over"), publish("sent", "ParcelSent")])
    })
}

fn small_subflow() -> Graph {
    let late = vec![run("call_customer")];
    let deliver =
        subflow("deliver", "deliver", delivery).on("BadAddress", "", late).or_fail(Some("not_delivered"));
    graph("small_subflow", vec![run("pack_goods"), deliver, run("close_order")])
}

pub(crate) fn booking() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| {
        graph(
            "book_trip",
            vec![
                step("book_hotel").undo("cancel_hotel").or_fail("no_hotel").into(),
                step("book_flight")
                    .undo("cancel_flight")
                    .on("CarrierDown", "", vec![fail("no_flight")])
                    .into(),
            ],
        )
    })
}

/// A subflow that undoes itself before its caller hears of the error.
pub(crate) fn subflow_saga() -> Graph {
    let trip = subflow("book_trip", "book_trip", booking).or_fail(Some("no_trip"));
    let pay = step("charge_card").effect(Effect::Pivot).or_fail("card_declined");
    graph("subflow_saga", vec![trip, pay.into(), run("send_tickets")])
}

pub(crate) fn inspection() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| {
        let rework =
            vec![("yes", vec![]), ("no", vec![run("rework"), subflow("deliver", "deliver", delivery)])];
        let body = vec![
            run("unpack"),
            join("check", vec![vec![run("weigh")], vec![run("measure")]]),
            ask("good", "Good?", rework),
            step("store").or_fail("no_room").into(),
        ];
        graph("inspect_goods", body)
    })
}

pub(crate) fn large_subflow() -> Graph {
    let inspect = subflow("inspect_goods", "inspect_goods", inspection).or_fail(Some("goods_refused"));
    graph("large_subflow", vec![run("accept_goods"), inspect, run("pay_supplier")])
}

fn tree() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| {
        let below = vec![("yes", vec![subflow("copy_below", "copy_folder", tree)]), ("no", vec![])];
        graph("copy_folder", vec![run("copy_files"), ask("folders", "Folders in it?", below)])
    })
}

pub(crate) fn recursive_subflow() -> Graph {
    graph("recursive_subflow", vec![subflow("copy_folder", "copy_folder", tree).or_fail(Some("not_copied"))])
}

pub(crate) fn for_each() -> Graph {
    let pack = step("pack_item").undo("unpack_item").or_fail("not_packed");
    let deliver = subflow("deliver", "deliver", delivery).for_each("").or_fail(Some("not_delivered"));
    graph(
        "for_each",
        vec![
            Stmt::from(pack).for_each("10"),
            deliver,
            child("send_survey", false, Some("no_survey")).for_each("settings.parallel"),
            subflow("inspect_goods", "inspect_goods", inspection).for_each("2").or_fail(Some("refused")),
        ],
    )
}

pub(crate) fn messages() -> Graph {
    let pay = child("collect_payment", false, Some("not_paid"));
    let many =
        ask("many", "Many orders?", vec![("yes", vec![Stmt::ContinueAsNew("go_on".into())]), ("no", vec![])]);
    let mut flow = graph(
        "messages",
        vec![
            send("order_goods", "OrderGoods"),
            pay,
            child("update_statistics", true, None),
            publish("order_completed", "OrderCompleted"),
            many,
        ],
    );
    flow.trigger = Trigger::Message("OrderPlaced".into());
    flow.deadline_ms = Some(30 * 86_400_000);
    flow
}

pub(crate) fn scheduled() -> Graph {
    let old = vec![("yes", vec![run("archive_reports")]), ("no", vec![])];
    let mut body = vec![
        step("lock_books").undo("unlock_books").into(),
        sleep_until("month_end", "month.last_day()"),
        ask("archive_first", "", old),
        ask(
            "complete",
            "Complete?",
            vec![
                ("no", vec![operation("undo_all", NodeKind::Compensate), run("tell_accountant")]),
                ("yes", vec![run("publish_report")]),
            ],
        ),
    ];
    body.push(run("clean_up"));
    let mut flow = graph("scheduled", body);
    let mut nodes = flow.nodes.into_owned();
    for node in nodes.iter_mut().filter(|node| node.id == "archive_first") {
        node.kind = NodeKind::VersionSwitch { patch: "archive_first".into() };
    }
    flow.nodes = nodes.into();
    flow.trigger = Trigger::Schedule {
        cron: "0 6 * * 1-5".into(),
        timezone: "Europe/Berlin".into(),
        catch_up: CatchUp::Latest,
    };
    flow
}

/// Boxes in boxes, branches in branches, loops around all of it.
fn nested_parallel() -> Graph {
    let inner = try_join(
        "settle",
        vec![
            vec![subflow("book_trip", "book_trip", booking).or_fail(Some("no_trip"))],
            vec![
                join("inform", vec![vec![run("mail")], vec![run("post")], vec![run("call")]]),
                step("note").or_fail("not_noted").into(),
            ],
        ],
        "not_settled",
    );
    let arms = vec![
        (run("ask_office"), vec![run("note_office")]),
        (child("ask_agency", false, None), vec![run("note_agency")]),
    ];
    let branches =
        vec![vec![select("offers", arms)], vec![inner, run("record_trip")], vec![run("prepare_bill")]];
    let again = ask("again", "Another trip?", vec![("no", vec![Stmt::Break(0)]), ("yes", vec![])]);
    // `join!` would not do: a branch of it that ended the workflow would leave the others waiting for it.
    let plan = try_join("plan", branches, "not_planned");
    graph("nested_parallel", vec![repeat(vec![plan, again]), run("send_bill")])
}
