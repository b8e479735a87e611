//! A function whose signature is parsed and whose body is kept as it was typed.
//! It must not look into the body: an editor shows it half-typed ones, and the function shall not vanish.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Visibility};

/// A function with an unread body.
pub(crate) struct RawFn {
    /// The attributes, the documentation among them.
    pub(crate) attrs: Vec<Attribute>,
    /// Who may call it.
    pub(crate) vis: Visibility,
    /// Everything up to the body.
    pub(crate) sig: Signature,
    /// The braces and what is between them.
    pub(crate) body: Group,
}

/// What stands before the body.
struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Head> {
        Ok(Head { attrs: input.call(Attribute::parse_outer)?, vis: input.parse()?, sig: input.parse()? })
    }
}

impl Parse for RawFn {
    fn parse(input: ParseStream<'_>) -> syn::Result<RawFn> {
        let Head { attrs, vis, sig } = input.parse()?;
        let body: Group =
            input.parse().map_err(|error| syn::Error::new(error.span(), "expected a body in braces"))?;
        if body.delimiter() != Delimiter::Brace {
            return Err(syn::Error::new(body.span(), "expected a body in braces"));
        }
        Ok(RawFn { attrs, vis, sig, body })
    }
}

impl RawFn {
    /// Reads an item, or gives it back as it stands with the reason behind it.
    pub(crate) fn read(item: TokenStream) -> Result<RawFn, TokenStream> {
        // The parser would copy each token of the body: without it, it takes as long for long bodies as for short ones.
        let mut head: Vec<TokenTree> = item.clone().into_iter().collect();
        if let Some(TokenTree::Group(body)) = head.pop()
            && body.delimiter() == Delimiter::Brace
            && let Ok(Head { attrs, vis, sig }) = syn::parse2(head.into_iter().collect())
        {
            return Ok(RawFn { attrs, vis, sig, body });
        }
        syn::parse2(item.clone()).map_err(|error| {
            let mut tokens = item;
            tokens.extend(error.into_compile_error());
            tokens
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_rust_cannot_parse_does_not_hide_the_signature() {
        let item = "/// Doc\npub async fn f(a: u8) -> u8 { let x = a. ; if x. }".parse().unwrap();
        let function = RawFn::read(item).ok().unwrap();
        assert_eq!((function.sig.ident.to_string(), function.attrs.len()), ("f".to_owned(), 1));
        assert_eq!(function.body.to_string(), "{ let x = a . ; if x . }");
    }

    #[test]
    fn what_is_no_function_is_given_back_with_the_reason() {
        let tokens = RawFn::read("struct A;".parse().unwrap()).err().unwrap().to_string();
        assert!(tokens.starts_with("struct A ;") && tokens.contains("compile_error"), "{tokens}");
    }
}
