//! The names of the operations that the language itself has.
//! Names only; what an operation means is known where it is lowered.

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

/// Whether the language has an operation of that name: no step can have it.
pub(crate) fn is_operation(name: &str) -> bool {
    OPERATIONS.contains(&name) || MACROS.contains(&name)
}
