//! WF033, WF034, WF036, WF037 and WF038: the order of a saga, looked at once for the whole graph and told at each node.
//! What is in order is decided by `workflow_graph::SagaOrder`; here is only where that is asked.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::ExprPath;
use workflow_graph::{Flow, FlowKind, Node, NodeIndex, NodeKind, Outcome};

use super::super::allow::Rule;
use super::super::emit::{Kind, Source};
use super::super::lower::{Lowered, Operation, What};
use super::super::phrases::source_text;
use super::Asked;

/// The order of the whole graph, as `__SAGA`.
pub(super) fn order(lowered: &Lowered) -> TokenStream {
    let count = Literal::usize_unsuffixed(lowered.nodes.len());
    quote! { static __SAGA: __graph::SagaOrder<#count> = __graph::SagaOrder::of(&__GRAPH); }
}

/// What is wrong at each call and at each end.
pub(super) fn ask(source: &Source<'_>, lowered: &Lowered, asked: &mut Asked) {
    for (node, path) in lowered.operations.iter().filter_map(called) {
        asked.extend(node, [refused_call(source, lowered, node, path)]);
    }
    let is_end = |node: &Node| matches!(node.kind, NodeKind::End(Outcome::Failure) | NodeKind::Compensate);
    for (node, _) in lowered.nodes.iter().enumerate().filter(|(_, node)| is_end(node)) {
        asked.extend(asked_with(lowered, node), [refused_end(source, lowered, node)]);
    }
}

/// The operation whose `?` this end is, or the end itself: of an operation about which something is said, nothing is
/// said about how it fails.
fn asked_with(lowered: &Lowered, end: NodeIndex) -> NodeIndex {
    let mut ways = lowered.flows.iter().filter(|flow| flow.to == end);
    match (ways.next(), ways.next()) {
        (Some(Flow { from, kind: FlowKind::Error { .. }, .. }), None) => *from,
        _ => end,
    }
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
    quote_spanned!(span=> __SAGA.check_call(&__GRAPH, #node, #may_keep, #name))
}

fn refused_end(source: &Source<'_>, lowered: &Lowered, node: NodeIndex) -> TokenStream {
    let span = lowered.spans[node];
    let may_keep = source.allows.cover(Rule::KeptEffect, span);
    let node = Literal::usize_unsuffixed(node);
    quote_spanned!(span=> __SAGA.check_end(&__GRAPH, #node, #may_keep))
}

/// WF037, warnings. In a subflow there are none: those who call it may still fail.
pub(super) fn unused(source: &Source<'_>, lowered: &Lowered) -> TokenStream {
    let calls = lowered.operations.iter().filter_map(called).map(|(node, _)| (node, lowered.spans[node]));
    let told = calls
        .filter(|(node, _)| !leads_to_an_operation(lowered, *node))
        .filter(|(_, span)| !source.allows.cover(Rule::UnusedCompensation, *span));
    let reports: Vec<_> = told
        .map(|(node, span)| {
            let node = Literal::usize_unsuffixed(node);
            quote_spanned!(span=> __graph::Unused::<{ __SAGA.never_undoes(#node) }>::report();)
        })
        .collect();
    if source.kind == Kind::Subflow || reports.is_empty() {
        return TokenStream::new();
    }
    quote! { const _: () = { #(#reports)* }; }
}

/// Whether an operation surely comes within reach once this one has succeeded, whatever its types tell: in its midst
/// the run can be cancelled, and then this one is undone.
fn leads_to_an_operation(lowered: &Lowered, node: NodeIndex) -> bool {
    let mut reached = vec![false; lowered.nodes.len()];
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        let ways = lowered.flows.iter().filter(|flow| flow.from == node);
        for flow in ways.filter(|flow| !matches!(flow.kind, FlowKind::Error { .. })) {
            match &lowered.nodes[flow.to].kind {
                kind if kind.is_operation() => return true,
                NodeKind::Compensate => return true,
                // Whether what is in it can be reached is for those to say who know all about it.
                NodeKind::Block => {}
                _ if !reached[flow.to] => open.push(flow.to),
                _ => {}
            }
            reached[flow.to] = true;
        }
    }
    false
}
