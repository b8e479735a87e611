//! What an editor is given, for bodies that are finished and for bodies that are not.

use super::text;

fn given(body: &str) -> String {
    text(body.parse().unwrap()).to_string()
}

#[test]
fn everything_that_rust_knows_stays_as_it_was_typed() {
    let body = "let a = charge (& order) . await ? ; if a . { for x in a . b { c (x) . await } }";
    assert_eq!(given(body).replace(' ', ""), body.replace(' ', ""));
}

#[test]
fn labels_and_allowances_are_left_out() {
    let body = "#[doc = \"Wait\"] sleep(days(1)).await; #[allow_workflow(race_effect, reason = \"..\")] a.b;";
    assert_eq!(given(body).replace(' ', ""), "sleep(days(1)).await;a.b;");
}

#[test]
fn branches_have_the_types_of_what_they_give() {
    assert_eq!(given("join!(a(1), async { b.c })").replace(' ', ""), "((a(1)).await,(async{b.c}).await,)");
    let both = given("try_join!(a(), b(),)?").replace(' ', "");
    assert!(both.ends_with("both(((a()).await,(b()).await,))?"), "{both}");
}

#[test]
fn arms_are_read_as_far_as_they_have_been_typed() {
    let arm = |bound: &str, body: &str| format!("if true {{ {bound} {body} }} else ");
    let whole = given("select! { a = f() => a.b, _ = g() => { c } d = h() => d }");
    let expected = arm("let a = (f()).await;", "a.b") + &arm("let _ = (g()).await;", "{ c }");
    let expected = expected + &arm("let d = (h()).await;", "d") + "{ loop {} }";
    assert_eq!(whole.replace(' ', ""), expected.replace(' ', ""));
    let half = given("select! { a = f(x.) => a., g(y.) }").replace(' ', "");
    let expected = arm("let a = (f(x.)).await;", "a.") + &arm("(g(y.)).await;", "") + "{ loop {} }";
    assert_eq!(half, expected.replace(' ', ""));
}

#[test]
fn what_stands_before_the_cursor_does_not_depend_on_what_stands_behind_it() {
    let before = |body: &str| {
        let given = given(body);
        given[..given.find("HERE").unwrap()].to_owned()
    };
    assert_eq!(before("try_join!(a(x.HERE), b())?"), before("try_join!(a(x.HERE b()) => ; )"));
    let arm = "select! { a = f() => a.HERE";
    assert_eq!(before(&format!("{arm}, b = g() => b }}")), before(&format!("{arm} b = ; }}")));
}
