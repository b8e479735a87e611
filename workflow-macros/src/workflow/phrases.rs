//! Words for people out of Rust expressions and patterns: questions, answers, lengths of time.
//! Text only; where a word is shown is decided elsewhere.

use std::borrow::Cow;

use quote::ToTokens;
use syn::{BinOp, Expr, ExprLit, Lit, Pat, PatIdent, UnOp};
use workflow_graph::{Span, humanise};

/// The text of a piece of source, on one line and spaced as people write it.
pub(crate) fn source_text(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let mut tidy = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (loose, tight) in [
        (" . ", "."),
        (" :: ", "::"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("& ", "&"),
        (" ,", ","),
        (" ?", "?"),
    ] {
        tidy = tidy.replace(loose, tight);
    }
    tidy
}

/// The question that a condition answers: `order.total > 1_000` becomes `Order total > 1000?`.
pub(crate) fn question(condition: &Expr) -> String {
    let words = words(condition);
    let mut chars = words.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}?", chars.as_str())
}

/// Methods that say nothing about what is asked: they borrow, copy, or name an error.
const SILENT: &[&str] = &[
    "as_ref",
    "as_str",
    "clone",
    "iter",
    "as_deref",
    "into_iter",
    "unwrap_or_default",
    "ok_or",
    "ok_or_else",
    "map_err",
];

/// What an expression says, in the middle of a sentence.
pub(crate) fn words(expression: &Expr) -> String {
    self::expression(expression)
}

fn expression(expression_: &Expr) -> String {
    match expression_ {
        Expr::Let(condition) => expression(&condition.expr),
        Expr::Path(path) => {
            path.path.segments.last().map(|s| lower(&s.ident.to_string())).unwrap_or_default()
        }
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => join(&expression(&field.base), &lower(&name.to_string())),
            syn::Member::Unnamed(_) => expression(&field.base),
        },
        Expr::MethodCall(call) if call.method == "await" => expression(&call.receiver),
        Expr::MethodCall(call) => {
            let method = call.method.to_string();
            let base = expression(&call.receiver);
            if SILENT.contains(&method.as_str()) {
                return base;
            }
            let base = join(&base, &lower(&method));
            call.args.iter().fold(base, |words, argument| join(&words, &expression(argument)))
        }
        // A function says what it is about by its name, a variant by its fields too.
        Expr::Call(call) if is_variant(&call.func) => {
            let fields: Vec<String> = call.args.iter().map(expression).collect();
            join(&expression(&call.func), &fields.join(", "))
        }
        Expr::Call(call) => expression(&call.func),
        // Which branches it has is drawn, and would be too much of a question.
        Expr::Macro(call) if super::regions::Word::of(&call.mac).is_some() => "outcome".to_owned(),
        Expr::Await(await_) => expression(&await_.base),
        Expr::Try(try_) => expression(&try_.expr),
        Expr::Reference(reference) => expression(&reference.expr),
        Expr::Paren(paren) => expression(&paren.expr),
        Expr::Group(group) => expression(&group.expr),
        Expr::Unary(unary) => match unary.op {
            UnOp::Not(_) => join("not", &expression(&unary.expr)),
            UnOp::Neg(_) => format!("-{}", expression(&unary.expr)),
            _ => expression(&unary.expr),
        },
        Expr::Binary(binary) => {
            let (left, right) = (expression(&binary.left), expression(&binary.right));
            format!("{left} {} {right}", operator(&binary.op))
        }
        Expr::Lit(literal) => self::literal(literal),
        Expr::Tuple(tuple) => tuple.elems.iter().map(expression).collect::<Vec<_>>().join(", "),
        other => source_text(other),
    }
}

fn is_variant(function: &Expr) -> bool {
    match function {
        Expr::Path(path) => path.path.segments.last().is_some_and(|s| super::patterns::is_constant(&s.ident)),
        _ => false,
    }
}

fn literal(literal: &ExprLit) -> String {
    match &literal.lit {
        Lit::Int(number) => number.base10_digits().to_owned(),
        Lit::Float(number) => number.base10_digits().to_owned(),
        Lit::Str(text) => text.value(),
        other => source_text(other),
    }
}

fn operator(operator: &BinOp) -> String {
    match operator {
        BinOp::And(_) => "and".to_owned(),
        BinOp::Or(_) => "or".to_owned(),
        BinOp::Eq(_) => "=".to_owned(),
        BinOp::Ne(_) => "≠".to_owned(),
        BinOp::Le(_) => "≤".to_owned(),
        BinOp::Ge(_) => "≥".to_owned(),
        other => source_text(other),
    }
}

fn join(left: &str, right: &str) -> String {
    [left, right].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn lower(identifier: &str) -> String {
    let identifier = identifier.strip_prefix("r#").unwrap_or(identifier);
    if identifier == "self" { String::new() } else { humanise(identifier).to_lowercase() }
}

/// The answer that a pattern stands for: `OrderState::PaidInFull` becomes `paid in full`.
pub(crate) fn answer(pattern: &Pat) -> String {
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => "otherwise".to_owned(),
        Pat::Ident(PatIdent { subpat: Some((_, inner)), .. }) => answer(inner),
        Pat::Ident(ident) if !super::patterns::is_constant(&ident.ident) => "otherwise".to_owned(),
        Pat::Ident(ident) => lower(&ident.ident.to_string()),
        Pat::Path(path) => path.path.segments.last().map(|s| lower(&s.ident.to_string())).unwrap_or_default(),
        Pat::TupleStruct(tuple) => {
            let name = tuple.path.segments.last().map(|s| lower(&s.ident.to_string())).unwrap_or_default();
            join(&name, &inside(pattern))
        }
        Pat::Struct(named) => {
            let name = named.path.segments.last().map(|s| lower(&s.ident.to_string())).unwrap_or_default();
            join(&name, &inside(pattern))
        }
        Pat::Range(range) => {
            let end = |end: &Option<Box<Expr>>| end.as_ref().map(|end| expression(end));
            let is_closed = matches!(range.limits, syn::RangeLimits::Closed(_));
            match (end(&range.start), end(&range.end)) {
                (Some(start), Some(end)) if is_closed => format!("{start} to {end}"),
                (Some(start), Some(end)) => format!("{start} to below {end}"),
                (Some(start), None) => format!("from {start}"),
                (None, Some(end)) if is_closed => format!("up to {end}"),
                (None, Some(end)) => format!("below {end}"),
                (None, None) => "otherwise".to_owned(),
            }
        }
        Pat::Or(or) => or.cases.iter().map(answer).collect::<Vec<_>>().join(" or "),
        Pat::Paren(paren) => answer(&paren.pat),
        Pat::Reference(reference) => answer(&reference.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().map(answer).collect::<Vec<_>>().join(", "),
        Pat::Guard(guard) => answer(&guard.pat),
        Pat::Lit(literal) => self::literal(literal),
        other => source_text(other),
    }
}

/// The answer that a pattern stands for where its variant is known already: `Refused::Code(404)` becomes `404`.
pub(crate) fn fields(pattern: &Pat) -> String {
    let words = match pattern {
        Pat::Ident(_) | Pat::Path(_) => String::new(),
        Pat::TupleStruct(_) | Pat::Struct(_) => inside(pattern),
        pattern => answer(pattern),
    };
    if words.is_empty() { "otherwise".to_owned() } else { words }
}

/// What a pattern says about the fields of a variant.
fn inside(pattern: &Pat) -> String {
    let words: Vec<String> = match pattern {
        Pat::TupleStruct(tuple) => {
            tuple.elems.iter().map(answer).filter(|word| word != "otherwise").collect()
        }
        Pat::Struct(named) => {
            let fields = named.fields.iter().map(|field| (&field.member, answer(&field.pat)));
            let told = fields.filter(|(_, word)| word != "otherwise");
            told.map(|(member, word)| match member {
                syn::Member::Named(name) => join(&lower(&name.to_string()), &word),
                syn::Member::Unnamed(_) => word,
            })
            .collect()
        }
        _ => Vec::new(),
    };
    words.join(", ")
}

/// A part of an id made of these words: `Order total > 1000?` becomes `order_total_1000`.
pub(crate) fn slug(words: &str) -> String {
    let mut slug = String::new();
    for c in words.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if !slug.is_empty() && !slug.ends_with('_') => slug.push('_'),
            _ => {}
        }
    }
    let mut short: String = slug.chars().take(40).collect();
    short.truncate(short.trim_end_matches('_').len());
    short
}

/// A length of time as the source gives it: exact where it is a literal, its text where it is computed.
pub(crate) fn span(duration: &Expr) -> Span {
    let known = literal_span(duration).and_then(|(count, unit)| {
        let (iso, name) = match unit.as_str() {
            "days" => (format!("P{count}D"), "day"),
            "hours" => (format!("PT{count}H"), "hour"),
            "minutes" | "from_mins" => (format!("PT{count}M"), "minute"),
            "seconds" | "from_secs" => (format!("PT{count}S"), "second"),
            _ => return None,
        };
        Some(Span { iso: Cow::Owned(iso), text: Cow::Owned(format!("{count} {name}{}", plural(count))) })
    });
    known.unwrap_or_else(|| Span { iso: Cow::Borrowed(""), text: Cow::Owned(source_text(duration)) })
}

/// A length of time in milliseconds, where the source says it in so many words.
pub(crate) fn literal_ms(duration: &Expr) -> Option<u64> {
    let (count, unit) = literal_span(duration)?;
    let unit_ms = match unit.as_str() {
        "days" => 86_400_000,
        "hours" => 3_600_000,
        "minutes" | "from_mins" => 60_000,
        "seconds" | "from_secs" => 1_000,
        "from_millis" => 1,
        _ => return None,
    };
    count.checked_mul(unit_ms)
}

/// `days(7)`: the number and the unit.
fn literal_span(duration: &Expr) -> Option<(u64, String)> {
    let Expr::Call(call) = duration else { return None };
    match (&*call.func, call.args.first()) {
        (Expr::Path(path), Some(Expr::Lit(ExprLit { lit: Lit::Int(count), .. }))) => {
            let unit = path.path.segments.last()?.ident.to_string();
            Some((count.base10_parse::<u64>().ok()?, unit))
        }
        _ => None,
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_read_like_questions() {
        for (source, expected) in [
            ("order.total > 1_000", "Order total > 1000?"),
            ("!order.is_paid()", "Not order is paid?"),
            ("is_in_stock(&order)", "Is in stock?"),
            ("a && b.c == \"x\"", "A and b c = x?"),
            ("let Some(card) = order.card && card.is_new()", "Order card and card is new?"),
            ("error == Refused::Code(404)", "Error = code 404?"),
            ("find(id).ok_or(Trouble::Gone)", "Find?"),
            ("r#type.r#in > self.limit", "Type in > limit?"),
        ] {
            assert_eq!(question(&syn::parse_str(source).unwrap()), expected);
        }
    }

    #[test]
    fn patterns_read_like_answers() {
        for (source, expected) in [
            ("Kind::PaidInFull", "paid in full"),
            ("Kind::Parcel { weight: 30.., .. }", "parcel weight from 30"),
            ("Refused::Code(400..=499 | 0)", "code 400 to 499 or 0"),
            ("some @ 1..3", "1 to below 3"),
            ("other", "otherwise"),
        ] {
            let arm: syn::Arm = syn::parse_str(&format!("{source} => {{}}")).unwrap();
            assert_eq!(answer(&arm.pat), expected);
        }
    }

    #[test]
    fn lengths_of_time_are_exact_where_the_source_is() {
        let of = |source: &str| span(&syn::parse_str(source).unwrap());
        assert_eq!(of("days(7)"), Span { iso: "P7D".into(), text: "7 days".into() });
        assert_eq!(of("Duration::from_secs(1)"), Span { iso: "PT1S".into(), text: "1 second".into() });
        assert_eq!(of("order.patience"), Span { iso: "".into(), text: "order.patience".into() });
    }
}
