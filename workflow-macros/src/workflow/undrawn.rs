//! What stands in the place of `drawing` without the feature `doc-diagrams`: nothing is drawn, nothing needed for it.
//! It knows only that.

use proc_macro2::TokenStream;

use super::emit::Source;

/// No diagram.
pub(super) fn documentation(_source: &Source<'_>) -> Option<TokenStream> {
    None
}
