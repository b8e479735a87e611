//! WF033, WF034, WF036 and WF038: the order of a saga, looked at once for the whole graph and told at each node.
//! What is in order is decided by `workflow_graph::SagaOrder`; here is only where that is asked.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use workflow_graph::{NodeKind, Outcome};

use super::super::allow::Rule;
use super::super::emit::Source;
use super::super::lower::{Lowered, What};

/// The order of the whole graph, as `__SAGA`.
pub(super) fn order(lowered: &Lowered) -> TokenStream {
    let count = lowered.nodes.len();
    quote!(const __SAGA: __graph::SagaOrder<#count> = __graph::SagaOrder::of(&__GRAPH);)
}

/// What is wrong at each call and at each end.
pub(super) fn checks(source: &Source<'_>, lowered: &Lowered) -> TokenStream {
    let calls = lowered.operations.iter().filter(|operation| matches!(operation.what, What::Call(_)));
    let calls = calls.map(|operation| operation.node);
    let ends = lowered
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| matches!(node.kind, NodeKind::End(Outcome::Failure) | NodeKind::Compensate));
    let ends = ends.map(|(node, _)| node);
    let checks = calls.chain(ends).map(|node| {
        let span = lowered.spans[node];
        let may_keep = source.allows.cover(Rule::KeptEffect, span);
        quote_spanned! {span=>
            const _: () = if __SAGA.refuses(#node, #may_keep) {
                ::core::panic!("{}", __SAGA.notice(&__GRAPH, #node).text())
            };
        }
    });
    checks.collect()
}
