//! The code that `#[workflow]` leaves behind: the call function, the body, and the graph as constants after it.
//! Everything derived comes after the body, so that editors find the user's tokens where they were.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
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
use crate::stored::{self, How};

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
    let about = about(&source, &hidden);
    let warnings = if asked_by_editor { Vec::new() } else { checks::warnings(&source) };
    let recorded = recorded_types(&source);
    let vis = &function.vis;
    let conditions = attributes(&function.attrs, &["cfg"]);
    // For editors the body stands by itself, and nothing before it depends on it.
    let body = asked_by_editor.then(|| {
        let body = editor::function(function);
        quote! {
            #(#conditions)*
            #[allow(clippy::all, clippy::items_after_statements, unused_braces)]
            impl #hidden { #body }
        }
    });
    let unlisted = crate::editor::unlisted();
    let errors = source.errors.into_tokens();
    let warnings = warnings.into_iter().map(|warning| quote!(#(#conditions)* #warning));
    let warnings: TokenStream = warnings.collect();
    quote! {
        #call
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #unlisted
        #vis struct #hidden { #recorded }
        #body
        #about
        #warnings
        #errors
    }
}

/// WF020, as fields of the hidden type: what a run records has to be writable. Each is told at its own type.
fn recorded_types(source: &Source<'_>) -> TokenStream {
    let parameters = source.parameters.iter().filter(|_| source.kind == Kind::Workflow);
    let types = parameters.map(|parameter| (How::Given, parameter.ty.to_token_stream()));
    if crate::editor::asks() { TokenStream::new() } else { stored::fields(types) }
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

/// The user's body as a future that asks the hidden context for all it does: the item of the implementation that runs.
fn run(source: &Source<'_>) -> TokenStream {
    if crate::editor::asks() {
        // There the body stands by itself.
        return quote! {
            fn run(
                cx: ::workflow_runtime::__private::core::Cx,
                args: Self::Args,
            ) -> ::workflow_runtime::__private::core::WorkflowFuture<Self::Output> {
                loop {}
            }
        };
    }
    let function = source.function;
    let output = output(function);
    let context = context();
    let given = match source.parameters.is_empty() {
        true => Ident::new("_", Span::call_site()),
        false => Ident::new("__args", Span::mixed_site()),
    };
    let parameters = source.parameters.iter().enumerate().map(|(index, parameter)| {
        let (pattern, stored, field) = (&parameter.pattern, parameter.stored(), syn::Index::from(index));
        match parameter.lent {
            Some(_) => {
                let kept = kept(index);
                quote!(let #kept = #given.#field;)
            }
            None => quote!(let #pattern: #stored = #given.#field;),
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
    // What is refused should be all that is told.
    let quiet = (!source.errors.is_empty()).then(|| quote!(#[allow(unused)]));
    quote! {
        #[allow(clippy::all, clippy::items_after_statements, unused_braces)]
        #quiet
        #(#lints)*
        #[deny(unused_must_use)]
        fn run(
            #context: ::workflow_runtime::__private::core::Cx,
            #given: Self::Args,
        ) -> ::workflow_runtime::__private::core::WorkflowFuture<Self::Output> {
            #[allow(unused_imports)]
            use ::workflow_runtime::__private::core::{
                AnsweringAlike as _, AwaitExt as _, DroppedOnPurpose as _, InOrder as _, IterationExt as _,
                RetainsByHash as _, RetainsInOrder as _,
            };
            #(#parameters)*
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
    let name = name_of(function, &source.options);
    let version = source.options.version.unwrap_or(1);
    let graph = graph(source, &name, version);
    let positions: Vec<Literal> = positions(source).into_iter().map(Literal::usize_unsuffixed).collect();
    let (label, output, ending) = (label(source), output(function), ending(source));
    let types = source.parameters.iter().map(Parameter::stored);
    let (parts, run, checks) = (parts(source), run(source), type_checks(source));
    let conditions = attributes(&function.attrs, &["cfg"]);
    let test = source.locked.test(source);
    let test = (!test.is_empty()).then(|| quote!(#(#conditions)* #test));
    let (kind, version) = match source.kind {
        Kind::Workflow => (quote!(Workflow), Some(quote!(const VERSION: u32 = #version;))),
        Kind::Subflow => (quote!(Subflow), None),
    };
    quote! {
        #(#conditions)*
        impl ::workflow_runtime::__private::core::#kind for #hidden {
            const NAME: &'static str = #name;
            #version
            const LABEL: &'static str = #label;
            type Args = (#(#types,)*);
            type Output = #output;
            type Ending = #ending;

            #run

            const GRAPH: ::workflow_runtime::__private::graph::Subgraph = { #graph };

            fn positions() -> &'static [usize] { &[#(#positions),*] }

            fn parts(parts: &mut ::workflow_runtime::__private::core::Parts) { #parts }
        }
        #test
        #checks
    }
}

/// Whether the function ends with a value or a result. What a run records has to be writable, and its errors step
/// errors: told at the type that was written.
fn ending(source: &Source<'_>) -> TokenStream {
    let ending = match returns_result(&source.function.sig.output) {
        true => quote!(EndsWithResult),
        false => quote!(EndsWithValue),
    };
    quote_spanned!(output_span(source.function)=> ::workflow_runtime::__private::core::#ending)
}

fn output_span(function: &RawFn) -> Span {
    match &function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => Span::call_site(),
    }
}

/// What else only types can tell, each at its own type.
fn type_checks(source: &Source<'_>) -> TokenStream {
    if crate::editor::asks() {
        return TokenStream::new();
    }
    let mut asked = TokenStream::new();
    if let ReturnType::Type(_, ty) = &source.function.sig.output
        && !returns_result(&source.function.sig.output)
        && stored::may_be_alias(ty)
    {
        let no_alias = "WF021: this type is a `Result` under another name, which would hide that the workflow can \
                        fail; write `Result<..>`; see docs/errors/WF021.md";
        asked.extend(quote_spanned! {ty.span()=>
            const {
                use ::workflow_runtime::__private::core::ResultProbeFallback as _;
                ::core::assert!(!::workflow_runtime::__private::core::ResultProbe::<#ty>::IS_RESULT, #no_alias);
            }
        });
    }
    if let (Some(message), [Parameter { ty, .. }]) = (&source.options.on, &source.parameters[..]) {
        asked.extend(quote_spanned! {ty.span()=>
            ::workflow_runtime::__private::core::begins_with::<#ty, #message>();
        });
    }
    let schedule = source.options.schedule.as_ref();
    if let Some(Parameter { ty, .. }) = schedule.and_then(|_| source.parameters.first()) {
        asked.extend(quote_spanned! {ty.span()=>
            ::workflow_runtime::__private::is_scheduled_time::<#ty>();
        });
    }
    if asked.is_empty() {
        return asked;
    }
    let conditions = attributes(&source.function.attrs, &["cfg"]);
    quote! {
        #(#conditions)*
        const _: fn() = || { #asked };
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
