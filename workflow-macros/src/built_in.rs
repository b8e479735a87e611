//! The names of the operations that the language itself has.
//! Names only; what an operation means is known where it is lowered.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::errors::Errors;

/// Operations of the language.
const OPERATIONS: [&str; 14] = [
    "sleep",
    "sleep_until",
    "receive",
    "send",
    "publish",
    "now",
    "random",
    "uuid",
    "progress",
    "patched",
    "continue_as_new",
    "compensate",
    "join_all",
    "try_join_all",
];

/// Macros of the language.
const MACROS: [&str; 3] = ["join", "try_join", "select"];

/// Refuses a function that is called like an operation: a workflow that calls it would be taken to call the operation.
pub(crate) fn refuse_as_function(function: &Ident, what: &str, errors: &mut Errors) {
    let name = function.unraw().to_string();
    if OPERATIONS.contains(&name.as_str()) {
        let why = format!(
            "`{name}` is an operation of the language; rename the function, and where runs know the {what} by this \
             name already, keep it: `#[{what}(name = \"{name}\")]`"
        );
        errors.at(function.span(), why);
    }
}

/// Whether the language has an operation of that name: no function of a step can have it.
pub(crate) fn is_operation(name: &str) -> bool {
    OPERATIONS.contains(&name) || MACROS.contains(&name)
}
