//! WF033, WF034, WF036, WF037 and WF038: the order of a saga, looked at once for the whole graph and told at each node.
//! What is in order is decided by `workflow_graph::SagaOrder`; here is only where that is asked.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use workflow_graph::{NodeIndex, NodeKind, Outcome};

use super::super::allow::Rule;
use super::super::emit::{Kind, Source};
use super::super::lower::{Lowered, What};

const UNUSED: &str = "WF037: the compensation of this call can never run: no cancel comes in the midst of a \
                      transactional step, and nothing behind it can fail; write `.without_compensation()`, or take it \
                      from the step; see docs/errors/WF037.md";

/// The order of the whole graph, as `__SAGA`; and what warns when a constant is true: an error would be a panic, and
/// for a warning a constant has nothing but the compiler's own.
pub(super) fn order(lowered: &Lowered) -> TokenStream {
    let count = lowered.nodes.len();
    quote! {
        static __SAGA: __graph::SagaOrder<#count> = __graph::SagaOrder::of(&__GRAPH);
        struct __Unused<const __IS_UNUSED: bool>;
        #[allow(dead_code)]
        impl __Unused<true> {
            #[deprecated(note = #UNUSED)]
            const fn report() {}
        }
        #[allow(dead_code)]
        impl __Unused<false> {
            const fn report() {}
        }
    }
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
    calls
        .clone()
        .chain(ends)
        .map(|node| refused(source, lowered, node))
        .chain(calls.filter(|_| source.kind == Kind::Workflow).map(|node| unused(source, lowered, node)))
        .collect()
}

fn refused(source: &Source<'_>, lowered: &Lowered, node: NodeIndex) -> TokenStream {
    let span = lowered.spans[node];
    let may_keep = source.allows.cover(Rule::KeptEffect, span);
    quote_spanned! {span=>
        const _: () = if __SAGA.refuses(#node, #may_keep) {
            ::core::panic!("{}", __SAGA.notice(&__GRAPH, #node).text())
        };
    }
}

/// WF037, a warning. In a subflow there is none: those who call it may still fail.
fn unused(source: &Source<'_>, lowered: &Lowered, node: NodeIndex) -> TokenStream {
    let span = lowered.spans[node];
    if source.allows.cover(Rule::UnusedCompensation, span) {
        return TokenStream::new();
    }
    quote_spanned!(span=> const _: () = __Unused::<{ __SAGA.never_undoes(#node) }>::report();)
}
