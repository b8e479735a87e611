//! Parallel code, tested as text: the body of a workflow in, the outline of its graph out.
//! Every graph is checked for defects; types play no part.

use crate::signature::RawFn;
use crate::workflow::iteration::Places;
use crate::workflow::tests::{error, lowered, outline};
use crate::workflow::{awaits, rewrite};

#[test]
fn branches_stand_between_a_fork_and_a_join() {
    assert_eq!(
        outline(
            "/// Both at once
             let (a, b) = join!(
                 /// Reserve the goods
                 reserve(&order),
                 async move { if order.is_gift() { return Ok(0); } wrap(&order).await?; Ok(mail(&order).await) },
             );
             Ok(a? + b)"
        ),
        "started: start -> fork\n\
         fork: fork \"Both at once\" -> reserve, -> if_order_is_gift\n\
         reserve: step \"Reserve the goods\" -> join\n\
         if_order_is_gift: decision \"Order is gift?\" [yes] -> merge, [no, default] -> wrap\n\
         wrap: step -> mail, error -> merge\n\
         mail: step -> merge\n\
         merge: merge -> join\n\
         join: join -> if_a_succeeded\n\
         if_a_succeeded: decision \"A succeeded?\" [no] -> a_failed, [yes, default] -> completed\n\
         a_failed: failure \"A failed\"\n\
         completed: success\n"
    );
}

#[test]
fn the_branches_of_a_try_join_fail_together() {
    assert_eq!(
        outline(
            "let (a, b) = try_join!(ship(&order), async { pick(&order).await?; if order.odd { return Err(E::Odd); }
                 Ok(invoice(&order).await) })?;
             Ok(a + b)"
        ),
        "started: start -> ship_and_pick\n\
         ship_and_pick: block -> completed, error -> ship_and_pick_failed\n\
         started_2: start -> fork\n\
         fork: fork -> ship, -> pick\n\
         ship: step -> join, error -> ship_failed\n\
         ship_failed: failure \"Ship failed\"\n\
         pick: step -> if_order_odd, error -> pick_failed\n\
         pick_failed: failure \"Pick failed\"\n\
         if_order_odd: decision \"Order odd?\" [yes] -> odd, [no, default] -> invoice\n\
         odd: failure \"Odd\"\n\
         invoice: step -> join\n\
         join: join -> all_done\n\
         all_done: success\n\
         ship_and_pick_failed: failure \"Ship and pick failed\"\n\
         completed: success\n"
    );
}

#[test]
fn the_outcome_of_a_try_join_is_told_apart_like_that_of_a_step() {
    assert_eq!(
        outline(
            "match try_join!(ship(&order), invoice(&order)) {
                 Ok((a, b)) => Ok(a + b),
                 Err(Trouble::Late) => { cry(&order).await; Ok(0) }
                 Err(other) => Err(other),
             }"
        ),
        "started: start -> ship_and_invoice\n\
         ship_and_invoice: block -> completed, error Late -> cry, error -> ship_and_invoice_failed\n\
         started_2: start -> fork\n\
         fork: fork -> ship, -> invoice\n\
         ship: step -> join, error -> ship_failed\n\
         ship_failed: failure \"Ship failed\"\n\
         invoice: step -> join, error -> invoice_failed\n\
         invoice_failed: failure \"Invoice failed\"\n\
         join: join -> all_done\n\
         all_done: success\n\
         completed: success\n\
         cry: step -> completed_2\n\
         completed_2: success\n\
         ship_and_invoice_failed: failure \"Ship and invoice failed\"\n"
    );
}

#[test]
fn blocks_and_forks_may_stand_in_each_other() {
    assert_eq!(
        outline(
            "join!(async { try_join!(a(), b()) }, async { join!(c(), d()) }, async { order.count() });
             try_join!(e()).map_err(Trouble::from)?; try_join!(f(), g())"
        ),
        "started: start -> fork\n\
         fork: fork -> a_and_b, -> fork_3\n\
         a_and_b: block -> join_3\n\
         started_2: start -> fork_2\n\
         fork_2: fork -> a, -> b\n\
         a: step -> join, error -> a_failed\n\
         a_failed: failure \"A failed\"\n\
         b: step -> join, error -> b_failed\n\
         b_failed: failure \"B failed\"\n\
         join: join -> all_done\n\
         all_done: success\n\
         fork_3: fork -> c, -> d\n\
         c: step -> join_2\n\
         d: step -> join_2\n\
         join_2: join -> join_3\n\
         join_3: join -> e_2\n\
         e_2: block -> f_and_g, error -> e_failed_2\n\
         started_3: start -> e\n\
         e: step -> all_done_2, error -> e_failed\n\
         e_failed: failure \"E failed\"\n\
         all_done_2: success\n\
         e_failed_2: failure \"E failed\"\n\
         f_and_g: block -> completed, error -> f_and_g_failed\n\
         started_4: start -> fork_4\n\
         fork_4: fork -> f, -> g\n\
         f: step -> join_4, error -> f_failed\n\
         f_failed: failure \"F failed\"\n\
         g: step -> join_4, error -> g_failed\n\
         g_failed: failure \"G failed\"\n\
         join_4: join -> all_done_3\n\
         all_done_3: success\n\
         f_and_g_failed: failure \"F and g failed\"\n\
         completed: success\n"
    );
}

#[test]
fn what_arguments_need_comes_before_any_branch() {
    assert_eq!(
        outline("join!(a(find(&order).await?), b(order.checked()?)); Ok(1)"),
        "started: start -> find\n\
         find: step -> if_order_checked_succeeded, error -> find_failed\n\
         find_failed: failure \"Find failed\"\n\
         if_order_checked_succeeded: decision \"Order checked succeeded?\" [no] -> order_checked_failed, \
         [yes, default] -> fork\n\
         order_checked_failed: failure \"Order checked failed\"\n\
         fork: fork -> a, -> b\n\
         a: step -> join\n\
         b: step -> join\n\
         join: join -> completed\n\
         completed: success\n"
    );
}

#[test]
fn each_operation_of_a_select_leads_to_its_arm() {
    assert_eq!(
        outline(
            "let card = select! {
                 /// Card comes
                 card = receive::<NewCard>(&order.id).forever() => Some(card),
                 () = sleep(days(7)) => {
                     remind(&order).await?;
                     None
                 }
                 _ = fetch(&order).timeout(minutes(2)) => return Ok(2)
             };
             Ok(1)"
        ),
        "started: start -> race\n\
         race: race -> new_card, -> sleep, -> fetch\n\
         new_card: receive NewCard \"Card comes\" -> merge\n\
         sleep: timer 7 days -> remind\n\
         remind: step -> merge, error -> remind_failed\n\
         remind_failed: failure \"Remind failed\"\n\
         fetch: step -> completed\n\
         completed: success\n\
         merge: merge -> completed_2\n\
         completed_2: success\n"
    );
}

#[test]
fn the_arms_of_a_select_may_end_the_function() {
    assert_eq!(
        outline(
            "if order.a { return select! { x = pay(&order) => x, _ = sleep(hours(1)) => Err(Trouble::Late) }; }
             select! { x = pay(&order) => Ok(x?), _ = sleep(hours(1)) => refund(&order).await }"
        ),
        "started: start -> if_order_a\n\
         if_order_a: decision \"Order a?\" [yes] -> race, [no, default] -> race_2\n\
         race: race -> pay, -> sleep\n\
         pay: step -> if_succeeded\n\
         if_succeeded: decision \"Succeeded?\" [no] -> failed, [yes, default] -> completed\n\
         failed: failure \"Failed\"\n\
         completed: success\n\
         sleep: timer 1 hour -> late\n\
         late: failure \"Late\"\n\
         race_2: race -> pay_2, -> sleep_2\n\
         pay_2: step pay -> if_x_succeeded\n\
         if_x_succeeded: decision \"X succeeded?\" [no] -> x_failed, [yes, default] -> completed_2\n\
         x_failed: failure \"X failed\"\n\
         completed_2: success\n\
         sleep_2: timer 1 hour -> refund\n\
         refund: step -> completed_3, error -> refund_failed\n\
         refund_failed: failure \"Refund failed\"\n\
         completed_3: success\n"
    );
}

#[test]
fn the_call_that_is_repeated_is_found_in_the_iterator() {
    for (values, call) in [
        ("order.lines.iter().map(|line| pick(line))", "pick: step"),
        (
            "order.lines.iter().filter(|l| l.ok).map(|line| { let id = line.id; pick(id) }).rev()",
            "pick: step",
        ),
        ("order.lines.into_iter().map(shop::pick).collect::<Vec<_>>()", "pick: step"),
        ("[pick(1), pick(2).timeout(minutes(1))]", "pick: step"),
        ("vec![pick(1), (pick(2))]", "pick: step"),
        ("(0..order.n).flat_map(|n| (0..n).map(move |m| pick(m).label(\"P\")))", "pick: step"),
        ("order.keys().map(|key| receive::<Paid>(key).forever())", "paid: receive Paid"),
    ] {
        let text = outline(&format!("join_all({values}).limit(order.limit + 1).await; Ok(1)"));
        let line = text.lines().nth(1).unwrap();
        assert!(line.starts_with(&format!("{call} for each, order.limit + 1 at a time")), "{values}\n{text}");
    }
}

#[test]
fn the_first_error_of_a_try_join_all_leaves_it() {
    assert_eq!(
        outline(
            "let all = try_join_all(order.lines.iter().map(pick)).await?;
             let some = join_all([ship(1)]).await; Ok(1)"
        ),
        "started: start -> pick\n\
         pick: step for each, until one fails -> ship, error -> pick_failed\n\
         pick_failed: failure \"Pick failed\"\n\
         ship: step for each -> completed\n\
         completed: success\n"
    );
}

#[test]
fn the_macros_are_written_out_like_code_that_a_person_wrote() {
    let function: RawFn = syn::parse_str(
        "async fn flow() {
             let both = join!(/// Ship
                 ship(&order).timeout(minutes(2)), async { wrap(&order).await?; Ok(1) }, async move { order });
             try_join!(async { pick(find(&order).await).await })?;
             let (paid, _) = select! {
                 paid = receive::<Paid>(&order.id).forever() => (paid.cents, both),
                 _ = sleep(days(7)) => { cry().await; return; }
             };
         }",
    )
    .unwrap();
    let body = rewrite::rewrite(function.body.stream(), &Places::default()).body;
    let item: syn::Item = syn::parse_quote!(async fn flow() { #body });
    let file = syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items: vec![item] };
    insta::assert_snapshot!(prettyplease::unparse(&file));
}

#[test]
fn awaits_are_counted_alike_in_the_tree_and_in_the_tokens() {
    for body in [
        "join!(a(b().await), async { c().await; select! { x = d() => e(x).await, _ = f() => {} } }, g()).0",
        "S { f: try_join!(a(), b()), g: tokio::join!(c(), d().await) }; say!(join!(a(), b()), c().await)",
        "select! { a = b() => match a { 1 => c().await, _ => 2 } d = join!(e(), f()).0 => {} }",
        "join!(a(), , b().await); select! { a = b().await => if c {} else {} , else => d().await }",
        "join! { r#await(), receive::<M<A, B>>(x).within(d).forever() }; x = join!(); join!(a.join!(b), c())",
        "join_all(a.iter().map(|x| join!(x))).await",
    ] {
        let source = format!("async fn flow() {{ {body} }}");
        let Ok(function) = syn::parse_str::<RawFn>(&source) else { panic!("{body}") };
        let Ok(counted) = awaits::parse_body(&function) else { continue };
        let rewritten = rewrite::rewrite(function.body.stream(), &Places::default());
        assert_eq!(counted.awaits().len(), rewritten.awaits, "{body}");
    }
}

#[test]
fn what_the_language_does_not_have_is_refused() {
    for (body, part) in [
        ("join!(); Ok(1)", "WF044: `join!` needs at least one branch"),
        ("join!(a(), a(), a(), a(), a(), a(), a(), a(), a()); Ok(1)", "at most 8 branches: put some into"),
        ("select! { a = b() => {} } Ok(1)", "WF005: `select!` needs at least two arms"),
        ("select! { a = b() => {} else => {} } Ok(1)", "WF005: `select!` has no `else`"),
        (
            "select! { a = b(), if order.x => {} c = d() => {} } Ok(1)",
            "WF005: an arm of `select!` has no guard",
        ),
        (
            "select! { a if order.x = b() => {} c = d() => {} } Ok(1)",
            "WF005: an arm of `select!` has no guard",
        ),
        ("select! { biased; a = b() => {} c = d() => {} } Ok(1)", "WF005: take out `biased;`"),
        (
            "select! { Ok(a) = b() => {} c = d() => {} } Ok(1)",
            "WF005: a pattern of `select!` takes every outcome",
        ),
        (
            "select! { a = async { b().await } => {} c = d() => {} } Ok(1)",
            "WF005: an `async` block in `select!`",
        ),
        ("select! { _ = now() => {} c = d() => {} } Ok(1)", "WF005: only what takes time can be first"),
        ("select! { _ = send(Hello { n: 1 }) => {} c = d() => {} } Ok(1)", "WF005: sending takes no time"),
        ("select! { _ = join_all([a()]) => {} c = d() => {} } Ok(1)", "WF005: a `join_all` in `select!`"),
        ("let c = a(); join!(c, b()); Ok(1)", "WF044: this call was made elsewhere"),
        ("join!(a() b()); Ok(1)", "expected `,`"),
        ("join!(#[cfg(x)] a(), b()); Ok(1)", "WF044: only a label"),
        (
            "join!(async { loop { a().await; } }, b()); Ok(1)",
            "WF044: a branch of this never comes to its end",
        ),
        (
            "tokio::select! { a = b() => {} c = d() => {} } Ok(1)",
            "WF004: `tokio::select!` is not recorded; write `select!`",
        ),
        (
            "let calls = order.calls(); join_all(calls).await; Ok(1)",
            "WF044: the macro cannot see which call `join_all` repeats",
        ),
        (
            "join_all([a(1), b(2)]).await; Ok(1)",
            "WF044: all calls of one `join_all` are calls of the same function",
        ),
        (
            "join_all(order.lines.iter().map(|l| sleep(l.time))).await; Ok(1)",
            "WF044: `join_all` repeats a step",
        ),
        ("join_all(order.steps.iter().map(|step| step(1))).await; Ok(1)", "`step` is a local value"),
        ("join_all(order.lines.iter().map(|l| pick(l.get().await))).await; Ok(1)", "a closure that awaits"),
        (
            "pick(1).limit(3).await; Ok(1)",
            "WF044: only `join_all(..)` and `try_join_all(..)` have a `.limit(..)`",
        ),
    ] {
        let (_, errors) = lowered(body);
        assert!(errors.len() == 1 && errors[0].contains(part), "{body}\n{errors:?}");
    }
    assert!(error("join!(pick(order.next().await)); Ok(1)").contains("a method's result is awaited"));
}
