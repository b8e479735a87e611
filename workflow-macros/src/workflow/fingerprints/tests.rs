//! Which changes of the text are changes of what decides, and which are not.

use workflow_graph::{Node, NodeKind};

use crate::workflow::tests::lowered;

/// The fingerprints of all nodes at which something is decided.
fn guards(body: &str) -> Vec<u64> {
    let (graph, errors) = lowered(body);
    assert_eq!(errors, [] as [String; 0]);
    let decides = |node: &&Node| matches!(node.kind, NodeKind::Decision { .. }) || node.instances.is_some();
    graph.nodes.iter().filter(decides).map(|node| node.guard).filter(|guard| *guard != 0).collect()
}

#[track_caller]
fn same(one: &str, other: &str) {
    assert_eq!(guards(one), guards(other));
}

#[track_caller]
fn other(one: &str, other: &str) {
    let (one, other) = (guards(one), guards(other));
    assert!(!one.is_empty() && one != other, "{one:?}");
}

fn body(before: &str, condition: &str) -> String {
    format!("let total = order.total();\n{before}\nif {condition} {{ check(&order).await?; }} Ok(1)")
}

#[test]
fn space_comments_logs_and_code_that_nothing_depends_on_make_no_difference() {
    let plain = body("", "total > 100");
    for before in [
        "// a comment",
        "tracing::info!(total, \"sold\");",
        "let name = order.name();",
        "log::debug!(\"{}\", total + 1);",
        "let _ = order.audit(total);",
    ] {
        same(&plain, &body(before, "total>100"));
    }
}

#[test]
fn a_condition_and_all_that_its_names_depend_on_make_a_difference() {
    let plain = body("let big = total > 100;", "big");
    for (before, condition) in [
        ("let big = total > 200;", "big"),
        ("let big = total > 100;", "!big"),
        ("let total = total + 1; let big = total > 100;", "big"),
        ("let big = { let limit = 100; total > limit };", "big"),
    ] {
        other(&plain, &body(before, condition));
    }
    let counted = |step: &str| {
        format!(
            "let mut count = 0; loop {{ wait_for(&order).await; {step} if count > 3 {{ break; }} }} Ok(count)"
        )
    };
    other(&counted("count += 1;"), &counted("count += 2;"));
    other(&counted("count += 1;"), &counted("if order.is_new() { count += 1; }"));
    other(&counted("count += 1;"), &counted("bump(&mut count);"));
    same(&counted("count += 1;"), &counted("count += 1; log::debug!(\"{count}\");"));
    let moved =
        "let mut count = 0; loop { wait_for(&order).await; if count > 3 { break; } count += 1; } Ok(count)";
    other(&counted("count += 1;"), moved);
}

#[test]
fn what_an_operation_answers_is_in_the_journal() {
    let of = |call: &str, rest: &str| {
        format!("let total = {call}.await?{rest}; if total > 1 {{ check(&order).await?; }} Ok(1)")
    };
    same(&of("count(&order)", ".lines"), &of("count_all(order.id(), 3)", ".lines"));
    other(&of("count(&order)", ".lines"), &of("count(&order)", ".pieces"));
}

#[test]
fn loops_and_matches_are_decided_by_what_they_go_over() {
    let over = |values: &str| format!("for line in {values} {{ ship(&line).await?; }} Ok(1)");
    same(&over("order.lines"), &over("order . lines"));
    other(&over("order.lines"), &over("order.lines.into_iter().rev()"));
    let asks = |value: &str, arm: &str| {
        format!("match {value} {{ {arm} => {{ ship(&order).await?; }} _ => {{}} }} Ok(1)")
    };
    same(&asks("order.kind", "Kind::Large"), &asks("order.kind", "Kind::Large"));
    other(&asks("order.kind", "Kind::Large"), &asks("order.kind()", "Kind::Large"));
    other(&asks("order.kind", "Kind::Large"), &asks("order.kind", "Kind::Large if order.is_new()"));
}

#[test]
fn what_is_repeated_is_decided_by_the_values_and_not_by_the_call() {
    let over =
        |values: &str, call: &str| format!("join_all({values}.iter().map(|line| {call})).await; Ok(1)");
    same(&over("order.lines", "ship(line)"), &over("order.lines", "dispatch(line, 3)"));
    other(&over("order.lines", "ship(line)"), &over("order.pieces", "ship(line)"));
}

#[test]
fn a_second_random_value_is_another_one_than_the_first() {
    let asks = |before: &str| {
        format!("{before} let chance = random().await; if chance > 7 {{ ship(&order).await?; }} Ok(1)")
    };
    other(&asks(""), &asks("let key = random().await;"));
    same(&asks(""), &asks("let key = uuid().await;"));
}

#[test]
fn code_inside_branches_and_arms_is_seen() {
    let with = |step: &str| {
        format!(
            "let mut late = false; select! {{ paid = receive::<Paid>(&order.id).forever() => {{ {step} }} \
             _ = sleep(days(3)) => {{ late = true; }} }} if late {{ remind(&order).await?; }} Ok(1)"
        )
    };
    other(&with(""), &with("late = paid.is_late();"));
}

#[test]
fn what_is_made_of_the_first_outcome_makes_a_difference() {
    let won = |given: &str, value: &str| {
        format!(
            "let won = select! {{ paid = receive::<Paid>({given}).forever() => paid.cents, \
             _ = sleep(days(3)) => {value} }}; if won > 3 {{ remind(&order).await?; }} Ok(1)"
        )
    };
    other(&won("order.id", "1"), &won("order.id", "9"));
    same(&won("order.id", "1"), &won("order.number", "1"));
}

#[test]
fn what_says_how_many_go_on_at_a_time_makes_a_difference() {
    let at_a_time = |number: u32| {
        format!(
            "let most = {number}; join_all(order.lines.iter().map(|line| ship(line))).limit(most).await; Ok(1)"
        )
    };
    other(&at_a_time(1), &at_a_time(2));
}

/// What calls are given counts where they are calls of a subflow.
#[test]
fn what_a_call_is_given_is_taken_down_with_all_that_it_depends_on() {
    let given = |before: &str, argument: &str| {
        let (graph, errors) = lowered(&format!("{before} pack({argument}).await?; Ok(1)"));
        assert_eq!(errors, [] as [String; 0]);
        graph.node("pack").unwrap().guard
    };
    assert_eq!(given("", "&order"), given("", "& order"));
    assert_ne!(given("", "&order"), given("", "&order.rest()"));
    assert_ne!(given("let more = 1;", "more"), given("let more = 2;", "more"));
    assert_eq!(given("", ""), 0);
}

/// The texts of the values that a body comes back with.
fn results(body: &str) -> String {
    let block = syn::parse_str(&format!("{{ {body} }}")).unwrap();
    super::Results::of(&block).words.join(" ")
}

#[test]
fn what_a_function_makes_of_answers_is_its_result() {
    let plain = results("let held = reserve(&order).await?; Ok(held)");
    assert_eq!(plain, "Ok ( held ) ;");
    assert_eq!(
        results(
            "check(&order).await?; let held = hold(1).await?; if held > 1 { Ok(held) } else { Ok(held) }"
        ),
        plain
    );
    for other in
        ["let held = reserve(&order).await?; Ok(held + 1)", "if order.is_new() { return Ok(0); } Ok(held)"]
    {
        assert_ne!(results(other), plain);
    }
    assert_eq!(results("reserve(&order).await"), "");
    assert_eq!(
        results("reserve(&order).await.map_err(|_| Late)?; done().await"),
        "await . map_err ( | _ | Late ) ;"
    );
}
