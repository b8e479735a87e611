//! Awaited calls: which operation of the journal an `.await` is.
//! Only what the text shows counts; whether the callee really is a step, subflow or workflow is checked by its type.

use syn::ext::IdentExt;
use syn::{Expr, ExprAwait};
use workflow_graph::{ChildFacts, FlowKind, NodeIndex, NodeKind, StepFacts};

use super::expressions::is_drawn;
use super::graph::{Draft, Way, Ways};
use super::language::{BuiltIn, is_value};
use super::lower::{Lowerer, Operation, What, line_of, span_of};
use super::overrides::Overrides;
use super::{imports, phrases};

impl Lowerer<'_> {
    /// Lowers an awaited call and returns its node; `None` after an error, and for what is not recorded.
    pub(crate) fn operation(&mut self, await_: &ExprAwait, ways: Ways) -> (Option<NodeIndex>, Ways) {
        let await_number = self.body.number_of(await_);
        self.call(&await_.base, await_number, await_.await_token.span, ways)
    }

    /// Lowers the call whose `.await` has this number.
    pub(crate) fn call(
        &mut self,
        base: &Expr,
        await_number: usize,
        span: proc_macro2::Span,
        ways: Ways,
    ) -> (Option<NodeIndex>, Ways) {
        let mut overrides = Overrides::default();
        let Some(call) = self.callee(base, &mut overrides) else { return (None, ways) };
        let Expr::Path(function) = &*call.func else {
            self.refuse(
                span_of(&call.func),
                "only functions called by their name can be awaited; the macro cannot see which step this is",
            );
            return (None, ways);
        };
        let label = self.take_label();
        let mut ways = self.expressions(call.args.iter(), ways);
        ways = self.expressions(overrides.arguments.iter().copied(), ways);
        let Some(segment) = function.path.segments.last() else { return (None, ways) };
        let name = segment.ident.unraw().to_string();
        if crate::built_in::is_not_yet(&name) {
            self.refuse(span, &format!("`{name}` is not supported in workflows yet"));
            return (None, ways);
        }
        let is_local = function.path.segments.len() == 1 && self.locals.contains(&name);
        if is_local {
            self.refuse(
                span,
                &format!(
                    "`{name}` is a local value; call the step by its function's name, so that it can be drawn"
                ),
            );
            return (None, ways);
        }
        self.label = label;
        let (what, kind, name) = match self.built_in(&name, call, &overrides, &mut ways) {
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
                };
                (What::Detached(function.clone()), NodeKind::Child(facts), name)
            }
            None => (What::Call(function.clone()), NodeKind::Step(StepFacts::named(&name)), name),
        };
        let label = overrides.label.or(self.label.take()).unwrap_or_default();
        let node = self.graph.add(ways, Draft { name, kind, label, line: line_of(span), instances: None });
        let uses = imports::needed(function, &what, &self.uses);
        let timeout_ms = overrides.timeout.and_then(phrases::literal_ms);
        let without_compensation = overrides.without_compensation;
        self.operations.push(Operation {
            await_number,
            node,
            what,
            uses,
            span,
            timeout_ms,
            without_compensation,
        });
        (Some(node), super::graph::next(node))
    }

    /// The way that an operation takes when its outcome is an error of any kind.
    pub(crate) fn error_way(&self, node: NodeIndex) -> Option<Way> {
        match self.graph.kind_of(node) {
            NodeKind::Step(_) => {
                let kind = FlowKind::Error { variant: "".into(), label: "".into() };
                Some(Way { from: node, kind })
            }
            NodeKind::Receive { deadline: Some(_), .. } => Some(Way { from: node, kind: FlowKind::Timeout }),
            _ => None,
        }
    }
}

/// The awaited operation whose outcome this expression still carries: `x.await`, `x.await.map_err(..)`.
pub(crate) fn awaited(expression: &Expr) -> Option<&ExprAwait> {
    match expression {
        Expr::Await(await_) => Some(await_).filter(|await_| !is_value(await_)),
        Expr::Paren(paren) => awaited(&paren.expr),
        Expr::Group(group) => awaited(&group.expr),
        Expr::MethodCall(call) if call.method == "map_err" || call.method == "map" => {
            awaited(&call.receiver).filter(|_| !call.args.iter().any(is_drawn))
        }
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
