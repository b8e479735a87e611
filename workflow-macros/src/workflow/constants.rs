//! The graph as constants behind the body, with the checks that only types can answer.
//! Everything is written beside the user's text, so that an identifier keeps its one definition.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, ItemUse};
use workflow_graph::{NodeKind, literal};

use super::checks;
use super::emit::{Kind, Source, errors, label};
use super::lower::{Operation, What};
use super::policies::Said;
use super::schedule::Schedule;
use crate::editor;
use crate::step::facts::policy_tokens;

/// The value of the constant that is the graph.
pub(super) fn graph(source: &Source<'_>, name: &str, version: u32) -> TokenStream {
    let lowered = source.lowered.as_ref().filter(|_| !editor::asks());
    let Some(lowered) = lowered else { return empty_graph(name, version) };
    let label = label(source);
    let (takes, gives) = (source.takes(), source.gives());
    let operation = |node: usize| lowered.operations.iter().find(|operation| operation.node == node);
    let given: Vec<Option<TokenStream>> = lowered
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| given_kind(&node.kind, operation(index)?))
        .collect();
    let nodes = literal::write_nodes(&lowered.nodes, |node| given[node].is_some());
    let flows = literal::write_flows(&lowered.flows);
    let given = given.iter().flatten();
    let count = |items: usize| Literal::usize_unsuffixed(items);
    let messages = messages(source);
    let message_count = count(messages.len());
    let known_messages = (!messages.is_empty())
        .then(|| quote!(static __MESSAGES: [__graph::MessageFacts; #message_count] = [#(#messages),*];));
    let mut more = more(source);
    more.extend(known_messages.is_some().then(|| quote!(.with_messages(&__MESSAGES))));
    let has_block = lowered.nodes.iter().any(|node| node.kind == NodeKind::Block);
    let errors = errors(source.function).filter(|_| has_block);
    more.extend(errors.map(|errors| quote!(.with_own_errors(#errors))));
    let checks = checks::of_graph(source);
    let lock = match source.kind {
        Kind::Workflow => source.locked.check(lowered),
        Kind::Subflow => TokenStream::new(),
    };
    let line = u32::try_from(source.function.sig.ident.span().start().line).unwrap_or(0);
    let (line, version) = (Literal::u32_unsuffixed(line), Literal::u32_unsuffixed(version));
    let (node_count, flow_count) = (count(lowered.nodes.len()), count(lowered.flows.len()));
    quote! {
        #[allow(unused_imports)]
        use ::workflow_runtime::__private::{core::kind_of as __kind_of, graph as __graph};
        static __NODES: [__graph::Node; #node_count] = __graph::literal::nodes(#nodes, [#(#given),*]);
        static __FLOWS: [__graph::Flow; #flow_count] = __graph::literal::flows(#flows);
        #known_messages
        static __GRAPH: __graph::Graph = __graph::literal::graph(
            #name, #version, #label, #line, __graph::Signature::of(#takes, #gives), &__NODES, &__FLOWS,
        ) #more;
        #checks
        #lock
        __graph::Subgraph::of(&__GRAPH)
    }
}

/// What only some workflows say.
fn more(source: &Source<'_>) -> TokenStream {
    let mut more = TokenStream::new();
    let documentation = &source.docs.documentation;
    if !documentation.is_empty() {
        more.extend(quote!(.with_documentation(#documentation)));
    }
    if let Some(owner) = source.options.owner.as_ref().filter(|owner| !owner.is_empty()) {
        more.extend(quote!(.with_owner(#owner)));
    }
    if let Some(trigger) = trigger(source) {
        more.extend(quote!(.with_trigger(#trigger)));
    }
    if let Some(deadline_ms) = source.options.deadline_ms.map(Literal::u64_unsuffixed) {
        more.extend(quote!(.with_deadline_ms(#deadline_ms)));
    }
    if let Some(priority) = source.options.priority.filter(|&priority| priority != 0) {
        let priority = Literal::i8_unsuffixed(priority);
        more.extend(quote!(.with_priority(#priority)));
    }
    let allowances: Vec<_> = source
        .allows
        .iter()
        .map(|allow| {
            let (rule, reason) = (borrowed(&allow.name), borrowed(&allow.reason));
            let line = Literal::u32_unsuffixed(u32::try_from(allow.line).unwrap_or(0));
            quote!(__graph::Allowance { rule: #rule, reason: #reason, line: #line })
        })
        .collect();
    if !allowances.is_empty() {
        more.extend(quote!(.with_allowances(&[#(#allowances),*])));
    }
    more
}

/// A text of a constant.
pub(super) fn borrowed(text: impl ToTokens) -> TokenStream {
    quote!(::std::borrow::Cow::Borrowed(#text))
}

/// What starts a run by itself.
fn trigger(source: &Source<'_>) -> Option<TokenStream> {
    match &source.options.on {
        Some(message) => {
            let name = quote!(<#message as ::workflow_runtime::__private::core::Message>::NAME);
            let name = borrowed(name);
            Some(quote_spanned!(message.span()=> __graph::Trigger::Message(#name)))
        }
        None => source.options.schedule.as_ref().map(Schedule::trigger),
    }
}

/// For a body that rustc will complain about anyway, and for editors, which evaluate no constants.
fn empty_graph(name: &str, version: u32) -> TokenStream {
    quote! {
        use ::workflow_runtime::__private::graph as __graph;
        static __GRAPH: __graph::Graph =
            __graph::literal::graph(#name, #version, "", 0, __graph::Signature::UNKNOWN, &[], &[]);
        __graph::Subgraph::of(&__GRAPH)
    }
}

/// What a node is, where only types can tell.
fn given_kind(kind: &NodeKind, operation: &Operation) -> Option<TokenStream> {
    let kind = match (kind, &operation.what) {
        (NodeKind::Step(_), What::Call(path)) => {
            let path = beside(path, operation.span);
            let mut kind = quote!(__kind_of(#path));
            kind.extend(in_place_of_the_step(operation));
            kind
        }
        (NodeKind::Child(_), What::Detached(path)) => {
            let path = beside(path, operation.span);
            quote!(::workflow_runtime::__private::core::detached_kind_of(#path))
        }
        (NodeKind::Send { publishes, .. }, What::Send(message)) => {
            let name = borrowed(name_of_message(message, operation));
            return Some(quote!(__graph::NodeKind::Send { message: #name, publishes: #publishes }));
        }
        (NodeKind::Receive { deadline, .. }, What::Receive(message)) => {
            let name = borrowed(name_of_message(message, operation));
            let deadline = optional(deadline.as_ref().map(span));
            return Some(quote!(__graph::NodeKind::Receive { message: #name, deadline: #deadline }));
        }
        _ => return None,
    };
    Some(under(Some(operation), kind))
}

/// What a call says in place of its step.
fn in_place_of_the_step(operation: &Operation) -> TokenStream {
    let mut said = TokenStream::new();
    said.extend(operation.timeout.as_ref().map(|timeout| match timeout {
        Said::Literal(ms) => {
            let ms = Literal::u64_unsuffixed(*ms);
            quote!(.with_timeout_ms(#ms))
        }
        Said::Computed(text) => quote!(.with_computed_timeout(#text)),
    }));
    said.extend(operation.retry.as_ref().map(|retry| match retry {
        Said::Literal(policy) => {
            let policy = policy_tokens(policy, quote!(__graph));
            quote!(.with_retry(#policy))
        }
        Said::Computed(text) => quote!(.with_computed_retry(#text)),
    }));
    said.extend(operation.without_compensation.then(|| quote!(.without_compensation())));
    said
}

/// The facts about each message that the function begins with, waits for or sends.
fn messages(source: &Source<'_>) -> Vec<TokenStream> {
    let facts = |message: &dyn ToTokens, operation: Option<&Operation>| {
        let message = message.to_token_stream();
        let facts = quote!(<#message as ::workflow_runtime::__private::core::Message>::FACTS);
        under(operation, facts)
    };
    let begins = source.options.on.as_ref().map(|message| facts(message, None));
    let operations = source.lowered.iter().flat_map(|lowered| &lowered.operations);
    let passed = operations.filter_map(|operation| match &operation.what {
        What::Receive(message) | What::Send(message) => Some(facts(message, Some(operation))),
        _ => None,
    });
    let mut told = BTreeSet::new();
    begins.into_iter().chain(passed).filter(|facts| told.insert(facts.to_string())).collect()
}

fn name_of_message(message: &impl ToTokens, operation: &Operation) -> TokenStream {
    let name = quote!(<#message as ::workflow_runtime::__private::core::Message>::NAME);
    under(Some(operation), name)
}

fn optional(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn span(span: &workflow_graph::Span) -> TokenStream {
    let (iso, text) = (&*span.iso, &*span.text);
    quote!(__graph::Span::literal(#iso, #text))
}

/// The position of an await that stands at no node: it only gives a value.
const NOWHERE: usize = usize::MAX;

/// The node of each `.await`, in the order of the text.
pub(super) fn positions(source: &Source<'_>) -> Vec<usize> {
    let Some(lowered) = &source.lowered else { return Vec::new() };
    let mut positions = vec![NOWHERE; lowered.awaits];
    for operation in &lowered.operations {
        positions[operation.await_number] = operation.node;
    }
    positions
}

/// All that the function awaits.
pub(super) fn parts(source: &Source<'_>) -> TokenStream {
    if editor::asks() {
        return TokenStream::new(); // A name that stands in the text once should be found once.
    }
    let operations = source.lowered.iter().flat_map(|lowered| &lowered.operations);
    let calls = operations.filter_map(|operation| match &operation.what {
        What::Call(path) | What::Detached(path) => {
            let path = beside(path, operation.span);
            Some(under(Some(operation), quote!(parts.call(#path);)))
        }
        _ => None,
    });
    quote!(let _ = &parts; #(#calls)*)
}

/// An expression with the names that the operation sees; an inner block's `use` hides an outer one's.
fn under(operation: Option<&Operation>, expression: TokenStream) -> TokenStream {
    within(operation.map(|operation| &operation.uses[..]).unwrap_or_default(), expression)
}

/// The same, with these declarations, block by block.
pub(super) fn within(uses: &[Vec<ItemUse>], expression: TokenStream) -> TokenStream {
    uses.iter().rev().fold(expression, |inner, uses| quote!({ #(#[allow(unused_imports)] #uses)* #inner }))
}

/// The user's path with its meaning, at another place of the text.
fn beside(path: &ExprPath, place: Span) -> ExprPath {
    let mut path = path.clone();
    path.attrs.clear();
    for segment in &mut path.path.segments {
        segment.ident = relocated(&segment.ident, place);
    }
    path
}

pub(super) fn relocated(ident: &Ident, place: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(ident.span().located_at(place));
    ident
}
