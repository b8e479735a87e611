//! The tokens that become of `join!`, `try_join!` and `select!`.
//! The arguments of all calls are evaluated before anything begins, in the surroundings of the macro; the calls then
//! begin in the order of the text.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};

use super::{Part, Word, parse};
use crate::workflow::rewrite::{Rewriter, context};

/// The names of the ways in which a race can end, as the core has them.
const FIRST: [&str; 8] = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth"];

/// What stands in place of the macro; its awaits are counted.
pub(crate) fn expand(word: Word, name: &Ident, tokens: &Group, rewriter: &mut Rewriter<'_>) -> TokenStream {
    match parse(word, name, tokens.stream()) {
        Ok(parts) => {
            as_operand(tokens, Expansion::of(word, name, parts, rewriter).into_tokens(), name.span())
        }
        // The error is told where the body is lowered; it should be the only one.
        Err(_) => {
            rewriter.rewrite(tokens.stream());
            quote_spanned!(name.span()=> ::core::unreachable!())
        }
    }
}

/// One of the macros with its parts rewritten.
struct Expansion {
    word: Word,
    span: Span,
    /// The calls, by the hidden names under which they wait until all arguments are there.
    names: Vec<Ident>,
    calls: Vec<TokenStream>,
    /// The branches, as they are begun.
    branches: Vec<TokenStream>,
    /// The arms of a `select!`: pattern and body.
    arms: Vec<(TokenStream, TokenStream)>,
}

impl Expansion {
    fn of(word: Word, name: &Ident, parts: Vec<Part>, rewriter: &mut Rewriter<'_>) -> Expansion {
        let span = name.span();
        let context = hidden(span);
        let (names, calls) = (Vec::new(), Vec::new());
        let mut expansion = Expansion { word, span, names, calls, branches: Vec::new(), arms: Vec::new() };
        for (index, part) in parts.into_iter().enumerate() {
            let moves = matches!(&part.operation.tree, syn::Expr::Async(block) if block.capture.is_some());
            let is_block = part.block().is_some();
            let end = end_of(&part.operation.tokens).unwrap_or(span);
            let operation = rewriter.rewrite(part.operation.tokens);
            expansion.branches.push(if moves {
                // A block that takes what it uses takes a context of its own.
                quote_spanned!(span=> { let #context = ::core::clone::Clone::clone(&#context); #operation })
            } else if is_block {
                operation
            } else {
                // At the parentheses of the call, which is where rustc should find fault with it.
                let name = format_ident!("__call_{index}", span = span.located_at(end));
                let begun = rewriter.durable(end);
                let branch = quote!(#name.#begun);
                expansion.names.push(name);
                expansion.calls.push(operation);
                branch
            });
            expansion
                .arms
                .extend(part.arm.map(|arm| (arm.pattern.tokens, rewriter.rewrite(arm.body.tokens))));
        }
        expansion
    }

    fn into_tokens(self) -> TokenStream {
        let Expansion { word, span, names, calls, branches, arms } = self;
        let context = hidden(span);
        let all = match word {
            Word::Join => quote_spanned!(span=> __join),
            Word::TryJoin => quote_spanned!(span=> __try_join),
            Word::Select => quote_spanned!(span=> __race),
        };
        let region = quote_spanned! {span=> {
            let #context = #context.__region();
            #context.#all((#(#branches,)*)).await
        }};
        let outcome = if calls.is_empty() {
            region
        } else {
            // A `match`, so that what the arguments borrow lives as long as in a call of a function.
            quote_spanned!(span=> match (#(#calls,)*) { (#(#names,)*) => #region })
        };
        if word != Word::Select {
            return outcome;
        }
        let raced = format_ident!("Raced{}", arms.len(), span = span);
        let arms = arms.into_iter().zip(FIRST).map(|((pattern, body), first)| {
            let first = Ident::new(first, span);
            quote_spanned!(span=> ::workflow_runtime::__private::core::#raced::#first(#pattern) => #body,)
        });
        quote_spanned!(span=> match { #outcome } { #(#arms)* })
    }
}

/// The expression with parentheses around it, if those of the macro call made it one to which an operator or an `else`
/// may be added. Behind braces a statement ends, and must go on doing so.
fn as_operand(written: &Group, expression: TokenStream, span: Span) -> TokenStream {
    if written.delimiter() == Delimiter::Brace {
        return expression;
    }
    let mut operand = Group::new(Delimiter::Parenthesis, expression);
    operand.set_span(Span::mixed_site().located_at(span)); // No lint speaks of parentheses that nobody wrote.
    TokenTree::Group(operand).into()
}

/// The hidden context, at this place of the text.
fn hidden(span: Span) -> Ident {
    let mut context = context();
    context.set_span(Span::mixed_site().located_at(span));
    context
}

/// Where a call ends: at its parentheses.
fn end_of(call: &TokenStream) -> Option<Span> {
    call.clone().into_iter().last().map(|token| match token {
        TokenTree::Group(group) => group.span(),
        other => other.span(),
    })
}
