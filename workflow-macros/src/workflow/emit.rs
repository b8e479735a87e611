//! The code that `#[workflow]` leaves behind: the call function, the body, and the graph as constants after it.
//! Everything derived comes after the body, so that editors find the user's tokens where they were.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, ExprPath, ReturnType};
use workflow_graph::{Flow, FlowKind, Instances, Node, NodeKind, Outcome};

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
    let hidden = format_ident!("__{}", function.sig.ident.unraw(), span = Span::call_site());
    let call = call_function(&source, &hidden);
    let body = body(&source);
    let about = about(&source, &hidden);
    let errors = source.errors.into_tokens();
    let vis = &function.vis;
    let conditions = attributes(&function.attrs, &["cfg"]);
    quote! {
        #call
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #hidden {}
        #(#conditions)*
        #[allow(clippy::all, clippy::items_after_statements, unused_braces)]
        impl #hidden { #body }
        #about
        #errors
    }
}

/// The function that users call: it only describes the run that is to be started.
fn call_function(source: &Source<'_>, hidden: &Ident) -> TokenStream {
    let RawFn { attrs, vis, sig, .. } = source.function;
    let name = &sig.ident;
    let attrs = attrs.iter().filter(|attribute| !attribute.path().is_ident("expect"));
    // The user's own parameter names, moved off the user's text: an identifier must have one definition.
    let names: Vec<Ident> =
        source.parameters.iter().map(|p| relocated(&p.name, sig.paren_token.span.join())).collect();
    let types = source.parameters.iter().map(|parameter| &parameter.ty);
    quote! {
        #(#attrs)*
        #[allow(clippy::used_underscore_binding)]
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
    let lints = attributes(&function.attrs, &["allow", "expect", "warn", "deny", "forbid"]);
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
        #(#lints)*
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
    let name = source.options.name.clone().unwrap_or_else(|| function.sig.ident.unraw().to_string());
    let version = source.options.version.unwrap_or(1);
    let types: Vec<_> = source.parameters.iter().map(|parameter| &parameter.ty).collect();
    let fields = (0..types.len()).map(syn::Index::from);
    let ending = if is_result { quote!(concluded) } else { quote!(completed) };
    let storable = storable_checks(source, is_result, output_span);
    let graph = graph(source, &name, version);
    let positions = positions(source);
    let parts = parts(source);
    let label = label(source);
    let reading = if is_result { quote!(read_concluded) } else { quote!(read_completed) };
    let errors = if is_result {
        quote! {
            <<#output as ::workflow_runtime::__private::core::Fallible>::Error
                as ::workflow_runtime::__private::core::StepError>::ERRORS
        }
    } else {
        quote!(&[])
    };
    let conditions = attributes(&function.attrs, &["cfg"]);
    quote! {
        #(#conditions)*
        impl ::workflow_runtime::__private::core::Workflow for #hidden {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            const LABEL: &'static str = #label;
            const ERRORS: &'static [::workflow_runtime::__private::graph::ErrorFacts] = #errors;
            type Args = (#(#types,)*);
            type Output = #output;

            fn graph() -> &'static ::workflow_runtime::__private::graph::Graph { #graph }

            fn positions() -> &'static [usize] { &[#(#positions),*] }

            fn parts(parts: &mut ::workflow_runtime::__private::core::Parts) { #parts }

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

            fn read(
                conclusion: &::workflow_runtime::__private::core::Conclusion,
            ) -> ::core::result::Result<Self::Output, ::workflow_runtime::__private::core::PayloadError> {
                ::workflow_runtime::__private::core::#reading(conclusion)
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
    let conditions = attributes(&source.function.attrs, &["cfg"]);
    quote! {
        #(#conditions)*
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
    let label = label(source);
    let documentation = &source.docs.documentation;
    let owner = source.options.owner.clone().unwrap_or_default();
    let operation = |node: usize| lowered.operations.iter().find(|operation| operation.node == node);
    let nodes = lowered.nodes.iter().enumerate().map(|(index, item)| node(item, operation(index)));
    let flows = lowered.flows.iter().map(flow);
    let effects = lowered.operations.iter().filter_map(effect_check);
    let errors = lowered.flows.iter().filter_map(|flow| error_check(flow, operation(flow.from)?));
    let line = u32::try_from(source.function.sig.ident.span().start().line).unwrap_or(0);
    let (node_count, flow_count) = (lowered.nodes.len(), lowered.flows.len());
    quote! {
        #[allow(unused_imports)]
        use ::workflow_runtime::__private::graph as __graph;
        use ::std::borrow::Cow::Borrowed as __borrowed;
        const __NODES: [__graph::Node; #node_count] = [#(#nodes),*];
        const __FLOWS: [__graph::Flow; #flow_count] = [#(#flows),*];
        static __GRAPH: __graph::Graph = __graph::Graph {
            workflow: __borrowed(#name),
            version: #version,
            label: __borrowed(#label),
            documentation: __borrowed(#documentation),
            owner: __borrowed(#owner),
            trigger: __graph::Trigger::None,
            deadline_ms: ::core::option::Option::None,
            source: __graph::Source::at(::core::file!(), #line),
            nodes: __borrowed(&__NODES),
            flows: __borrowed(&__FLOWS),
        };
        #(#effects)*
        #(#errors)*
        &__GRAPH
    }
}

fn label(source: &Source<'_>) -> String {
    let label = source.options.label.clone().or(source.docs.label.clone());
    label.unwrap_or_else(|| workflow_graph::humanise(&source.function.sig.ident.unraw().to_string()))
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
            trigger: __graph::Trigger::None,
            deadline_ms: ::core::option::Option::None,
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
        (NodeKind::Step(_), Some(What::Call(path))) => {
            let path = beside(path, operation.map_or_else(Span::call_site, |operation| operation.span));
            under(operation, quote!(::workflow_runtime::__private::core::kind_of(#path)))
        }
        (NodeKind::Receive { deadline, .. }, Some(What::Receive(message))) => {
            let deadline = optional(deadline.as_ref().map(span));
            let name = quote!(<#message as ::workflow_runtime::__private::core::Message>::NAME);
            let name = under(operation, name);
            quote!(__graph::NodeKind::Receive {
                message: __borrowed(#name),
                deadline: #deadline,
            })
        }
        (NodeKind::Timer(length), _) => {
            let length = span(length);
            quote!(__graph::NodeKind::Timer(#length))
        }
        (NodeKind::Decision { question }, _) => {
            let question = &**question;
            quote!(__graph::NodeKind::Decision { question: __borrowed(#question) })
        }
        (NodeKind::End(Outcome::Success), _) => quote!(__graph::NodeKind::End(__graph::Outcome::Success)),
        (NodeKind::End(Outcome::Failure), _) => quote!(__graph::NodeKind::End(__graph::Outcome::Failure)),
        (NodeKind::End(Outcome::Continued), _) => quote!(__graph::NodeKind::End(__graph::Outcome::Continued)),
        (NodeKind::Merge, _) => quote!(__graph::NodeKind::Merge),
        (NodeKind::Fork, _) => quote!(__graph::NodeKind::Fork),
        (NodeKind::Join, _) => quote!(__graph::NodeKind::Join),
        (NodeKind::Race, _) => quote!(__graph::NodeKind::Race),
        (NodeKind::Block, _) => quote!(__graph::NodeKind::Block),
        (NodeKind::Compensate, _) => quote!(__graph::NodeKind::Compensate),
        (NodeKind::TimerAt { text }, _) => {
            let text = &**text;
            quote!(__graph::NodeKind::TimerAt { text: __borrowed(#text) })
        }
        (NodeKind::VersionSwitch { patch }, _) => {
            let patch = &**patch;
            quote!(__graph::NodeKind::VersionSwitch { patch: __borrowed(#patch) })
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
        ) => quote!(__graph::NodeKind::Start),
    };
    let scope = optional(node.scope.map(|scope| quote!(#scope)));
    let instances = optional(node.instances.as_ref().map(|Instances { limit, fails_fast }| {
        let limit = &**limit;
        quote!(__graph::Instances { limit: __borrowed(#limit), fails_fast: #fails_fast })
    }));
    quote! {
        __graph::Node {
            id: __borrowed(#id),
            kind: #kind,
            label: __borrowed(#label),
            line: #line,
            scope: #scope,
            instances: #instances,
        }
    }
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
    let What::Call(path) = &operation.what else { return None };
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

/// WF044: an error that is told apart is one of the step's own, under its own name.
fn error_check(flow: &Flow, operation: &Operation) -> Option<TokenStream> {
    let FlowKind::Error { variant, .. } = &flow.kind else { return None };
    let (node, name) = (flow.from, &**variant);
    let why = match name {
        "" => "this step never answers with an error; bind the value with `let` before it is taken apart"
            .to_owned(),
        name => format!("`{name}` is no variant of this step's error; name the variant as its enum does"),
    };
    let text = format!("WF044: {why}; see docs/errors/WF044.md");
    Some(quote_spanned! {operation.span=>
        const _: () = if __graph::lacks_error(&__GRAPH, #node, #name) { ::core::panic!(#text) };
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

/// All that the function awaits.
fn parts(source: &Source<'_>) -> TokenStream {
    let operations = source.lowered.iter().flat_map(|lowered| &lowered.operations);
    let calls = operations.filter_map(|operation| match &operation.what {
        What::Call(path) => {
            let path = beside(path, operation.span);
            Some(under(Some(operation), quote!(parts.call(#path);)))
        }
        _ => None,
    });
    quote!(let _ = &parts; #(#calls)*)
}

/// The user's attributes of these names.
fn attributes<'a>(all: &'a [Attribute], names: &[&str]) -> Vec<&'a Attribute> {
    all.iter().filter(|attribute| names.iter().any(|name| attribute.path().is_ident(name))).collect()
}

fn output(function: &RawFn) -> TokenStream {
    match &function.sig.output {
        ReturnType::Type(_, ty) => quote!(#ty),
        ReturnType::Default => quote!(()),
    }
}

/// An expression with the names that the operation sees; an inner block's `use` hides an outer one's.
fn under(operation: Option<&Operation>, expression: TokenStream) -> TokenStream {
    let uses = operation.into_iter().flat_map(|operation| operation.uses.iter().rev());
    uses.fold(expression, |inner, uses| quote!({ #(#[allow(unused_imports)] #uses)* #inner }))
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
