//! The checks that only types can answer: constants behind the body that panic while the compiler evaluates them.
//! Each stands at the user's tokens and calls one function of the graph crate, which decides.

mod saga;

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;
use workflow_graph::{Flow, FlowKind, Node, NodeKind};

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
    let errors = lowered.flows.iter().filter_map(|flow| error_check(flow, operation(flow.from)?));
    let races = lowered.flows.iter().filter_map(|flow| race_check(&lowered.nodes, flow, operation(flow.to)?));
    let losers = lowered
        .flows
        .iter()
        .filter(|flow| !source.allows.cover(Rule::RaceEffect, lowered.spans[flow.to]))
        .filter_map(|flow| loser_check(&lowered.nodes, flow, operation(flow.to)?));
    let order = saga::order(lowered);
    let of_types = [saga::checks(source, lowered), statics::checks(&source.statics)];
    let model = source.model.as_ref().map(|model| conform::checks(model, lowered, &source.allows));
    let calls = errors.chain(races).chain(losers);
    [order].into_iter().chain(calls).chain(of_types).chain(model).collect()
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
    Some(quote_spanned! {operation.span=> const _: () = __graph::check_error(&__GRAPH, #node, #name);})
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
        const _: () = if __graph::is_subflow(&__GRAPH, #node) { ::core::panic!(#text) };
    })
}

/// WF006: what loses a `select!` may have happened all the same.
fn loser_check(nodes: &[Node], flow: &Flow, operation: &Operation) -> Option<TokenStream> {
    let (NodeKind::Race, What::Call(path)) = (&nodes[flow.from].kind, &operation.what) else { return None };
    let (node, name) = (flow.to, source_text(path));
    let text = format!(
        "WF006: `{name}` may lose this `select!` after it ran, and nothing undoes it then; write \
         `#[step(read_only)]`, `#[step(compensate = ..)]` or, if it heeds a cancel, `#[step(cancellable)]`, or call \
         it inside an arm; see docs/errors/WF006.md"
    );
    Some(quote_spanned! {operation.span=>
        const _: () = if __graph::keeps_lost_effect(&__GRAPH, #node) { ::core::panic!(#text) };
    })
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
