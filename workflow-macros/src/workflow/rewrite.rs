//! The body's tokens, with `.await` turned into `.__durable(&__cx, n).await`, the language's macros written out, and
//! labels and allowances taken out. Token by token: editors rely on everything before the cursor staying where it is.

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, Literal, Spacing, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::allow;
use super::iteration::{Iterated, Places};
use super::regions::Word;
use super::regions::expand::expand;

/// A rewritten body, and how many awaits were found in it.
pub(crate) struct Rewritten {
    pub(crate) body: TokenStream,
    pub(crate) awaits: usize,
}

/// Rewrites a body.
pub(crate) fn rewrite(body: TokenStream, places: &Places) -> Rewritten {
    let mut rewriter = Rewriter { awaits: 0, places };
    let body = rewriter.rewrite(body);
    Rewritten { body, awaits: rewriter.awaits }
}

/// The hidden context: user code cannot name it.
pub(crate) fn context() -> Ident {
    Ident::new("__cx", Span::mixed_site())
}

/// Counts the awaits while it rewrites.
pub(crate) struct Rewriter<'a> {
    awaits: usize,
    places: &'a Places,
}

impl Rewriter<'_> {
    /// These tokens, rewritten; their awaits have the next numbers.
    pub(crate) fn rewrite(&mut self, tokens: TokenStream) -> TokenStream {
        let mut out: Vec<TokenTree> = Vec::new();
        // Where the expressions begin that are iterated, and what becomes of them.
        let mut loops: Vec<(usize, Iterated)> = Vec::new();
        let mut tokens = tokens.into_iter();
        while let Some(token) = tokens.next() {
            // Asked for once: each time, a text is made.
            let word = match &token {
                TokenTree::Ident(ident) => ident.to_string(),
                _ => String::new(),
            };
            match token {
                TokenTree::Punct(hash) if hash.as_char() == '#' && is_ours(&tokens) => {
                    tokens.next(); // A label or an allowance: rustc knows neither inside a function.
                }
                TokenTree::Group(group) => {
                    if self.places.is_body(group.span_open())
                        && let Some((begin, iterated)) = loops.pop()
                    {
                        let mut whole = Group::new(Delimiter::Parenthesis, out.drain(begin..).collect());
                        whole.set_span(iterated.span);
                        out.push(TokenTree::Group(whole));
                        out.extend(iterated.behind);
                    }
                    let inside = self.group(&group);
                    let mut rewritten = Group::new(group.delimiter(), inside);
                    rewritten.set_span(group.span());
                    out.push(TokenTree::Group(rewritten));
                    out.extend(self.places.behind(group.span_open()));
                }
                TokenTree::Ident(keyword) if word == "await" => {
                    let is_operation = !self.places.is_plain(keyword.span());
                    if let Some(TokenTree::Punct(dot)) = out.last().filter(|token| is_dot(token)) {
                        let dot = dot.clone();
                        let durable = self.durable(keyword.span());
                        if is_operation {
                            out.extend(durable);
                            out.push(TokenTree::Punct(dot));
                        }
                    }
                    out.push(TokenTree::Ident(keyword));
                }
                TokenTree::Ident(keyword) if word == "in" => {
                    let iterated = self.places.iterated(keyword.span());
                    out.push(TokenTree::Ident(keyword));
                    loops.extend(iterated.map(|iterated| (out.len(), iterated)));
                }
                TokenTree::Ident(name) => match Word::written(&word).zip(called(&tokens)) {
                    Some((word, group)) => {
                        tokens.nth(1); // The `!` and the group.
                        drop_path(&mut out);
                        out.extend(expand(word, &name, &group, self));
                        if is_await(&tokens) {
                            tokens.nth(1); // It is refused, and that should be the only error.
                            self.awaits += 1;
                        }
                    }
                    _ => {
                        if let Some(before) = self.places.before(name.span())
                            && let Some(dot) = out.pop_if(|token| is_dot(token))
                        {
                            out.extend(before);
                            out.push(dot);
                        }
                        out.push(TokenTree::Ident(name));
                    }
                },
                other => out.push(other),
            }
        }
        out.into_iter().collect()
    }

    /// What stands in a group, with what is asked there of the types outside.
    fn group(&mut self, group: &Group) -> TokenStream {
        let awaits = self.awaits;
        let inside = self.rewrite(group.stream());
        let span = group.span_open();
        if self.places.is_refused(span) {
            return quote_spanned!(span=> ::core::unreachable!());
        }
        if let Some(asks) = self.places.within(span) {
            return quote_spanned!(span=> { #asks #inside });
        }
        if self.places.is_foreign(span) && self.awaits > awaits {
            // It is refused; that what it is given takes the context away should not be a second error.
            let mut context = context();
            context.set_span(Span::mixed_site().located_at(span));
            return quote_spanned!(span=> { let #context = ::core::clone::Clone::clone(&#context); #inside });
        }
        inside
    }

    /// What makes the operation before it the next of the body's awaits: `__durable(&__cx, n)`.
    pub(crate) fn durable(&mut self, span: Span) -> TokenStream {
        let mut context = context();
        context.set_span(Span::mixed_site().located_at(span));
        let mut number = Literal::usize_unsuffixed(self.awaits);
        number.set_span(span);
        self.awaits += 1;
        quote_spanned!(span=> __durable(&#context, #number))
    }
}

/// Whether the attribute whose `#` has just been read is for the macro alone.
pub(crate) fn is_ours(rest: &IntoIter) -> bool {
    let Some(TokenTree::Group(group)) = rest.clone().next() else { return false };
    let first = group.stream().into_iter().next();
    group.delimiter() == Delimiter::Bracket
        && matches!(first, Some(TokenTree::Ident(ident)) if ident == "doc" || ident == allow::NAME)
}

fn is_dot(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(dot) if dot.as_char() == '.')
}

fn is_await(rest: &IntoIter) -> bool {
    let mut rest = rest.clone();
    matches!(
        (rest.next(), rest.next()),
        (Some(TokenTree::Punct(dot)), Some(TokenTree::Ident(keyword))) if dot.as_char() == '.' && keyword == "await"
    )
}

/// The group of a macro call whose name has just been read.
pub(crate) fn called(rest: &IntoIter) -> Option<Group> {
    let mut rest = rest.clone();
    match (rest.next(), rest.next()) {
        (Some(TokenTree::Punct(bang)), Some(TokenTree::Group(group))) if bang.as_char() == '!' => Some(group),
        _ => None,
    }
}

/// Takes away the path before the macro's name: from another crate it is refused, and that should be the only error.
fn drop_path(before: &mut Vec<TokenTree>) {
    while let [.., TokenTree::Punct(first), TokenTree::Punct(second)] = before.as_slice()
        && (first.as_char(), first.spacing(), second.as_char()) == (':', Spacing::Joint, ':')
    {
        before.truncate(before.len() - 2);
        if before.last().is_some_and(is_segment) {
            before.pop();
        }
    }
}

/// Whether this is a part of a path, as opposed to a word before one that begins with `::`.
fn is_segment(token: &TokenTree) -> bool {
    let TokenTree::Ident(ident) = token else { return false };
    ident == "crate"
        || ident == "self"
        || ident == "super"
        || syn::parse2::<Ident>(token.clone().into()).is_ok()
}
