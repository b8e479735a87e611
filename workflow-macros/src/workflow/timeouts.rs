//! Waits whose end nobody looks at: `receive(..).within(..)` gives an error when no message came, and code that throws
//! it away goes on as if one had (WF041). Syntax only.

use proc_macro2::Span;
use syn::visit::Visit;
use syn::{Expr, Macro, Pat, Stmt};

use super::awaits::Body;
use crate::errors::Errors;

/// Refuses them.
pub(crate) fn check(body: &Body, errors: &mut Errors) {
    Finder { body, errors }.visit_block(&body.block);
}

struct Finder<'a> {
    body: &'a Body,
    errors: &'a mut Errors,
}

impl Finder<'_> {
    fn thrown_away(&mut self, value: &Expr) {
        if let Some(span) = wait(value) {
            self.refuse(span);
        }
    }

    fn refuse(&mut self, span: Span) {
        let why = "WF041: nobody looks whether the message came or the time was up; write \
                   `match .. { Ok(message) => .., Err(TimedOut) => .. }`, or pass the timeout on with `?`; \
                   see docs/errors/WF041.md";
        self.errors.at(span, why);
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        match statement {
            Stmt::Expr(value, Some(_)) => self.thrown_away(value),
            Stmt::Local(local) if matches!(local.pat, Pat::Wild(_)) => {
                local.init.iter().for_each(|init| self.thrown_away(&init.expr));
            }
            _ => {}
        }
        syn::visit::visit_stmt(self, statement);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let Some(Ok(region)) = self.body.region(call) else { return };
        for part in &region.parts {
            let operation = &part.operation.tree;
            if let Some(arm) = &part.arm {
                if matches!(arm.pattern.tree, Pat::Wild(_)) && is_wait(operation) {
                    self.refuse(end_of(operation));
                }
                self.visit_expr(&arm.body.tree);
            }
            self.visit_expr(operation);
        }
    }
}

/// The `await` of a wait with a deadline, when nothing else becomes of its outcome.
fn wait(value: &Expr) -> Option<Span> {
    match value {
        Expr::Paren(paren) => wait(&paren.expr),
        Expr::Assign(assign) if matches!(*assign.left, Expr::Infer(_)) => wait(&assign.right),
        Expr::Call(call) if call.args.len() == 1 && is_named(&call.func, "drop") => wait(&call.args[0]),
        Expr::MethodCall(call) if call.args.is_empty() && (call.method == "ok" || call.method == "err") => {
            wait(&call.receiver)
        }
        Expr::Await(await_) if is_wait(&await_.base) => Some(await_.await_token.span),
        _ => None,
    }
}

/// Whether this is `receive(..).within(..)`, perhaps with a label.
fn is_wait(operation: &Expr) -> bool {
    fn receives(operation: &Expr) -> bool {
        match operation {
            Expr::Paren(paren) => receives(&paren.expr),
            Expr::MethodCall(call) => receives(&call.receiver),
            Expr::Call(call) => is_named(&call.func, "receive"),
            _ => false,
        }
    }
    match operation {
        Expr::Paren(paren) => is_wait(&paren.expr),
        Expr::MethodCall(call) if call.method == "within" => receives(&call.receiver),
        Expr::MethodCall(call) => is_wait(&call.receiver),
        _ => false,
    }
}

fn is_named(function: &Expr, name: &str) -> bool {
    match function {
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == name),
        _ => false,
    }
}

/// The name of the method that the operation ends with.
fn end_of(operation: &Expr) -> Span {
    match operation {
        Expr::MethodCall(call) => call.method.span(),
        Expr::Paren(paren) => end_of(&paren.expr),
        other => syn::spanned::Spanned::span(other),
    }
}
