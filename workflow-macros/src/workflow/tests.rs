//! Lowering, tested as text: the body of a workflow in, the outline of its graph out.
//! Every graph is checked for defects; types play no part.

use workflow_graph::Graph;

use super::iteration::Places;
use super::{awaits, rewrite};
use crate::errors::Errors;
use crate::signature::RawFn;

pub(crate) fn lowered(body: &str) -> (Graph, Vec<String>) {
    let source = format!("async fn flow(order: Order) -> Result<u32, Trouble> {{ {body} }}");
    let function: RawFn = syn::parse_str(&source).unwrap();
    let mut errors = Errors::default();
    let body = awaits::parse_body(&function).unwrap();
    let lowered = super::check(super::Kind::Workflow, &function, &body, &mut errors).lowered.unwrap();
    let graph = Graph { nodes: lowered.nodes.into(), flows: lowered.flows.into(), ..Graph::named("flow") };
    (graph, errors.texts())
}

#[track_caller]
pub(crate) fn outline(body: &str) -> String {
    let (graph, errors) = lowered(body);
    assert_eq!(errors, [] as [String; 0]);
    assert_eq!(graph.defects(), [], "{graph}");
    let text = graph.to_string();
    text.lines().skip(1).map(|line| format!("{}\n", line.trim())).collect()
}

#[track_caller]
pub(crate) fn error(body: &str) -> String {
    let (_, errors) = lowered(body);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

#[test]
fn steps_in_a_row_and_the_errors_that_leave_them() {
    assert_eq!(
        outline("let a = reserve(&order).await?; /// Order shipped\n Ok(ship(&a).await)"),
        "started: start -> reserve\n\
         reserve: step -> ship, error -> reserve_failed\n\
         reserve_failed: failure \"Reserve failed\"\n\
         ship: step \"Order shipped\" -> completed\n\
         completed: success\n"
    );
}

#[test]
fn a_match_on_a_step_tells_its_errors_apart() {
    assert_eq!(
        outline(
            "let p = match pay(&order).await {
                 Ok(p) => p,
                 /// Ask for another card
                 Err(E::CardExpired) => {
                     let card = receive::<NewCard>(&order.id).within(days(7)).await?;
                     pay(&order.with(card)).await.map_err(Trouble::from)?
                 }
                 Err(error) => return Err(error.into()),
             };
             Ok(p)"
        ),
        "started: start -> pay\n\
         pay: step -> merge, error CardExpired -> new_card, error -> pay_failed_2\n\
         new_card: receive NewCard within 7 days -> pay_2, timeout -> new_card_timed_out\n\
         new_card_timed_out: failure \"New card timed out\"\n\
         pay_2: step pay -> merge, error -> pay_failed\n\
         pay_failed: failure \"Pay failed\"\n\
         pay_failed_2: failure \"Pay failed\"\n\
         merge: merge -> completed\n\
         completed: success\n"
    );
}

#[test]
fn decisions_with_answers_and_early_returns() {
    assert_eq!(
        outline(
            "if order.total > 1_000 { approve(&order).await; } else if order.is_gift() { return Ok(0); }
             match order.kind { Kind::Digital => mail(&order).await, Kind::Parcel | Kind::Letter => {} _ => {} }
             Ok(1)"
        ),
        "started: start -> if_order_total_1000\n\
         if_order_total_1000: decision \"Order total > 1000?\" [yes] -> approve, [no, default] -> if_order_is_gift\n\
         approve: step -> merge\n\
         if_order_is_gift: decision \"Order is gift?\" [yes] -> completed, [no, default] -> merge\n\
         completed: success\n\
         merge: merge -> if_order_kind\n\
         if_order_kind: decision \"Order kind?\" [digital] -> mail, \
         [parcel or letter or otherwise, default] -> merge_2\n\
         mail: step -> merge_2\n\
         merge_2: merge -> completed_2\n\
         completed_2: success\n"
    );
}

#[test]
fn loops_lead_back_to_their_heads() {
    assert_eq!(
        outline(
            "for line in &order.lines { if line.is_empty() { continue; } pick(line).await?; }
             'ask: while order.is_open() { loop { sleep(hours(1)).await; if done(&order) { break 'ask; } } }
             Ok(1)"
        ),
        "started: start -> repeat\n\
         repeat: merge -> if_another_line\n\
         if_another_line: decision \"Another line?\" [yes] -> if_line_is_empty, [no, default] -> if_order_is_open\n\
         if_line_is_empty: decision \"Line is empty?\" [yes] -> repeat, [no, default] -> pick\n\
         pick: step -> repeat, error -> pick_failed\n\
         pick_failed: failure \"Pick failed\"\n\
         if_order_is_open: decision \"Order is open?\" [yes] -> repeat_2, [no, default] -> merge\n\
         repeat_2: merge -> sleep\n\
         sleep: timer 1 hour -> if_done\n\
         if_done: decision \"Done?\" [yes] -> merge, [no, default] -> repeat_2\n\
         merge: merge -> completed\n\
         completed: success\n"
    );
}

#[test]
fn results_of_every_form_end_the_flow() {
    assert_eq!(
        outline("if order.is_odd() { Err(Trouble::Odd) } else { settle(&order).await }"),
        "started: start -> if_order_is_odd\n\
         if_order_is_odd: decision \"Order is odd?\" [yes] -> odd, [no, default] -> settle\n\
         odd: failure \"Odd\"\n\
         settle: step -> completed, error -> settle_failed\n\
         settle_failed: failure \"Settle failed\"\n\
         completed: success\n"
    );
    assert_eq!(
        outline("let receipt = settle(&order).await; check(&order)?; receipt"),
        "started: start -> settle\n\
         settle: step -> if_check_succeeded\n\
         if_check_succeeded: decision \"Check succeeded?\" [no] -> check_failed, [yes, default] -> if_succeeded\n\
         check_failed: failure \"Check failed\"\n\
         if_succeeded: decision \"Succeeded?\" [no] -> failed, [yes, default] -> completed\n\
         failed: failure \"Failed\"\n\
         completed: success\n"
    );
}

#[test]
fn local_code_leaves_no_trace() {
    assert_eq!(
        outline("let mut n = 0; for l in &order.lines { if l.big { n += 1; continue; } n += 2; } Ok(n)"),
        "started: start -> completed\ncompleted: success\n"
    );
    assert_eq!(
        outline("for l in &order.lines { if l.big && random().await > 1 { let t = now().await; } } Ok(1)"),
        "started: start -> completed\ncompleted: success\n"
    );
}

#[test]
fn an_if_let_and_a_let_else_over_a_step_have_error_ways() {
    assert_eq!(
        outline(
            "if let Err(e) = try_it(&order).await { cry(&e).await; }
             let Ok(x) = again(&order).await else { return Err(Trouble::Twice) };
             Ok(x)"
        ),
        "started: start -> try_it\n\
         try_it: step -> merge, error -> cry\n\
         cry: step -> merge\n\
         merge: merge -> again\n\
         again: step -> completed, error -> twice\n\
         twice: failure \"Twice\"\n\
         completed: success\n"
    );
}

#[test]
fn guards_and_parts_of_variants_are_decisions_on_the_way_of_the_error() {
    assert_eq!(
        outline(
            "match pay(&order).await {
                 Ok(n) if n > 3 => Ok(n),
                 Ok(_) => Err(Trouble::TooLittle),
                 Err(E::Declined) if tries < 3 => Ok(ask(&order).await),
                 Err(E::Code(404) | E::Gone) => Err(Trouble::Gone),
                 Err(E::Code(500..)) => Ok(call(&order).await),
                 Err(error) => Err(error.into()),
             }"
        ),
        "started: start -> pay\n\
         pay: step -> if_n_3, error Declined -> if_tries_3, error Code -> if_code, error Gone -> merge, \
         error -> merge_2\n\
         if_n_3: decision \"N > 3?\" [yes] -> completed, [no, default] -> too_little\n\
         if_tries_3: decision \"Tries < 3?\" [yes] -> ask, [no, default] -> merge_2\n\
         if_code: decision \"Code?\" [404] -> merge, [from 500] -> call, [otherwise, default] -> merge_2\n\
         completed: success\n\
         too_little: failure \"Too little\"\n\
         ask: step -> completed_2\n\
         completed_2: success\n\
         merge: merge -> gone\n\
         gone: failure \"Gone\"\n\
         call: step -> completed_3\n\
         completed_3: success\n\
         merge_2: merge -> pay_failed\n\
         pay_failed: failure \"Pay failed\"\n"
    );
}

#[test]
fn a_right_side_that_waits_stands_behind_the_answer_of_the_left_one() {
    assert_eq!(
        outline(
            "if order.is_big() && check(&order).await? > 2 || !order.is_odd() { pick(&order).await; }
             while let Ok(x) = next(&order).await && x > 3 {}
             let ok = order.is_paid() || pay(&order).await;
             Ok(ok)"
        ),
        "started: start -> if_order_is_big\n\
         if_order_is_big: decision \"Order is big?\" [yes] -> check, [no, default] -> merge\n\
         check: step -> if_check_2, error -> check_failed\n\
         check_failed: failure \"Check failed\"\n\
         if_check_2: decision \"Check > 2?\" [yes] -> merge_2, [no, default] -> merge\n\
         merge: merge -> if_not_order_is_odd\n\
         if_not_order_is_odd: decision \"Not order is odd?\" [yes] -> merge_2, [no, default] -> repeat\n\
         merge_2: merge -> pick\n\
         pick: step -> repeat\n\
         repeat: merge -> next\n\
         next: step -> if_x_3, error -> merge_3\n\
         if_x_3: decision \"X > 3?\" [yes] -> repeat, [no, default] -> merge_3\n\
         merge_3: merge -> if_order_is_paid\n\
         if_order_is_paid: decision \"Order is paid?\" [yes] -> merge_4, [no, default] -> pay\n\
         pay: step -> merge_4\n\
         merge_4: merge -> completed\n\
         completed: success\n"
    );
}

#[test]
fn a_break_out_of_a_labelled_block_or_loop_takes_its_value_along() {
    assert_eq!(
        outline(
            "let n = 'n: { if order.is_big() { break 'n pick(&order).await?; } 1 };
             let quiet = 'quiet: { if n > 1 { break 'quiet 2; } 3 };
             loop { if order.is_odd() { break Err(Trouble::Odd) } if ship(n).await { break Ok(quiet) } }"
        ),
        "started: start -> if_order_is_big\n\
         if_order_is_big: decision \"Order is big?\" [yes] -> pick, [no, default] -> repeat\n\
         pick: step -> repeat, error -> pick_failed\n\
         pick_failed: failure \"Pick failed\"\n\
         repeat: merge -> if_order_is_odd\n\
         if_order_is_odd: decision \"Order is odd?\" [yes] -> odd, [no, default] -> ship\n\
         odd: failure \"Odd\"\n\
         ship: step -> if_ship\n\
         if_ship: decision \"Ship?\" [yes] -> completed, [no, default] -> repeat\n\
         completed: success\n"
    );
}

#[test]
fn a_flow_of_thousands_of_nodes_is_lowered_like_a_small_one() {
    let round = "if order.is_big() { check(&order).await?; } else if order.is_odd() { return Ok(1); } ";
    let nested = format!("{}{}", "if order.is_big() { ".repeat(60), "}".repeat(60));
    let nested = nested.replacen("{ }", "{ check(&order).await?; }", 1);
    let (graph, errors) = lowered(&format!("loop {{ {} {nested} }}", round.repeat(2_000)));
    assert_eq!(errors, [] as [String; 0]);
    // Of each round two decisions, a step with its failure, an end and a merge; the loop has its head, and a
    // merge that leads back to it.
    assert_eq!(graph.nodes.len(), 1 + 2_000 * 6 + 60 + 2 + 2);
}

#[test]
fn awaits_are_counted_alike_in_the_tree_and_in_the_tokens() {
    for body in [
        "a(b().await).await + x.0.await",
        "let c = |x| x.await; d(c).await",
        "say!(a.await, b[c.await]); #[doc = \"L\"] e().await",
        "match a().await { B { c, .. } if d.await => [e().await; 2], _ => f::<{ 1 }>(g().await).await }",
        "impl A { async fn b() { c().await } } macro_rules! m { () => { d.await } } m!()",
        "for x in a().await { while let Some(y) = b(x).await { 'l: loop { break 'l c.await } } }",
        "S { a: b().await, ..c().await }; d[e().await] = f().await; g.r#await; -h().await..=i().await",
    ] {
        let function: RawFn = syn::parse_str(&format!("async fn flow() {{ {body} }}")).unwrap();
        let counted = awaits::parse_body(&function).unwrap().awaits().len();
        let rewritten = rewrite::rewrite(function.body.stream(), &Places::default());
        assert_eq!(counted, rewritten.awaits, "{body}");
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    for (body, part) in [
        ("let c = reserve(&order); c.await?; Ok(1)", "this call was made elsewhere"),
        ("let f = || reserve(&order); f().await?; Ok(1)", "`f` is a local value"),
        ("let v = vec![reserve(&order).await?]; Ok(1)", "inside `vec!` is not drawn"),
        ("order.client.get().await?; Ok(1)", "a method's result is awaited"),
        ("if matches!(pay(&order).await, Ok(1)) {} Ok(1)", "inside `matches!` is not drawn; bind it"),
        (
            "match order.kind { k if check(k).await => pay(&order).await?, _ => 1 }; Ok(1)",
            "a guard that awaits",
        ),
        ("return Ok(1); reserve(&order).await; Ok(2)", "can never be reached"),
        ("let f = async { reserve(&order).await }; Ok(1)", "an `async` block"),
        ("order.lines.iter().map(|l| reserve(l).await); Ok(1)", "a closure that awaits"),
        ("anyhow::bail!(\"no\"); Ok(1)", "leaves the workflow unseen"),
        ("reserve(&order).label(name).await?; Ok(1)", "write `.label(\"..\")`"),
        ("publish(order.event()).await; Ok(1)", "write `publish::<OrderCompleted>(..)`"),
        (
            "match pay().await { Ok(_) => 1, Err(_) => 2, Err(E::A) => pay().await? }; Ok(1)",
            "can never be reached",
        ),
        ("receive(&order.id).forever().await; Ok(1)", "write which message"),
        ("macro_rules! m { () => { pay(&order).await }; } m!()?; Ok(1)", "what is awaited here is not drawn"),
        ("impl Order { fn later() { || pay().await; } } Ok(1)", "what is awaited here is not drawn"),
        ("#[cfg(fast)] pay(&order).await?; Ok(1)", "cannot depend on how the code is built"),
        ("#[cfg(fast)] let x = pay(&order).await?; Ok(1)", "cannot depend on how the code is built"),
        (
            "match order { #[cfg(fast)] 1 => pay().await?, _ => 2 }; Ok(1)",
            "cannot depend on how the code is built",
        ),
        ("loop { pay(&order).await?; say!(break) } Ok(1)", "a `?`, `return` or `break` inside `say!`"),
        ("let mut v = [1]; v[pick().await] += pay().await; Ok(1)", "which side of this assignment"),
        ("return Ok(1); if order.big { pay(&order).await?; } Ok(2)", "can never be reached"),
    ] {
        let text = error(body);
        assert!(text.contains(part) && text.starts_with("WF044: "), "{body}\n{text}");
    }
}

#[test]
fn what_a_replay_would_do_otherwise_is_refused_once() {
    for (body, start) in [
        ("async fn more() { pay().await; } Ok(1)", "WF015: an async function"),
        (
            "tokio::join!(reserve(&order), pay(&order)); Ok(1)",
            "WF004: `tokio::join!` is not recorded; write `join!`",
        ),
        ("tokio::spawn(async { pay(&order).await }); Ok(1)", "WF004: `tokio::spawn` runs"),
        ("task::spawn_blocking(|| 1).await; Ok(1)", "WF004: `task::spawn_blocking` runs"),
        ("rt.block_on(async { pay(&order).await }); Ok(1)", "WF004: `.block_on` waits"),
        ("tokio::pin!(x); Ok(1)", "WF004: `tokio::pin!` is for futures"),
        ("receive::<A>(x).within(d).await; Ok(1)", "WF041"),
        ("let _ = receive::<A>(x).within(d).label(\"x\").await; Ok(1)", "WF041"),
        ("if order.late { receive::<A>(x).within(d).await.ok(); } Ok(1)", "WF041"),
        ("select! { _ = receive::<A>(x).within(d) => {} b = pay() => {} } Ok(1)", "WF041"),
        ("loop { pay(&order).await?; }", "WF043"),
        ("loop { while order.x { pay(&order).await?; } sleep(d).await; }", "WF043"),
        ("loop { try_join!(pay(&order), ship(&order))?; }", "WF043"),
    ] {
        let text = error(body);
        assert!(text.starts_with(start), "{body}\n{text}");
    }
}

#[test]
fn loops_that_end_or_begin_anew_may_wait() {
    for body in [
        "loop { if order.done { return Ok(1); } pay(&order).await?; }",
        "loop { pay(&order).await?; if order.old { return continue_as_new(flow(order)).await; } }",
        "let a = loop { order.next(); break pay(&order).await?; }; Ok(a)",
        "for _ in 0..3 { loop { if pay(&order).await? { break; } } } Ok(1)",
        "#[allow_workflow(unbounded_loop, reason = \"a test\")] loop { pay(&order).await?; }",
        "let _ = receive::<A>(x).forever().await; let _seen = receive::<A>(x).within(d).await; Ok(1)",
    ] {
        assert_eq!(lowered(body).1, [] as [String; 0], "{body}");
    }
}

#[test]
fn arms_that_keep_errors_nobody_has_named_are_found() {
    let swallows = |body: &str| {
        let source = format!("async fn flow(order: Order) -> Result<u32, Trouble> {{ {body} }}");
        let function: RawFn = syn::parse_str(&source).unwrap();
        let mut errors = Errors::default();
        let body = awaits::parse_body(&function).unwrap();
        let lowered = super::check(super::Kind::Workflow, &function, &body, &mut errors).lowered.unwrap();
        assert_eq!(errors.texts(), [] as [String; 0]);
        lowered.swallowed.len()
    };
    for body in [
        "match pay().await { Ok(a) => Ok(a), Err(E::A) => Ok(1), Err(_) => Ok(2) }",
        "match pay().await { Ok(a) => Ok(a), Err(E::A) => Ok(1), _ => Ok(2) }",
        "match pay().await { Ok(a) => Ok(a), Err(E::A(_)) => Ok(1), Err(error) => Ok(2) }",
        "if let Err(E::A) = pay().await { ship().await?; } Ok(1)",
    ] {
        assert_eq!(swallows(body), 1, "{body}");
    }
    for body in [
        "match pay().await { Ok(a) => Ok(a), Err(_) => Ok(2) }",
        "match pay().await { Ok(a) => Ok(a), Err(E::A) => Ok(1), Err(error) => return Err(error.into()) }",
        "match pay().await { Ok(a) => Ok(a), Err(E::A) => Ok(1), Err(_) => Err(Trouble::Other) }",
        "match pay().await { Ok(a) => Ok(a), Err(E::A) => Ok(1), Err(error) => Ok(tell(format!(\"{error}\"))) }",
        "match pay().await { Ok(a) => Ok(a), Err(E::A) => Ok(1), Err(E::B | E::C) => Ok(2) }",
        "match receive::<A>(x).within(d).await { Ok(_) => Ok(1), Err(TimedOut) => Ok(2) }",
    ] {
        assert_eq!(swallows(body), 0, "{body}");
    }
}

#[test]
fn the_expansion_reads_like_code_that_a_person_wrote() {
    let item = "
        /// Sell and ship
        #[allow(clippy::unused_async)]
        pub async fn sell(order: Order) -> Result<Parcel, Trouble> {
            let charge = charge_card(&order).await?;
            if charge.is_large() {
                sleep(days(1)).await;
            }
            /// Order shipped
            Ok(ship(&order, &charge).await)
        }";
    let tokens = super::expand(super::Kind::Workflow, "version = 2".parse().unwrap(), item.parse().unwrap());
    insta::assert_snapshot!(prettyplease::unparse(&syn::parse2(tokens).unwrap()));
}
