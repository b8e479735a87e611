//! What a workflow calls, as the texts of its package tell it: steps, subflows and other workflows, with their labels.
//! It knows attributes and documentation; what is not found stays a step of that name.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, ExprPath, GenericArgument, Item, ItemFn, ItemUse, PathArguments, ReturnType, Type};
use workflow_graph::{
    ChildFacts, CompensationFacts, ErrorFacts, Graph, Node, NodeKind, Source, StepFacts, SubflowFacts,
    Subgraph, humanise,
};

use super::super::awaits;
use super::super::emit::Kind;
use super::super::lower::{Lowered, Operation, What};
use super::super::policies::Said;
use super::super::{attribute, check};
use super::neighbours::{Found, Neighbours};
use crate::derive_step_error::Failing;
use crate::errors::Errors;
use crate::signature::RawFn;
use crate::step;
use crate::{derive_message, docs};

/// Looks up what one function calls.
pub(super) struct Callees<'a> {
    neighbours: &'a Neighbours,
    /// The functions around this one: what contains itself is drawn once.
    around: Vec<String>,
}

impl<'a> Callees<'a> {
    pub(super) fn of(neighbours: &'a Neighbours) -> Callees<'a> {
        Callees { neighbours, around: Vec::new() }
    }

    /// The nodes, with all that is known of what they call. The function stands in this file.
    pub(super) fn nodes(&self, lowered: &Lowered, file: usize) -> Vec<Node> {
        let mut nodes = lowered.nodes.clone();
        for operation in &lowered.operations {
            let node = &mut nodes[operation.node];
            if let Some(kind) = self.kind(operation, file, &node.kind) {
                node.kind = kind;
            }
        }
        nodes
    }

    fn kind(&self, operation: &Operation, file: usize, kind: &NodeKind) -> Option<NodeKind> {
        let (path, detached) = match &operation.what {
            What::Call(path) => (path, false),
            What::Detached(path) => (path, true),
            What::Receive(message) | What::Send(message) => {
                let Type::Path(path) = &**message else { return None };
                let name = self.message(&path.path, &operation.uses, file)?.into();
                return match kind.clone() {
                    NodeKind::Receive { deadline, .. } => Some(NodeKind::Receive { message: name, deadline }),
                    NodeKind::Send { publishes, .. } => Some(NodeKind::Send { message: name, publishes }),
                    _ => None,
                };
            }
            What::Timer => return None,
        };
        let ExprPath { path, .. } = path;
        let (function, arguments, kind, file) = self.function(path, &operation.uses, file)?;
        match kind {
            Callee::Step => {
                let facts = self.step(&function, arguments, file);
                Some(in_place_of(NodeKind::Step(facts), operation))
            }
            Callee::Subflow => self.subflow(&function, arguments, file),
            Callee::Workflow => Some(NodeKind::Child(self.child(&function, arguments, detached, file))),
        }
    }

    /// The function of ours that a path names, what its attribute says, and the file it stands in.
    fn function(
        &self,
        path: &syn::Path,
        uses: &[Vec<ItemUse>],
        file: usize,
    ) -> Option<(ItemFn, TokenStream, Callee, usize)> {
        let is_ours = |item: &Item| matches!(item, Item::Fn(function) if ours(&function.attrs).is_some());
        let Found { item, file } = self.neighbours.find(path, uses, file, &is_ours)?;
        let Item::Fn(function) = item else { return None };
        let (kind, arguments) = ours(&function.attrs)?;
        Some((function, arguments, kind, file))
    }

    /// The name of the message whose type this path names.
    pub(super) fn message(&self, path: &syn::Path, uses: &[Vec<ItemUse>], file: usize) -> Option<String> {
        let is_message = |item: &Item| matches!(item, Item::Struct(item) if derives(&item.attrs, "Message"));
        let Found { item, .. } = self.neighbours.find(path, uses, file, &is_message)?;
        if let Item::Struct(item) = item { Some(derive_message::name_of(item)) } else { None }
    }

    fn step(&self, function: &ItemFn, arguments: TokenStream, file: usize) -> StepFacts {
        let attribute = read_step(function, arguments);
        let compensation = attribute.compensate.as_ref().map(|undo| self.compensation(&undo.path, file));
        StepFacts {
            label: label(attribute.label.as_deref(), function).into(),
            effect: attribute.effect,
            retry: attribute.retry,
            timeout_ms: attribute.timeout_ms,
            errors: self.errors(&function.sig.output, file).into(),
            compensation,
            task: attribute.task,
            participant: attribute.participant.unwrap_or_default().into(),
            ..StepFacts::named(&attribute.name)
        }
    }

    fn compensation(&self, path: &syn::Path, file: usize) -> CompensationFacts {
        let name = path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default();
        let known = self.function(path, &[], file).filter(|(_, _, kind, _)| *kind == Callee::Step);
        let (label, task) = match known {
            Some((function, arguments, ..)) => {
                let attribute = read_step(&function, arguments);
                (label(attribute.label.as_deref(), &function), attribute.task)
            }
            None => (humanise(&name), workflow_graph::Task::Service),
        };
        CompensationFacts {
            step: name.into(),
            was: Vec::new().into(),
            takes: "".into(),
            label: label.into(),
            wiring: Vec::new().into(),
            retriable: true,
            task,
            participant: "".into(),
            facts: None,
        }
    }

    fn subflow(&self, function: &ItemFn, arguments: TokenStream, file: usize) -> Option<NodeKind> {
        let options = attribute::parse(Kind::Subflow, arguments, &mut Errors::default());
        let name = function.sig.ident.unraw().to_string();
        // By which the exporter knows a subflow that stands in itself; all that it then needs is the name.
        let source = Source { file: name.clone().into(), line: u32::try_from(file).unwrap_or(u32::MAX) };
        let mut graph = Graph { source, ..Graph::named(&name) };
        if !self.around.contains(&name) {
            let raw = RawFn::read(function.to_token_stream()).ok()?;
            let body = awaits::parse_body(&raw).ok()?;
            let mut errors = Errors::default();
            let lowered =
                check(Kind::Subflow, &raw, &body, &mut errors).lowered.filter(|_| errors.is_empty())?;
            let around = self.around.iter().cloned().chain([name.clone()]).collect();
            let nodes = Callees { neighbours: self.neighbours, around }.nodes(&lowered, file);
            graph.errors = self.own_errors(&lowered, &function.sig.output, file).into();
            (graph.nodes, graph.flows) = (nodes.into(), lowered.flows.into());
            if !graph.defects().is_empty() {
                return None;
            }
        }
        // It lives as long as rustdoc expands this crate.
        let graph: &'static Graph = Box::leak(Box::new(graph));
        Some(NodeKind::Subflow(SubflowFacts {
            label: label(options.label.as_deref(), function).into(),
            errors: self.errors(&function.sig.output, file).into(),
            graph: Subgraph::of(graph),
            name: name.into(),
        }))
    }

    fn child(&self, function: &ItemFn, arguments: TokenStream, detached: bool, file: usize) -> ChildFacts {
        let options = attribute::parse(Kind::Workflow, arguments, &mut Errors::default());
        let name = options.name.unwrap_or_else(|| function.sig.ident.unraw().to_string());
        ChildFacts {
            label: label(options.label.as_deref(), function).into(),
            detached,
            errors: self.errors(&function.sig.output, file).into(),
            graph: Subgraph::of(Box::leak(Box::new(Graph::named(&name)))),
            workflow: name.into(),
        }
    }

    /// The ways in which a function fails, where branches that fail together stand in it.
    pub(super) fn own_errors(&self, lowered: &Lowered, output: &ReturnType, file: usize) -> Vec<ErrorFacts> {
        let has_block = lowered.nodes.iter().any(|node| node.kind == NodeKind::Block);
        if has_block { self.errors(output, file) } else { Vec::new() }
    }

    /// The ways to fail that the error of a `Result` names.
    fn errors(&self, output: &ReturnType, file: usize) -> Vec<ErrorFacts> {
        error_type(output).map(|path| self.errors_of(path, file, MOST_WRAPPERS)).unwrap_or_default()
    }

    /// The ways to fail of the type that this path names, with those of the errors inside of it, so many levels deep.
    fn errors_of(&self, path: &syn::Path, file: usize, depth: usize) -> Vec<ErrorFacts> {
        let is_error = |item: &Item| match item {
            Item::Enum(item) => derives(&item.attrs, "StepError"),
            Item::Struct(item) => derives(&item.attrs, "StepError"),
            _ => false,
        };
        let Some(found) = self.neighbours.find(path, &[], file, &is_error) else {
            let is_ours = path.segments.last().is_some_and(|last| last.ident == "TimedOut");
            return is_ours.then(timed_out).into_iter().collect();
        };
        let mut errors = Errors::default();
        let failings: Vec<Failing> = match &found.item {
            Item::Enum(item) => {
                let failing = |one: &syn::Variant, errors: &mut Errors| {
                    Failing::of(&one.ident, &one.attrs, &one.fields, errors)
                };
                item.variants.iter().map(|one| failing(one, &mut errors)).collect()
            }
            Item::Struct(item) => vec![Failing::of(&item.ident, &item.attrs, &item.fields, &mut errors)],
            _ => Vec::new(),
        };
        let facts = failings.into_iter().map(|failing| {
            let variant = failing.variant.unraw().to_string();
            let wraps = match &failing.wraps {
                Some(Type::Path(inner)) if depth > 0 => self.errors_of(&inner.path, found.file, depth - 1),
                _ => Vec::new(),
            };
            ErrorFacts {
                code: failing.code().into(),
                variant: variant.into(),
                label: failing.label.into(),
                transient: false,
                // It lives as long as rustdoc expands this crate.
                wraps: wraps.leak(),
            }
        });
        facts.collect()
    }
}

/// The one step error that comes with the language.
fn timed_out() -> ErrorFacts {
    ErrorFacts {
        variant: "TimedOut".into(),
        code: "TimedOut".into(),
        label: "Timed out".into(),
        transient: false,
        wraps: &[],
    }
}

/// How many errors may be inside of each other; one that is inside of itself has no end.
const MOST_WRAPPERS: usize = 4;

/// A step with what its call says in place of it. What is kept as text lives as long as rustdoc expands this crate.
fn in_place_of(step: NodeKind, operation: &Operation) -> NodeKind {
    let step = match &operation.timeout {
        Some(Said::Literal(ms)) => step.with_timeout_ms(*ms),
        Some(Said::Computed(text)) => step.with_computed_timeout(text.clone().leak()),
        None => step,
    };
    let step = match &operation.retry {
        Some(Said::Literal(policy)) => step.with_retry(*policy),
        Some(Said::Computed(text)) => step.with_computed_retry(text.clone().leak()),
        None => step,
    };
    if operation.without_compensation { step.without_compensation() } else { step }
}

/// What an attribute of ours makes of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callee {
    Step,
    Subflow,
    Workflow,
}

/// The attribute of ours on a function, and what it says.
fn ours(attributes: &[Attribute]) -> Option<(Callee, TokenStream)> {
    attributes.iter().find_map(|attribute| {
        let kind = match attribute.path().segments.last()?.ident.to_string().as_str() {
            "step" => Callee::Step,
            "subflow" => Callee::Subflow,
            "workflow" => Callee::Workflow,
            _ => return None,
        };
        let arguments = attribute.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default();
        Some((kind, arguments))
    })
}

fn read_step(function: &ItemFn, arguments: TokenStream) -> step::attribute::Attribute {
    step::attribute::Attribute::read(arguments, &function.sig.ident, &mut Errors::default())
}

fn label(given: Option<&str>, function: &ItemFn) -> String {
    let written = given.map(str::to_owned).or_else(|| docs::split(&function.attrs).label);
    written.unwrap_or_else(|| humanise(&function.sig.ident.unraw().to_string()))
}

fn derives(attributes: &[Attribute], what: &str) -> bool {
    let derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    derives.into_iter().any(|derive| {
        let words = derive.to_token_stream().to_string();
        words.split(|c: char| !c.is_alphanumeric()).any(|word| word == what)
    })
}

/// The second argument of `Result<.., ..>`.
fn error_type(output: &ReturnType) -> Option<&syn::Path> {
    let ReturnType::Type(_, ty) = output else { return None };
    let Type::Path(result) = &**ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &result.path.segments.last()?.arguments else {
        return None;
    };
    match arguments.args.iter().nth(1)? {
        GenericArgument::Type(Type::Path(error)) => Some(&error.path),
        _ => None,
    }
}
