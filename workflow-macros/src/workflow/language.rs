//! The operations that the language itself has: timers, messages, values of the run, and ways to end.
//! Only what the text shows counts.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Expr, ExprAwait, ExprCall, ExprLit, GenericArgument, Lit, Macro, Path, PathArguments, Type};
use workflow_graph::{NodeKind, Outcome, Span};

use super::awaits::Body;
use super::fingerprints::Basis;
use super::graph::{Draft, Ways, next};
use super::lower::{Lowerer, What, answer, line_of};
use super::overrides::Overrides;
use super::phrases;

/// Operations that only give a value: not drawn.
const VALUES: &[&str] = &["now", "random", "uuid", "progress", "patched"];

/// What an operation of the language is.
pub(crate) enum BuiltIn {
    /// A node of its own that the journal knows.
    Drawn(What, Box<NodeKind>, String),
    /// A node that the journal knows nothing of, and what comes after it.
    Passed(Ways),
    /// Nothing is drawn.
    Value,
}

impl Lowerer<'_> {
    /// Lowers an operation of the language. `None` when it is none; the error is reported when it is written wrongly.
    pub(crate) fn built_in(
        &mut self,
        name: &str,
        call: &ExprCall,
        overrides: &Overrides<'_>,
        ways: &mut Ways,
    ) -> Option<Result<BuiltIn, ()>> {
        let Expr::Path(function) = &*call.func else { return None };
        let segment = function.path.segments.last()?;
        let first = call.args.first();
        Some(Ok(match name {
            "sleep" => {
                let span = first.map(phrases::span).unwrap_or(Span::literal("", ""));
                BuiltIn::Drawn(What::Timer, Box::new(NodeKind::Timer(span)), "sleep".to_owned())
            }
            "sleep_until" => {
                let text = first.map(phrases::source_text).unwrap_or_default();
                let kind = NodeKind::TimerAt { text: text.into() };
                BuiltIn::Drawn(What::Timer, Box::new(kind), "sleep_until".to_owned())
            }
            "receive" => {
                let Some(message) = type_argument(&segment.arguments) else {
                    let why = "write which message is received: `receive::<NewCard>(..)`";
                    self.refuse(segment.ident.span(), why);
                    return Some(Err(()));
                };
                let name = type_name(message);
                let deadline = overrides.within.map(phrases::span);
                let kind = NodeKind::Receive { message: name.clone().into(), deadline };
                BuiltIn::Drawn(What::Receive(Box::new(message.clone())), Box::new(kind), snake_case(&name))
            }
            "send" | "publish" => {
                let written = type_argument(&segment.arguments).cloned();
                let Some(message) = written.or_else(|| first.and_then(constructed)) else {
                    let why = format!(
                        "the macro cannot see which message this is; write `{name}::<OrderCompleted>(..)`"
                    );
                    self.refuse(segment.ident.span(), &why);
                    return Some(Err(()));
                };
                let (message_name, publishes) = (type_name(&message), name == "publish");
                let kind = NodeKind::Send { message: message_name.clone().into(), publishes };
                BuiltIn::Drawn(What::Send(Box::new(message)), Box::new(kind), snake_case(&message_name))
            }
            "compensate" => {
                let line = line_of(segment.ident.span());
                let label = self.label.take().unwrap_or_default();
                let span = call.paren_token.span.join();
                let draft = Draft { label, line, span, ..Draft::new("compensate", NodeKind::Compensate) };
                BuiltIn::Passed(next(self.graph.add(std::mem::take(ways), draft)))
            }
            "continue_as_new" if self.ending.is_of_branch() => {
                let why = "a branch cannot end the run: continue as new behind the branches";
                self.refuse(segment.ident.span(), why);
                return Some(Err(()));
            }
            "continue_as_new" if self.is_subflow => {
                let why = "a subflow is a part of a run and cannot end it: return, and continue as new in the workflow";
                self.refuse(segment.ident.span(), why);
                return Some(Err(()));
            }
            "continue_as_new" => {
                let line = line_of(segment.ident.span());
                let label = self.label.take().unwrap_or_default();
                let kind = NodeKind::End(Outcome::Continued);
                let span = segment.ident.span();
                let draft = Draft { label, line, span, ..Draft::new("continues_as_new", kind) };
                if !ways.is_empty() {
                    self.graph.add(std::mem::take(ways), draft);
                }
                BuiltIn::Passed(Ways::new())
            }
            name if VALUES.contains(&name) => BuiltIn::Value,
            _ => return None,
        }))
    }

    /// A decision; a version switch, if that is what the condition asks for.
    pub(crate) fn decision_about(
        &mut self,
        condition: &Expr,
        ways: Ways,
        span: proc_macro2::Span,
    ) -> (usize, [super::graph::Way; 2]) {
        let (node, yes, no) = match patch(condition) {
            Some((patch, is_new)) => {
                let name = format!("if_{}", phrases::slug(&patch));
                let label = self.take_label().unwrap_or_default();
                let kind = NodeKind::VersionSwitch { patch: patch.into() };
                let draft = Draft { label, line: line_of(span), span, ..Draft::new(&name, kind) };
                let (yes, no) = if is_new {
                    ("since the change", "before it")
                } else {
                    ("before it", "since the change")
                };
                (self.graph.add(ways, draft), yes, no)
            }
            None => {
                let basis = Basis::of_expression(condition);
                (self.decision(ways, phrases::question(condition), span, basis), "yes", "no")
            }
        };
        let yes = answer(node, yes, phrases::source_text(condition), false);
        let no = answer(node, no, String::new(), true);
        (node, [yes, no])
    }
}

/// The id of the change that the condition asks for, and whether it asks for the new way.
fn patch(condition: &Expr) -> Option<(String, bool)> {
    match condition {
        Expr::Paren(paren) => patch(&paren.expr),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
            patch(&unary.expr).map(|(patch, is_new)| (patch, !is_new))
        }
        Expr::Await(await_) => {
            let Expr::Call(call) = &*await_.base else { return None };
            match (called(call)?.as_str(), call.args.first()) {
                ("patched", Some(Expr::Lit(ExprLit { lit: Lit::Str(id), .. }))) => Some((id.value(), true)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether what is awaited only gives a value of the run.
pub(crate) fn is_value(await_: &ExprAwait) -> bool {
    match &*await_.base {
        Expr::Call(call) => called(call).is_some_and(|name| VALUES.contains(&name.as_str())),
        _ => false,
    }
}

/// The numbers of the awaits that only give a value, also in local code that nobody draws.
pub(crate) fn values_of(body: &Body) -> BTreeSet<usize> {
    struct Values<'a>(&'a Body, BTreeSet<usize>);
    impl<'ast> Visit<'ast> for Values<'_> {
        fn visit_expr_await(&mut self, await_: &'ast ExprAwait) {
            if is_value(await_) {
                self.1.insert(self.0.number_of(await_));
            }
            syn::visit::visit_expr_await(self, await_);
        }

        fn visit_macro(&mut self, call: &'ast Macro) {
            for part in
                self.0.region(call).iter().flat_map(|region| region.iter()).flat_map(|region| &region.parts)
            {
                self.visit_expr(&part.operation.tree);
                part.arm.iter().for_each(|arm| self.visit_expr(&arm.body.tree));
            }
        }
    }
    let mut values = Values(body, BTreeSet::new());
    values.visit_block(&body.block);
    values.1
}

fn called(call: &ExprCall) -> Option<String> {
    match &*call.func {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.unraw().to_string()),
        _ => None,
    }
}

/// The type that an expression makes, where it names it: `Placed { .. }`, `Placed(..)`, `Placed::new(..)`.
fn constructed(message: &Expr) -> Option<Type> {
    let path = match message {
        Expr::Paren(paren) => return constructed(&paren.expr),
        Expr::Struct(named) => named.path.clone(),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.clone(),
            _ => return None,
        },
        Expr::Path(unit) => unit.path.clone(),
        _ => return None,
    };
    let mut path: Path = path;
    let is_type = |path: &Path| {
        path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
        })
    };
    if !is_type(&path) || is_variant(&path) {
        path.segments.pop();
        path.segments.pop_punct();
    }
    is_type(&path).then(|| Type::Path(syn::TypePath { attrs: Vec::new(), qself: None, path }))
}

/// Whether the path names a variant of an enum: a type, then something that looks like one.
fn is_variant(path: &Path) -> bool {
    let before_last = path.segments.len().checked_sub(2).and_then(|index| path.segments.get(index));
    before_last.is_some_and(|segment| segment.ident.to_string().starts_with(char::is_uppercase))
}

fn type_argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(Type::Infer(_))) => None,
        Some(GenericArgument::Type(message)) => Some(message),
        _ => None,
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default()
        }
        other => phrases::slug(&other.to_token_stream().to_string()),
    }
}

fn snake_case(name: &str) -> String {
    phrases::slug(&workflow_graph::humanise(name))
}
