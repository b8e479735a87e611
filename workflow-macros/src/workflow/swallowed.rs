//! Arms over the outcome of an operation that take errors which nobody has named, and keep them (WF042): a variant that
//! the step gets later would be treated like those of today. Syntax only.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, Stmt};

use super::ends::is_error;
use super::matches::{Arm, ArmBody, candidates};
use super::patterns::{Kind, bound_by, is_irrefutable, variants, within};

/// The arm of these that keeps the errors which no other arm names; `whole` is where an `else` is told of.
pub(crate) fn by(arms: &[Arm<'_>], whole: Span) -> Option<Span> {
    if arms.iter().filter_map(|arm| arm.pattern).all(|pattern| variants(pattern).is_empty()) {
        return None; // No error is told from the others.
    }
    let takes_others = candidates(arms, Kind::OtherError).into_iter().map(|index| &arms[index]);
    takes_others.filter(|arm| keeps(arm)).map(|arm| arm.pattern.map_or(whole, Spanned::span)).next()
}

fn keeps(arm: &Arm<'_>) -> bool {
    let body = arm.body();
    if ends_with_error(body) {
        return false;
    }
    let parts = arm.pattern.map(|pattern| within(pattern, Kind::OtherError)).unwrap_or_default();
    if arm.pattern.is_some() && !parts.iter().any(|part| is_irrefutable(part)) {
        return false;
    }
    let names: Vec<String> = parts.into_iter().flat_map(bound_by).collect();
    let guard = arm.guard.map(ToTokens::to_token_stream).unwrap_or_default();
    !names_any(guard, &names) && !names_any(text(body), &names)
}

fn text(body: ArmBody<'_>) -> TokenStream {
    match body {
        ArmBody::Nothing => TokenStream::new(),
        ArmBody::Expression(expression) => expression.to_token_stream(),
        ArmBody::Block(block) => block.to_token_stream(),
    }
}

/// Also inside of strings, as in `format!("{error}")`.
fn names_any(tokens: TokenStream, names: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.iter().any(|name| ident == *name),
        TokenTree::Group(group) => names_any(group.stream(), names),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            names.iter().any(|name| text.contains(&format!("{{{name}")))
        }
        TokenTree::Punct(_) => false,
    })
}

/// Whether the arm leads to an error of the function, or nowhere.
fn ends_with_error(body: ArmBody<'_>) -> bool {
    match body {
        ArmBody::Nothing => false,
        ArmBody::Expression(expression) => is_failure(expression),
        ArmBody::Block(block) => block.stmts.last().is_some_and(is_failing),
    }
}

fn is_failing(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(expression, _) => is_failure(expression),
        Stmt::Macro(call) => panics(&call.mac),
        _ => false,
    }
}

fn is_failure(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(paren) => is_failure(&paren.expr),
        Expr::Block(block) => block.block.stmts.last().is_some_and(is_failing),
        Expr::Return(return_) => return_.expr.as_ref().is_some_and(|value| is_error(value)),
        Expr::Break(break_) => break_.expr.as_ref().is_some_and(|value| is_error(value)),
        Expr::Try(try_) => is_error(&try_.expr),
        Expr::Macro(call) => panics(&call.mac),
        other => is_error(other),
    }
}

fn panics(call: &syn::Macro) -> bool {
    ["panic", "unreachable", "todo", "unimplemented"].iter().any(|name| call.path.is_ident(name))
}
