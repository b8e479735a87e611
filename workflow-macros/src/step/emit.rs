//! What `#[step]` leaves behind: the function that makes a call, and the step behind it.
//! It must not decide anything; all that is emitted has been read and checked before.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, ReturnType, Signature};
use workflow_graph::Effect;

use super::parameters::{Data, Parameter, data};
use super::{Step, attempt, checks, facts};
use crate::editor;
use crate::recorded;

/// The expansion of a step.
pub(super) fn step(step: &Step) -> TokenStream {
    let call = call(step);
    let hidden_type = hidden_type(step);
    let implementation = implementation(step);
    let checks = checks::no_result_in_disguise(step);
    let undoing = checks::undone_for_sure(step);
    let body = body_in_editor(step);
    // First what tells WF020: the compiler reports in the order of the text.
    quote! { #hidden_type #call #body #implementation #checks #undoing }
}

/// The name of the hidden type behind a step.
pub(super) fn hidden_name(step: &Step) -> Ident {
    format_ident!("__{}", step.function.sig.ident.unraw(), span = Span::call_site())
}

/// The types as the journal stores them, in order, each followed by a comma.
pub(super) fn stored_types(step: &Step) -> TokenStream {
    data(&step.parameters)
        .map(|data| {
            let ty = stored_type(data);
            quote! { #ty, }
        })
        .collect()
}

/// The type that the journal stores for this parameter.
pub(super) fn stored_type(data: &Data) -> TokenStream {
    let ty = &data.ty;
    match data.lent {
        Some(_) => quote! { <#ty as ::std::borrow::ToOwned>::Owned },
        None => quote! { #ty },
    }
}

/// What the workflow sees of the step's answer.
pub(super) fn output_type(step: &Step) -> TokenStream {
    if step.is_fallible() && step.attribute.effect == Effect::Retriable {
        step.ok_type()
    } else {
        step.returns.ty.clone()
    }
}

/// The function that the user calls: it only describes the call.
fn call(step: &Step) -> TokenStream {
    let attributes = step.function.attrs.iter().filter(|attribute| belongs_to_call(attribute));
    let (vis, name, hidden) = (&step.function.vis, &step.function.sig.ident, hidden_name(step));
    let fn_token = step.function.sig.fn_token;
    let parameters = data(&step.parameters).map(|Data { name, ty, lent, .. }| {
        let ampersand = lent.map(|span| quote_spanned!(span=> &));
        quote! { #name: #ampersand #ty }
    });
    let arguments = data(&step.parameters).map(|Data { name, ty, lent, .. }| match lent {
        // With the type, so that one without `Clone` is not told at the parameter as well.
        Some(_) => quote! { <#ty as ::std::borrow::ToOwned>::to_owned(#name), },
        None => quote! { #name, },
    });
    let is_unused = |data: &Data| data.name.to_string().starts_with('_');
    let allowed =
        data(&step.parameters).any(is_unused).then(|| quote! { #[allow(clippy::used_underscore_binding)] });
    quote! {
        #(#attributes)*
        #allowed
        #vis #fn_token #name(#(#parameters),*) -> ::workflow_runtime::StepCall<#hidden> {
            ::workflow_runtime::StepCall::new((#(#arguments)*))
        }
    }
}

/// For editors the body stands by itself: nothing of ours is in its scope.
fn body_in_editor(step: &Step) -> Option<TokenStream> {
    let (hidden, conditions) = (hidden_name(step), step.conditions());
    let Signature { inputs, output, asyncness, fn_token, .. } = &step.function.sig;
    let body = &step.function.body;
    editor::asks().then(|| {
        quote! {
            #(#conditions)*
            impl #hidden { #asyncness #fn_token __run(#inputs) #output #body }
        }
    })
}

fn hidden_type(step: &Step) -> TokenStream {
    let (vis, hidden, conditions) = (&step.function.vis, hidden_name(step), step.conditions());
    let (unlisted, recorded) = (editor::unlisted(), checks::recorded_types(step));
    // The compiler does not warn of what a macro wrote.
    let quiet = editor::asks().then(|| quote! { #[allow(non_camel_case_types, dead_code)] });
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        #quiet
        #unlisted
        #vis struct #hidden { #recorded }
    }
}

fn implementation(step: &Step) -> TokenStream {
    let (hidden, conditions) = (hidden_name(step), step.conditions());
    let (facts, args, output) = (facts::of(step), stored_types(step), output_type(step));
    let (more, attempt) = (more(step), attempt::of(step));
    quote! {
        #(#conditions)*
        impl ::workflow_runtime::__private::Step for #hidden {
            const FACTS: ::workflow_runtime::__private::StepFacts = #facts;
            #more
            type Args = (#args);
            type Output = #output;
            #attempt
        }
    }
}

/// What only some steps say.
fn more(step: &Step) -> TokenStream {
    let mut more = TokenStream::new();
    if let Some(compensation) = &step.compensation {
        let undo = &compensation.path;
        more.extend(quote! {
            const COMPENSATION: ::core::option::Option<fn() -> &'static ::workflow_runtime::__private::StepDef> =
                ::core::option::Option::Some(|| ::workflow_runtime::__private::core::undo_def_of(#undo));
        });
    }
    let resources: Vec<_> = step
        .parameters
        .iter()
        .filter_map(|parameter| match parameter {
            Parameter::Resource { ty, .. } => {
                Some(quote! { ::workflow_runtime::__private::core::ResourceNeed::of::<#ty>() })
            }
            _ => None,
        })
        .collect();
    if !resources.is_empty() {
        more.extend(quote! {
            const RESOURCES: &'static [::workflow_runtime::__private::core::ResourceNeed] = &[#(#resources),*];
        });
    }
    more
}

/// Whether callers see this attribute.
fn belongs_to_call(attribute: &Attribute) -> bool {
    is_any_of(attribute, &["doc", "deprecated", "must_use", "cfg", "allow", "warn", "deny", "forbid"])
}

/// Whether this attribute is about the code of the body: lints, and other macros such as `#[instrument]`.
pub(super) fn belongs_to_body(attribute: &Attribute) -> bool {
    !is_any_of(attribute, &["doc", "deprecated", "must_use", "cfg"])
}

pub(super) fn is_any_of(attribute: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attribute.path().is_ident(name))
}

impl Step {
    /// The types of the arguments that are recorded, as they were written.
    pub(super) fn takes(&self) -> String {
        recorded::types(data(&self.parameters).map(|Data { ty, lent, .. }| (&**ty, lent.is_some())))
    }

    /// The type of the answer that is recorded, as it was written.
    pub(super) fn gives(&self) -> String {
        let ReturnType::Type(_, ty) = &self.function.sig.output else { return "()".to_owned() };
        if !(self.is_fallible() && self.attribute.effect == Effect::Retriable) {
            return recorded::answer(ty);
        }
        // Its errors never reach the workflow.
        match recorded::success(ty) {
            Some(success) => recorded::text(success),
            None => syn::parse2(self.ok_type()).map(|ty| recorded::answer(&ty)).unwrap_or_default(),
        }
    }

    /// Whether the function returns a `Result`.
    pub(super) fn is_fallible(&self) -> bool {
        self.returns.halves.is_some()
    }

    /// The type of the good half, or of all there is.
    pub(super) fn ok_type(&self) -> TokenStream {
        let ty = &self.returns.ty;
        match &self.returns.halves {
            Some(halves) => halves.ok.clone().unwrap_or_else(|| {
                quote! { <#ty as ::workflow_runtime::__private::core::Fallible>::Ok }
            }),
            None => ty.clone(),
        }
    }

    /// The type of the bad half of the `Result` that the function returns.
    pub(super) fn error_type(&self) -> TokenStream {
        let ty = &self.returns.ty;
        let written = self.returns.halves.as_ref().and_then(|halves| halves.error.clone());
        written.unwrap_or_else(|| {
            quote! { <#ty as ::workflow_runtime::__private::core::Fallible>::Error }
        })
    }

    /// The conditions under which all of the step exists.
    pub(super) fn conditions(&self) -> Vec<&Attribute> {
        self.function.attrs.iter().filter(|attribute| is_any_of(attribute, &["cfg"])).collect()
    }
}
