//! What the signature of a workflow may look like (WF021): it is started from rows, by name.
//! Types are not known here, only how they are written.

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{FnArg, Ident, Pat, ReturnType, Type, TypeImplTrait, TypeReference};

use crate::errors::Errors;
use crate::signature::RawFn;

/// A parameter: what it is called inside, and its type.
pub(crate) struct Parameter {
    pub(crate) pattern: Pat,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// Checks the signature and returns the parameters that can be used.
pub(crate) fn check(function: &RawFn, errors: &mut Errors) -> Vec<Parameter> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        let span = signature.fn_token.span;
        errors.at(span, "a workflow awaits its steps: write `async fn`");
    }
    if !signature.generics.params.is_empty() {
        let why = "WF021: a workflow cannot be generic: its runs are stored under one name; see docs/errors/WF021.md";
        errors.at(signature.generics.span(), why);
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        refuse_borrowed(ty, "the result", errors);
    }
    let inputs = signature.inputs.iter().enumerate();
    inputs.filter_map(|(index, input)| parameter(index, input, errors)).collect()
}

fn parameter(index: usize, input: &FnArg, errors: &mut Errors) -> Option<Parameter> {
    match input {
        FnArg::Receiver(receiver) => {
            let why = "WF021: a workflow is a function, not a method: it is started by name; \
                       see docs/errors/WF021.md";
            errors.at(receiver.self_token.span, why);
            None
        }
        FnArg::Typed(typed) => {
            refuse_borrowed(&typed.ty, "a parameter", errors);
            let name = match &*typed.pat {
                Pat::Ident(ident) if ident.subpat.is_none() => ident.ident.clone(),
                _ => Ident::new(&format!("__argument_{index}"), proc_macro2::Span::call_site()),
            };
            Some(Parameter { pattern: (*typed.pat).clone(), name, ty: (*typed.ty).clone() })
        }
    }
}

fn refuse_borrowed(ty: &Type, what: &str, errors: &mut Errors) {
    struct Borrowed<'a>(&'a str, &'a mut Errors);
    impl<'ast> Visit<'ast> for Borrowed<'_> {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            let why = format!(
                "WF021: {} of a workflow is stored and must own its data: write `{}`; see docs/errors/WF021.md",
                self.0,
                owned(&reference.elem)
            );
            self.1.at(reference.and_token.span, why);
        }

        fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
            let why =
                format!("WF021: {} of a workflow needs a type with a name; see docs/errors/WF021.md", self.0);
            self.1.at(ty.impl_token.span, why);
        }
    }
    Borrowed(what, errors).visit_type(ty);
}

fn owned(ty: &Type) -> String {
    let text = super::phrases::source_text(ty);
    match text.as_str() {
        "str" => "String".to_owned(),
        _ => text,
    }
}
