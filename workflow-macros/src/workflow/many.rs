//! `join_all` and `try_join_all`: one call, made for each of many values.
//! The call is found in the text that makes the values; what cannot be found is refused.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprClosure, ExprLit, ExprPath, Lit, Stmt};
use workflow_graph::Instances;

use super::fingerprints::Basis;
use super::lower::{Lowerer, span_of};
use super::operations::CallText;
use super::overrides::Overrides;
use super::patterns::bound_by;
use super::phrases;
use crate::recorded::words;

/// Whether this function makes a call for each of many values.
pub(crate) fn is_repeating(function: &ExprPath) -> bool {
    matches!(name_of(function).as_str(), "join_all" | "try_join_all")
}

/// What is done for each value.
#[derive(Clone, Copy)]
enum Repeated<'e> {
    /// `.map(|value| call(value))`, or one of the elements of a list.
    Call(&'e Expr),
    /// `.map(call)`
    Function(&'e ExprPath),
}

impl<'a> Lowerer<'a> {
    /// The call that `join_all` or `try_join_all` makes again and again; `None` after an error.
    pub(crate) fn repeated<'e>(
        &mut self,
        call: &'e ExprCall,
        all: &ExprPath,
        outer: &Overrides<'e>,
        arguments: Vec<&'e Expr>,
    ) -> Option<CallText<'e>>
    where
        'a: 'e,
    {
        let name = name_of(all);
        let mut bound = Vec::new();
        let found = call.args.first().map(|values| self.calls_in(values, &mut bound)).unwrap_or_default();
        if let Some(Expr::Lit(ExprLit { lit: Lit::Int(limit), .. })) = outer.limit
            && limit.base10_digits() == "0"
        {
            let why = "none at a time would never begin; leave `.limit(..)` out to begin all at once";
            self.refuse(limit.span(), why);
        }
        let limit = outer.limit.map(phrases::source_text).unwrap_or_default();
        let instances = Some(Instances { limit: limit.into(), fails_fast: name == "try_join_all" });
        let Some(&first) = found.first() else {
            let why = format!(
                "the macro cannot see which call `{name}` repeats: write \
                 `{name}(values.iter().map(|value| call(value)))`, `.map(call)`, or a list `[call(a), call(b)]`"
            );
            self.refuse(call.paren_token.span.join(), &why);
            return None;
        };
        let values = call.args.first().map(Basis::of_expression).unwrap_or_default();
        let values = found.iter().fold(values, |values, found| match found {
            Repeated::Call(call) => values.without(&words(&call.to_token_stream())),
            Repeated::Function(function) => values.without(&words(&function.to_token_stream())),
        });
        let values = match outer.limit {
            Some(limit) => values.and(Basis::of_expression(limit)),
            None => values,
        };
        let text = match first {
            Repeated::Function(function) => {
                let overrides = Overrides::default();
                CallText { call: None, function, overrides, arguments, bound, instances, values }
            }
            Repeated::Call(written) => {
                let mut overrides = Overrides::default();
                let inner = self.callee(written, &mut overrides)?;
                let Expr::Path(function) = &*inner.func else {
                    self.refuse(span_of(&inner.func), "only functions called by their name can be repeated");
                    return None;
                };
                CallText { call: Some(inner), function, overrides, arguments, bound, instances, values }
            }
        };
        let called = name_of(text.function);
        if called == "receive"
            && let Repeated::Call(written) = first
            && let Some(wait) = text.call.filter(|_| !says_until_when(written))
        {
            let why = "WF040: waiting for messages without a deadline: if one never comes, the run waits here for \
                       ever; add `.within(days(7))` and handle `Err(TimedOut)`, or write `.forever()` if that is \
                       meant; see docs/errors/WF040.md";
            self.refuse_as(syn::Error::new(text.function.span(), why));
            self.endless_waits.push(wait.paren_token.span.open().start());
            return None;
        }
        let is_other = |other: &&Repeated<'e>| match other {
            Repeated::Call(written) => !calls(written, text.function),
            Repeated::Function(_) => false,
        };
        if let Some(Repeated::Call(other)) = found.iter().find(is_other) {
            let why = format!(
                "all calls of one `{name}` are calls of the same function; use `join!` for different ones"
            );
            self.refuse(span_of(other), &why);
            return None;
        }
        if crate::built_in::is_operation(&called) && (called != "receive" || text.call.is_none()) {
            let why =
                format!("`{name}` repeats a step, a subflow, a workflow or a `receive`, not `{called}`");
            self.refuse(span_of(call.args.first()?), &why);
            return None;
        }
        Some(text)
    }

    /// The calls that these values are: several of a list, one of a closure.
    fn calls_in<'e>(&self, values: &'e Expr, bound: &mut Vec<String>) -> Vec<Repeated<'e>>
    where
        'a: 'e,
    {
        match values {
            Expr::Paren(paren) => self.calls_in(&paren.expr, bound),
            Expr::Group(group) => self.calls_in(&group.expr, bound),
            Expr::Reference(reference) => self.calls_in(&reference.expr, bound),
            Expr::Block(_) => tail(values).map(|tail| self.calls_in(tail, bound)).unwrap_or_default(),
            Expr::Array(array) => listed(array.elems.iter()),
            Expr::Macro(list) => listed(self.body.list(&list.mac).unwrap_or_default().iter()),
            Expr::MethodCall(method) if method.method == "map" => match method.args.first() {
                Some(Expr::Closure(closure)) => {
                    bound.extend(bound_in(closure));
                    tail(&closure.body).filter(|tail| is_call(tail)).map(Repeated::Call).into_iter().collect()
                }
                Some(Expr::Path(function)) => vec![Repeated::Function(function)],
                _ => Vec::new(),
            },
            Expr::MethodCall(method) if method.method == "flat_map" => match method.args.first() {
                Some(Expr::Closure(closure)) => {
                    bound.extend(bound_in(closure));
                    tail(&closure.body).map(|tail| self.calls_in(tail, bound)).unwrap_or_default()
                }
                _ => Vec::new(),
            },
            // What comes behind the last `map` chooses among the calls or orders them.
            Expr::MethodCall(method) => self.calls_in(&method.receiver, bound),
            _ => Vec::new(),
        }
    }
}

fn listed<'e>(elements: impl Iterator<Item = &'e Expr>) -> Vec<Repeated<'e>> {
    let elements: Vec<&Expr> = elements.collect();
    if elements.iter().all(|element| is_call(element)) {
        elements.into_iter().map(Repeated::Call).collect()
    } else {
        Vec::new()
    }
}

fn bound_in(closure: &ExprClosure) -> impl Iterator<Item = String> {
    closure.inputs.iter().flat_map(bound_by)
}

/// The value of a block, or the expression itself.
fn tail(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Paren(paren) => tail(&paren.expr),
        Expr::Group(group) => tail(&group.expr),
        Expr::Block(block) => match block.block.stmts.last()? {
            Stmt::Expr(value, None) => tail(value),
            _ => None,
        },
        other => Some(other),
    }
}

fn is_call(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(paren) => is_call(&paren.expr),
        Expr::Group(group) => is_call(&group.expr),
        Expr::MethodCall(method) => is_call(&method.receiver),
        Expr::Call(_) => true,
        _ => false,
    }
}

/// Whether this is a call of that function.
fn calls(written: &Expr, function: &ExprPath) -> bool {
    match written {
        Expr::Paren(paren) => calls(&paren.expr, function),
        Expr::Group(group) => calls(&group.expr, function),
        Expr::MethodCall(method) => calls(&method.receiver, function),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => phrases::source_text(path) == phrases::source_text(function),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a wait has a deadline, or says that it has none.
fn says_until_when(written: &Expr) -> bool {
    match written {
        Expr::Paren(paren) => says_until_when(&paren.expr),
        Expr::Group(group) => says_until_when(&group.expr),
        Expr::MethodCall(call) => {
            call.method == "within" || call.method == "forever" || says_until_when(&call.receiver)
        }
        _ => false,
    }
}

fn name_of(function: &ExprPath) -> String {
    function.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default()
}
