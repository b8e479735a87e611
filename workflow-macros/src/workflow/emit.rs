//! The code that `#[workflow]` leaves behind: the call function, the body, and the graph as constants after it.
//! Everything derived comes after the body, so that editors find the user's tokens where they were.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, ReturnType};

use super::allow::Allows;
use super::attribute::Options;
use super::checks;
use super::conform::Conformity;
use super::constants::{graph, parts, positions, relocated};
use super::drawing;
use super::editor;
use super::lock::Locked;
use super::lower::{Lowered, returns_result};
use super::rewrite::context;
use super::signature::Parameter;
use super::statics::Static;
use crate::docs::Docs;
use crate::errors::Errors;
use crate::recorded;
use crate::signature::RawFn;

/// What the function becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Runs are started of it.
    Workflow,
    /// It is a scope in the runs that call it.
    Subflow,
}

/// Everything that is known about the function.
pub(crate) struct Source<'a> {
    pub(crate) kind: Kind,
    pub(crate) function: &'a RawFn,
    pub(crate) options: Options,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) docs: Docs,
    /// The rewritten body.
    pub(crate) body: TokenStream,
    pub(crate) lowered: Option<Lowered>,
    pub(crate) locked: Locked,
    pub(crate) allows: Allows,
    /// What an analyst drew, where it is to be compared.
    pub(crate) model: Option<Conformity>,
    /// The constants and statics that the body names.
    pub(crate) statics: Vec<Static>,
    pub(crate) errors: Errors,
}

impl Source<'_> {
    /// The types of the arguments that are recorded, as they were written.
    pub(super) fn takes(&self) -> String {
        let types = self.parameters.iter().map(|Parameter { ty, lent, .. }| (ty, lent.is_some()));
        recorded::types(types)
    }

    /// The type of the result that is recorded, as it was written.
    pub(super) fn gives(&self) -> String {
        match &self.function.sig.output {
            ReturnType::Type(_, ty) => recorded::answer(ty),
            ReturnType::Default => "()".to_owned(),
        }
    }
}

pub(crate) fn emit(source: Source<'_>) -> TokenStream {
    let function = source.function;
    let hidden = format_ident!("__{}", function.sig.ident.unraw(), span = Span::call_site());
    let call = call_function(&source, &hidden);
    let asked_by_editor = crate::editor::asks();
    let body = if asked_by_editor { editor::function(function) } else { body(&source) };
    let about = about(&source, &hidden);
    let warnings = if asked_by_editor { Vec::new() } else { checks::warnings(&source) };
    // What is refused should be all that is told; and for an editor nothing before the body may depend on the body.
    let quiet = (!source.errors.is_empty() && !asked_by_editor).then(|| quote!(#[allow(unused)]));
    let unlisted = crate::editor::unlisted();
    let errors = source.errors.into_tokens();
    let vis = &function.vis;
    let conditions = attributes(&function.attrs, &["cfg"]);
    let warnings = warnings.into_iter().map(|warning| quote!(#(#conditions)* #warning));
    let warnings: TokenStream = warnings.collect();
    quote! {
        #call
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #unlisted
        #vis struct #hidden {}
        #(#conditions)*
        #[allow(clippy::all, clippy::items_after_statements, unused_braces)]
        #quiet
        impl #hidden { #body }
        #about
        #warnings
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
    let types = source.parameters.iter().map(|Parameter { ty, lent, .. }| {
        let ampersand = lent.map(|span| quote_spanned!(span=> &));
        quote!(#ampersand #ty)
    });
    let values = source.parameters.iter().zip(&names).map(|(Parameter { ty, lent, .. }, name)| match lent {
        Some(_) => quote!(<#ty as ::std::borrow::ToOwned>::to_owned(#name)),
        None => quote!(#name),
    });
    let picture = drawing::documentation(source);
    let call = match source.kind {
        Kind::Workflow => quote!(::workflow_runtime::WorkflowCall),
        Kind::Subflow => quote!(::workflow_runtime::__private::core::SubflowCall),
    };
    let parameters = names.iter().zip(types).map(|(name, ty)| quote!(#name: #ty));
    quote! {
        #(#attrs)*
        #picture
        #[allow(clippy::used_underscore_binding)]
        #vis fn #name(#(#parameters),*) -> #call<#hidden> {
            #call::new((#(#values,)*))
        }
    }
}

/// The user's body as a future that asks the hidden context for all it does.
fn body(source: &Source<'_>) -> TokenStream {
    let function = source.function;
    let output = output(function);
    let context = context();
    let parameters = source.parameters.iter().enumerate().map(|(index, parameter)| {
        let (pattern, stored) = (&parameter.pattern, parameter.stored());
        match parameter.lent {
            Some(_) => {
                let kept = kept(index);
                quote!(#kept: #stored)
            }
            None => quote!(#pattern: #stored),
        }
    });
    // What the caller lent is kept by the future, which lends it to the body.
    let lent = source.parameters.iter().enumerate().filter(|(_, parameter)| parameter.lent.is_some());
    let lent = lent.map(|(index, Parameter { pattern, ty, .. })| {
        let kept = kept(index);
        quote!(let #pattern: &#ty = ::core::borrow::Borrow::<#ty>::borrow(&#kept);)
    });
    let text = &source.body;
    let lints = attributes(&function.attrs, &["allow", "expect", "warn", "deny", "forbid"]);
    // The result type is pinned first, so that a wrong tail is one error with the user's types.
    let pin = quote! {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<#output> {
            #[allow(unreachable_code)]
            return __result;
        }
    };
    let mut block = Group::new(proc_macro2::Delimiter::Brace, quote!(#(#lent)* #pin #text));
    block.set_span(function.body.span());
    let block = TokenTree::Group(block);
    let asyncness = function.sig.asyncness.map_or_else(Span::call_site, |token| token.span);
    // What cannot be held across an await (WF014, docs/errors/WF014.md) is told where the function says that
    // it awaits.
    let future = quote_spanned!(asyncness=> ::std::boxed::Box::pin(async move #block));
    quote! {
        #(#lints)*
        #[deny(unused_must_use)]
        fn __run(
            #context: ::workflow_runtime::__private::core::Cx,
            #(#parameters),*
        ) -> ::workflow_runtime::__private::core::WorkflowFuture<#output> {
            #[allow(unused_imports)]
            use ::workflow_runtime::__private::core::{
                AnsweringAlike as _, AwaitExt as _, DroppedOnPurpose as _, InOrder as _, IterationExt as _,
                RetainsByHash as _, RetainsInOrder as _,
            };
            #future
        }
    }
}

fn kept(index: usize) -> Ident {
    format_ident!("__kept_{index}", span = Span::mixed_site())
}

/// The name under which runs are stored.
pub(super) fn name_of(function: &RawFn, options: &Options) -> String {
    options.name.clone().unwrap_or_else(|| function.sig.ident.unraw().to_string())
}

/// The ways in which the function fails, if it can.
pub(super) fn errors(function: &RawFn) -> Option<TokenStream> {
    let output = output(function);
    returns_result(&function.sig.output).then(|| {
        quote! {
            <<#output as ::workflow_runtime::__private::core::Fallible>::Error
                as ::workflow_runtime::__private::core::StepError>::ERRORS
        }
    })
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
    let name = name_of(function, &source.options);
    let version = source.options.version.unwrap_or(1);
    let types: Vec<_> = source.parameters.iter().map(Parameter::stored).collect();
    let fields = (0..types.len()).map(syn::Index::from);
    let ending = if is_result { quote!(concluded) } else { quote!(completed) };
    let (storable, run) = match crate::editor::asks() {
        true => (TokenStream::new(), quote!(loop {})),
        false => {
            (storable_checks(source, is_result, output_span), quote!(Self::__run(cx #(, args.#fields)*)))
        }
    };
    let graph = graph(source, &name, version);
    let positions: Vec<Literal> = positions(source).into_iter().map(Literal::usize_unsuffixed).collect();
    let parts = parts(source);
    let label = label(source);
    let reading = if is_result { quote!(read_concluded) } else { quote!(read_completed) };
    let errors = errors(function).unwrap_or_else(|| quote!(&[]));
    let conditions = attributes(&function.attrs, &["cfg"]);
    let test = source.locked.test(source);
    if source.kind == Kind::Subflow {
        let failure = if is_result {
            quote!(output.is_err())
        } else {
            quote!({
                let _ = output;
                false
            })
        };
        return quote! {
            #(#conditions)*
            impl ::workflow_runtime::__private::core::Subflow for #hidden {
                const NAME: &'static str = #name;
                const LABEL: &'static str = #label;
                const ERRORS: &'static [::workflow_runtime::__private::graph::ErrorFacts] = #errors;
                const GRAPH: ::workflow_runtime::__private::graph::Subgraph = { #graph };
                type Args = (#(#types,)*);
                type Output = #output;

                fn graph() -> &'static ::workflow_runtime::__private::graph::Graph { Self::GRAPH.get() }

                fn positions() -> &'static [usize] { &[#(#positions),*] }

                fn parts(parts: &mut ::workflow_runtime::__private::core::Parts) { #parts }

                fn run(
                    cx: ::workflow_runtime::__private::core::Cx,
                    args: Self::Args,
                ) -> ::workflow_runtime::__private::core::WorkflowFuture<Self::Output> {
                    #run
                }

                fn is_failure(output: &Self::Output) -> bool { #failure }
            }
            #storable
        };
    }
    quote! {
        #(#conditions)*
        impl ::workflow_runtime::__private::core::Workflow for #hidden {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            const LABEL: &'static str = #label;
            const ERRORS: &'static [::workflow_runtime::__private::graph::ErrorFacts] = #errors;
            const GRAPH: ::workflow_runtime::__private::graph::Subgraph = { #graph };
            type Args = (#(#types,)*);
            type Output = #output;

            fn graph() -> &'static ::workflow_runtime::__private::graph::Graph { Self::GRAPH.get() }

            fn positions() -> &'static [usize] { &[#(#positions),*] }

            fn parts(parts: &mut ::workflow_runtime::__private::core::Parts) { #parts }

            fn run(
                cx: ::workflow_runtime::__private::core::Cx,
                args: Self::Args,
            ) -> ::workflow_runtime::__private::core::WorkflowFuture<Self::Output> {
                #run
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
        #(#conditions)*
        #test
        #storable
    }
}

/// Arguments and results must fit into the journal, errors must be step errors: each said at its own type.
fn storable_checks(source: &Source<'_>, is_result: bool, output_span: Span) -> TokenStream {
    let output = output(source.function);
    let is_workflow = source.kind == Kind::Workflow;
    let arguments = source.parameters.iter().filter(|_| is_workflow).map(|parameter| {
        let ty = &parameter.ty;
        quote_spanned!(ty.span()=> is_storable::<#ty>();)
    });
    let value =
        |ty: TokenStream| if is_workflow { quote!(is_storable::<#ty>();) } else { TokenStream::new() };
    let result = if is_result {
        let value = value(quote!(<#output as ::workflow_runtime::__private::core::Fallible>::Ok));
        quote_spanned! {output_span=>
            #value
            is_error::<<#output as ::workflow_runtime::__private::core::Fallible>::Error>();
        }
    } else {
        let no_alias = "WF021: this type is a `Result` under another name, which would hide that the workflow can \
                        fail; write `Result<..>`; see docs/errors/WF021.md";
        let value = value(quote!(#output));
        quote_spanned! {output_span=>
            #value
            const {
                use ::workflow_runtime::__private::core::ResultProbeFallback as _;
                ::core::assert!(!::workflow_runtime::__private::core::ResultProbe::<#output>::IS_RESULT, #no_alias);
            }
        }
    };
    let begins = match (&source.options.on, &source.parameters[..]) {
        (Some(message), [Parameter { ty, .. }]) => {
            let begins = quote_spanned!(ty.span()=> begins_with::<#ty, #message>(););
            quote! {
                fn begins_with<P, M>()
                where
                    P: ::workflow_runtime::__private::core::BeginsWith<M>,
                    M: ::workflow_runtime::__private::core::Message,
                {
                }
                #begins
            }
        }
        _ => TokenStream::new(),
    };
    let schedule = source.options.schedule.as_ref();
    let time = schedule.and_then(|_| source.parameters.first()).map(|parameter| {
        let ty = &parameter.ty;
        let check = quote_spanned!(ty.span()=> is_scheduled_time::<#ty>(););
        quote! {
            fn is_scheduled_time<T: ::workflow_runtime::__private::ScheduledTime>() {}
            #check
        }
    });
    let conditions = attributes(&source.function.attrs, &["cfg"]);
    quote! {
        #(#conditions)*
        const _: fn() = || {
            #[allow(dead_code)]
            fn is_storable<T: ::workflow_runtime::__private::core::Storable>() {}
            #[allow(dead_code)]
            fn is_error<T: ::workflow_runtime::__private::core::StepError>() {}
            #(#arguments)*
            #begins
            #result
            #time
        };
    }
}

/// The user's attributes of these names.
pub(super) fn attributes<'a>(all: &'a [Attribute], names: &[&str]) -> Vec<&'a Attribute> {
    all.iter().filter(|attribute| names.iter().any(|name| attribute.path().is_ident(name))).collect()
}

pub(super) fn output(function: &RawFn) -> TokenStream {
    match &function.sig.output {
        ReturnType::Type(_, ty) => quote!(#ty),
        ReturnType::Default => quote!(()),
    }
}

/// What people call it.
pub(super) fn label(source: &Source<'_>) -> String {
    let label = source.options.label.clone().or(source.docs.label.clone());
    label.unwrap_or_else(|| workflow_graph::humanise(&source.function.sig.ident.unraw().to_string()))
}
