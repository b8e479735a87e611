//! The errors of one annotated item, gathered so that all of them are told at once.
//! It must not know what they are about.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use syn::Error;

/// What is wrong with one item, in the order in which it was found.
#[derive(Default)]
pub(crate) struct Errors(Vec<Error>);

impl Errors {
    /// Adds an error, or several that were combined.
    pub(crate) fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// Adds an error at this place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(Error::new(span, message));
    }

    /// The value, or nothing and one error more.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One `compile_error!` for each, to be placed behind everything else that is emitted.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.into_iter().map(Error::into_compile_error).collect()
    }
}

#[cfg(test)]
impl Errors {
    /// The texts, for tests.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.iter().flat_map(|error| error.clone().into_iter()).map(|error| error.to_string()).collect()
    }
}
