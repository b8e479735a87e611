//! Small slips in a branch or an operation: an `.await` or `?` too many, a block without `async`.
//! Each is told once and then read as it was meant, so that rustc has nothing to add.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{Error, Expr};

use super::parse::refused;
use super::{Word, Written};

/// The operation as it was meant, and what has to be written differently.
pub(super) fn repaired(word: Word, mut operation: Written<Expr>) -> (Written<Expr>, Option<Error>) {
    let mut slip = None;
    loop {
        operation = match operation.tree {
            Expr::Await(await_) => {
                let why = match word {
                    Word::Select => "take out this `.await`: `select!` awaits all operations together",
                    _ => "take out this `.await`: the branches are awaited together",
                };
                slip = Some(told(word, await_.await_token.span, why));
                Written { tree: *await_.base, tokens: without(operation.tokens, 2) }
            }
            Expr::Try(try_) => {
                let why = match word {
                    Word::Select => "take out this `?`, and ask for the outcome inside the arm",
                    _ => {
                        "take out this `?`: `try_join!(..)?` leaves at the first error, and in a branch \
                         `async { .. }` a `?` leaves the block"
                    }
                };
                slip = Some(told(word, try_.question_token.spans[0], why));
                Written { tree: *try_.expr, tokens: without(operation.tokens, 1) }
            }
            Expr::Block(block) if word != Word::Select && block.label.is_none() && block.attrs.is_empty() => {
                let span = block.block.brace_token.span.open();
                slip = Some(told(word, span, "a branch of several lines is written `async { .. }`"));
                let tokens = operation.tokens;
                let tokens = quote_spanned!(span=> async #tokens);
                match syn::parse2(tokens.clone()) {
                    Ok(tree) => return (Written { tree, tokens }, slip),
                    Err(error) => {
                        return (Written { tree: Expr::Verbatim(tokens.clone()), tokens }, Some(error));
                    }
                }
            }
            tree => return (Written { tree, tokens: operation.tokens }, slip),
        };
    }
}

fn told(word: Word, span: proc_macro2::Span, why: &str) -> Error {
    match word {
        Word::Select => refused(span, why),
        _ => Error::new(span, format!("WF044: {why}; see docs/errors/WF044.md")),
    }
}

/// All tokens but the last ones.
fn without(tokens: TokenStream, last: usize) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.truncate(tokens.len().saturating_sub(last));
    tokens.into_iter().collect()
}
