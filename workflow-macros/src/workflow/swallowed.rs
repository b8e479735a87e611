//! Arms over the outcome of an operation that take errors which nobody has named, and keep them (WF042): a variant that
//! the step gets later would be treated like those of today. The arms stand at the `.await`, or where the outcome or
//! the error is looked at by its name. Syntax only.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Expr, ExprMatch, Pat, Stmt, UnOp};

use super::ends::is_error;
use super::matches::{Arm, ArmBody, candidates};
use super::patterns::{Kind, bound_by, is_irrefutable, variants, within};

/// The arms among these that keep errors which nobody has named; `whole` is where an `else` is told of.
pub(crate) fn by(arms: &[Arm<'_>], whole: Span) -> Vec<Span> {
    let takes_others: Vec<&Arm<'_>> =
        candidates(arms, Kind::OtherError).into_iter().map(|index| &arms[index]).collect();
    let is_told_apart =
        arms.iter().filter_map(|arm| arm.pattern).any(|pattern| !variants(pattern).is_empty());
    if is_told_apart {
        let keeping = takes_others.iter().find(|arm| keeps(arm));
        return keeping.map(|arm| arm.pattern.map_or(whole, Spanned::span)).into_iter().collect();
    }
    // Errors may be told apart inside of an arm that takes them all under a name.
    let mut inside = Inside::default();
    for arm in takes_others {
        inside.names = arm.pattern.map(names_of_others).unwrap_or_default();
        match arm.body() {
            ArmBody::Expression(expression) => inside.visit_expr(expression),
            ArmBody::Block(block) => inside.visit_block(block),
            ArmBody::Nothing => {}
        }
    }
    inside.found
}

/// What a pattern calls the errors that no arm names.
fn names_of_others(pattern: &Pat) -> Vec<String> {
    within(pattern, Kind::OtherError).into_iter().flat_map(bound_by).collect()
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
    let names = arm.pattern.map(names_of_others).unwrap_or_default();
    let guard = arm.guard.map(ToTokens::to_token_stream).unwrap_or_default();
    !names_any(guard, &names) && !names_any(text(body), &names)
}

/// Looks for a `match` over an error that has one of these names.
#[derive(Default)]
struct Inside {
    names: Vec<String>,
    found: Vec<Span>,
}

impl<'ast> Visit<'ast> for Inside {
    fn visit_expr_match(&mut self, match_: &'ast ExprMatch) {
        if named(&match_.expr).is_some_and(|name| self.names.contains(&name)) {
            self.found.extend(in_match(match_));
        }
        syn::visit::visit_expr_match(self, match_);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// The arm of a `match` over an error itself that keeps errors which no arm names.
fn in_match(match_: &ExprMatch) -> Option<Span> {
    let names_variants = match_.arms.iter().any(|arm| !is_irrefutable(unguarded(&arm.pat)));
    let keeping = match_.arms.iter().filter(|arm| is_irrefutable(unguarded(&arm.pat))).find(|arm| {
        let names = bound_by(&arm.pat);
        let names: Vec<String> = names.into_iter().chain(named(&match_.expr)).collect();
        !is_failure(&arm.body) && !names_any(arm.body.to_token_stream(), &names)
    });
    keeping.filter(|_| names_variants).map(|arm| arm.pat.span())
}

fn unguarded(pattern: &Pat) -> &Pat {
    match pattern {
        Pat::Guard(guarded) => &guarded.pat,
        pattern => pattern,
    }
}

/// The name of what is looked at: `error`, `&error`, `*error`.
pub(crate) fn named(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(|name| name.unraw().to_string()),
        Expr::Reference(reference) => named(&reference.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => named(&unary.expr),
        Expr::Paren(paren) => named(&paren.expr),
        _ => None,
    }
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
