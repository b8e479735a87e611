//! What a pattern over a `Result` takes: successes, an error's variants, or everything else.
//! Syntax only; whether a variant exists is rustc's affair.

use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Expr, Ident, Pat, PatIdent, Path};

/// What an arm of a `match` over the outcome of an operation takes.
pub(crate) enum Takes<'a> {
    /// `Ok(..)`, with the pattern inside.
    Success(&'a Pat),
    /// `Err(..)` of these variants, each taken whole.
    Variants(Vec<String>),
    /// `Err(_)`.
    AnyError,
    /// `_`: whatever no other arm takes.
    Rest,
    /// `Err(..)` of only a part of a variant.
    Part,
    /// No pattern over a `Result`.
    Other,
}

/// What this pattern takes.
pub(crate) fn takes(pattern: &Pat) -> Takes<'_> {
    match pattern {
        Pat::Paren(paren) => takes(&paren.pat),
        Pat::Reference(reference) => takes(&reference.pat),
        Pat::Wild(_) => Takes::Rest,
        Pat::Ident(ident) if ident.subpat.is_none() && !is_constant(&ident.ident) => Takes::Rest,
        Pat::TupleStruct(tuple) if tuple.elems.len() == 1 => match last(&tuple.path).as_str() {
            "Ok" => Takes::Success(&tuple.elems[0]),
            "Err" => error(&tuple.elems[0]),
            _ => Takes::Other,
        },
        Pat::Or(or) => or.cases.iter().map(takes).reduce(either).unwrap_or(Takes::Other),
        _ => Takes::Other,
    }
}

fn either<'a>(left: Takes<'a>, right: Takes<'a>) -> Takes<'a> {
    match (left, right) {
        (Takes::Variants(mut left), Takes::Variants(right)) => {
            left.extend(right);
            Takes::Variants(left)
        }
        (Takes::AnyError, Takes::Variants(_)) | (Takes::Variants(_), Takes::AnyError) => Takes::AnyError,
        (Takes::Part, _) | (_, Takes::Part) => Takes::Part,
        _ => Takes::Other,
    }
}

fn error(pattern: &Pat) -> Takes<'static> {
    match pattern {
        pattern if is_irrefutable(pattern) => Takes::AnyError,
        Pat::Paren(paren) => error(&paren.pat),
        Pat::Reference(reference) => error(&reference.pat),
        Pat::Ident(ident) if ident.subpat.is_none() => Takes::Variants(vec![ident.ident.unraw().to_string()]),
        Pat::Path(path) => Takes::Variants(vec![last(&path.path)]),
        Pat::TupleStruct(tuple) if tuple.elems.iter().all(is_irrefutable) => {
            Takes::Variants(vec![last(&tuple.path)])
        }
        Pat::Struct(named) if named.fields.iter().all(|field| is_irrefutable(&field.pat)) => {
            Takes::Variants(vec![last(&named.path)])
        }
        Pat::Or(or) => or.cases.iter().map(error).reduce(either).unwrap_or(Takes::Part),
        Pat::Ident(ident) => ident.subpat.as_ref().map_or(Takes::Part, |(_, inner)| error(inner)),
        _ => Takes::Part,
    }
}

/// Whether the pattern takes every value, as far as its syntax tells.
pub(crate) fn is_irrefutable(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => true,
        Pat::Ident(ident) => match &ident.subpat {
            Some((_, inner)) => is_irrefutable(inner),
            None => !is_constant(&ident.ident),
        },
        Pat::Paren(paren) => is_irrefutable(&paren.pat),
        Pat::Reference(reference) => is_irrefutable(&reference.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().all(is_irrefutable),
        _ => false,
    }
}

/// Whether an identifier in a pattern names a constant or variant rather than binding a value.
pub(crate) fn is_constant(ident: &Ident) -> bool {
    ident.to_string().chars().next().is_some_and(char::is_uppercase)
}

/// The names that this pattern binds.
pub(crate) fn bound_by(pattern: &Pat) -> Vec<String> {
    let mut bound = Bound(Vec::new());
    bound.visit_pat(pattern);
    bound.0
}

/// The names that the `let` patterns in this condition bind.
pub(crate) fn bound_by_condition(condition: &Expr) -> Vec<String> {
    match condition {
        Expr::Let(condition) => bound_by(&condition.pat),
        Expr::Binary(binary) => {
            [&binary.left, &binary.right].into_iter().flat_map(|e| bound_by_condition(e)).collect()
        }
        _ => Vec::new(),
    }
}

struct Bound(Vec<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.push(pattern.ident.unraw().to_string());
        syn::visit::visit_pat_ident(self, pattern);
    }
}

fn last(path: &Path) -> String {
    path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default()
}
