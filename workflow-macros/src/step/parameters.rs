//! The parameters of a step: which are data that is recorded, and which are supplied when it runs.
//! It goes by the text of the types; it must not know how the values get there.

use proc_macro2::{Ident, Span};
use syn::{FnArg, Pat, Signature, Type};

use crate::errors::Errors;

use super::types::{self, called};

/// One parameter, in the order of the signature.
pub(super) enum Parameter {
    /// Recorded in the journal.
    Data(Data),
    /// `Resource<T>`, with its `T`.
    Resource {
        /// The name, for error messages.
        name: Option<Ident>,
        /// The type of what is supplied.
        ty: Box<Type>,
    },
    /// `StepContext`.
    Context {
        /// The name, for error messages.
        name: Option<Ident>,
    },
    /// `&mut Tx`.
    Transaction {
        /// The name, for error messages.
        name: Option<Ident>,
    },
}

/// A recorded parameter.
pub(super) struct Data {
    /// How the call's function names it.
    pub(super) name: Ident,
    /// Whether the user gave it that name.
    pub(super) is_named: bool,
    /// The type; what it refers to, if it is lent.
    pub(super) ty: Box<Type>,
    /// The `&`, when the body only borrows the value.
    pub(super) lent: Option<Span>,
}

impl Parameter {
    /// What the user calls it.
    pub(super) fn name(&self) -> Option<&Ident> {
        match self {
            Parameter::Data(data) => data.is_named.then_some(&data.name),
            Parameter::Resource { name, .. }
            | Parameter::Context { name }
            | Parameter::Transaction { name } => name.as_ref(),
        }
    }
}

/// The recorded parameters, in order.
pub(super) fn data(parameters: &[Parameter]) -> impl Iterator<Item = &Data> {
    parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Data(data) => Some(data),
        _ => None,
    })
}

/// Whether the step runs inside of a transaction.
pub(super) fn has_transaction(parameters: &[Parameter]) -> bool {
    parameters.iter().any(|parameter| matches!(parameter, Parameter::Transaction { .. }))
}

/// Reads all parameters, or says of each one that cannot be taken why not.
pub(super) fn read(signature: &Signature, errors: &mut Errors) -> Option<Vec<Parameter>> {
    let mut parameters = Vec::new();
    let mut is_fine = true;
    for (position, argument) in signature.inputs.iter().enumerate() {
        // That there is no `self` is checked with the rest of the signature.
        let FnArg::Typed(argument) = argument else { continue };
        match parameter(position, &argument.pat, &argument.ty, errors) {
            Some(Parameter::Transaction { .. }) if has_transaction(&parameters) => {
                let message = "a step has one transaction, and all its SQL is part of it; \
                               take `&mut Tx` once and lend it to the functions that you call";
                errors.push(syn::Error::new_spanned(&argument.ty, message));
                is_fine = false;
            }
            Some(parameter) => parameters.push(parameter),
            None => is_fine = false,
        }
    }
    if has_transaction(&parameters) && signature.asyncness.is_none() {
        let message = "a step with `&mut Tx` waits for the database: write `async fn`";
        errors.at(signature.fn_token.span, message);
        is_fine = false;
    }
    if data(&parameters).count() > MOST_DATA {
        let message =
            format!("a step takes at most {MOST_DATA} recorded values; put some of them into a struct");
        errors.at(signature.paren_token.span.join(), message);
        is_fine = false;
    }
    is_fine.then_some(parameters)
}

/// The longest tuple that the core reads back.
const MOST_DATA: usize = 12;

fn parameter(position: usize, pattern: &Pat, ty: &Type, errors: &mut Errors) -> Option<Parameter> {
    let name = match pattern {
        Pat::Ident(pattern) if pattern.subpat.is_none() => Some(pattern.ident.clone()),
        _ => None,
    };
    if let Some(segment) = called(ty) {
        if segment.ident == "StepContext" {
            return Some(Parameter::Context { name });
        }
        if segment.ident == "Tx" {
            errors.push(syn::Error::new_spanned(ty, BORROWED_TX));
            return None;
        }
        if segment.ident == "Resource" {
            let supplied = types::arguments(segment).first().copied().cloned();
            if supplied.is_none() {
                errors.push(syn::Error::new_spanned(ty, "say which resource: `Resource<Gateway>`"));
            }
            return Some(Parameter::Resource { name, ty: Box::new(supplied?) });
        }
    }
    let (lent, ty) = match ty {
        Type::Reference(reference) if is_transaction(reference) => {
            return Some(Parameter::Transaction { name });
        }
        Type::Reference(reference) => {
            is_lendable(reference, errors).then_some(())?;
            (Some(reference.and_token.span), &*reference.elem)
        }
        ty => (None, ty),
    };
    types::check(ty, "take the value itself, or `&T` of the whole parameter", errors).then_some(())?;
    let is_named = name.is_some();
    let name = name.unwrap_or_else(|| Ident::new(&format!("__argument_{position}"), Span::mixed_site()));
    Some(Parameter::Data(Data { name, is_named, ty: Box::new(ty.clone()), lent }))
}

const BORROWED_TX: &str = "a step borrows its transaction, and changes it: take `tx: &mut Tx`";

fn is_transaction(reference: &syn::TypeReference) -> bool {
    let is_plain = reference.mutability.is_some() && reference.lifetime.is_none();
    is_plain && called(&reference.elem).is_some_and(|segment| segment.ident == "Tx")
}

fn is_lendable(reference: &syn::TypeReference, errors: &mut Errors) -> bool {
    let target = called(&reference.elem).map(|segment| segment.ident.to_string()).unwrap_or_default();
    let message = if matches!(target.as_str(), "Resource" | "StepContext") {
        format!("take it without the `&`: a step gets a `{target}` of its own")
    } else if target == "Tx" {
        BORROWED_TX.to_owned()
    } else if reference.mutability.is_some() && target == "Transaction" {
        "a step runs inside of the store's own transaction as `&mut Tx`; for one of another database, \
         take its pool as `Resource<T>`"
            .to_owned()
    } else if reference.mutability.is_some() {
        "WF021: what a step changes in its arguments would be lost with a restart; take `T` or `&T`, \
         and return the changed value"
            .to_owned()
    } else if reference.lifetime.is_some() {
        "WF021: a step has no lifetimes: its arguments are read back from the journal; take `&T`".to_owned()
    } else {
        return true;
    };
    errors.push(syn::Error::new_spanned(reference, message));
    false
}
