//! Marks, counts and heat are painted where they belong, and nowhere else.
//! What they look like was looked at; what carries them is tested here.

use workflow_bpmn::{Export, Highlights, Mark};

use crate::samples;
use crate::sketch::{graph, run};

fn group(svg: &str, id: &str) -> String {
    let begin = format!(r#"<g id="{id}" class=""#);
    let from = svg.find(&begin).unwrap_or_else(|| panic!("no group {id}"));
    let rest = &svg[from..];
    // The groups inside are badges; the first line at the depth of this one ends it.
    let end = rest.find("\n  </g>").unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// A run that failed, as samples for people show it.
pub(crate) fn of_a_failed_run() -> Highlights {
    let done = ["started", "flow_started_to_reserve_goods", "flow_reserve_goods_to_retrieve_payment"];
    let run = done.iter().fold(Highlights::new(), |run, id| run.mark(*id, Mark::Completed));
    run.mark("reserve_goods", Mark::Compensated)
        .mark("reserve_goods_undo", Mark::Completed)
        .mark("retrieve_payment", Mark::Failed)
        .mark("retrieve_payment_error", Mark::Failed)
        .mark("payment_failed", Mark::Active)
        .mark("book_shipment", Mark::Missed)
        .mark("flow_book_shipment_to_confirm_order", Mark::Missed)
        .count("flow_started_to_reserve_goods", 128)
        .count("reserve_goods", 128)
        .count("completed", 1_204)
        .heat("confirm_order", 0.35)
        .heat("new_card", 0.8)
        .heat("flow_confirm_order_to_completed", 0.6)
}

#[test]
fn a_step_that_is_called_like_a_class_of_ours_looks_like_any_other() {
    let named = graph("flow", ["undo", "line", "body", "icon", "bold", "inside", "paper"].map(run).into());
    let everything = Highlights::new().mark("undo", Mark::Failed).heat("line", 1.0);
    let svg = Export::of(&named).highlights(&everything).svg();
    let style = svg.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
    let selectors = style.lines().filter_map(|rule| rule.split_once('{')).flat_map(|(all, _)| all.split(','));
    let mut count = 0;
    for selector in selectors.map(str::trim) {
        // Groups have the ids of nodes as classes: a rule that begins with a class alone would mean some of them.
        let first = selector.split([' ', '>']).next().unwrap();
        assert!(
            !first.starts_with('.') || first.contains('-'),
            "`{selector}` means a group by the name of a node"
        );
        count += 1;
    }
    assert!(count > 20, "{count} selectors");
}

#[test]
fn what_a_run_has_done_is_painted_with_a_sign_of_its_own() {
    let graph = samples::fulfil_order();
    let marks = [
        ("reserve_goods", Mark::Compensated, "compensated"),
        ("retrieve_payment", Mark::Failed, "failed"),
        ("flow_started_to_reserve_goods", Mark::Completed, "completed"),
        ("book_shipment", Mark::Missed, "missed"),
        ("confirm_order", Mark::Active, "active"),
    ];
    let highlights =
        marks.iter().fold(Highlights::new(), |highlights, (id, mark, _)| highlights.mark(*id, *mark));
    let svg = Export::of(&graph).highlights(&highlights).svg();
    let mut signs = Vec::new();
    for (id, _, class) in marks {
        let group = group(&svg, id);
        assert!(group.lines().next().unwrap().contains(&format!(" mark-{class}\">")), "{group}");
        signs.extend(
            group.split("mark-badge").nth(1).and_then(|badge| badge.split(" d=").nth(1)).map(str::to_owned),
        );
    }
    assert_eq!(signs.len(), 4, "a line that was taken is bold and needs no sign");
    signs.sort();
    signs.dedup();
    assert_eq!(signs.len(), 4, "no two marks have the same sign");
    assert_eq!(svg.matches("class=\"mark-badge\"").count(), 4, "nothing else is marked");
}

#[test]
fn numbers_heat_and_notes_are_told() {
    let graph = samples::fulfil_order();
    let highlights = Highlights::new()
        .count("reserve_goods", 1_204)
        .heat("reserve_goods", 0.5)
        .heat("retrieve_payment", 7.0)
        .heat("book_shipment", f64::NAN)
        .count("flow_started_to_reserve_goods", 3)
        .heat("flow_started_to_reserve_goods", 1.0)
        .note("confirm_order", "since\n10:02 <now>");
    let svg = Export::of(&graph).highlights(&highlights).svg();
    let goods = group(&svg, "reserve_goods");
    assert!(goods.contains(">1204<") && goods.contains("fill: #facb9e") && goods.contains("50 %"), "{goods}");
    assert!(group(&svg, "retrieve_payment").contains(">100 %</text>"));
    assert!(group(&svg, "book_shipment").contains("fill: #ffffff"));
    let flow = group(&svg, "flow_started_to_reserve_goods");
    assert!(flow.contains(">3</text>") && flow.contains("stroke-width: 6.5"), "{flow}");
    assert!(group(&svg, "confirm_order").contains("since 10:02 &lt;now&gt;"));
}

#[test]
fn a_node_that_is_called_like_a_mark_is_not_marked_by_its_name() {
    // Ids of nodes are classes, and the end of most flows is called `completed`.
    let graph = samples::fulfil_order();
    let svg = Export::of(&graph).highlights(&Highlights::new().mark("started", Mark::Completed)).svg();
    let style = svg.split("</style>").next().unwrap();
    assert!(group(&svg, "completed").contains(r#"class="end-event completed">"#));
    assert!(style.contains(".mark-completed &gt;") && !style.contains(" .completed "), "{style}");
}

#[test]
fn an_id_that_is_not_drawn_changes_nothing_but_the_style() {
    let graph = samples::fulfil_order();
    let svg = Export::of(&graph).highlights(&Highlights::new().mark("nobody", Mark::Failed)).svg();
    let plain = workflow_bpmn::to_svg(&graph);
    let body = |svg: &str| svg.split_once("</style>").unwrap().1.to_owned();
    assert_eq!(body(&svg), body(&plain));
    assert!(!plain.contains("mark-badge"));
}
