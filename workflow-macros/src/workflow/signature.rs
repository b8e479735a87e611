//! What the signature of a workflow or subflow may look like (WF021): a workflow is started from rows, by name.
//! Types are not known here, only how they are written.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{FnArg, Ident, Pat, Path, ReturnType, Type, TypeImplTrait, TypeReference};

use super::emit::Kind;
use crate::built_in;
use crate::errors::Errors;
use crate::signature::RawFn;

/// A parameter: what it is called inside, and its type.
pub(crate) struct Parameter {
    pub(crate) pattern: Pat,
    pub(crate) name: Ident,
    /// Its type; what it refers to, if it is lent.
    pub(crate) ty: Type,
    /// The `&`, when the body only borrows the value.
    pub(crate) lent: Option<Span>,
}

impl Parameter {
    /// The type as the call keeps it.
    pub(crate) fn stored(&self) -> TokenStream {
        let ty = &self.ty;
        match self.lent {
            Some(_) => quote!(<#ty as ::std::borrow::ToOwned>::Owned),
            None => quote!(#ty),
        }
    }
}

/// Checks the signature and returns the parameters that can be used.
pub(crate) fn check(function: &RawFn, kind: Kind, errors: &mut Errors) -> Vec<Parameter> {
    let signature = &function.sig;
    let name = if kind == Kind::Workflow { "workflow" } else { "subflow" };
    built_in::refuse_as_function(&signature.ident, name, errors);
    if signature.asyncness.is_none() {
        let span = signature.fn_token.span;
        errors.at(span, format!("a {name} awaits its steps: write `async fn`"));
    }
    if !signature.generics.params.is_empty() {
        let why = "cannot be generic: what is recorded is stored under one name; see docs/errors/WF021.md";
        errors.at(signature.generics.span(), format!("WF021: a {name} {why}"));
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        refuse_borrowed(ty, name, "the result", errors);
    }
    let inputs = signature.inputs.iter().enumerate();
    inputs.filter_map(|(index, input)| parameter(index, input, kind, errors)).collect()
}

/// What a workflow that begins with a message takes: this message and nothing else.
pub(crate) fn check_trigger(function: &RawFn, on: Option<&Path>, errors: &mut Errors) {
    let Some(on) = on.filter(|_| function.sig.inputs.len() != 1) else { return };
    let (name, message) = (function.sig.ident.unraw(), super::phrases::source_text(on));
    let why = format!(
        "WF021: a workflow that begins with a message takes this message and nothing else: write \
         `async fn {name}(message: {message})`; see docs/errors/WF021.md"
    );
    errors.at(on.span(), why);
}

fn parameter(index: usize, input: &FnArg, kind: Kind, errors: &mut Errors) -> Option<Parameter> {
    let called = if kind == Kind::Workflow { "workflow" } else { "subflow" };
    match input {
        FnArg::Receiver(receiver) => {
            let why = "is a function, not a method: it is known by its name; see docs/errors/WF021.md";
            errors.at(receiver.self_token.span, format!("WF021: a {called} {why}"));
            None
        }
        FnArg::Typed(typed) => {
            let (lent, ty) = match &*typed.ty {
                Type::Reference(TypeReference {
                    and_token, lifetime: None, mutability: None, elem, ..
                }) if kind == Kind::Subflow => (Some(and_token.span), &**elem),
                ty => (None, ty),
            };
            let lasting;
            let ty = match ty {
                // Refused here and then given a lifetime that rustc has no questions about.
                Type::Reference(exclusive) if kind == Kind::Subflow && exclusive.mutability.is_some() => {
                    let why =
                        "a subflow cannot change what its caller lends: take it by value and give it back";
                    let why = format!("WF021: {why}; see docs/errors/WF021.md");
                    errors.at(exclusive.and_token.span, why);
                    let lifetime = Some(syn::Lifetime::new("'static", exclusive.and_token.span));
                    lasting = Type::Reference(TypeReference { lifetime, ..exclusive.clone() });
                    &lasting
                }
                ty => {
                    refuse_borrowed(ty, called, "a parameter", errors);
                    ty
                }
            };
            let name = match &*typed.pat {
                Pat::Ident(ident) if ident.subpat.is_none() => ident.ident.clone(),
                _ => Ident::new(&format!("__argument_{index}"), proc_macro2::Span::call_site()),
            };
            Some(Parameter { pattern: (*typed.pat).clone(), name, ty: ty.clone(), lent })
        }
    }
}

fn refuse_borrowed(ty: &Type, called: &str, what: &str, errors: &mut Errors) {
    struct Borrowed<'a>(&'a str, &'a str, &'a mut Errors);
    impl<'ast> Visit<'ast> for Borrowed<'_> {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            let why = format!(
                "WF021: {} of a {} is stored and must own its data: write `{}`; see docs/errors/WF021.md",
                self.1,
                self.0,
                owned(&reference.elem)
            );
            self.2.at(reference.and_token.span, why);
        }

        fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
            let why = format!(
                "WF021: {} of a {} needs a type with a name; see docs/errors/WF021.md",
                self.1, self.0
            );
            self.2.at(ty.impl_token.span, why);
        }
    }
    Borrowed(called, what, errors).visit_type(ty);
}

fn owned(ty: &Type) -> String {
    let text = super::phrases::source_text(ty);
    match text.as_str() {
        "str" => "String".to_owned(),
        _ => text.replace(" < ", "<").replace(" >", ">"),
    }
}
