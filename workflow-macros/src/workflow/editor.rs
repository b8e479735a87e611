//! What an editor is given for the body of a workflow: the user's tokens as an ordinary async function, whose awaits
//! give what the operations give. Whatever stands before the cursor depends on nothing behind it: the server compares
//! the text with and without a word at the cursor, and looks at the same place of both.

#[cfg(test)]
mod tests;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Signature;

use super::regions::Word;
use super::rewrite::{called, is_ours};
use crate::signature::RawFn;

/// The function as it was typed, under a name of its own.
pub(crate) fn function(function: &RawFn) -> TokenStream {
    let signature = Signature { ident: Ident::new("__run", Span::mixed_site()), ..function.sig.clone() };
    let mut body = Group::new(Delimiter::Brace, text(function.body.stream()));
    body.set_span(function.body.span());
    quote_spanned!(Span::mixed_site()=> #signature #body)
}

/// The tokens without what no compiler knows: labels, allowances, and the language's macros.
fn text(tokens: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(hash) if hash.as_char() == '#' && is_ours(&tokens) => {
                tokens.next();
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), text(group.stream()));
                inner.set_span(group.span());
                out.push(TokenTree::Group(inner));
            }
            TokenTree::Ident(name) => match Word::named(&name).zip(called(&tokens)) {
                Some((word, group)) => {
                    tokens.nth(1); // The `!` and the group.
                    out.extend(region(word, &group));
                }
                None => out.push(TokenTree::Ident(name)),
            },
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}

/// One of the language's macros as code that has its type, whatever is missing in it.
fn region(word: Word, group: &Group) -> TokenStream {
    let hidden = Span::mixed_site();
    match word {
        Word::Join | Word::TryJoin => {
            let branches = split(group.stream(), ',').into_iter().map(text);
            let outcomes = quote_spanned!(hidden=> (#((#branches).await,)*));
            match word {
                Word::TryJoin => {
                    quote_spanned!(hidden=> ::workflow_runtime::__private::core::editor::both(#outcomes))
                }
                _ => outcomes,
            }
        }
        Word::Select => {
            let arms = arms(group.stream()).into_iter().map(|Arm { pattern, operation, body }| {
                let (operation, body) = (text(operation), text(body));
                let bound = match pattern {
                    Some(pattern) => quote_spanned!(hidden=> let #pattern = (#operation).await;),
                    None => quote_spanned!(hidden=> (#operation).await;),
                };
                quote_spanned!(hidden=> if true { #bound #body } else)
            });
            quote_spanned!(hidden=> #(#arms)* { loop {} })
        }
    }
}

/// An arm of a `select!`, as far as it has been typed.
struct Arm {
    pattern: Option<TokenStream>,
    operation: TokenStream,
    body: TokenStream,
}

fn arms(tokens: TokenStream) -> Vec<Arm> {
    let mut arms = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while tokens.peek().is_some() {
        let (mut pattern, mut head) = (None, Vec::new());
        let mut body = Vec::new();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Punct(sign)
                    if sign.as_char() == '='
                        && sign.spacing() == proc_macro2::Spacing::Alone
                        && pattern.is_none() =>
                {
                    pattern = Some(std::mem::take(&mut head).into_iter().collect());
                    continue;
                }
                TokenTree::Punct(sign)
                    if sign.as_char() == '=' && sign.spacing() == proc_macro2::Spacing::Joint =>
                {
                    let is_arrow =
                        matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '>');
                    if is_arrow {
                        tokens.next();
                        break;
                    }
                }
                // An arm that nothing has been written for yet.
                TokenTree::Punct(sign) if sign.as_char() == ',' => break,
                _ => {}
            }
            head.push(token);
        }
        while let Some(token) = tokens.next() {
            let is_comma = matches!(&token, TokenTree::Punct(sign) if sign.as_char() == ',');
            if is_comma {
                break;
            }
            let ends = body.is_empty()
                && matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
                && !matches!(tokens.peek(), Some(TokenTree::Punct(sign)) if matches!(sign.as_char(), '.' | '?'));
            body.push(token);
            if ends {
                if matches!(tokens.peek(), Some(TokenTree::Punct(sign)) if sign.as_char() == ',') {
                    tokens.next();
                }
                break;
            }
        }
        let (operation, body) = (head.into_iter().collect(), body.into_iter().collect());
        arms.push(Arm { pattern, operation, body });
    }
    arms
}

/// What stands between these signs; nothing behind a last one.
fn split(tokens: TokenStream, sign: char) -> Vec<TokenStream> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == sign => parts.push(Vec::new()),
            token => parts.last_mut().expect("there is one at least").push(token),
        }
    }
    if parts.last().is_some_and(Vec::is_empty) {
        parts.pop();
    }
    parts.into_iter().map(|part| part.into_iter().collect()).collect()
}
