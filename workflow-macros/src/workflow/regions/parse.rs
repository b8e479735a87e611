//! Reading the branches of `join!` and `try_join!` and the arms of `select!`.
//! What the language does not have is told here, with what to write instead.

use proc_macro2::{Ident, TokenStream};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, Pat, Result, Token};

use super::{Arm, MOST, Part, Word, Written, repair};
use crate::workflow::patterns;

/// The branches or arms between the parentheses of this macro.
///
/// # Errors
///
/// What is no syntax at all, and what the language does not have.
pub(crate) fn parse(word: Word, name: &Ident, tokens: TokenStream) -> Result<Vec<Part>> {
    let parts = (|input: ParseStream<'_>| parts(word, input)).parse2(tokens)?;
    let mut errors = parts.iter().filter_map(wrong).chain(wrong_count(word, name, &parts));
    match errors.next() {
        Some(first) => Err(errors.fold(first, |mut all, error| {
            all.combine(error);
            all
        })),
        None => Ok(parts),
    }
}

fn parts(word: Word, input: ParseStream<'_>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    while !input.is_empty() {
        let attrs = Attribute::parse_outer(input)?;
        let part = if word == Word::Select { arm(attrs, input)? } else { branch(attrs, input)? };
        let needs_comma = part.arm.as_ref().is_none_or(|arm| !ends_itself(&arm.body.tree));
        parts.push(part);
        if input.is_empty() {
            break;
        }
        if needs_comma || input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(parts)
}

fn branch(attrs: Vec<Attribute>, input: ParseStream<'_>) -> Result<Part> {
    let (operation, slip) = repair::repaired(Word::Join, written(input, |input| input.parse())?);
    Ok(Part { attrs, operation, slip, arm: None })
}

fn arm(attrs: Vec<Attribute>, input: ParseStream<'_>) -> Result<Part> {
    if input.peek(Token![else]) {
        let why = "`select!` has no `else`: every operation comes to an end; to wait no longer than some time, \
                   add an arm `_ = sleep(..) => ..`";
        return Err(refused(input.span(), why));
    }
    if input.peek(Ident::peek_any) && input.peek2(Token![;]) {
        let why = "take out `biased;`: the journal tells which operation was first, and the order of the text \
                   decides when one event ends several";
        return Err(refused(input.span(), why));
    }
    let pattern = written(input, Pat::parse_multi_with_leading_vert)?;
    refuse_guard(input)?;
    if input.peek(Token![=>]) || !input.peek(Token![=]) {
        return Err(refused(input.span(), ARM));
    }
    input.parse::<Token![=]>()?;
    let (operation, slip) = repair::repaired(Word::Select, written(input, |input| input.parse::<Expr>())?);
    if input.peek(Token![,]) && input.peek2(Token![if]) {
        input.parse::<Token![,]>()?;
    }
    refuse_guard(input)?;
    if !input.peek(Token![=>]) {
        return Err(refused(input.span(), ARM));
    }
    input.parse::<Token![=>]>()?;
    let body = written(input, Expr::parse_with_earlier_boundary_rule)?;
    Ok(Part { attrs, operation, slip, arm: Some(Arm { pattern, body }) })
}

/// How an arm is written.
const ARM: &str = "an arm of `select!` is written `pattern = operation => expression`, as in \
                   `paid = receive::<Paid>(id).forever() => paid.cents` or `_ = sleep(days(1)) => 0`";

fn refuse_guard(input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![if]) {
        let why =
            "an arm of `select!` has no guard: decide before, with an `if` around it, or inside the arm";
        return Err(refused(input.span(), why));
    }
    Ok(())
}

/// Parses, and keeps the tokens that were taken.
fn written<T>(
    input: ParseStream<'_>,
    parse: impl FnOnce(ParseStream<'_>) -> Result<T>,
) -> Result<Written<T>> {
    let begin = input.cursor();
    let tree = parse(input)?;
    Ok(Written { tree, tokens: between(begin, input.cursor()) })
}

fn between(begin: Cursor<'_>, end: Cursor<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut cursor = begin;
    while cursor != end {
        let Some((token, rest)) = cursor.token_tree() else { break };
        tokens.extend([token]);
        cursor = rest;
    }
    tokens
}

/// Whether an arm with this body needs no comma after it, as in a `match`.
fn ends_itself(body: &Expr) -> bool {
    matches!(
        body,
        Expr::If(_)
            | Expr::Match(_)
            | Expr::Block(_)
            | Expr::Unsafe(_)
            | Expr::While(_)
            | Expr::Loop(_)
            | Expr::ForLoop(_)
    )
}

fn wrong(part: &Part) -> Option<Error> {
    if let Some(attribute) = part.attrs.iter().find(|attribute| !attribute.path().is_ident("doc")) {
        let why = "WF044: only a label (`///`) can stand above a branch; see docs/errors/WF044.md";
        return Some(Error::new(attribute.span(), why));
    }
    let arm = part.arm.as_ref()?;
    if part.block().is_some() {
        let why = "an `async` block in `select!` could stop half way, and nobody would undo it; \
                   name one operation here, and do the rest inside the arm";
        return Some(refused(part.operation.tree.span(), why));
    }
    if is_refutable(&arm.pattern.tree) {
        let why = "a pattern of `select!` takes every outcome: bind the value to a name, and `match` on it inside \
                   the arm";
        return Some(refused(arm.pattern.tree.span(), why));
    }
    None
}

/// Whether the pattern, as far as its syntax tells, takes only some values.
fn is_refutable(pattern: &Pat) -> bool {
    let is_variant = |path: &syn::Path| {
        path.segments
            .last()
            .is_some_and(|last| ["Ok", "Err", "Some", "None"].iter().any(|name| last.ident.unraw() == *name))
    };
    match pattern {
        Pat::Lit(_) | Pat::Range(_) | Pat::Or(_) | Pat::Const(_) => true,
        Pat::Ident(ident) => match &ident.subpat {
            Some((_, inner)) => is_refutable(inner),
            None => patterns::is_constant(&ident.ident),
        },
        Pat::Path(path) => is_variant(&path.path),
        Pat::TupleStruct(tuple) => is_variant(&tuple.path) || tuple.elems.iter().any(is_refutable),
        Pat::Struct(named) => named.fields.iter().any(|field| is_refutable(&field.pat)),
        Pat::Tuple(tuple) => tuple.elems.iter().any(is_refutable),
        Pat::Paren(paren) => is_refutable(&paren.pat),
        Pat::Reference(reference) => is_refutable(&reference.pat),
        _ => false, // rustc knows the types, and says the rest.
    }
}

fn wrong_count(word: Word, name: &Ident, parts: &[Part]) -> Option<Error> {
    let why = match (word, parts.len()) {
        (Word::Select, 0 | 1) => {
            return Some(refused(
                name.span(),
                "`select!` needs at least two arms; to wait for one operation, await it",
            ));
        }
        (Word::Select, count) if count > MOST => {
            return Some(refused(name.span(), &format!("`select!` takes at most {MOST} arms")));
        }
        (_, 0) => format!("`{name}!` needs at least one branch"),
        (_, count) if count > MOST => format!(
            "`{name}!` takes at most {MOST} branches: put some into an `async {{ .. }}` branch with a `{name}!` of \
             its own, or use `{name}_all(..)` where all are calls of the same function"
        ),
        _ => return None,
    };
    Some(Error::new(name.span(), format!("WF044: {why}; see docs/errors/WF044.md")))
}

pub(super) fn refused(span: proc_macro2::Span, why: &str) -> Error {
    Error::new(span, format!("WF005: {why}; see docs/errors/WF005.md"))
}
