//! WF033, WF034, WF036, WF037 and WF038: the order of a saga, looked at once for the whole graph and told at each node.
//! What is in order is decided by `workflow_graph::SagaOrder`; here is only where that is asked.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::ExprPath;
use workflow_graph::{Node, NodeIndex, NodeKind, Outcome};

use super::super::allow::Rule;
use super::super::emit::{Kind, Source};
use super::super::lower::{Lowered, Operation, What};
use super::super::phrases::source_text;

/// The order of the whole graph, as `__SAGA`.
pub(super) fn order(lowered: &Lowered) -> TokenStream {
    let count = Literal::usize_unsuffixed(lowered.nodes.len());
    quote! { static __SAGA: __graph::SagaOrder<#count> = __graph::SagaOrder::of(&__GRAPH); }
}

/// What is wrong at each call and at each end. Each has a constant of its own, so that all is told at once.
pub(super) fn checks(source: &Source<'_>, lowered: &Lowered) -> TokenStream {
    let calls: Vec<(NodeIndex, &ExprPath)> = lowered.operations.iter().filter_map(called).collect();
    let is_end = |node: &Node| matches!(node.kind, NodeKind::End(Outcome::Failure) | NodeKind::Compensate);
    let ends = lowered.nodes.iter().enumerate().filter(|(_, node)| is_end(node));
    let mut checks = TokenStream::new();
    checks.extend(calls.iter().map(|(node, path)| refused_call(source, lowered, *node, path)));
    checks.extend(ends.map(|(node, _)| refused_end(source, lowered, node)));
    checks.extend(unused(source, lowered, calls.iter().map(|(node, _)| *node)));
    checks
}

fn called(operation: &Operation) -> Option<(NodeIndex, &ExprPath)> {
    match &operation.what {
        What::Call(path) => Some((operation.node, path)),
        _ => None,
    }
}

fn refused_call(source: &Source<'_>, lowered: &Lowered, node: NodeIndex, path: &ExprPath) -> TokenStream {
    let (span, name) = (lowered.spans[node], source_text(path));
    let may_keep = source.allows.cover(Rule::KeptEffect, span);
    let node = Literal::usize_unsuffixed(node);
    quote_spanned!(span=> const _: () = __SAGA.check_call(&__GRAPH, #node, #may_keep, #name);)
}

fn refused_end(source: &Source<'_>, lowered: &Lowered, node: NodeIndex) -> TokenStream {
    let span = lowered.spans[node];
    let may_keep = source.allows.cover(Rule::KeptEffect, span);
    let node = Literal::usize_unsuffixed(node);
    quote_spanned!(span=> const _: () = __SAGA.check_end(&__GRAPH, #node, #may_keep);)
}

/// WF037, warnings. In a subflow there are none: those who call it may still fail.
fn unused(
    source: &Source<'_>,
    lowered: &Lowered,
    calls: impl Iterator<Item = NodeIndex>,
) -> Option<TokenStream> {
    let told = calls.map(|node| (node, lowered.spans[node]));
    let told = told.filter(|(_, span)| !source.allows.cover(Rule::UnusedCompensation, *span));
    let reports = told.map(|(node, span)| {
        let node = Literal::usize_unsuffixed(node);
        quote_spanned!(span=> __graph::Unused::<{ __SAGA.never_undoes(#node) }>::report();)
    });
    (source.kind == Kind::Workflow).then(|| quote! { const _: () = { #(#reports)* }; })
}
