//! WF020: what types can only say to the compiler, whether a journal can hold them. It is asked as fields of the hidden
//! type behind a function, which stands before everything else: the compiler reports in the order of the text, and what
//! it says of the rest speaks of serde's traits. The types of the fields exist only if all is well.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;

/// How a value of the type comes into the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It is given.
    Given,
    /// It is lent, and a copy is kept.
    Lent,
}

/// A field for each type that may not be storable. A tuple of all would be reported as a whole.
pub(crate) fn fields(types: impl Iterator<Item = (How, TokenStream)>) -> TokenStream {
    let unknown = types.filter(|(how, ty)| !is_surely_stored(*how, ty));
    let fields = unknown.enumerate().map(|(index, (how, ty))| {
        let (name, ty) = (format_ident!("__{index}", span = Span::call_site()), existing(how, &ty));
        quote! { #name: #ty, }
    });
    fields.collect()
}

/// Types of the language and `String`: each question that is not asked is a field less for the compiler. Who gives one
/// of these names to another type is told by the implementation of the step.
const SURELY_STORED: [&str; 17] = [
    "String", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

fn is_surely_stored(how: How, ty: &TokenStream) -> bool {
    let mut tokens = ty.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(name)), None) => {
            let name = name.to_string();
            SURELY_STORED.contains(&&*name) || (how == How::Lent && name == "str")
        }
        (Some(TokenTree::Group(group)), None) => {
            group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
        }
        _ => false,
    }
}

/// Whether the name of this type may stand for a `Result` (WF021).
pub(crate) fn may_be_alias(ty: &Type) -> bool {
    match ty {
        Type::Path(_) => !is_surely_stored(How::Given, &ty.to_token_stream()),
        Type::Group(group) => may_be_alias(&group.elem),
        Type::Paren(paren) => may_be_alias(&paren.elem),
        _ => false,
    }
}

/// `Stored<ty>`, reaching from the first to the last token of what the user wrote.
fn existing(how: How, ty: &TokenStream) -> TokenStream {
    let mut spans = ty.clone().into_iter().map(|token| token.span());
    let first = spans.next();
    let last = spans.last().or(first);
    let at = |span: Option<Span>| Span::call_site().located_at(span.unwrap_or_else(Span::call_site));
    let (first, last) = (at(first), at(last));
    let wrapper = match how {
        How::Given => "Stored",
        How::Lent => "Lent",
    };
    let wrapper = Ident::new(wrapper, first);
    let open = quote_spanned! {first=> ::workflow_runtime::__private::#wrapper< };
    let close = quote_spanned! {last=> > };
    quote! { #open #ty #close }
}
