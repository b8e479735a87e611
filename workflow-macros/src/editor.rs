//! Whether an editor asks: its server runs the macros again after every key, over text that is half typed.
//! It is given the user's tokens and what types they have, and nothing that only the compiler reads.

use std::sync::OnceLock;

use proc_macro2::TokenStream;
use quote::quote;

/// Whether the macros run in the server of an editor.
///
/// Other servers than rust-analyzer get what the compiler gets, which is right too, but slower and less tidy.
pub(crate) fn asks() -> bool {
    static ASKS: OnceLock<bool> = OnceLock::new();
    *ASKS.get_or_init(|| {
        // Also the name of the process of its own in which it runs macros.
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(|path| path.file_name()?.to_str());
        name.is_some_and(|name| name.starts_with("rust-analyzer"))
    })
}

/// An attribute for names that nobody should be offered. The server passes over what is unstable, even in the crate
/// that defines it; to the compiler it would be an error.
pub(crate) fn unlisted() -> Option<TokenStream> {
    asks().then(|| quote!(#[unstable(feature = "workflow_internals", issue = "none")]))
}
