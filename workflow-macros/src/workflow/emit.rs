//! The code that `#[workflow]` leaves behind: the call function, the body, and the graph as constants after it.
//! Everything derived comes after the body, so that editors find the user's tokens where they were.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, ReturnType};
use workflow_graph::{Flow, FlowKind, Node, NodeKind, Outcome};

use super::attribute::Options;
use super::lower::{Lowered, Operation, What, returns_result};
use super::rewrite::context;
use super::signature::Parameter;
use crate::docs::Docs;
use crate::errors::Errors;
use crate::signature::RawFn;

/// Everything that is known about the function.
pub(crate) struct Source<'a> {
    pub(crate) function: &'a RawFn,
    pub(crate) options: Options,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) docs: Docs,
    /// The rewritten body.
    pub(crate) body: TokenStream,
    pub(crate) lowered: Option<Lowered>,
    pub(crate) errors: Errors,
}

pub(crate) fn emit(source: Source<'_>) -> TokenStream {
    let function = source.function;
    let hidden = format_ident!("__{}", function.sig.ident, span = Span::call_site());
    let call = call_function(&source, &hidden);
    let body = body(&source);
    let about = about(&source, &hidden);
    let errors = source.errors.into_tokens();
    let vis = &function.vis;
    quote! {
        #call
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #hidden;
        #[allow(clippy::all, unused_braces)]
        impl #hidden { #body }
        #about
        #errors
    }
}

/// The function that users call: it only describes the run that is to be started.
fn call_function(source: &Source<'_>, hidden: &Ident) -> TokenStream {
    let RawFn { attrs, vis, sig, .. } = source.function;
    let name = &sig.ident;
    // The user's own parameter names, moved off the user's text: an identifier must have one definition.
    let names: Vec<Ident> =
        source.parameters.iter().map(|p| relocated(&p.name, sig.paren_token.span.join())).collect();
    let types = source.parameters.iter().map(|parameter| &parameter.ty);
    quote! {
        #(#attrs)*
        #vis fn #name(#(#names: #types),*) -> ::workflow_runtime::__private::core::WorkflowCall<#hidden> {
            ::workflow_runtime::__private::core::WorkflowCall::new((#(#names,)*))
        }
    }
}

/// The user's body as a future that asks the hidden context for all it does.
fn body(source: &Source<'_>) -> TokenStream {
    let function = source.function;
    let output = output(function);
    let context = context();
    let patterns = source.parameters.iter().map(|parameter| &parameter.pattern);
    let types = source.parameters.iter().map(|parameter| &parameter.ty);
    let text = &source.body;
    // The result type is pinned first, so that a wrong tail is one error with the user's types.
    let pin = quote! {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<#output> {
            #[allow(unreachable_code)]
            return __result;
        }
    };
    let mut block = Group::new(proc_macro2::Delimiter::Brace, quote!(#pin #text));
    block.set_span(function.body.span());
    let block = TokenTree::Group(block);
    let asyncness = function.sig.asyncness.map_or_else(Span::call_site, |token| token.span);
    let future = quote_spanned!(asyncness=> async move);
    quote! {
        #[deny(unused_must_use)]
        fn __run(
            #context: ::workflow_runtime::__private::core::Cx,
            #(#patterns: #types),*
        ) -> ::workflow_runtime::__private::core::WorkflowFuture<#output> {
            #[allow(unused_imports)]
            use ::workflow_runtime::__private::core::AwaitExt as _;
            ::std::boxed::Box::pin(#future #block)
        }
    }
}

/// What the engine, the exporter and the test kit read.
fn about(source: &Source<'_>, hidden: &Ident) -> TokenStream {
    let function = source.function;
    let output = output(function);
    let output_span = match &function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => Span::call_site(),
    };
    let is_result = returns_result(&function.sig.output);
    let name = source.options.name.clone().unwrap_or_else(|| function.sig.ident.to_string());
    let version = source.options.version.unwrap_or(1);
    let types: Vec<_> = source.parameters.iter().map(|parameter| &parameter.ty).collect();
    let fields = (0..types.len()).map(syn::Index::from);
    let ending = if is_result { quote!(concluded) } else { quote!(completed) };
    let storable = storable_checks(source, is_result, output_span);
    let graph = graph(source, &name, version);
    let positions = positions(source);
    let steps = steps(source);
    quote! {
        impl ::workflow_runtime::__private::core::Workflow for #hidden {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            type Args = (#(#types,)*);
            type Output = #output;

            fn graph() -> &'static ::workflow_runtime::__private::graph::Graph { #graph }

            fn positions() -> &'static [usize] { &[#(#positions),*] }

            fn steps() -> ::std::vec::Vec<&'static ::workflow_runtime::__private::core::StepDef> { #steps }

            fn run(
                cx: ::workflow_runtime::__private::core::Cx,
                args: Self::Args,
            ) -> ::workflow_runtime::__private::core::WorkflowFuture<Self::Output> {
                Self::__run(cx #(, args.#fields)*)
            }

            fn ending(
                output: Self::Output,
            ) -> ::core::result::Result<
                ::workflow_runtime::__private::core::Conclusion,
                ::workflow_runtime::__private::core::PayloadError,
            > {
                ::workflow_runtime::__private::core::#ending(&output)
            }
        }
        #storable
    }
}

/// Arguments and results must fit into the journal, errors must be step errors: each said at its own type.
fn storable_checks(source: &Source<'_>, is_result: bool, output_span: Span) -> TokenStream {
    let output = output(source.function);
    let arguments = source.parameters.iter().map(|parameter| {
        let ty = &parameter.ty;
        quote_spanned!(ty.span()=> is_storable::<#ty>();)
    });
    let result = if is_result {
        quote_spanned! {output_span=>
            is_storable::<<#output as ::workflow_runtime::__private::core::Fallible>::Ok>();
            is_error::<<#output as ::workflow_runtime::__private::core::Fallible>::Error>();
        }
    } else {
        let no_alias = "WF021: this type is a `Result` under another name, which would hide that the workflow can \
                        fail; write `Result<..>`; see docs/errors/WF021.md";
        quote_spanned! {output_span=>
            is_storable::<#output>();
            const {
                use ::workflow_runtime::__private::core::ResultProbeFallback as _;
                ::core::assert!(!::workflow_runtime::__private::core::ResultProbe::<#output>::IS_RESULT, #no_alias);
            }
        }
    };
    quote! {
        const _: fn() = || {
            fn is_storable<T: ::workflow_runtime::__private::core::Storable>() {}
            #[allow(dead_code)]
            fn is_error<T: ::workflow_runtime::__private::core::StepError>() {}
            #(#arguments)*
            #result
        };
    }
}

fn graph(source: &Source<'_>, name: &str, version: u32) -> TokenStream {
    let Some(lowered) = &source.lowered else { return empty_graph(name, version) };
    let label = source.options.label.clone().or(source.docs.label.clone());
    let label = label.unwrap_or_else(|| workflow_graph::humanise(&source.function.sig.ident.to_string()));
    let documentation = &source.docs.documentation;
    let owner = source.options.owner.clone().unwrap_or_default();
    let operation = |node: usize| lowered.operations.iter().find(|operation| operation.node == node);
    let nodes = lowered.nodes.iter().enumerate().map(|(index, item)| node(item, operation(index)));
    let flows = lowered.flows.iter().map(flow);
    let uses = &lowered.uses;
    let effects = lowered.operations.iter().filter_map(effect_check);
    let line = u32::try_from(source.function.sig.ident.span().start().line).unwrap_or(0);
    let (node_count, flow_count) = (lowered.nodes.len(), lowered.flows.len());
    quote! {
        #[allow(unused_imports)]
        use ::workflow_runtime::__private::graph as __graph;
        use ::std::borrow::Cow::Borrowed as __borrowed;
        #(#[allow(unused_imports)] #uses)*
        const __NODES: [__graph::Node; #node_count] = [#(#nodes),*];
        const __FLOWS: [__graph::Flow; #flow_count] = [#(#flows),*];
        static __GRAPH: __graph::Graph = __graph::Graph {
            workflow: __borrowed(#name),
            version: #version,
            label: __borrowed(#label),
            documentation: __borrowed(#documentation),
            owner: __borrowed(#owner),
            source: __graph::Source::at(::core::file!(), #line),
            nodes: __borrowed(&__NODES),
            flows: __borrowed(&__FLOWS),
        };
        #(#effects)*
        &__GRAPH
    }
}

/// For a body that rustc will complain about anyway.
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
            source: __graph::Source::UNKNOWN,
            nodes: __borrowed(&[]),
            flows: __borrowed(&[]),
        };
        &__GRAPH
    }
}

fn node(node: &Node, operation: Option<&Operation>) -> TokenStream {
    let (id, label, line) = (&*node.id, &*node.label, node.line);
    let kind = match (&node.kind, operation.map(|operation| &operation.what)) {
        (NodeKind::Step(_), Some(What::Step(path))) => {
            let path = beside(path, operation.map_or_else(Span::call_site, |operation| operation.span));
            quote!(Step(::workflow_runtime::__private::core::facts_of(#path)))
        }
        (NodeKind::Receive { deadline, .. }, Some(What::Receive(message))) => {
            let deadline = match deadline {
                Some(deadline) => {
                    let deadline = span(deadline);
                    quote!(::core::option::Option::Some(#deadline))
                }
                None => quote!(::core::option::Option::None),
            };
            quote!(Receive {
                message: __borrowed(<#message as ::workflow_runtime::__private::core::Message>::NAME),
                deadline: #deadline,
            })
        }
        (NodeKind::Timer(length), _) => {
            let length = span(length);
            quote!(Timer(#length))
        }
        (NodeKind::Decision { question }, _) => {
            let question = &**question;
            quote!(Decision { question: __borrowed(#question) })
        }
        (NodeKind::End(Outcome::Success), _) => quote!(End(__graph::Outcome::Success)),
        (NodeKind::End(Outcome::Failure), _) => quote!(End(__graph::Outcome::Failure)),
        (NodeKind::Merge, _) => quote!(Merge),
        // Steps and receives always come with their operation.
        (NodeKind::Start | NodeKind::Step(_) | NodeKind::Receive { .. }, _) => quote!(Start),
    };
    quote! {
        __graph::Node {
            id: __borrowed(#id),
            kind: __graph::NodeKind::#kind,
            label: __borrowed(#label),
            line: #line,
        }
    }
}

fn span(span: &workflow_graph::Span) -> TokenStream {
    let (iso, text) = (&*span.iso, &*span.text);
    quote!(__graph::Span::literal(#iso, #text))
}

fn flow(flow: &Flow) -> TokenStream {
    let (from, to) = (flow.from, flow.to);
    let kind = match &flow.kind {
        FlowKind::Next => quote!(Next),
        FlowKind::Timeout => quote!(Timeout),
        FlowKind::Error { variant, label } => {
            let (variant, label) = (&**variant, &**label);
            quote!(Error { variant: __borrowed(#variant), label: __borrowed(#label) })
        }
        FlowKind::Answer { label, condition, default } => {
            let (label, condition) = (&**label, &**condition);
            quote!(Answer { label: __borrowed(#label), condition: __borrowed(#condition), default: #default })
        }
    };
    quote!(__graph::Flow::new(#from, #to, __graph::FlowKind::#kind))
}

/// WF030: once anything in the workflow can be undone, every step says what it does to the world.
fn effect_check(operation: &Operation) -> Option<TokenStream> {
    let What::Step(path) = &operation.what else { return None };
    let node = operation.node;
    let name = super::phrases::source_text(path);
    let text = format!(
        "WF030: `{name}` takes part in a saga but does not say what it does to the world; write \
         `#[step(read_only)]`, `#[step(compensate = ..)]`, `#[step(pivot)]` or `#[step(retriable)]`; \
         see docs/errors/WF030.md"
    );
    Some(quote_spanned! {operation.span=>
        const _: () = if __graph::lacks_effect(&__GRAPH, #node) { ::core::panic!(#text) };
    })
}

/// The node of each `.await`, in the order of the text.
fn positions(source: &Source<'_>) -> Vec<usize> {
    let Some(lowered) = &source.lowered else { return Vec::new() };
    let mut positions = vec![0; lowered.awaits];
    for operation in &lowered.operations {
        positions[operation.await_number] = operation.node;
    }
    positions
}

fn steps(source: &Source<'_>) -> TokenStream {
    let Some(lowered) = &source.lowered else { return quote!(::std::vec::Vec::new()) };
    let uses = &lowered.uses;
    let paths = lowered.operations.iter().filter_map(|operation| match &operation.what {
        What::Step(path) => Some(beside(path, operation.span)),
        _ => None,
    });
    quote! {
        #(#[allow(unused_imports)] #uses)*
        ::std::vec![#(::workflow_runtime::__private::core::def_of(#paths)),*]
    }
}

fn output(function: &RawFn) -> TokenStream {
    match &function.sig.output {
        ReturnType::Type(_, ty) => quote!(#ty),
        ReturnType::Default => quote!(()),
    }
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

fn relocated(ident: &Ident, place: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(ident.span().located_at(place));
    ident
}
