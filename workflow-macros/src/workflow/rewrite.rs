//! The body's tokens, with `.await` turned into `.__durable(&__cx, n).await` and labels taken out.
//! Postfix only and token by token: editors rely on everything before the cursor staying where it is.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// A rewritten body, and how many awaits were found in it.
pub(crate) struct Rewritten {
    pub(crate) body: TokenStream,
    pub(crate) awaits: usize,
}

/// Rewrites a body.
pub(crate) fn rewrite(body: TokenStream) -> Rewritten {
    let mut awaits = 0;
    let body = rewrite_counting(body, &mut awaits);
    Rewritten { body, awaits }
}

/// The hidden context: user code cannot name it.
pub(crate) fn context() -> Ident {
    Ident::new("__cx", Span::mixed_site())
}

fn rewrite_counting(tokens: TokenStream, next: &mut usize) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(hash) if hash.as_char() == '#' && tokens.peek().is_some_and(is_doc) => {
                tokens.next(); // A label: rustc knows no documentation inside a function.
            }
            TokenTree::Group(group) => {
                let mut rewritten = Group::new(group.delimiter(), rewrite_counting(group.stream(), next));
                rewritten.set_span(group.span());
                out.push(TokenTree::Group(rewritten));
            }
            TokenTree::Ident(keyword) if keyword == "await" => match out.last() {
                Some(TokenTree::Punct(dot)) if dot.as_char() == '.' => {
                    let dot = dot.clone();
                    out.extend(durable(keyword.span(), *next));
                    out.push(TokenTree::Punct(dot));
                    out.push(TokenTree::Ident(keyword));
                    *next += 1;
                }
                _ => out.push(TokenTree::Ident(keyword)),
            },
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}

fn durable(span: Span, number: usize) -> TokenStream {
    let mut context = context();
    context.set_span(Span::mixed_site().located_at(span));
    let mut number = Literal::usize_unsuffixed(number);
    number.set_span(span);
    quote_spanned!(span=> __durable(&#context, #number))
}

fn is_doc(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let first = group.stream().into_iter().next();
    group.delimiter() == Delimiter::Bracket
        && matches!(first, Some(TokenTree::Ident(ident)) if ident == "doc")
}
