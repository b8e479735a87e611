//! What a step returns, and what of it reaches the workflow.
//! It goes by the text of the type; that a `Result` is one indeed is checked by what is emitted.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{ReturnType, Signature};

use crate::errors::Errors;
use crate::stored;

use super::types;

/// The type that a step returns.
pub(super) struct Returns {
    /// As it was written; `()` when nothing was.
    pub(super) ty: TokenStream,
    /// Whether it was written at all.
    pub(super) is_written: bool,
    /// Where it was written; the name of the function when nothing was.
    pub(super) span: Span,
    /// Whether the type may be a `Result` under another name.
    pub(super) may_be_alias: bool,
    /// The halves, when it is called `Result`.
    pub(super) halves: Option<Halves>,
}

/// The two halves of a `Result`, as far as they are written out.
pub(super) struct Halves {
    /// The type of the good half.
    pub(super) ok: Option<TokenStream>,
    /// The type of the bad half.
    pub(super) error: Option<TokenStream>,
}

/// Reads the return type, or says why it cannot be recorded.
pub(super) fn read(signature: &Signature, errors: &mut Errors) -> Option<Returns> {
    let ReturnType::Type(_, ty) = &signature.output else {
        return Some(Returns::nothing(&signature.ident));
    };
    if !types::check(ty, "return what owns its data, like `String`", errors) {
        return None;
    }
    let segment = types::called(ty);
    let is_result = segment.is_some_and(|segment| segment.ident == "Result");
    let halves = segment.filter(|_| is_result).map(|segment| {
        let halves = types::arguments(segment);
        let half = |position: usize| halves.get(position).map(|half| half.to_token_stream());
        Halves { ok: half(0), error: half(1) }
    });
    Some(Returns {
        ty: ty.to_token_stream(),
        is_written: true,
        span: ty.span(),
        may_be_alias: halves.is_none() && stored::may_be_alias(ty),
        halves,
    })
}

impl Returns {
    fn nothing(function: &Ident) -> Returns {
        let span = function.span();
        Returns { ty: quote! { () }, is_written: false, span, may_be_alias: false, halves: None }
    }
}
