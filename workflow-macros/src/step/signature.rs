//! WF021: which functions can be steps at all.
//! It looks at everything but the types of the parameters and of the result.

use syn::spanned::Spanned;
use syn::{GenericParam, Safety, Signature};

use crate::errors::Errors;

/// Whether a step can be made of this function. Says of everything that is in the way why it is.
pub(super) fn check(signature: &Signature, errors: &mut Errors) -> bool {
    let rules = [has_no_self, has_no_generics, is_plain];
    // All of them are asked, so that all that is wrong is told.
    rules.into_iter().filter(|rule| !rule(signature, errors)).count() == 0
}

fn has_no_self(signature: &Signature, errors: &mut Errors) -> bool {
    let Some(receiver) = signature.receiver() else { return true };
    let message = "WF021: a step has no `self`: an object cannot be found again after a restart; \
                   make it a free function, and take what it needs as `Resource<T>`";
    errors.at(receiver.self_token.span, message);
    false
}

fn has_no_generics(signature: &Signature, errors: &mut Errors) -> bool {
    for parameter in &signature.generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "WF021: a step has no lifetimes: its arguments are read back from the journal; \
                 take `T` or `&T`, and return what owns its data"
            }
            _ => {
                "WF021: a step has no generic parameters: the journal finds it by its name, \
                 and that has to be one function; write one step per type"
            }
        };
        errors.push(syn::Error::new_spanned(parameter, message));
    }
    if let (true, Some(clause)) = (signature.generics.params.is_empty(), &signature.generics.where_clause) {
        errors.at(clause.where_token.span, "WF021: a step has no generic parameters, so it needs no `where`");
    }
    signature.generics.params.is_empty() && signature.generics.where_clause.is_none()
}

fn is_plain(signature: &Signature, errors: &mut Errors) -> bool {
    let mut is_plain = true;
    let mut refuse = |span, what: &str| {
        is_plain = false;
        errors.at(span, format!("WF021: a step cannot be {what}; write a plain `fn` or `async fn`"));
    };
    if let Some(token) = &signature.constness {
        refuse(token.span, "`const`");
    }
    if !matches!(signature.safety, Safety::Default) {
        refuse(signature.safety.span(), "`unsafe`");
    }
    if let Some(abi) = &signature.abi {
        refuse(abi.extern_token.span, "`extern`");
    }
    if let Some(variadic) = &signature.variadic {
        refuse(variadic.span(), "variadic");
    }
    is_plain
}
