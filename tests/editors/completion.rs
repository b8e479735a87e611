//! Half-typed bodies, and what is offered at the cursor: as much as in an ordinary async function, and nothing of ours.
//! Knows the bodies and what is wanted there; must not know how a server is asked.

use std::collections::BTreeSet;

use super::project::{Editor, Side, editor};
use super::shop::{deliver, sell, shop_with_step};
use super::text::Text;

/// A half-typed body.
pub(crate) struct Case {
    name: &'static str,
    /// The whole text, with the cursor in it.
    text: String,
    /// What has to be offered.
    wanted: &'static [&'static str],
}

impl Case {
    fn new(name: &'static str, text: String, wanted: &'static [&'static str]) -> Case {
        Case { name, text, wanted }
    }
}

const ORDER: &[&str] = &["id", "cents", "lines", "is_large"];
const LINE: &[&str] = &["article", "pieces"];
const CHARGE: &[&str] = &["number", "bank"];
const ERRORS: &[&str] = &["Declined", "CardExpired", "TooHeavy"];

fn cases() -> Vec<Case> {
    let case = |name, body: &str, wanted| Case::new(name, sell(body), wanted);
    vec![
        case(
            "a field of a parameter",
            "order.$0\n    let charge = charge_card(&order).await?;\n    Ok(charge.number)",
            ORDER,
        ),
        case("behind a call", "let charge = charge_card(&order).$0;\n    Ok(1)", &["await"]),
        case("behind a call that is not finished", "charge_card(&order).$0\n    Ok(1)", &["await"]),
        case(
            "behind an await",
            "let charge = charge_card(&order).await.$0;\n    Ok(1)",
            &["unwrap_or_else", "is_ok"],
        ),
        case("behind a question mark", "let charge = charge_card(&order).await?.$0;\n    Ok(1)", CHARGE),
        case(
            "a field of what a step gave",
            "let charge = charge_card(&order).await?;\n    charge.$0\n    Ok(1)",
            CHARGE,
        ),
        case("the name of a step", "let charge = charge_$0\n    Ok(1)", &["charge_card"]),
        case("the name of a step in a statement", "charge_$0;\n    Ok(1)", &["charge_card"]),
        case("a path", "let error = SaleError::$0\n    Ok(1)", ERRORS),
        case(
            "the fields of a struct",
            "let line = Line { $0 };\n    let grams = weigh_line(&line, 1).await?;\n    Ok(grams)",
            LINE,
        ),
        case(
            "the fields of a struct that is open",
            "let line = Line { article: order.id.clone(), $0\n    Ok(1)",
            &["pieces"],
        ),
        case(
            "in an arm",
            "let number = match charge_card(&order).await {\n Ok(charge) => charge.$0,\n\
             Err(error) => return Err(error),\n };\n Ok(number)",
            CHARGE,
        ),
        case(
            "the error of a step in a pattern",
            "match charge_card(&order).await {\n Ok(charge) => Ok(charge.number),\n\
             Err(SaleError::$0) => Ok(1),\n Err(error) => Err(error),\n }",
            ERRORS,
        ),
        case(
            "in a match that is open",
            "match charge_card(&order).await {\n        Ok(charge) => charge.$0\n    Ok(1)",
            CHARGE,
        ),
        case(
            "in a closure",
            "let pieces: u64 = order.lines.iter().map(|line| line.$0).sum();\n    Ok(pieces)",
            LINE,
        ),
        case(
            "in the arguments of a step",
            "let grams = weigh_line(&order.lines[0], order.$0).await?;\n    Ok(grams)",
            ORDER,
        ),
        case("in arguments that are open", "let grams = weigh_line(&order.$0\n    Ok(1)", ORDER),
        case(
            "in a loop",
            "let mut grams = 0;\n for line in &order.lines {\n if line.$0 {\n\
             grams += weigh_line(line, 1).await?;\n }\n }\n Ok(grams)",
            LINE,
        ),
        case(
            "in a macro",
            "let text = format!(\"{}\", order.$0);\n    charge_card(&order).await?;\n    Ok(1)",
            ORDER,
        ),
        case(
            "in a branch",
            "let (charge, grams) = try_join!(charge_card(&order.$0), weigh_line(&order.lines[0], 1))?;\n\
             Ok(grams)",
            ORDER,
        ),
        case(
            "the name of a step in a branch",
            "let (charge, grams) = try_join!(charge_card(&order), weigh_$0)?;\n    Ok(grams)",
            &["weigh_line"],
        ),
        case(
            "in a branch that is a block",
            "let (charge, grams) = try_join!(charge_card(&order), async { order.$0 })?;\n    Ok(1)",
            ORDER,
        ),
        case(
            "in branches that are open",
            "let (charge, grams) = try_join!(charge_card(&order), weigh_line(&order.$0\n    Ok(1)",
            ORDER,
        ),
        case(
            "in a block of a branch",
            "let (charge, grams) = join!(charge_card(&order), async {\n\
             let grams = pack_line(&order.lines[0]).await?;\n order.$0\n Ok::<u64, SaleError>(grams) });\n\
             Ok(1)",
            ORDER,
        ),
        case(
            "in the arm of a race",
            "select! {\n charge = charge_card(&order) => { order.$0 }\n\
             grams = weigh_line(&order.lines[0], 1) => return grams,\n }\n Ok(1)",
            ORDER,
        ),
        case(
            "what won a race",
            "let number = select! {\n charge = charge_card(&order) => charge?.$0,\n\
             grams = weigh_line(&order.lines[0], 1) => grams?,\n };\n Ok(number)",
            CHARGE,
        ),
        case(
            "in an operation of a race",
            "let number = select! {\n charge = charge_card(&order.$0) => charge?.number,\n\
             grams = weigh_line(&order.lines[0], 1) => grams?,\n };\n Ok(number)",
            ORDER,
        ),
        case(
            "behind a let that is open",
            "let charge = charge_card(&order).await?\n    order.$0\n    Ok(1)",
            ORDER,
        ),
        case(
            "in braces that are open",
            "if express {\n order.$0\n let charge = charge_card(&order).await?;\n Ok(charge.number)",
            ORDER,
        ),
        case("in an `if let` that is open", "if let Ok(charge) = charge_card(&order.$0\n    Ok(1)", ORDER),
        case(
            "what an `if let` found",
            "if let Ok(charge) = charge_card(&order).await {\n        charge.$0\n    }\n    Ok(1)",
            CHARGE,
        ),
        case("in a condition", "if order.$0\n    charge_card(&order).await?;\n    Ok(1)", ORDER),
        case("in a while", "while order.$0 {\n        charge_card(&order).await?;\n    }\n    Ok(1)", ORDER),
        case(
            "under an allowance",
            "#[allow_workflow(race_effect, reason = \"it is told by hand\")]\n let cents = order.$0;\n\
             Ok(1)",
            ORDER,
        ),
        case(
            "under a label",
            "/// Take the money\n    let charge = charge_card(&order.$0).await?;\n    Ok(1)",
            ORDER,
        ),
        case(
            "the name of a local",
            "let charged = charge_card(&order).await?;\n    let bank = charg$0;\n    Ok(1)",
            &["charged"],
        ),
        case("the name of a parameter", "let large = ord$0;\n    Ok(1)", &["order"]),
        case("a type", "let line: Li$0 = order.lines[0].clone();\n    Ok(1)", &["Line"]),
        case(
            "what a subflow gave",
            "let grams = pack_line(&order.lines[0]).await?;\n    let more = grams.$0;\n    Ok(1)",
            &["checked_add"],
        ),
        case(
            "behind a call of a subflow",
            "let grams = pack_line(&order.lines[0]).$0;\n    Ok(1)",
            &["await"],
        ),
        case("behind a timer", "sleep(days(1)).$0;\n    Ok(1)", &["await"]),
        case(
            "behind a list of calls",
            "let all = try_join_all(order.lines.iter().map(|line| weigh_line(line, 1))).$0;\n    Ok(1)",
            &["await", "limit"],
        ),
        case(
            "what a list of calls gave",
            "let all = try_join_all(order.lines.iter().map(|line| weigh_line(line, 1))).await?;\n\
             all.$0\n Ok(1)",
            &["len", "first"],
        ),
        case(
            "what branches gave",
            "let (charge, grams) = try_join!(charge_card(&order), weigh_line(&order.lines[0], 1))?;\n\
             charge.$0\n Ok(1)",
            CHARGE,
        ),
        case("the name of a macro", "let both = try_j$0\n    Ok(1)", &["try_join"]),
        Case::new("in a step", shop_with_step("order.$0\n    Ok(1)"), ORDER),
        Case::new(
            "the name of a parameter of a step",
            shop_with_step("let large = ord$0;\n    Ok(1)"),
            &["order"],
        ),
        Case::new(
            "in a subflow",
            deliver("order.$0\n    let charge = charge_card(order).await?;\n    Ok(charge.number)"),
            ORDER,
        ),
        Case::new(
            "what a step gave a subflow",
            deliver("let charge = charge_card(order).await?;\n    charge.$0\n    Ok(1)"),
            CHARGE,
        ),
    ]
}

/// What is wrong with what is offered in this case; empty if nothing is.
pub(crate) fn faults(editor: &mut Editor, case: &Case) -> Vec<String> {
    let text = Text::with_cursor(&case.text);
    let durable = names(editor.completions(Side::Durable, &text));
    let plain = names(editor.completions(Side::Plain, &text.in_plain()));
    let mut faults = Vec::new();
    let lacks = |names: &BTreeSet<String>| -> Vec<&str> {
        case.wanted.iter().filter(|wanted| !names.contains(**wanted)).copied().collect()
    };
    if !lacks(&durable).is_empty() {
        faults.push(format!(
            "not offered: {:?}; an async function lacks {:?}",
            lacks(&durable),
            lacks(&plain)
        ));
    }
    let ours: Vec<&String> = durable.iter().filter(|name| name.starts_with("__")).collect();
    if !ours.is_empty() {
        faults.push(format!("offered, but internal: {ours:?}"));
    }
    // Where the ordinary function knows what is wanted, it is the measure of the rest, too.
    let fewer: Vec<&String> = plain.difference(&durable).collect();
    if lacks(&plain).is_empty() && !fewer.is_empty() {
        faults.push(format!("offered in an async function only: {fewer:?}"));
    }
    faults
}

/// The names alone, without what would have to be imported first.
fn names(labels: Vec<String>) -> BTreeSet<String> {
    let labels = labels.into_iter().filter(|label| !label.contains("(use "));
    let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    labels.map(|label| label.chars().take_while(|&letter| is_of_name(letter)).collect()).collect()
}

/// What is wrong with what is offered in any of the cases.
pub(crate) fn all_faults() -> Vec<String> {
    let mut editor = editor();
    let mut all = Vec::new();
    for case in cases() {
        let faults = faults(&mut editor, &case);
        all.extend(faults.into_iter().map(|fault| format!("{}: {fault}", case.name)));
    }
    all
}
