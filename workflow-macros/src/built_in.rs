//! The names of the operations that the language itself has.
//! Names only; what an operation means is known where it is lowered.

/// Operations that work.
const WORKING: [&str; 12] = [
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
];

/// Operations of the language that have no meaning yet.
const NOT_YET: [&str; 2] = ["join_all", "try_join_all"];

/// Macros of the language, which have no meaning yet.
const MACROS: [&str; 3] = ["join", "try_join", "select"];

/// Whether the language has, or will have, an operation of that name: no step can have it.
pub(crate) fn is_operation(name: &str) -> bool {
    WORKING.contains(&name) || is_not_yet(name) || MACROS.contains(&name)
}

/// Whether the language will have an operation of that name.
pub(crate) fn is_not_yet(name: &str) -> bool {
    NOT_YET.contains(&name)
}
