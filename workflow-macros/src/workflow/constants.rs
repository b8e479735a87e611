//! The graph as constants behind the body, with the checks that only types can answer.
//! Everything is written beside the user's text, so that an identifier keeps its one definition.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, ItemUse};
use workflow_graph::{Flow, FlowKind, Instances, Node, NodeKind, Outcome};

use super::checks;
use super::emit::{Kind, Source, label};
use super::lower::{Operation, What};
use super::schedule::Schedule;
use crate::editor;

/// The value of the constant that is the graph.
pub(super) fn graph(source: &Source<'_>, name: &str, version: u32) -> TokenStream {
    let lowered = source.lowered.as_ref().filter(|_| !editor::asks());
    let Some(lowered) = lowered else { return empty_graph(name, version) };
    let label = label(source);
    let documentation = &source.docs.documentation;
    let trigger = trigger(source);
    let owner = source.options.owner.clone().unwrap_or_default();
    let deadline_ms = optional(source.options.deadline_ms.map(|deadline_ms| quote!(#deadline_ms)));
    let priority = Literal::i8_unsuffixed(source.options.priority.unwrap_or_default());
    let (takes, gives) = (source.takes(), source.gives());
    let signature = quote!(__graph::Signature::of(#takes, #gives));
    let operation = |node: usize| lowered.operations.iter().find(|operation| operation.node == node);
    let nodes = lowered.nodes.iter().enumerate().map(|(index, item)| node(item, operation(index)));
    let flows = lowered.flows.iter().map(flow);
    let allowances = source.allows.iter().map(|allow| {
        let (rule, reason, line) = (&allow.name, &allow.reason, u32::try_from(allow.line).unwrap_or(0));
        quote!(__graph::Allowance { rule: __borrowed(#rule), reason: __borrowed(#reason), line: #line })
    });
    let checks = checks::of_graph(source);
    let lock = match source.kind {
        Kind::Workflow => source.locked.check(lowered),
        Kind::Subflow => TokenStream::new(),
    };
    let line = u32::try_from(source.function.sig.ident.span().start().line).unwrap_or(0);
    let (node_count, flow_count) = (lowered.nodes.len(), lowered.flows.len());
    quote! {
        #[allow(unused_imports)]
        use ::workflow_runtime::__private::graph::{self as __graph, NodeKind as __kind, literal as __literal};
        use ::std::borrow::Cow::Borrowed as __borrowed;
        const __NODES: [__graph::Node; #node_count] = [#(#nodes),*];
        const __FLOWS: [__graph::Flow; #flow_count] = [#(#flows),*];
        static __GRAPH: __graph::Graph = __graph::Graph {
            workflow: __borrowed(#name),
            version: #version,
            label: __borrowed(#label),
            documentation: __borrowed(#documentation),
            owner: __borrowed(#owner),
            trigger: #trigger,
            deadline_ms: #deadline_ms,
            priority: #priority,
            signature: #signature,
            source: __graph::Source::at(::core::file!(), #line),
            nodes: __borrowed(&__NODES),
            flows: __borrowed(&__FLOWS),
            allowances: __borrowed(&[#(#allowances),*]),
        };
        #checks
        #lock
        __graph::Subgraph::of(&__GRAPH)
    }
}

/// What starts a run by itself.
fn trigger(source: &Source<'_>) -> TokenStream {
    match &source.options.on {
        Some(message) => quote_spanned! {message.span()=>
            __graph::Trigger::Message(__borrowed(<#message as ::workflow_runtime::__private::core::Message>::NAME))
        },
        None => {
            let schedule = source.options.schedule.as_ref().map(Schedule::trigger);
            schedule.unwrap_or_else(|| quote!(__graph::Trigger::None))
        }
    }
}

/// For a body that rustc will complain about anyway, and for editors, which evaluate no constants.
fn empty_graph(name: &str, version: u32) -> TokenStream {
    quote! {
        use ::workflow_runtime::__private::graph as __graph;
        use ::std::borrow::Cow::Borrowed as __borrowed;
        static __GRAPH: __graph::Graph = __graph::Graph {
            workflow: __borrowed(#name),
            version: #version,
            label: __borrowed(""),
            documentation: __borrowed(""),
            owner: __borrowed(""),
            trigger: __graph::Trigger::None,
            deadline_ms: ::core::option::Option::None,
            priority: 0,
            signature: __graph::Signature::UNKNOWN,
            source: __graph::Source::UNKNOWN,
            nodes: __borrowed(&[]),
            flows: __borrowed(&[]),
            allowances: __borrowed(&[]),
        };
        __graph::Subgraph::of(&__GRAPH)
    }
}

fn node(node: &Node, operation: Option<&Operation>) -> TokenStream {
    let (id, label, line) = (&*node.id, &*node.label, node.line);
    let kind = match (&node.kind, operation.map(|operation| &operation.what)) {
        (NodeKind::Step(_), Some(What::Call(path))) => {
            let path = beside(path, operation.map_or_else(Span::call_site, |operation| operation.span));
            let timeout_ms = operation.and_then(|operation| operation.timeout_ms);
            let stays = operation.is_some_and(|operation| operation.without_compensation);
            let mut kind = quote!(::workflow_runtime::__private::core::kind_of(#path));
            if timeout_ms.is_some() || stays {
                let timeout_ms = optional(timeout_ms.map(|timeout_ms| quote!(#timeout_ms)));
                kind.extend(quote!(.of_call(#timeout_ms, #stays)));
            }
            under(operation, kind)
        }
        (NodeKind::Child(_), Some(What::Detached(path))) => {
            let path = beside(path, operation.map_or_else(Span::call_site, |operation| operation.span));
            under(operation, quote!(::workflow_runtime::__private::core::detached_kind_of(#path)))
        }
        (NodeKind::Send { publishes, .. }, Some(What::Send(message))) => {
            let name = quote!(<#message as ::workflow_runtime::__private::core::Message>::NAME);
            let name = under(operation, name);
            quote!(__kind::Send { message: __borrowed(#name), publishes: #publishes })
        }
        (NodeKind::Receive { deadline, .. }, Some(What::Receive(message))) => {
            let deadline = optional(deadline.as_ref().map(span));
            let name = quote!(<#message as ::workflow_runtime::__private::core::Message>::NAME);
            let name = under(operation, name);
            quote!(__kind::Receive {
                message: __borrowed(#name),
                deadline: #deadline,
            })
        }
        (NodeKind::Timer(length), _) => {
            let length = span(length);
            quote!(__kind::Timer(#length))
        }
        (NodeKind::Decision { question }, _) => {
            let question = &**question;
            quote!(__kind::Decision { question: __borrowed(#question) })
        }
        (NodeKind::End(Outcome::Success), _) => quote!(__kind::End(__graph::Outcome::Success)),
        (NodeKind::End(Outcome::Failure), _) => quote!(__kind::End(__graph::Outcome::Failure)),
        (NodeKind::End(Outcome::Continued), _) => quote!(__kind::End(__graph::Outcome::Continued)),
        (NodeKind::Merge, _) => quote!(__kind::Merge),
        (NodeKind::Fork, _) => quote!(__kind::Fork),
        (NodeKind::Join, _) => quote!(__kind::Join),
        (NodeKind::Race, _) => quote!(__kind::Race),
        (NodeKind::Block, _) => quote!(__kind::Block),
        (NodeKind::Compensate, _) => quote!(__kind::Compensate),
        (NodeKind::TimerAt { text }, _) => {
            let text = &**text;
            quote!(__kind::TimerAt { text: __borrowed(#text) })
        }
        (NodeKind::VersionSwitch { patch }, _) => {
            let patch = &**patch;
            quote!(__kind::VersionSwitch { patch: __borrowed(#patch) })
        }
        // The other operations always come with what they are.
        (
            NodeKind::Start
            | NodeKind::Step(_)
            | NodeKind::Receive { .. }
            | NodeKind::Send { .. }
            | NodeKind::Child(_)
            | NodeKind::Subflow(_),
            _,
        ) => quote!(__kind::Start),
    };
    let line = Literal::u32_unsuffixed(line);
    let mut written = quote!(__literal::node(#id, #kind, #label, #line));
    if let Some(Instances { limit, fails_fast }) = &node.instances {
        let limit = &**limit;
        written = quote!(__literal::for_each(#limit, #fails_fast, #written));
    }
    if node.guard != 0 {
        let guard = Literal::u64_unsuffixed(node.guard);
        written = quote!(__literal::guarded(#guard, #written));
    }
    if let Some(scope) = node.scope.map(Literal::usize_unsuffixed) {
        written = quote!(__literal::within(#scope, #written));
    }
    written
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

fn flow(flow: &Flow) -> TokenStream {
    let (from, to) = (Literal::usize_unsuffixed(flow.from), Literal::usize_unsuffixed(flow.to));
    match &flow.kind {
        FlowKind::Next => quote!(__literal::next(#from, #to)),
        FlowKind::Timeout => quote!(__literal::timeout(#from, #to)),
        FlowKind::Error { variant, label } => {
            let (variant, label) = (&**variant, &**label);
            quote!(__literal::error(#from, #to, #variant, #label))
        }
        FlowKind::Answer { label, condition, default } => {
            let (label, condition) = (&**label, &**condition);
            match default {
                true => quote!(__literal::otherwise(#from, #to, #label, #condition)),
                false => quote!(__literal::answer(#from, #to, #label, #condition)),
            }
        }
    }
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
