//! How an attempt of a step is made: the user's function, called with what was recorded and what the process supplies.
//! It must not know what the step says about itself.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{FnArg, Index};
use workflow_graph::Effect;

use super::Step;
use super::emit::{belongs_to_body, is_any_of, stored_type};
use super::parameters::{Data, Parameter, data, has_transaction};
use crate::editor;

/// The item of the implementation that makes attempts.
pub(super) fn of(step: &Step) -> TokenStream {
    if editor::asks() {
        return TokenStream::new(); // There the body stands by itself.
    }
    match step.function.sig.asyncness {
        None => blocking(step),
        Some(asyncness) => {
            // A body whose future is not `Send` is reported at the user's `async`.
            let at_async = Span::call_site().located_at(asyncness.span);
            if has_transaction(&step.parameters) {
                transactional(step, at_async)
            } else {
                asynchronous(step, at_async)
            }
        }
    }
}

/// An `async fn`. Best is when it owns what its body borrows: then its future is all that an attempt is. Each future
/// of the program is written to the metadata of its crate, by `cargo check` too.
fn asynchronous(step: &Step, at_async: Span) -> TokenStream {
    let owns = may_own(step);
    let Given { cx, resources, arguments } = Given::of(step, owns);
    let (name, args) = (&step.function.sig.ident, args_name(step));
    let (body, fetched, future) = match owns {
        true => (owning(step), None, quote_spanned! {at_async=> #name(#(#arguments),*) }),
        false => {
            let future = quote_spanned! {at_async=> async move { #name(#(#arguments),*).await } };
            (as_typed(step), Some(fetched(step, &quote!(?))), future)
        }
    };
    let answering = answer_name(step, ["answering", "doing", "retrying"]);
    quote! {
        fn attempt(
            #cx: ::workflow_runtime::StepContext,
            #resources: &::workflow_runtime::__private::Resources,
            #args: Self::Args,
        ) -> ::workflow_runtime::__private::Attempt {
            #body
            #fetched
            ::workflow_runtime::__private::#answering::<Self, _>(#future)
        }
    }
}

/// A plain `fn`.
fn blocking(step: &Step) -> TokenStream {
    let Given { cx, resources, arguments } = Given::of(step, false);
    let (name, body, fetched) = (&step.function.sig.ident, as_typed(step), fetched(step, &quote!(?)));
    let (args, answer) = (args_name(step), answer_name(step, ["answer", "done", "retried"]));
    quote! {
        const BODY: ::workflow_runtime::__private::StepBody =
            ::workflow_runtime::__private::StepBody::Blocking(|#cx, #resources, __args| {
                #body
                let #args = ::workflow_runtime::__private::arguments::<Self>(__args)?;
                #fetched
                ::workflow_runtime::__private::#answer::<Self>(&#name(#(#arguments),*))
            });
    }
}

/// An `async fn` with `&mut Tx`: its future borrows the transaction.
fn transactional(step: &Step, at_async: Span) -> TokenStream {
    let Given { cx, resources, arguments } = Given::of(step, false);
    let (name, body, fetched) = (&step.function.sig.ident, as_typed(step), fetched(step, &quote!()));
    let needed = (0..supplied(step).count()).map(|position| {
        let resource = resource_name(position);
        quote! { let #resource = #resource?; }
    });
    let (args, answer) = (args_name(step), answer_name(step, ["answer", "done", "retried"]));
    let future = quote_spanned! {at_async=>
        ::std::boxed::Box::pin(async move {
            let #args = __args?;
            #(#needed)*
            let __tx = ::workflow_runtime::__private::transaction(__tx)?;
            let __output = #name(#(#arguments),*).await;
            ::workflow_runtime::__private::#answer::<Self>(&__output)
        })
    };
    quote! {
        const BODY: ::workflow_runtime::__private::StepBody =
            ::workflow_runtime::__private::StepBody::Transactional(|#cx, #resources, __args, __tx| {
                #body
                let __args = ::workflow_runtime::__private::arguments::<Self>(__args);
                #fetched
                #future
            });
    }
}

/// What makes an answer of what the function returns: of a `Result`, of a plain value, of what is repeated until it
/// succeeds.
fn answer_name(step: &Step, [result, value, repeated]: [&str; 3]) -> Ident {
    let name = match (step.is_fallible(), step.attribute.effect) {
        (true, Effect::Retriable) => repeated,
        (true, _) => result,
        (false, _) => value,
    };
    Ident::new(name, Span::call_site())
}

fn args_name(step: &Step) -> Ident {
    let name = if data(&step.parameters).next().is_some() { "__args" } else { "_" };
    Ident::new(name, Span::call_site())
}

/// Whether the function may own what its body borrows. Another macro around it has to see the parameters as they were
/// typed, attributes on one of them speak of the name in the body, and nothing stands before an inner attribute.
fn may_own(step: &Step) -> bool {
    let is_lint = |attribute| is_any_of(attribute, &["allow", "expect", "warn", "deny", "forbid"]);
    let function = &step.function;
    let is_alone = function.attrs.iter().filter(|attribute| belongs_to_body(attribute)).all(is_lint);
    let is_attribute = |token: TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#');
    let has_words = |input: &FnArg| matches!(input, FnArg::Typed(input) if !input.attrs.is_empty());
    let is_plain = !function.sig.inputs.iter().any(has_words);
    is_alone && is_plain && !function.body.stream().into_iter().next().is_some_and(is_attribute)
}

/// The function as the user typed it.
fn as_typed(step: &Step) -> TokenStream {
    let attributes = step.function.attrs.iter().filter(|attribute| belongs_to_body(attribute));
    let (signature, body) = (&step.function.sig, &step.function.body);
    quote! { #(#attributes)* #signature #body }
}

/// The function with the parameters that the user typed as references taken by value, under the same names, and lent
/// to the body.
fn owning(step: &Step) -> TokenStream {
    let (mut signature, mut lent) = (step.function.sig.clone(), TokenStream::new());
    for (input, parameter) in signature.inputs.iter_mut().zip(&step.parameters) {
        let (FnArg::Typed(input), Parameter::Data(data @ Data { lent: Some(_), .. })) = (input, parameter)
        else {
            continue;
        };
        let mut owner = data.name.clone();
        if data.is_named {
            owner.set_span(Span::call_site().located_at(owner.span()));
        }
        let (pattern, ty) = (&input.pat, &input.ty);
        lent.extend(quote! { let #pattern: #ty = ::core::borrow::Borrow::borrow(&#owner); });
        *input.ty = syn::Type::Verbatim(stored_type(data));
        *input.pat = syn::Pat::Verbatim(owner.into_token_stream());
    }
    let attributes = step.function.attrs.iter().filter(|attribute| belongs_to_body(attribute));
    let body = &step.function.body;
    if lent.is_empty() {
        return quote! { #(#attributes)* #signature #body };
    }
    lent.extend(body.stream());
    let mut lending = Group::new(body.delimiter(), lent);
    lending.set_span(body.span());
    quote! { #(#attributes)* #signature #lending }
}

/// The types of what the process supplies, in the order of the parameters.
fn supplied(step: &Step) -> impl Iterator<Item = &syn::Type> {
    step.parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Resource { ty, .. } => Some(&**ty),
        _ => None,
    })
}

fn resource_name(position: usize) -> Ident {
    format_ident!("__resource_{position}")
}

/// Takes out what the process supplies, while that can be borrowed.
fn fetched(step: &Step, needed: &TokenStream) -> TokenStream {
    let fetched = supplied(step).enumerate().map(|(position, ty)| {
        let resource = resource_name(position);
        quote! { let #resource = ::workflow_runtime::__private::supplied::<#ty>(__resources)#needed; }
    });
    fetched.collect()
}

/// What an attempt passes to the function, and how it gets hold of it.
struct Given {
    cx: TokenStream,
    resources: TokenStream,
    arguments: Vec<TokenStream>,
}

impl Given {
    /// `owns` says that the function owns what it borrows, and that resources are taken where they are passed.
    fn of(step: &Step, owns: bool) -> Given {
        let mut given = Given { cx: quote! { _ }, resources: quote! { _ }, arguments: Vec::new() };
        let (mut data_position, mut resource_position) = (0, 0);
        for parameter in &step.parameters {
            let argument = match parameter {
                Parameter::Data(data) => {
                    let index = Index::from(data_position);
                    data_position += 1;
                    match data.lent.filter(|_| !owns) {
                        Some(_) => quote! { ::core::borrow::Borrow::borrow(&__args.#index) },
                        None => quote! { __args.#index },
                    }
                }
                Parameter::Resource { ty, .. } => {
                    given.resources = quote! { __resources };
                    let resource = resource_name(resource_position);
                    resource_position += 1;
                    match owns {
                        true => quote! { ::workflow_runtime::__private::supplied::<#ty>(__resources)? },
                        false => resource.into_token_stream(),
                    }
                }
                Parameter::Transaction { .. } => quote! { __tx },
                Parameter::Context { .. } => {
                    given.cx = quote! { __cx };
                    quote! { ::core::clone::Clone::clone(&__cx) }
                }
            };
            given.arguments.push(argument);
        }
        given
    }
}
