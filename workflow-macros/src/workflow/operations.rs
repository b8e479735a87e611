//! Awaited calls: which operation of the journal an `.await` is.
//! Only what the text shows counts; whether the callee really is a step is checked by its type.

use syn::ext::IdentExt;
use syn::{Expr, ExprAwait, ExprCall, ExprMethodCall, GenericArgument, PathArguments, Type};
use workflow_graph::{FlowKind, NodeIndex, NodeKind, StepFacts};

use super::expressions::is_drawn;
use super::graph::{Draft, Way, Ways};
use super::lower::{Lowerer, Operation, What, line_of, span_of};
use super::{imports, phrases};

/// Overrides for one call that have no meaning here yet.
const NOT_YET_ON_CALLS: &[&str] =
    &["timeout", "retry", "label", "without_compensation", "id", "detached", "limit"];

/// How a call of `receive` says for how long it waits.
enum Patience<'a> {
    Unsaid,
    Within(&'a Expr),
    Forever,
}

impl Lowerer<'_> {
    /// Lowers an awaited call and returns its node; `None` after an error.
    pub(crate) fn operation(&mut self, await_: &ExprAwait, ways: Ways) -> (Option<NodeIndex>, Ways) {
        let span = await_.await_token.span;
        let mut patience = Patience::Unsaid;
        let Some(call) = self.callee(&await_.base, &mut patience) else {
            return (None, ways);
        };
        let Expr::Path(function) = &*call.func else {
            self.refuse(
                span_of(&call.func),
                "only functions called by their name can be awaited; the macro cannot see which step this is",
            );
            return (None, ways);
        };
        let label = self.label.take();
        let mut ways = self.expressions(call.args.iter(), ways);
        if let Patience::Within(duration) = patience {
            ways = self.expression(duration, ways);
        }
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
        let (what, kind, name) = match name.as_str() {
            "sleep" => {
                let span =
                    call.args.first().map(phrases::span).unwrap_or(workflow_graph::Span::literal("", ""));
                (What::Timer, NodeKind::Timer(span), "sleep".to_owned())
            }
            "receive" => match message_type(&segment.arguments) {
                Some(message) => {
                    let name = type_name(message);
                    let deadline = match patience {
                        Patience::Within(duration) => Some(phrases::span(duration)),
                        _ => None,
                    };
                    let kind = NodeKind::Receive { message: name.clone().into(), deadline };
                    (What::Receive(Box::new(message.clone())), kind, snake_case(&name))
                }
                None => {
                    self.refuse(
                        segment.ident.span(),
                        "write which message is received: `receive::<NewCard>(..)`",
                    );
                    return (None, ways);
                }
            },
            _ => (What::Call(function.clone()), NodeKind::Step(StepFacts::named(&name)), name),
        };
        let label = label.unwrap_or_default();
        let node = self.graph.add(ways, Draft { name, kind, label, line: line_of(span), instances: None });
        let uses = imports::needed(function, &what, &self.uses);
        self.operations.push(Operation { await_number: self.body.number_of(await_), node, what, uses, span });
        (Some(node), super::graph::next(node))
    }

    /// Finds the call behind overrides such as `.within(..)`.
    fn callee<'e>(&mut self, base: &'e Expr, patience: &mut Patience<'e>) -> Option<&'e ExprCall> {
        match base {
            Expr::Paren(paren) => self.callee(&paren.expr, patience),
            Expr::Group(group) => self.callee(&group.expr, patience),
            Expr::Call(call) => Some(call),
            Expr::MethodCall(method) => self.override_of(method, patience),
            Expr::Path(_) => {
                self.refuse(
                    span_of(base),
                    "this call was made elsewhere; write the call and its `.await` together, so that it can be drawn",
                );
                None
            }
            other => {
                self.refuse(span_of(other), "only calls of steps, `sleep` and `receive` can be awaited");
                None
            }
        }
    }

    fn override_of<'e>(
        &mut self,
        method: &'e ExprMethodCall,
        patience: &mut Patience<'e>,
    ) -> Option<&'e ExprCall> {
        let name = method.method.to_string();
        match name.as_str() {
            "within" => *patience = method.args.first().map_or(Patience::Unsaid, Patience::Within),
            "forever" => *patience = Patience::Forever,
            name if NOT_YET_ON_CALLS.contains(&name) => {
                let place = method.paren_token.span.join();
                self.refuse(place, &format!("`.{name}(..)` on a call is not supported yet"));
                return None;
            }
            _ => {
                let place = method.paren_token.span.join();
                let why = "a method's result is awaited, but the macro cannot see which step that is; \
                           call a `#[step]` by its function's name";
                self.refuse(place, why);
                return None;
            }
        }
        self.callee(&method.receiver, patience)
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
        Expr::Await(await_) => Some(await_),
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

fn message_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(message)) => Some(message),
        _ => None,
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default()
        }
        _ => "message".to_owned(),
    }
}

fn snake_case(name: &str) -> String {
    phrases::slug(&workflow_graph::humanise(name))
}
