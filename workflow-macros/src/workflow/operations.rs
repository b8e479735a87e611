//! Awaited calls: which operation of the journal an `.await` is.
//! Only what the text shows counts; whether the callee really is a step, subflow or workflow is checked by its type.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, ExprAwait, ExprCall, ExprPath, Macro};
use workflow_graph::{ChildFacts, FlowKind, Instances, NodeIndex, NodeKind, StepFacts, Subgraph};

use super::expressions::is_drawn;
use super::fingerprints::Basis;
use super::graph::{Draft, Way, Ways};
use super::language::{BuiltIn, is_value};
use super::lower::{Lowerer, Operation, What, line_of, span_of};
use super::overrides::Overrides;
use super::regions::Word;
use super::{imports, many, phrases, policies};

/// An outcome that is told apart where it is awaited.
#[derive(Clone, Copy)]
pub(crate) enum Awaited<'a> {
    /// Of one call.
    Call(&'a ExprAwait),
    /// Of all branches of a `try_join!`.
    TryJoin(&'a Macro),
}

impl Awaited<'_> {
    /// What is asked about it where nothing better is known.
    pub(crate) fn question(self) -> String {
        match self {
            Awaited::Call(await_) => phrases::question(&await_.base),
            Awaited::TryJoin(_) => "Outcome?".to_owned(),
        }
    }

    /// Where it is awaited.
    pub(crate) fn span(self) -> Span {
        match self {
            Awaited::Call(await_) => await_.await_token.span,
            Awaited::TryJoin(call) => call.path.span(),
        }
    }
}

/// A call as it is written, taken apart.
pub(crate) struct CallText<'e> {
    /// The call itself; of `join_all`, the call that it repeats, unless that is given by the function alone.
    pub(crate) call: Option<&'e ExprCall>,
    pub(crate) function: &'e ExprPath,
    pub(crate) overrides: Overrides<'e>,
    /// What is evaluated before the operation begins, in the order of the text.
    pub(crate) arguments: Vec<&'e Expr>,
    /// The names that the call sees and its surroundings do not.
    pub(crate) bound: Vec<String>,
    /// Set for `join_all` and `try_join_all`.
    pub(crate) instances: Option<Instances>,
    /// The values that it is repeated over, or that it is given.
    pub(crate) values: Basis,
}

impl<'a> Lowerer<'a> {
    /// Lowers what is awaited and returns its node; `None` after an error, and for what is not recorded.
    pub(crate) fn operation(&mut self, awaited: Awaited<'_>, ways: Ways) -> (Option<NodeIndex>, Ways) {
        match awaited {
            Awaited::TryJoin(call) => match self.region(call) {
                Some(region) => self.try_join(region, ways),
                None => (None, ways),
            },
            Awaited::Call(await_) if self.is_foreign(&await_.base) => (None, self.refused(ways)),
            Awaited::Call(await_) => {
                let Some(text) = self.call_text(&await_.base) else { return (None, ways) };
                let label = self.take_label();
                let ways = self.arguments(&text, ways);
                self.label = label;
                self.call(text, self.body.number_of(await_), await_.await_token.span, ways)
            }
        }
    }

    /// Whether the call that is awaited has been refused, because it runs beside the journal.
    fn is_foreign(&self, base: &Expr) -> bool {
        match base {
            Expr::Paren(paren) => self.is_foreign(&paren.expr),
            Expr::Call(call) => self.foreign.is_call(call.paren_token.span.open()),
            Expr::MethodCall(call) => self.foreign.is_call(call.paren_token.span.open()),
            _ => false,
        }
    }

    /// Finds the call that is awaited; `None` after an error.
    pub(crate) fn call_text<'e>(&mut self, base: &'e Expr) -> Option<CallText<'e>>
    where
        'a: 'e,
    {
        let mut overrides = Overrides::default();
        let call = self.callee(base, &mut overrides)?;
        let Expr::Path(function) = &*call.func else {
            self.refuse(
                span_of(&call.func),
                "only functions called by their name can be awaited; the macro cannot see which step this is",
            );
            return None;
        };
        let arguments: Vec<&Expr> = call.args.iter().chain(overrides.arguments.iter().copied()).collect();
        if many::is_repeating(function) {
            return self.repeated(call, function, &overrides, arguments);
        }
        if let Some(limit) = overrides.limit {
            self.refuse(span_of(limit), "only `join_all(..)` and `try_join_all(..)` have a `.limit(..)`");
            return None;
        }
        let values = call.args.iter().map(Basis::of_expression).reduce(Basis::and).unwrap_or_default();
        let call = Some(call);
        Some(CallText { call, function, overrides, arguments, bound: Vec::new(), instances: None, values })
    }

    /// What is evaluated before the call begins.
    pub(crate) fn arguments(&mut self, text: &CallText<'_>, ways: Ways) -> Ways {
        self.expressions(text.arguments.iter().copied(), ways)
    }

    /// Lowers a call that counts as this one of the awaits. Its arguments have been lowered.
    pub(crate) fn call(
        &mut self,
        text: CallText<'_>,
        await_number: usize,
        span: Span,
        mut ways: Ways,
    ) -> (Option<NodeIndex>, Ways) {
        let CallText { call, function, overrides, instances, bound, values: basis, .. } = text;
        let Some(segment) = function.path.segments.last() else { return (None, ways) };
        let name = segment.ident.unraw().to_string();
        let is_local =
            function.path.segments.len() == 1 && (self.locals.contains(&name) || bound.contains(&name));
        if is_local {
            self.refuse(
                span,
                &format!(
                    "`{name}` is a local value; call the step by its function's name, so that it can be drawn"
                ),
            );
            return (None, ways);
        }
        let built_in = call.and_then(|call| self.built_in(&name, call, &overrides, &mut ways));
        let (what, kind, name) = match built_in {
            Some(Ok(BuiltIn::Drawn(what, kind, name))) => (what, *kind, name),
            Some(Ok(BuiltIn::Passed(after))) => {
                self.undrawn.push(await_number);
                return (None, after);
            }
            Some(Ok(BuiltIn::Value)) => {
                self.undrawn.push(await_number);
                return (None, ways);
            }
            Some(Err(())) => return (None, ways),
            None if overrides.detached => {
                let facts = ChildFacts {
                    workflow: name.clone().into(),
                    label: String::new().into(),
                    detached: true,
                    errors: Vec::new().into(),
                    graph: Subgraph::computed(|| {
                        unreachable!("the macro does not know which workflow this is")
                    }),
                };
                (What::Detached(function.clone()), NodeKind::Child(facts), name)
            }
            None => (What::Call(function.clone()), NodeKind::Step(StepFacts::named(&name)), name),
        };
        let label = overrides.label.or(self.label.take()).unwrap_or_default();
        let draft = Draft { label, line: line_of(span), span, instances, basis, ..Draft::new(&name, kind) };
        let node = self.graph.add(ways, draft);
        let uses = imports::needed(function, &what, &self.uses);
        let (timeout, retry) =
            (overrides.timeout.map(policies::timeout), overrides.retry.map(policies::retry));
        let without_compensation = overrides.without_compensation;
        self.operations.push(Operation {
            await_number,
            node,
            what,
            uses,
            span,
            timeout,
            retry,
            without_compensation,
        });
        (Some(node), super::graph::next(node))
    }

    /// The way that an operation takes when its outcome is an error of any kind.
    pub(crate) fn error_way(&self, node: NodeIndex) -> Option<Way> {
        match self.graph.kind_of(node) {
            // Its outputs are values, each of which may be an error.
            _ if self.graph.instances_of(node).is_some_and(|instances| !instances.fails_fast) => None,
            NodeKind::Step(_) | NodeKind::Block => {
                let kind = FlowKind::Error { variant: "".into(), label: "".into() };
                Some(Way { from: node, kind })
            }
            NodeKind::Receive { deadline: Some(_), .. } => Some(Way { from: node, kind: FlowKind::Timeout }),
            _ => None,
        }
    }
}

/// The operation whose outcome this expression still carries: `x.await`, `x.await.map_err(..)`, `try_join!(..)`.
pub(crate) fn awaited(expression: &Expr) -> Option<Awaited<'_>> {
    match expression {
        Expr::Await(await_) => Some(Awaited::Call(await_)).filter(|_| !is_value(await_)),
        Expr::Macro(call) if Word::of(&call.mac) == Some(Word::TryJoin) => Some(Awaited::TryJoin(&call.mac)),
        Expr::Paren(paren) => awaited(&paren.expr),
        Expr::Group(group) => awaited(&group.expr),
        Expr::MethodCall(call) if call.method == "map_err" || call.method == "map" => {
            awaited(&call.receiver).filter(|_| !call.args.iter().any(is_drawn))
        }
        _ => None,
    }
}

/// Whether this value is the outcome of a step, a subflow or a workflow, with the errors that it has.
pub(crate) fn keeps_outcome(value: &Expr) -> bool {
    match awaited(value) {
        Some(Awaited::Call(await_)) => {
            let is_built_in = called(&await_.base).is_some_and(|name| crate::built_in::is_operation(&name));
            !is_built_in && !maps_errors(value)
        }
        _ => false,
    }
}

/// The name of the function that is called, whatever is said about the call behind it.
fn called(base: &Expr) -> Option<String> {
    match base {
        Expr::Paren(paren) => called(&paren.expr),
        Expr::Group(group) => called(&group.expr),
        Expr::MethodCall(method) => called(&method.receiver),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.unraw().to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the errors in this outcome may be others than those of the operation.
pub(crate) fn maps_errors(outcome: &Expr) -> bool {
    match outcome {
        Expr::Paren(paren) => maps_errors(&paren.expr),
        Expr::Group(group) => maps_errors(&group.expr),
        Expr::MethodCall(call) => call.method == "map_err" || maps_errors(&call.receiver),
        _ => false,
    }
}
