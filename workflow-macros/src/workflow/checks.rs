//! The checks that only types can answer: constants behind the body that panic while the compiler evaluates them.
//! Each stands at the user's tokens and calls one function of the graph crate, which decides.

mod saga;

use std::collections::BTreeMap;

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use workflow_graph::{Flow, FlowKind, Node, NodeIndex, NodeKind};

use super::allow::Rule;
use super::conform;
use super::emit::Source;
use super::lower::{Operation, What};
use super::phrases::source_text;
use super::statics;

/// All checks of the graph. They see it as `__GRAPH`, and the graph crate as `__graph`.
pub(super) fn of_graph(source: &Source<'_>) -> TokenStream {
    let Some(lowered) = &source.lowered else { return TokenStream::new() };
    let operation = |node: usize| lowered.operations.iter().find(|operation| operation.node == node);
    let mut asked = Asked::default();
    for flow in &lowered.flows {
        if let Some(operation) = operation(flow.from) {
            asked.extend(flow.from, error_check(flow, operation));
        }
        if let Some(operation) = operation(flow.to) {
            asked.extend(flow.to, race_check(&lowered.nodes, flow, operation));
            let is_allowed = source.allows.cover(Rule::RaceEffect, lowered.spans[flow.to]);
            asked.extend(flow.to, loser_check(&lowered.nodes, flow, operation).filter(|_| !is_allowed));
        }
    }
    let order = saga::order(lowered);
    saga::ask(source, lowered, &mut asked);
    let of_types = [saga::unused(source, lowered), statics::checks(&source.statics)];
    let model = source.model.as_ref().map(|model| conform::checks(model, lowered, &source.allows));
    [order, asked.constants()].into_iter().chain(of_types).chain(model).collect()
}

/// What is asked about each operation, and about what else can be wrong. Each has one constant, so that a mistake at
/// one hides none at another; and not more, since a constant costs the compiler as much as a function.
#[derive(Default)]
struct Asked(BTreeMap<NodeIndex, Vec<TokenStream>>);

impl Asked {
    fn extend(&mut self, node: NodeIndex, check: impl IntoIterator<Item = TokenStream>) {
        for check in check {
            self.0.entry(node).or_default().push(check);
        }
    }

    fn constants(self) -> TokenStream {
        let constants = self.0.into_values().map(|checks| match &checks[..] {
            [check] => quote! { const _: () = #check; },
            checks => quote! { const _: () = { #(#checks;)* }; },
        });
        constants.collect()
    }
}

/// What is reported and not refused. It stands outside of all else, so that rustc gives it no long name.
pub(super) fn warnings(source: &Source<'_>) -> Vec<TokenStream> {
    let swallowed = source.lowered.iter().flat_map(|lowered| &lowered.swallowed);
    let told = swallowed.filter(|span| !source.allows.cover(Rule::SwallowedError, **span));
    told.map(|&span| swallowed_warning(span)).collect()
}

/// WF044: an error that is told apart is one of the step's own, under its own name.
fn error_check(flow: &Flow, operation: &Operation) -> Option<TokenStream> {
    let FlowKind::Error { variant, .. } = &flow.kind else { return None };
    let (node, name) = (Literal::usize_unsuffixed(flow.from), &**variant);
    Some(quote_spanned! {operation.span=> __graph::check_error(&__GRAPH, #node, #name)})
}

/// WF005: what a `select!` withdraws must not stop half way.
fn race_check(nodes: &[Node], flow: &Flow, operation: &Operation) -> Option<TokenStream> {
    let (NodeKind::Race, What::Call(path)) = (&nodes[flow.from].kind, &operation.what) else { return None };
    let (node, name) = (flow.to, source_text(path));
    let text = format!(
        "WF005: `{name}` is a subflow: in `select!` it could be withdrawn half way, between two of its steps; name one \
         operation here, and call the subflow inside an arm; see docs/errors/WF005.md"
    );
    Some(quote_spanned! {operation.span=>
        if __graph::is_subflow(&__GRAPH, #node) { ::core::panic!(#text) }
    })
}

/// WF006: what loses a `select!` may have happened all the same.
fn loser_check(nodes: &[Node], flow: &Flow, operation: &Operation) -> Option<TokenStream> {
    let (NodeKind::Race, What::Call(path) | What::Detached(path)) = (&nodes[flow.from].kind, &operation.what)
    else {
        return None;
    };
    let (node, name) = (flow.to, source_text(path));
    Some(quote_spanned!(operation.span=> __graph::check_loser(&__GRAPH, #node, #name)))
}

/// WF042: an arm that takes errors which nobody has named is reported, not refused: rustc warns of what is deprecated.
fn swallowed_warning(place: Span) -> TokenStream {
    let text = "WF042: an error that the step gets later would be taken here unseen; name the variants that are meant, \
                or pass the others on with `Err(error) => return Err(error.into())`; see docs/errors/WF042.md";
    quote_spanned! {place=>
        const _: () = {
            #[deprecated(note = #text)]
            const fn swallows_errors() {}
            swallows_errors()
        };
    }
}
